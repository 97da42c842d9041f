"""Adder graphs placed on ECP5 beside an estimate, into bench/placed.json and docs/adders.md.

    python bench/placed.py [--sizes 16 32 64] [--seeds 3]

Each operator is alone between registers. Those of its inputs are one long shift register, and its
result is kept though nobody takes it, so that three pins do and no cell is the bench's own. (Placed
out of context, which takes no pins either, the clock has to find its way as any other signal.) A
row is kept with a hash of all that the tools were given; what has changed is placed anew. All
designs get their first seed before any gets its second, so that a run that was stopped leaves a
whole table.
"""

import argparse
import hashlib
import json
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from statistics import mean, median
from typing import Any

import numpy as np
from adders import KINDS
from amaranth import Cat, Module, Signal
from amaranth.back import verilog
from amaranth.lib import wiring
from amaranth.lib.wiring import In
from marks import put_between
from sylvan.hw import carry, clock
from sylvan.hw.adders import AdderGraph, optimize
from sylvan.hw.beats import Pattern, Tag
from sylvan.hw.flow import nextpnr_arguments
from sylvan.hw.mapping import yosys_script
from sylvan.hw.operators.base import Operator
from sylvan.hw.operators.graph import GraphMatVec
from sylvan.hw.operators.serial import SerialGraph, least_digits
from sylvan.hw.synthesis import synthesize
from sylvan.hw.targets import target
from sylvan.hw.tools import find
from sylvan.model.arrays import Array
from sylvan.model.files import write_json
from sylvan.model.matrices import Dense, sylvester
from sylvan.model.numbers import Format

OUT = Path(__file__).with_suffix(".json")
PAGE = Path(__file__).parent.parent / "docs" / "adders.md"
MARKS = "<!-- placed: begin -->", "<!-- placed: end -->"
PART, SOURCE, SIZES, SEEDS = target("ecp5-25f"), Format(-128, 127), (16, 32, 64), 3
ANY = 1 << 20
"""More adders in a row than any graph has: registers at the end only."""
DRAWS: dict[str, tuple[tuple[int, ...], Callable[[int], Array]]] = {
    "hadamard": ((16, 32, 64), sylvester),
    **{
        kind: (sizes, lambda n, kind=kind: KINDS[kind](np.random.default_rng([0, n]), n))
        for kind, sizes in {
            "binary": (16, 32),
            "ternary 50 % zeros": (16, 32, 64),
            "ternary 75 % zeros": (16, 32, 64),
            "4 bits": (16,),
        }.items()
    },
}


def parallel(graph: AdderGraph, result: Format, levels: int) -> Operator:
    """Every bit of every lane in one cycle."""
    return GraphMatVec(graph, [(graph.inputs, SOURCE)], result, 1, levels)


def serial(graph: AdderGraph, result: Format, levels: int) -> Operator:
    """A bit of every lane in a cycle, a register for each adder; signs are left to what follows."""
    graph = replace(graph, output_sign=np.ones_like(graph.output_sign))
    word = least_digits(graph, 1)
    taken, made = (Pattern(n, n, word, 1, 1) for n in (graph.inputs, len(graph.outputs)))
    return SerialGraph(graph, [(taken, SOURCE)], (made, result), Tag(1))


# name: (the operator, the adders between two registers that it is tried with)
FORMS: dict[str, tuple[Callable[[AdderGraph, Format, int], Operator], tuple[int, ...]]] = {
    "bit-parallel": (parallel, (1, 2, ANY)),
    "bit-serial": (serial, (1,)),
}


