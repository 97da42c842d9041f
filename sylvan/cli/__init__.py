"""The `sylvan` command: every stage from training to a bitstream, each with files in and out.

Here is only its start, so that Ctrl-C is met in a word from the first moment on; see `commands`.
"""

import os
import signal
from typing import Any


def main() -> None:
    """The command as a process."""
    before = signal.getsignal(signal.SIGINT)
    if before is signal.default_int_handler:
        signal.signal(signal.SIGINT, _leave)
    from ..console import run_safely
    from .commands import app

    signal.signal(signal.SIGINT, before)
    run_safely(app)


def _leave(number: int, frame: Any) -> None:
    """What `run_safely` says and does; an exception might get lost among half imported modules."""
    os.write(2, b"interrupted\n")
    os._exit(128 + number)
