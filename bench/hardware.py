"""Cores and references placed for real, into bench/hardware.json and docs/performance.md.

    python bench/hardware.py [--sizes 64 128 256 512 1024] [--only TEXT] [--seeds 3] [--quick]
                             [--limit 1800] [--page]

HadamRNNs as generated, on every schedule of `points`, and without their readout; three plain
designs of the same recurrence (references.py); and on every part a bare adder for each carry chain
that was found, and a bare read of a block RAM (clocks.py). Every core is simulated against golden,
which measures its cycles; every reference is, too. A row has the keys of `report.json`, and is
written when it is there, with a hash of all that the tools were given: a run that was stopped goes
on, and what has changed is placed anew. A design that does not fit has a row of nulls, and the
reason. `--only` takes the designs whose name holds the text, `--quick` a few, `--page` none: it
writes the page from the rows there are. A tool that has not ended after `--limit` seconds is ended,
and the row says so.
"""

import argparse
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import bars
import networks
import performance
import references
from clocks import ADDER, MEMORY
from designs import Bare, Core, Design, Loop
from rows import Rows
from sylvan.hw.build import MODULE
from sylvan.hw.plan import Plan
from sylvan.hw.schedule import Schedule
from sylvan.hw.synthesis import SEEDS
from sylvan.hw.targets import Target, target
from sylvan.hw.tools import Workers
from sylvan.model.program import Program

OUT = Path(__file__).with_suffix(".json")
SIZES, QUICK = (64, 128, 256, 512, 1024), (64,)
ECP5 = ("ecp5-25f", "ecp5-45f", "ecp5-85f")
"""In this order, each tried where a design does not fit the one before."""
LADDERS = (ECP5, ("ice40-hx8k",), ("ice40-up5k",))
LARGEST_ALONE = 128
"""Up to this size plain designs are built, and beside them cores without their readout."""
NAIVE_SIZES = (64,)
"""The naive product grows with n * n: only the largest part is tried, and no larger size."""
SMALLEST = 1024
"""From this size on only the smallest part is tried, whether it fits at all."""

CORES: dict[str, Callable[[int], Program]] = {
    bars.CORE: networks.network,
    bars.ALONE: networks.recurrence,
}


#: By part, what is worth a look beside a microprogram: lanes of words with as many contexts as fill
#: the time of the recurrence, lanes of words alone, and lanes of digits of each width.
FILLED = {"ecp5-25f": (64, 32, 16), "ice40-hx8k": (8,), "ice40-up5k": (4,)}
WORDS = {"ecp5-25f": (64, 8), "ice40-hx8k": (8, 1), "ice40-up5k": (1, 2, 4)}
DIGITS = {"ecp5-25f": {1: 128}, "ice40-hx8k": {1: 128}}


def points(n: int, part: Target) -> Iterator[Schedule]:
    """The schedules that are built on a part and those that follow it, the most telling first."""
    program = networks.network(n)
    for lanes in FILLED.get(part.name, ()):
        schedule = Schedule(lanes, contexts=2, turns=part.turns)
        pace = Plan(program, schedule).pace
        filled = -(-pace.rest // pace.interval)
        logic_roms = part.family == "ecp5" and lanes == n
        yield replace(schedule, contexts=max(filled, 2), logic_roms=logic_roms)
    for lanes in WORDS.get(part.name, ()):
        if lanes < n:
            yield Schedule(lanes, turns=part.turns)
    for digit, most in DIGITS.get(part.name, {}).items():
        yield Schedule(min(n, most), digit)
    yield Schedule(1, microcode=True)


def designs(sizes: list[int], parts: list[str], quick: bool) -> Iterator[list[Design]]:
    """Each on the parts of its ladder: on the second if it does not fit the first."""
    for n in sizes:
        for ladder in LADDERS:
            on = [target(name) for name in ladder if name in parts]
            if n >= SMALLEST and ladder != LADDERS[-1]:
                continue
            if ladder == ECP5 and n <= LARGEST_ALONE:
                for kind in references.TRANSFORMS:
                    tried = on if kind != "naive" else on[-1:] if n in NAIVE_SIZES else []
                    yield [Loop(f"{kind} loop", part, n, "loop", kind) for part in tried]
            schedules = list(points(n, target(ladder[0]))) if on else []
            for schedule in schedules[: 2 if quick else None]:
                for name, made in CORES.items():
                    if name == bars.ALONE and (n > LARGEST_ALONE or ladder != ECP5):
                        continue
                    yield [Core(name, part, n, MODULE, made(n), schedule) for part in on]


def bare(rows: list[dict[str, Any]]) -> Iterator[Design]:
    """What the clock rates of these rows are compared with."""
    for name in dict.fromkeys(row["target"] for row in rows):
        part = target(name)
        yield Bare(bars.READ, part, None, MEMORY)
        chains = {row["chain"] for row in rows if row["target"] == name and row["chain"]}
        for width in sorted(chains):
            yield Bare(f"{width}-bit adder", part, None, ADDER, width)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", nargs="*", type=int)
    parser.add_argument("--parts", nargs="*", default=[part for parts in LADDERS for part in parts])
    parser.add_argument("--only", default="")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--seeds", type=int, default=len(SEEDS))
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--limit", type=float, default=1800, help="seconds a tool may take")
    parser.add_argument("--page", action="store_true")
    options = parser.parse_args()
    sizes = options.sizes or (QUICK if options.quick else SIZES)
    if not options.page:
        with Workers(options.jobs, limit_s=options.limit) as workers:
            rows = Rows(OUT, options.only, options.seeds, workers)
            for ladder in designs(sizes, options.parts, options.quick):
                for design in ladder:
                    row = rows.row(design)
                    if row is not None and row["reason"] is None:
                        break
            for design in bare(list((rows.found if options.only else rows.seen).values())):
                rows.row(design)
        whole = not (options.only or options.quick or options.sizes)
        if whole and options.parts == parser.get_default("parts"):
            # What is built no more.
            rows.write(rows.seen)
    performance.write(json.loads(OUT.read_text()))


if __name__ == "__main__":
    main()