class Alone(wiring.Component):
    """An operator whose operand comes from a shift register and whose result is kept for nobody.

    One that takes several cycles is told when they begin. Without `shift`, an element that waits
    would be the bits of the shift register that come after it.
    """

    def __init__(self, operator: Operator) -> None:
        self.operator = operator
        super().__init__({"i": In(1), "shift": In(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.operator = operator = self.operator
        taken = Cat(*operator.a0.lanes, *([operator.a0.start] if operator.interval > 1 else []))
        inputs = Signal(len(taken), reset_less=True)
        with m.If(self.shift):
            m.d.sync += inputs.eq(Cat(self.i, inputs))
        m.d.comb += taken.eq(inputs)
        for number, lane in enumerate(operator.o.lanes):
            result = Signal.like(lane, name=f"result{number}", attrs={"keep": True})
            m.d.comb += result.eq(lane)
        return m


def designs(sizes: list[int]) -> Iterator[tuple[dict[str, Any], Operator]]:
    """What identifies a row, and its operator."""
    for n in sizes:
        for kind, (drawn, draw) in DRAWS.items():
            if n not in drawn:
                continue
            matrix = draw(n)
            graph = optimize(matrix, intervals=[(SOURCE.lo, SOURCE.hi)] * n)
            result = Dense(matrix).interval(SOURCE)
            for form, (make, tried) in FORMS.items():
                for levels in tried:
                    key = {"form": form, "kind": kind, "n": n}
                    key["levels"] = "any" if levels == ANY else levels
                    yield key, make(graph, result, levels)


def source(operator: Operator) -> str:
    """The Verilog that is placed."""
    return verilog.convert(Alone(operator), name="alone", emit_src=False, strip_internal_attrs=True)


def given(text: str) -> str:
    """A hash of all that decides what is placed, the releases of the tools aside."""
    script = yosys_script("alone", PART, find("yosys").release)
    options = nextpnr_arguments(PART, "", 0, None)
    return hashlib.sha256("\n".join([text, script, carry.MAP, *options]).encode()).hexdigest()[:16]


def place(text: str, seed: int) -> dict[str, Any]:
    """Figures of one place and route."""
    with tempfile.TemporaryDirectory(prefix="sylvan-placed-") as folder:
        file = Path(folder, "alone.v")
        file.write_text(text)
        found = synthesize(file, "alone", PART, Path(folder, "out"), seeds=[seed], jobs=1)
    return {
        "luts": found.luts,
        "ffs": found.ffs,
        "fmax_mhz": {str(seed): found.fmax_mhz},
        "tools": found.tool_versions,
    }


def stated(operator: Operator) -> dict[str, Any]:
    """What the operator says of itself: all that the estimate is made of."""
    cost, path = operator.cost, operator.path
    inputs = sum(len(lane) for lane in operator.a0.lanes)
    return {
        "adders": cost.adders,
        "adder_bits": cost.adder_bits,
        "logic_bits": cost.logic_bits,
        "register_bits": cost.register_bits + inputs,
        "path": path and [path.adders, path.abreast],
    }


def estimated(row: dict[str, Any]) -> dict[str, float | None]:
    """The figures of a row, from what its operator says; no clock rate where it says no path."""
    # A carry chain begins with a cell of its own.
    cells = row["adder_bits"] + row["adders"] + row["logic_bits"]
    rate = None
    if row["path"] is not None:
        rate = clock.fmax_mhz(clock.Path(*row["path"]), row["register_bits"], PART)
    return {"luts": cells, "ffs": row["register_bits"], "fmax_mhz": rate}


def measured(row: dict[str, Any]) -> dict[str, float]:
    """The figures of a row after place and route, its clock rate the median of the seeds."""
    rate = median(row["fmax_mhz"].values())
    return {"luts": row["luts"], "ffs": row["ffs"], "fmax_mhz": rate}


def fitted(rows: list[dict[str, Any]]) -> clock.GraphDelays:
    """The delays of least squared relative error."""
    rows = [row for row in rows if row["path"] is not None]
    periods = [1000 / measured(row)["fmax_mhz"] for row in rows]
    paths = [clock.Path(*row["path"]) for row in rows]
    terms = [
        clock.terms(path, row["register_bits"], PART) for path, row in zip(paths, rows, strict=True)
    ]
    matrix = np.array(terms) / np.array(periods)[:, None]
    found = np.linalg.lstsq(matrix, np.ones(len(rows)), rcond=None)[0]
    return clock.GraphDelays(*found.round(4).tolist())


def parts(rows: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Designs that delays are fitted to, and those of every third matrix, which are held out."""
    matrices = list(dict.fromkeys((row["kind"], row["n"]) for row in rows))
    out = matrices[2::3]
    return {
        "fitted": [row for row in rows if (row["kind"], row["n"]) not in out],
        "held out": [row for row in rows if (row["kind"], row["n"]) in out],
    }


def errors(rows: list[dict[str, Any]], figure: str) -> list[float]:
    """Of the estimates of a figure that there are, relative to what was measured."""
    pairs = ((estimated(row)[figure], measured(row)[figure]) for row in rows)
    return [said / found - 1 for said, found in pairs if said is not None]


FIGURES = {"luts": "LUTs", "ffs": "flip-flops", "fmax_mhz": "MHz"}


def table(rows: list[dict[str, Any]]) -> Iterator[str]:
    """A line for each design, and the errors of both parts."""
    heads = [f"{name} | estimate | error" for name in FIGURES.values()]
    yield f"| form | matrix | n | levels | {' | '.join(heads)} | seeds | delays |"
    yield "|---|---|---:|---:|" + "---:|" * (3 * len(FIGURES) + 1) + "---|"
    split = parts(rows)
    for row in rows:
        cells = [str(row[key]) for key in ("form", "kind", "n", "levels")]
        found, said = measured(row), estimated(row)
        for figure in FIGURES:
            cells += [f"{found[figure]:,.0f}", "", ""]
            if (estimate := said[figure]) is not None:
                cells[-2:] = [f"{estimate:,.0f}", f"{estimate / found[figure] - 1:+.1%}"]
        part = next(name for name, rows in split.items() if row in rows)
        yield f"| {' | '.join(cells)} | {len(row['fmax_mhz'])} | {part} |"
    yield ""
    for name, some in split.items():
        said = [
            f"{word} {mean(map(abs, errors(some, figure))):.1%}, at most "
            f"{max(map(abs, errors(some, figure))):.1%}"
            for figure, word in FIGURES.items()
        ]
        yield f"Mean error of designs {name}, {len(some)}: {'; '.join(said)}."


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", nargs="*", type=int, default=list(SIZES))
    parser.add_argument("--seeds", type=int, default=SEEDS)
    options = parser.parse_args()
    rows = json.loads(OUT.read_text()) if OUT.is_file() else []
    for seed in range(1, options.seeds + 1):
        for key, operator in designs(options.sizes):
            text = source(operator)
            row = next((r for r in rows if r.items() >= key.items()), None)
            if row is None:
                rows.append(row := dict(key))
            if row.get("given") != given(text):
                row.clear()
                row.update(key, given=given(text), fmax_mhz={})
            row.update(stated(operator))
            if str(seed) not in row["fmax_mhz"]:
                found = place(text, seed)
                row.update(found, fmax_mhz=row["fmax_mhz"] | found["fmax_mhz"])
                print(row, flush=True)
            write_json(OUT, rows)
    print(fitted(parts(rows)["fitted"]), "for hw/clock.py")
    lines = "\n".join(table(rows))
    print(lines)
    put_between(PAGE, MARKS, lines)


if __name__ == "__main__":
    main()
