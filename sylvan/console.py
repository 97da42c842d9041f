"""Speaking to people: one console, errors as sentences, progress while work is long."""

import contextlib
import shlex
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

from sylvan.model.errors import CheckError, UserError

USER_MISTAKE, CHECK_FAILED, INTERRUPTED = 2, 1, 130

EXTRAS = {
    "torch": "train",
    "safetensors": "train",
    "sklearn": "train",
    "matplotlib": "train",
    "amaranth": "hw",
    "cocotb_tools": "sim",
    "cocotb": "sim",
    "serial": "boards",
    "optuna": "explore",
    "distributed": "explore",
    "dask": "explore",
    "sqlalchemy": "explore",
    "plotly": "explore",
}
"""Which extra brings a library that a command may miss."""

PAGE = 1000
"""Characters of a line that goes into a file or a pipe: a path or a command is not cut there."""


class Interrupted(Exception):
    """Ctrl-C came; says how to go on, where there is a way."""


def _console(stderr: bool) -> Console:
    # No markup: paths, extras and formats have brackets of their own.
    made = Console(stderr=stderr, highlight=False, markup=False)
    if not made.is_terminal:
        made.width = PAGE
    return made


console = _console(stderr=False)
complaints = _console(stderr=True)


def quoted(path: Path) -> str:
    """A path as a shell takes it."""
    return shlex.quote(str(path))


def next_step(*commands: str) -> None:
    """End a command by naming what to try next; paths in `commands` are `quoted`."""
    console.print("\nNext:", style="bold")
    for command in commands:
        console.print(f"  {command}", soft_wrap=True)


@contextlib.contextmanager
def progress_bar() -> Iterator[Progress]:
    """A live progress display; on a console that is no terminal, nothing moves."""
    columns: list[Any] = [
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=30),
        TimeElapsedColumn(),
    ]
    moves = console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=not moves) as progress:
        yield progress


@contextlib.contextmanager
def working_in(folder: Path) -> Iterator[None]:
    """Errors of the system that name no place, such as a full disk, happened in `folder`."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            error.filename = str(folder)
        raise


def run_safely(command: Callable[[], Any]) -> None:
    """Run a command; a mistake ends in a sentence and the right exit code, not in a traceback.

    Exit codes: 0 done, 1 a check failed, 2 a user's mistake, 130 interrupted.
    """
    try:
        command()
    except UserError as error:
        _complain(str(error), USER_MISTAKE)
    except CheckError as error:
        _complain(str(error), CHECK_FAILED)
    except ModuleNotFoundError as error:
        name = (error.name or "").split(".")[0]
        if name not in EXTRAS:
            raise
        _complain(
            f"this needs {name}, which is not installed: pip install 'sylvan[{EXTRAS[name]}]'",
            USER_MISTAKE,
        )
    except OSError as error:
        if error.strerror is None:
            raise
        where = f" {error.filename}" if error.filename else ""
        _complain(f"cannot read or write{where}: {error.strerror}", USER_MISTAKE)
    except MemoryError as error:
        _complain(f"not enough memory for this: {error}", USER_MISTAKE)
    except (Interrupted, KeyboardInterrupt) as stop:
        _complain(": ".join(["interrupted", *map(str, stop.args)]), INTERRUPTED)


def _complain(message: str, code: int) -> None:
    label = Text("" if code == INTERRUPTED else "error: ", style="bold red")
    complaints.print(label + Text(message), soft_wrap=True)
    sys.exit(code)
