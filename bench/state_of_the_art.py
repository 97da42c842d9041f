"""Networks of published sizes placed on small parts, beside what was published of others' hardware.

    python bench/state_of_the_art.py [--only TEXT] [--page]

Every core is placed with one seed and simulated against golden, which measures its cycles. Rows
are kept in bench/state_of_the_art.json as they come, with a hash of all that the tools were given;
docs/state-of-the-art.md is written from them. `--page` builds nothing.
"""

import argparse
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

import published
from bars import Bar, luts, rate
from designs import Core
from marks import put_between
from performance import shown, verdict
from published import recurrent
from rows import Row, Rows
from sylvan.hw.build import MODULE
from sylvan.hw.packing import REST, pack
from sylvan.hw.schedule import Schedule
from sylvan.hw.targets import target
from sylvan.hw.tools import Workers
from sylvan.model.program import Program

OUT = Path(__file__).with_suffix(".json")
PAGE = Path(__file__).parent.parent / "docs" / "state-of-the-art.md"
MARKS = "<!-- rows: begin -->", "<!-- rows: end -->"
SMALL, LARGE = "ice40-up5k", "ecp5-25f"
STEPS = 6
"""Timesteps of an inference of the LSTM with 20 units."""
FASTEST, EARLIER = 32_873, 17_534
"""Published inferences per second of that LSTM on a Spartan-7, and on a smaller one before."""
STACK_CYCLES = 5_840
"""Published cycles per timestep of the stack of four layers."""
TIMES = 10
"""How many times fewer they should be."""

EIGHT, TERNARY, STACK, WIDE = (
    "LSTM 20, 8-bit weights",
    "LSTM 20, ternary, 50 % zeros",
    "RNN 4 x 13, 8-bit weights",
    "LSTM 128, ternary, 90 % zeros",
)
PROGRAMS: Mapping[str, Callable[[], Program]] = {
    EIGHT: lambda: published.lstm(20, None, one_scale=True),
    TERNARY: lambda: published.lstm(20, 0.5),
    STACK: lambda: published.rnn(4, 13),
    WIDE: lambda: published.lstm(128, 0.9, one_scale=True, classes=6),
}
POINTS: tuple[tuple[str, str, Schedule], ...] = (
    (WIDE, SMALL, Schedule(1, logic_roms=True)),
    (STACK, SMALL, Schedule(1)),
    (TERNARY, SMALL, Schedule(5)),
    (EIGHT, SMALL, Schedule(4)),
    (TERNARY, LARGE, Schedule(5, turns=True)),
    (EIGHT, LARGE, Schedule(10, turns=True)),
)
COLUMNS = (
    "network", "part", "lanes", "contexts", "LUTs", "block RAMs", "DSPs", "MHz", "cycles",
    "closing", "steps per second", f"sequences of {STEPS} per second",
)  # fmt: skip


@cache
def program(name: str) -> Program:
    return PROGRAMS[name]()


def designs() -> Iterator[Core]:
    """Every core."""
    for name, part, schedule in POINTS:
        units = program(name).layers[0].output.size
        yield Core(name, target(part), units, MODULE, program(name), schedule)


def sequences_per_s(row: Row) -> float | None:
    """Sequences of all contexts, each read at its end."""
    found = row["measured"]
    if not found["fmax_mhz"]:
        return None
    cycles = (STEPS - 1) * found["cycles_per_step"] + found["closing_cycles"]
    return float(found["fmax_mhz"] * 1e6 / cycles)


def best(
    rows: list[Row], name: str, part: str, figure: Callable[[Row], float | None]
) -> float | None:
    """The largest figure of a network on a part; None where nothing fits."""
    found = [figure(row) for row in rows if (row["design"], row["target"]) == (name, part)]
    return max((value for value in found if value is not None), default=None)


