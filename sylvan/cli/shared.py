"""What several commands share: options, and how a program and its task are found."""

from pathlib import Path
from typing import Annotated, Any

from typer import Argument, Option

from sylvan.hw.targets import TARGETS, Target, meant
from sylvan.model.errors import UserError

from ..console import quoted

ProgramFolder = Annotated[
    Path, Argument(metavar="PROGRAM", help="Folder of a program, or of a run that has one.")
]
DataFolder = Annotated[
    Path | None,
    Option(envvar="SYLVAN_DATA", help="Folder of the data sets, a subfolder for each."),
]
SLOWEST_CLOCK_HZ = 1000
CLOCK_HELP = (
    "Clock that place and route should reach, such as 12M. Without --levels, it also settles how "
    "many adders stand between registers; the rate that was reached is reported either way."
)
TARGET_HELP = (
    "verilog; or a part, placed and routed: "
    + ", ".join(part.name for part in TARGETS.values() if part.placed)
    + "; or one that is synthesized only: "
    + ", ".join(part.name for part in TARGETS.values() if part.mapped and not part.placed)
    + "; or a board, with a link to a host: `sylvan boards`."
)
TargetName = Annotated[str, Option(help=TARGET_HELP)]


def hertz(text: str) -> float:
    """A rate as an option takes it: 16000, 16k or 2M.

    Raises UserError if it is no number above 0.
    """
    factors = {"k": 1e3, "M": 1e6}
    number = text[:-1] if text[-1:] in factors else text
    try:
        rate = float(number) * factors.get(text[-1:], 1.0)
    except ValueError:
        rate = -1.0
    if not 0 < rate < float("inf"):
        raise UserError(f"a rate is a number above 0 in Hz, such as 16000, 16k or 2M, got {text}")
    return rate


def clock_rate(text: str) -> float:
    """A clock as an option takes it, as `hertz`; but one so slow was meant otherwise."""
    rate = hertz(text)
    if rate < SLOWEST_CLOCK_HZ:
        raise UserError(f"a clock of {rate:g} Hz runs no core: 12M is 12 MHz, got {text}")
    return rate


def find_target(name: str) -> tuple[Target, Any]:
    """The part to build for, and the board that it is on, if a board is named."""
    if name in TARGETS:
        return TARGETS[name], None
    from sylvan.boards.base.board import boards

    known = boards()
    if name in known:
        return known[name].target, known[name]
    raise UserError(
        f"there is no target {name!r}{meant(name, [*TARGETS, *known])} Parts: "
        f"{', '.join(TARGETS)}. Boards: {', '.join(known)}."
    )


def build_command(program: Path, beside: Path) -> str:
    """The build to try next: the smallest part that every preset fits with the default lanes."""
    return f"sylvan build {quoted(program)} --target ecp5-25f --out {quoted(beside / 'ecp5-25f')}"


def find_program(folder: Path) -> tuple[Path, Any]:
    """A program and its folder, given that folder or the run that it lies in."""
    from sylvan.model.storage import load

    if not (folder / "program.json").exists() and (folder / "program").is_dir():
        folder = folder / "program"
    return folder, load(folder)


def task_of(program: Any, folder: Path, data: Path | None, named: str | None = None) -> Any:
    """The task that is `named`, or that a program was trained on, by its metadata.

    Trained on the task that is named, it keeps the options that it was trained with.
    """
    from sylvan.model.tasks import load_task

    trained = program.metadata.get("task")
    name = named or trained
    if not isinstance(name, str):
        raise UserError(f"{folder} does not say what task it is for: name one with --task")
    options = program.metadata.get("task_options", {}) if name == trained else {}
    return load_task(name, data=data, **(options if isinstance(options, dict) else {}))
