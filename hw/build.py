"""The build directory: everything about one core, in one place that other commands read.

core.v  ports.json  plan.json  report.json  program/  where asked for, core_axi.v  and, for a part,
synthesis.json and logs/, and the bitstream where it is placed
"""

import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from sylvan.model.errors import UserError
from sylvan.model.files import parse_json, write_json
from sylvan.model.program import Program
from sylvan.model.storage import load, program_hash, save

from .axi import axi_name, describe_axi, generate_axi
from .cost import estimate
from .embeddings import check_tables
from .measured import TooSlow
from .plan import Plan
from .report import Report, make_report
from .schedule import Schedule
from .synthesis import SEEDS, DoesNotFit, Measured, synthesize
from .targets import Target
from .tools import Progress, Workers
from .verilog import describe_ports, generate

MODULE = "core"
MARK = "report.json"
"""The last file that a build writes: a directory that has it may be built again."""


@dataclass(frozen=True)
class Sources:
    """What is synthesized of a build: a file and its top module, and what holds it to a board.

    `constraints` are its pins; what does not reach `clock_hz` is refused, where there is one.
    """

    verilog: Path
    module: str = MODULE
    constraints: Path | None = None
    clock_hz: float | None = None


def core_alone(plan: Plan, folder: Path) -> Sources:
    """The core itself, on any pins."""
    return Sources(folder / "core.v")


def build(
    program: Program,
    schedule: Schedule,
    target: Target,
    out: Path,
    *,
    clock_hz: float | None = None,
    around: Callable[[Plan, Path], Sources] = core_alone,
    progress: Progress | None = None,
    workers: Workers | None = None,
    seeds: Sequence[int] = SEEDS,
    axi: bool = False,
) -> Report:
    """Plan, generate and, for a part, synthesize a program into the directory `out`.

    An earlier build there is replaced only when everything has worked. `around` writes into the
    directory what holds the core, on a board, and says what is synthesized. With `axi` a wrapper
    with AXI4-Stream lies beside the core.

    Raises:
        UserError: if the program or the schedule cannot be built, does not fit the part
            (`DoesNotFit`), wants DSP blocks of one without, does not reach the clock of a board
            (`TooSlow`), or `out` holds anything but a build.
    """
    _refuse_to_replace(out)
    target.allow(schedule.dsps)
    plan = Plan(program, schedule)
    check_tables(program, target)
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{out.name}-", dir=out.parent) as work:
        folder = Path(work, out.name)
        write_sources(plan, folder, axi)
        sources = around(plan, folder)
        measured = None
        if target.mapped:
            try:
                measured = synthesize(
                    sources.verilog,
                    sources.module,
                    target,
                    folder,
                    clock_hz=clock_hz,
                    constraints=sources.constraints,
                    # Of a core alone: around it others are at work.
                    reference_width=plan.state_width if around is core_alone else None,
                    progress=progress,
                    workers=workers,
                    seeds=seeds,
                    dsps=schedule.dsps,
                )
            except DoesNotFit as error:
                raise error.advised(_advice(plan, target, error)) from None
            _hold_to(sources, measured, target)
        report = _report(plan, target, measured)
        write_json(folder / MARK, report)
        _replace(folder, out)
    return report


def check_unchanged(folder: Path) -> None:
    """Refuse a build whose `core.v` is not what its program and schedule give.

    Simulators run what Verilog tells them to, so a file from elsewhere is compared before it is
    compiled: RTL is a pure function of the plan.

    Raises:
        UserError: if it differs, or the build is incomplete.
    """
    for name in ("plan.json", "core.v"):
        if not (folder / name).is_file():
            raise UserError(
                f"{folder} is no build directory: it has no {name}. `sylvan build` makes one."
            )
    try:
        said = parse_json((folder / "plan.json").read_text())
        schedule = Schedule.from_keys(said["schedule"])
        found = (folder / "core.v").read_text()
    except KeyError as error:
        raise UserError(
            f"{folder / 'plan.json'} says nothing of {error}: it is damaged, or another version "
            "made it. Build it again."
        ) from None
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise UserError(f"{folder} is no complete build directory: {error}") from None
    if found != generate(Plan(load(folder / "program"), schedule), MODULE):
        raise UserError(
            f"{folder / 'core.v'} is not what its program and schedule give: it was changed, or "
            "another version made it. Build it again."
        )


