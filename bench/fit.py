"""The cost model fitted to cores that were built: hw/fitted.py, and a table in docs/schedules.md.

    python bench/fit.py [--page]

Builds what is missing of builds.py first; `--page` builds nothing. The fit is by least squares of
relative errors, near to what each count means: one LUT for a bit of a sum, and so on. Every third
core on lanes, and every third microprogram, on all parts together, is held out of it, and errors
are told of those apart.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import astuple
from pathlib import Path
from statistics import median
from typing import Any

import builds
import numpy as np
from builds import Row
from marks import put_between
from sylvan.hw import fitted
from sylvan.hw.cost import (
    brams,
    delay_terms,
    flip_flops,
    path,
    period_ns,
    terms,
    total_cost,
    weighed,
)
from sylvan.hw.fitted import CoreDelays, Weights
from sylvan.hw.schedule import passing
from sylvan.hw.targets import target
from sylvan.model.files import write_json

ROOT = Path(__file__).parent.parent
CODE, PAGE = Path(fitted.__file__), ROOT / "docs" / "schedules.md"
CODE_MARKS = "# fitted: begin", "# fitted: end"
PAGE_MARKS = "<!-- fit: begin -->", "<!-- fit: end -->"
EXPECTED = {
    "ice40": Weights(1, 0, 1, 2, 1, 1, 1, 0),
    "ecp5": Weights(1, 1, 0, 2, 1, 0, 1, 0),
    "xilinx": Weights(1, 0, 0, 1, 1, 0, 1, 0),
    "gowin": Weights(1, 0, 0, 2, 1, 0, 1, 0),
}
"""LUTs that each count should be, from how a family is built."""
TRUST = Weights(*[0.2] * 7, 0.002)
"""Relative error that is as bad as a whole LUT away from that."""
EXPECTED_DELAYS, TRUST_DELAYS = (0, 0.1, 0, 1), (0, 1, 0, 0.1)
"""The same of delays that few cores tell apart: a bit of carry, a block RAM."""
ROWS, EXPECTED_ROW, EXPECTED_WORD = 3, 2.5, 12.0
"""Adders in a row from which on they are what limits the clock rate; ns of one if none is built,
and of a word of a microprogram."""
BARS = {"luts": (0.05, 0.15), "fmax_mhz": (None, 0.20)}
"""Median and worst relative errors of what is held out."""

COLUMNS = (
    "core", "lanes", "digit", "levels", "contexts", "part", "LUTs", "estimate", "error",
    "flip-flops", "estimate", "block RAMs", "estimate", "MHz", "estimate", "error", "held out",
)  # fmt: skip


def family(row: Row) -> str:
    return str(target(row["target"]).family)


def timing_of(row: Row) -> str:
    return str(target(row["target"]).timing)


def counted(row: Row) -> Row:
    """The row with what is counted in its plan."""
    design = builds.rebuilt(row)
    cost = total_cost(design.plan)
    return row | {
        "counts": list(terms(cost, design.part)),
        "path": list(path(design.plan)),
        "said": {"ffs": flip_flops(cost, design.part), "brams": brams(cost, design.part)},
    }


def core(row: Row) -> tuple[Any, ...]:
    """What tells a core from others, whatever the part."""
    digit = 0 if row["words"] else row["digit"]
    return row["program"], row["lanes"], digit, row["levels"], row["contexts"], row["microcode"]


def split(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Cores that the weights are fitted to, and every third one of a form, which is held out."""
    forms = [sorted({core(r) for r in rows if r["microcode"] is form}) for form in (False, True)]
    out = [one for form in forms for one in form[2::3]]
    return {
        "fitted": [row for row in rows if core(row) not in out],
        "held out": [row for row in rows if core(row) in out],
    }


def solved(counts: Any, found: Any, expected: Any, trust: Any) -> list[float]:
    """Weights of least squared relative error, none below 0."""
    matrix = np.array(counts) / np.array(found)[:, None]
    near, far = np.array(expected, float), np.array(trust, float)
    matrix = np.vstack([matrix, np.diag(far)])
    wanted = np.concatenate([np.ones(len(found)), far * near])
    weights, kept = np.zeros(len(near)), np.ones(len(near), bool)
    while kept.any():
        weights[:] = 0
        weights[kept] = np.linalg.lstsq(matrix[:, kept], wanted, rcond=None)[0]
        if weights.min() >= 0:
            break
        kept[weights.argmin()] = False
    return weights.round(4).tolist()


def fit(rows: Sequence[Row]) -> dict[str, dict[str, Any]]:
    """Weights of every family, and delays of what is as fast."""
    weights: dict[str, Weights] = {}
    delays: dict[str, CoreDelays] = {}
    for name, expected in EXPECTED.items():
        some = [row for row in rows if family(row) == name]
        found = [row["luts"] for row in some]
        weights[name] = Weights(
            *solved([r["counts"] for r in some], found, astuple(expected), astuple(TRUST))
        )
        for timing in dict.fromkeys(timing_of(row) for row in some):
            timed_rows = [row for row in some if timing_of(row) == timing]
            if all(row["fmax_mhz"] for row in timed_rows):
                delays[timing] = slowest(timed_rows, weights[name])
    return {"WEIGHTS": weights, "DELAYS": delays}


