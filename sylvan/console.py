"""Speaking to people: one console, errors as sentences, progress while work is long."""

import contextlib
import sys
from collections.abc import Callable, Iterator
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
}
"""Which extra brings a library that a command may miss."""

# No markup: paths, extras and formats have brackets of their own.
console = Console(highlight=False, markup=False)
complaints = Console(stderr=True, highlight=False, markup=False)


def next_step(*commands: str) -> None:
    """End a command by naming what to try next."""
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
    with Progress(*columns, console=console, transient=True) as progress:
        yield progress


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
    except KeyboardInterrupt:
        _complain("interrupted", INTERRUPTED)


def _complain(message: str, code: int) -> None:
    label = Text("" if code == INTERRUPTED else "error: ", style="bold red")
    complaints.print(label + Text(message))
    sys.exit(code)
