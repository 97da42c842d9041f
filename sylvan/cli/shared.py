"""What several commands share: options, and how a program and its task are found."""

from pathlib import Path
from typing import Annotated, Any

from typer import Argument, Option

from sylvan.model.errors import UserError

from ..console import quoted

ProgramFolder = Annotated[
    Path, Argument(metavar="PROGRAM", help="Folder of a program, or of a run that has one.")
]
DataFolder = Annotated[
    Path | None,
    Option(envvar="SYLVAN_DATA", help="Folder of the data sets, a subfolder for each."),
]


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
