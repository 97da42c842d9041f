"""Commands that choose a schedule: the front of them, and the smallest that sustains a rate."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

from typer import Option

from ..console import console, next_step, progress_bar, quoted
from .shared import ProgramFolder, TargetName, clock_rate, find_program, find_target

FRONT_FILE = "front.json"
PICTURE_FILE = "front.png"
BOARD_CLOCK_HELP = (
    "Clock of the board, such as 12M: leaves out what should not reach it, and counts steps per "
    "second at it."
)
DSPS_HELP = "Schedules that let DSP blocks make products, on parts that have them."
CONTEXTS_HELP = "Only schedules for so many sequences at once; any number that pays by default."


def plan(
    program: ProgramFolder,
    target: TargetName,
    clock: Annotated[
        float | None, Option(help=BOARD_CLOCK_HELP, parser=clock_rate, metavar="HZ")
    ] = None,
    contexts: Annotated[int | None, Option(help=CONTEXTS_HELP)] = None,
    dsps: Annotated[bool, Option("--dsps", help=DSPS_HELP)] = False,
    out: Annotated[Path | None, Option(help=f"Folder for {FRONT_FILE} and {PICTURE_FILE}.")] = None,
) -> None:
    """Print the schedules worth building for a part: by the estimate none beats them."""
    from sylvan.hw.floor import floor_adder_bits
    from sylvan.hw.front import explore, front, rated
    from sylvan.model.files import write_json, write_whole
    from sylvan.model.storage import program_hash

    from ..fronts import front_table, picture, rows
    from ..report import knobs

    part, board = find_target(target)
    if board is not None:
        clock = board.clock(clock)
    folder, loaded = find_program(program)
    with progress_bar() as bar:
        row = bar.add_task("planning", total=None)
        points = explore(
            loaded,
            part,
            clock_hz=clock,
            contexts=contexts,
            dsps=dsps,
            trying=lambda schedule: bar.update(row, description=f"planning {schedule}"),
        )
        best = front(points)
    floor = floor_adder_bits(loaded)
    found = rows(best, floor)
    console.print(front_table(found, part))
    console.print(f"{len(found)} of {len(points)} schedules that should fit: no other beats them")
    if not rated(points):
        console.print(
            f"ranked by cycles, because the clock rate is not estimated on {part.name}: --clock "
            "counts steps per second at yours"
        )
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        told = {
            "target": part.name,
            "program_sha256": program_hash(loaded),
            "clock_hz": clock,
            "floor_adder_bits": floor,
            "points": found,
        }
        write_json(out / FRONT_FILE, told)
        write_whole(out / PICTURE_FILE, picture(best, points, part))
        console.print(f"{FRONT_FILE} and {PICTURE_FILE} are in {out}")
    middle = found[len(found) // 2]["schedule"]
    place = f"{part.name}-{middle['lanes']}"
    next_step(
        f"sylvan build {quoted(folder)} --target {part.name} {knobs(middle)} --out {place}",
    )


def choose(
    program: Any, target: Any, rate: Any, make: Callable[[Any], Any], show: Callable[[str], None]
) -> Any:
    """Build the smallest schedule that sustains a rate, by `make`; prints how it came to it.

    Returns the report of its build. `show` is told what goes on.
    """
    from sylvan.hw.rate import OF_FMAX, build_for_rate, shown
    from sylvan.hw.synthesis import reference_fmax

    chosen = build_for_rate(
        program,
        target,
        rate,
        make,
        trying=lambda schedule: show(f"planning {schedule}"),
        say=console.print,
        reference=lambda width, part: reference_fmax(width, part, progress=show),
    )
    mhz = chosen.report["measured"]["fmax_mhz"]
    at = f"{OF_FMAX:g} of the placed {mhz:.1f} MHz"
    if rate.clock_hz is not None:
        at = f"{rate.clock_hz / 1e6:g} MHz, placed at {mhz:.1f} MHz"
    expected = "not known" if chosen.expected is None else shown(chosen.expected)
    console.print(
        f"{chosen.point.schedule}: sustains {shown(chosen.sustained)} timesteps per second in each "
        f"context at {at} (estimate {expected}, asked {shown(rate.steps_per_s)})"
    )
    cycles = chosen.point.estimate
    if cycles["closing_cycles"] > cycles["cycles_per_step"] and rate.timesteps is None:
        console.print(
            f"an answered timestep takes {cycles['closing_cycles']:g} cycles, others "
            f"{cycles['cycles_per_step']:g}; the rate is of the others: --timesteps counts both"
        )
    return chosen.report