def slowest(rows: Sequence[Row], weights: Weights) -> CoreDelays:
    """Delays of adders in a row by cores that have many, others by the others; of microprograms,
    which have none, by these."""
    words = [1000 / row["fmax_mhz"] for row in rows if not row["path"][0]]
    long = [1000 / row["fmax_mhz"] / row["path"][0] for row in rows if row["path"][0] >= ROWS]
    others = [row for row in rows if 0 < row["path"][0] < ROWS]
    counts, periods = (
        [timed(row, weights) for row in others],
        [1000 / r["fmax_mhz"] for r in others],
    )
    found = solved(counts, periods, EXPECTED_DELAYS, TRUST_DELAYS)
    row, word = (
        round(median(given), 4) for given in (long or [EXPECTED_ROW], words or [EXPECTED_WORD])
    )
    return CoreDelays(row, tuple(found), word)


def timed(row: Row, weights: Weights) -> tuple[float, ...]:
    cells = weighed(astuple(weights), row["counts"])
    return delay_terms(row["path"][1], cells, row["said"]["brams"])


def estimated(row: Row, found: dict[str, dict[str, Any]]) -> Row:
    """Figures of a row by weights and delays."""
    name = family(row)
    weights = found["WEIGHTS"][name]
    said = row["said"] | {"luts": weighed(astuple(weights), row["counts"]), "fmax_mhz": None}
    if timing_of(row) in found["DELAYS"]:
        period = period_ns(found["DELAYS"][timing_of(row)], row["path"][0], timed(row, weights))
        said["fmax_mhz"] = 1000 / period
    return said


def errors(rows: Sequence[Row], found: dict[str, dict[str, Any]], figure: str) -> list[float]:
    """Of the estimates of a figure that is measured, relative to that."""
    some = [row for row in rows if row[figure]]
    return [estimated(row, found)[figure] / row[figure] - 1 for row in some]


def code(found: dict[str, dict[str, Any]]) -> str:
    """What stands between the marks of hw/fitted.py."""
    lines = []
    for name, by_family in found.items():
        lines.append(f"{name} = {{")
        for family, value in by_family.items():
            numbers = ", ".join(map(str, astuple(value)))
            lines.append(f'    "{family}": {type(value).__name__}({numbers}),')
        lines.append("}")
    return "\n".join(lines)


def summary(rows: Sequence[Row], found: dict[str, dict[str, Any]]) -> Iterator[str]:
    """Errors of what is held out, by family, beside the bars."""
    yield "| family | cores fitted, held out | LUTs: median, worst | MHz: median, worst |"
    yield "|---|---:|---:|---:|"
    for name in EXPECTED:
        parts = split([row for row in rows if family(row) == name])
        cells = [", ".join(str(len(some)) for some in parts.values())]
        for figure, bars in BARS.items():
            off = [abs(error) for error in errors(parts["held out"], found, figure)]
            cells.append(", ".join(map(judged, (median(off), max(off)), bars)) if off else "-")
        yield f"| {name} | {' | '.join(cells)} |"


def judged(error: float, bar: float | None) -> str:
    """An error, and the bar that it misses."""
    missed = bar is not None and error > bar
    return f"{error:.1%}" + (f" (**missed**: {bar:.0%})" if missed else "")


def table(rows: Sequence[Row]) -> Iterator[str]:
    """The errors of what is held out, and every core beside its estimate."""
    found = fit(split(rows)["fitted"])
    yield from summary(rows, found)
    out = {core(row) for row in split(rows)["held out"]}
    yield ""
    yield f"| {' | '.join(COLUMNS)} |"
    yield "|---|---:|---:|---:|---:|---|" + "---:|" * 10 + "---|"
    for row in sorted(rows, key=lambda row: (core(row), row["target"])):
        said = estimated(row, found)
        cells = [row["program"], row["lanes"], passing(row)]
        cells += [row["levels"], row["contexts"], row["target"]]
        cells += [
            f"{row['luts']:,}",
            f"{said['luts']:,.0f}",
            f"{said['luts'] / row['luts'] - 1:+.1%}",
        ]
        cells += [f"{row['ffs']:,}", f"{said['ffs']:,}", row["brams"], said["brams"]]
        cells += ["-", "-", "-"]
        if row["fmax_mhz"]:
            error = said["fmax_mhz"] / row["fmax_mhz"] - 1
            cells[-3:] = [f"{row['fmax_mhz']:.0f}", f"{said['fmax_mhz']:.0f}", f"{error:+.1%}"]
        yield f"| {' | '.join(map(str, cells))} | {'*' if core(row) in out else ''} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--page", action="store_true")
    if not parser.parse_args().page:
        builds.build()
    rows = [counted(row) for row in builds.rows()]
    write_json(builds.OUT, rows)
    found = fit(split(rows)["fitted"])
    put_between(CODE, CODE_MARKS, code(found))
    put_between(PAGE, PAGE_MARKS, "\n".join(table(rows)))
    print("\n".join(summary(rows, found)))


if __name__ == "__main__":
    main()
