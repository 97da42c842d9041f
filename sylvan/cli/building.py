"""The command that builds: every option of it, and what they ask of each other."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from typer import Option

from sylvan.model.config import METRICS_FILE
from sylvan.model.errors import UserError

from ..console import console, next_step, progress_bar, quoted, working_in
from .packages import Axi, PackageKind, PackageName, check_handed_over
from .schedules import choose
from .shared import (
    CLOCK_HELP,
    ProgramFolder,
    TargetName,
    clock_rate,
    find_program,
    find_target,
    hertz,
)

LANES_HELP = (
    "Elements of a vector per cycle; 8 by default. Fewer make the core smaller and slower, and "
    "change no answer."
)
DIGIT_HELP = (
    "Bits of every lane per cycle, the lowest first; whole words by default. A digit needs less "
    "logic and more cycles, and changes no answer."
)
LEVELS_HELP = (
    "Adders in a row between registers, where lanes hold whole vectors of words. More take fewer "
    "cycles and registers and a slower clock, and change no answer; with --clock as many as should "
    "reach it, else 1 by default."
)
CONTEXTS_HELP = (
    "Independent sequences that share the core, a state for each: while one waits for its own last "
    "step, others go on. Every transfer says which it belongs to; no answer changes."
)
RATE_HELP = (
    "Timesteps per second that every context has to take, such as 16000, 16k or 2M: chooses the "
    "smallest schedule that sustains them, at the clock, or at 0.9 of the placed clock rate."
)
TIMESTEPS_HELP = (
    "Timesteps of a sequence: with --rate, what the answered one takes longer counts by the mean."
)
LOGIC_ROMS_HELP = (
    "Keep constants in look-up tables, never in block RAM: larger, and often a faster clock."
)
DSPS_HELP = "Let DSP blocks make products, on parts that have them; without it none is used."
STATE_PORT_HELP = (
    "Streams that save and load the state of a context as an image, which goes on under any other "
    "schedule: docs/state.md."
)
MICROCODE_HELP = (
    "One adder does everything in turn, as a microprogram in block RAM says: a few hundred LUTs, "
    "and hundreds to thousands of cycles for a timestep; no answer changes."
)
BAUD_HELP = "Bits per second of a board's line to its host; 1M by default, at most 3M."


def build(
    program: ProgramFolder,
    target: TargetName,
    out: Annotated[Path, Option(help="Folder for Verilog, plan, report and bitstream.")],
    lanes: Annotated[int | None, Option(help=LANES_HELP)] = None,
    digit: Annotated[int | None, Option(help=DIGIT_HELP)] = None,
    levels: Annotated[int | None, Option(help=LEVELS_HELP)] = None,
    contexts: Annotated[int, Option(help=CONTEXTS_HELP)] = 1,
    logic_roms: Annotated[bool, Option("--logic-roms", help=LOGIC_ROMS_HELP)] = False,
    dsps: Annotated[bool, Option("--dsps", help=DSPS_HELP)] = False,
    state_port: Annotated[bool, Option("--state-port", help=STATE_PORT_HELP)] = False,
    microcode: Annotated[bool, Option("--microcode", help=MICROCODE_HELP)] = False,
    rate: Annotated[float | None, Option(help=RATE_HELP, parser=hertz, metavar="HZ")] = None,
    timesteps: Annotated[int | None, Option(help=TIMESTEPS_HELP)] = None,
    clock: Annotated[float | None, Option(help=CLOCK_HELP, parser=clock_rate, metavar="HZ")] = None,
    baud: Annotated[float | None, Option(help=BAUD_HELP, parser=hertz, metavar="HZ")] = None,
    axi: Axi = False,
    package: PackageKind = None,
    name: PackageName = None,
) -> None:
    """Generate Verilog; for a part synthesize it, on iCE40 and ECP5 place and route it as well."""
    from sylvan.hw.build import build as run_build
    from sylvan.hw.build import core_alone
    from sylvan.hw.front import for_clock
    from sylvan.hw.plan import schedule_for
    from sylvan.hw.rate import Rate

    from ..ip.package import write_package
    from ..report import bitstream, build_table

    part, board = find_target(target)
    called = check_handed_over(package, name, out, state_port)
    if board is not None and (axi or package):
        raise UserError("--axi and --package are for a system of your own: name a part, no board")
    if rate is None and timesteps is not None:
        raise UserError("--timesteps says what --rate counts: give both, or neither")
    if rate is not None:
        given = {"logic-roms": logic_roms, "state-port": state_port, "microcode": microcode}
        flags = {name: value or None for name, value in given.items()}
        _leave_to_rate({"lanes": lanes, "digit": digit, "levels": levels, **flags})
    place, loaded = find_program(program)
    if (place.parent / METRICS_FILE).is_file():
        # So that the build's page finds how it was trained.
        loaded.metadata["run"] = os.path.relpath(place.parent.resolve(), out.resolve())
    mount = _mounted(part, board, clock, baud)
    around = core_alone
    if mount is not None:
        if rate is not None and not part.placed:
            raise UserError(
                f"{part.name} is placed by its vendor's tool, so no clock rate is known here that "
                "--rate could be verified by: choose --lanes"
            )
        mount.check(loaded, contexts, rate)
        around, clock = mount.write, mount.clock_hz
    with working_in(out), progress_bar() as bar:
        row = bar.add_task(f"building for {part.name}", total=None)

        def show(text: str) -> None:
            bar.update(row, description=text)

        def make(schedule: Any) -> Any:
            return run_build(
                loaded, schedule, part, out, clock_hz=clock, around=around, progress=show, axi=axi
            )

        if rate is None:
            schedule = schedule_for(
                loaded,
                lanes,
                digit,
                levels=1 if levels is None else levels,
                contexts=contexts,
                turns=part.turns and not digit and not microcode,
                logic_roms=logic_roms,
                dsps=dsps,
                state_port=state_port,
                microcode=microcode,
            )
            if clock is not None and levels is None and part.mapped and not microcode:
                schedule = for_clock(loaded, schedule, part, clock)
            report = make(schedule)
        else:
            report = choose(loaded, part, Rate(rate, clock, timesteps, contexts, dsps), make, show)
        if package is not None:
            show("simulating the package")
            handed = write_package(out, package, called)
    console.print(build_table({out.name: report}))
    console.print(f"core.v, ports.json, plan.json and report.json are in {out}")
    if (packed := bitstream(out)) is not None:
        console.print(f"bitstream, the best of its placements: {packed}")
    if mount is not None:
        taken = mount.clock_hz / report["estimate"]["cycles_per_step"]
        console.print(
            f"at the board's clock of {mount.clock_hz / 1e6:g} MHz the core takes {taken:,.0f} "
            f"timesteps per second, the line carries {mount.carried(loaded):,.0f}"
        )
    if axi:
        console.print(f"AXI4-Stream around the core: {out / 'core_axi.v'}")
    if package is not None:
        console.print(f"package, which passed its own testbench: {handed}")
    if board is None:
        next_step(f"sylvan sim {quoted(out)} --simulator icarus")
    else:
        from ..desk import after_board

        next_step(*after_board(board, out))


def _leave_to_rate(chosen: Mapping[str, Any]) -> None:
    """Refuse knobs that --rate turns itself."""
    given = [f"--{knob}" for knob, value in chosen.items() if value is not None]
    if given:
        raise UserError(f"--rate chooses the schedule: leave out {', '.join(given)}, or --rate")


def _mounted(part: Any, board: Any, clock: float | None, baud: float | None) -> Any:
    """How the core sits on the board; None where none is named."""
    if board is None:
        if baud is not None:
            raise UserError(f"--baud is of a board's line to its host, and {part.name} is no board")
        return None
    from sylvan.boards.base.mount import Mount

    return Mount.on(board, clock, None if baud is None else round(baud))