def bars(rows: list[Row]) -> Iterator[Bar]:
    """What should be reached, beside what is."""
    for name in (EIGHT, TERNARY):
        said = f"{name}, {LARGE}: sequences of {STEPS} per second"
        yield Bar(said, best(rows, name, LARGE, sequences_per_s), FASTEST)
        said = f"{name}, {SMALL}: steps per second"
        yield Bar(said, best(rows, name, SMALL, rate), FASTEST)
    cycles = [
        row["measured"]["cycles_per_step"]
        for row in rows
        if row["design"] == STACK and row["target"] == SMALL and rate(row)
    ]
    said = f"{STACK}, {SMALL}: cycles per step"
    yield Bar(said, min(cycles, default=None), STACK_CYCLES / TIMES, least=False)
    said = f"{WIDE}, {SMALL}: LUTs of the part"
    yield Bar(said, best(rows, WIDE, SMALL, luts), float(target(SMALL).luts or 0), least=False)


def ways() -> Iterator[tuple[str, int, int]]:
    """How the matrix of the wide LSTM could be kept: the bits, and the cycles of a product.

    What nonzeros take is what the packing takes on one lane, two bits of weight included.
    """
    weights = recurrent(program(WIDE))
    count, (ram, width) = weights.size, (target(SMALL).spram_bits, 16)
    yield "two bits a weight, in block RAM, one a cycle", 2 * count, count
    yield "five weights in a byte, in block RAM, five a cycle", -(-count // 5) * 8, -(-count // 5)
    words = -(-2 * count // width)
    yield f"two bits a weight, in single-port RAM of {ram:,} bits, eight a cycle", 2 * count, words
    chosen = pack(weights, 1)
    windows = (1 << bits for bits in range(3, (weights.shape[1] - 1).bit_length() + 1))
    for packing in (replace(chosen, window=window) for window in windows):
        bits = (packing.cycles + REST) * (packing.index_bits + 2)
        said = f"nonzeros with their place among {packing.window}"
        yield said + (", as built" if packing.window == chosen.window else ""), bits, packing.cycles


def judged(bar: Bar, rows: list[Row]) -> str:
    """A bar as a row of its table; what was built and does not fit is missed."""
    large = (row for row in rows if row["reason"] is not None)
    tried = any(bar.what.startswith(f"{row['design']}, {row['target']}:") for row in large)
    said = verdict(bar)
    return said.replace("not measured", "**missed**: does not fit") if tried else said


def line(row: Row) -> str:
    """A row of the table."""
    found, knobs = row["measured"], row["schedule"]
    cells = [row["design"], row["target"], str(knobs["lanes"]), str(knobs["contexts"])]
    if row["reason"] is not None:
        return f"| {' | '.join(cells)} | {row['reason']} |" + " |" * (len(COLUMNS) - 5)
    cells += [shown(found[key], ",") for key in ("luts", "brams", "dsps")]
    cells += [shown(found["fmax_mhz"], ".1f")]
    cells += [shown(found[key], ",.0f") for key in ("cycles_per_step", "closing_cycles")]
    cells += [shown(figure(row), ",.0f") for figure in (rate, sequences_per_s)]
    return f"| {' | '.join(cells)} |"


def tables(rows: list[Row]) -> Iterator[str]:
    """All that stands between the marks."""
    yield "| bar | wanted | measured | |"
    yield "|---|---:|---:|---|"
    yield from (judged(bar, rows) for bar in bars(rows))
    yield from ["", f"| {' | '.join(COLUMNS)} |", "|---|---|" + "---:|" * (len(COLUMNS) - 2)]
    yield from map(line, rows)
    held = (target(SMALL).brams or 0) * (target(SMALL).bram_bits or 0)
    said = f"bits, of {held:,} in block RAM"
    yield from ["", f"| {WIDE}: its matrix | {said} | cycles of a product |", "|---|---:|---:|"]
    yield from (f"| {way} | {bits:,} | {cycles:,} |" for way, bits, cycles in ways())


def write(rows: list[Row]) -> None:
    """The page between its marks."""
    put_between(PAGE, MARKS, "\n".join(tables(rows)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="")
    parser.add_argument("--page", action="store_true")
    given = parser.parse_args()
    if not given.page:
        with Workers() as workers:
            rows = Rows(OUT, given.only, 1, workers)
            for design in designs():
                rows.row(design)
        if not given.only:
            # What is built no more.
            rows.write(rows.seen)
    write(json.loads(OUT.read_text()))


if __name__ == "__main__":
    main()