def write_sources(plan: Plan, folder: Path, axi: bool = False) -> None:
    """Write what needs no tool: Verilog, ports, plan and the program itself."""
    folder.mkdir(parents=True, exist_ok=True)
    ports = describe_ports(plan, MODULE)
    if axi:
        (folder / f"{axi_name(MODULE)}.v").write_text(generate_axi(plan, MODULE))
        ports["axi"] = describe_axi(plan, MODULE)
    (folder / "core.v").write_text(generate(plan, MODULE))
    write_json(folder / "ports.json", ports)
    write_json(folder / "plan.json", plan.describe())
    save(plan.program, folder / "program")


def _advice(plan: Plan, target: Target, error: DoesNotFit) -> str:
    """The most lanes that should fit, by the estimate corrected with what was found at these."""
    if plan.engine:
        with suppress(UserError):
            lane = estimate(Plan(plan.program, Schedule(1, turns=target.turns)), target)
            if all(lane[key] <= (getattr(target, key) or 0) for key in ("luts", "ffs", "brams")):
                return "One lane should fit: --lanes 1 instead of --microcode."
        return "Take a larger part, or fewer hidden units."
    said = estimate(plan, target).get(error.resource)
    lanes = plan.schedule.lanes // 2
    if error.resource == "pins" and plan.schedule.state_port:
        return "Its state port takes most of them: leave out --state-port, or take a larger part."
    if not said:
        return "Try fewer lanes, or a larger part."
    while lanes:
        try:
            smaller = estimate(Plan(plan.program, replace(plan.schedule, lanes=lanes)), target)
        except UserError:
            lanes -= 1
            continue
        others = [key for key in ("luts", "ffs", "brams", "dsps") if key != error.resource]
        room = all(smaller[key] <= (getattr(target, key) or 0) for key in others)
        if room and smaller[error.resource] * error.needed / said <= error.available:
            return f"{lanes} lanes should fit: --lanes {lanes}."
        lanes //= 2
    return "No number of lanes should fit; take a larger part, or fewer hidden units."


def _hold_to(sources: Sources, measured: Measured, target: Target) -> None:
    """Refuse what would be loaded onto a board and be too slow for its clock."""
    if sources.clock_hz is None:
        return
    reached = max((run.fmax_mhz for run in measured.runs if run.fmax_mhz), default=None)
    if reached and reached < sources.clock_hz / 1e6:
        raise TooSlow(target, reached, sources.clock_hz / 1e6)


def _report(plan: Plan, target: Target, measured: Measured | None) -> Report:
    found = {}
    if measured is not None:
        names = ("luts", "ffs", "brams", "sprams", "dsps", "fmax_mhz")
        found = {name: getattr(measured, name) for name in names}
    return make_report(
        target.name,
        program_hash(plan.program),
        plan.schedule_keys(),
        estimate=estimate(plan, target),
        measured=found,
        floor_adder_bits=plan.floor_adder_bits,
        tool_versions=measured.tool_versions if measured else {},
    )


def _refuse_to_replace(out: Path) -> None:
    """A build replaces all of its directory: refuse one that holds what no build wrote."""
    if not out.name:
        raise UserError(f"a build makes a directory of its own, inside another: not {out}")
    if out.is_dir() and (not any(out.iterdir()) or (out / MARK).is_file()):
        return
    if out.exists() or out.is_symlink():
        raise UserError(
            f"{out} is already there and is no build directory: it would be replaced as a whole, "
            "so choose another"
        )


def _replace(folder: Path, out: Path) -> None:
    """Put `folder` in the place of `out`, which stays whole until the last moment."""
    old = folder.with_name(f"{folder.name}.old")
    if out.exists():
        os.replace(out, old)
    try:
        os.replace(folder, out)
    except BaseException:
        # `old` lies in a temporary folder, which is about to go.
        if old.exists():
            os.replace(old, out)
        raise
    shutil.rmtree(old, ignore_errors=True)
