"""Where the timesteps come from that a board is to answer."""

import queue
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from sylvan.model.errors import UserError

STANDARD_INPUT = "-"
IDLE = 0.02
"""Seconds that a line is waited for while nothing else is to be done."""


@contextmanager
def lines_of(file: str, idle: Callable[[], bool]) -> Iterator[Iterator[str | None]]:
    """The lines of a file, or with "-" those of standard input.

    Of the latter None where no line is there yet, at once unless `idle` says that there is time.
    """
    if file == STANDARD_INPUT:
        yield _arriving(sys.stdin, idle)
        return
    try:
        with Path(file).open(encoding="utf-8-sig") as opened:
            yield iter(opened)
    except UnicodeDecodeError as error:
        raise UserError(f"{file} is no text: {error}") from None


def _arriving(lines: TextIO, idle: Callable[[], bool]) -> Iterator[str | None]:
    arrived: queue.SimpleQueue[str | Exception | None] = queue.SimpleQueue()

    def read() -> None:
        try:
            for line in iter(lines.readline, ""):
                arrived.put(line)
            arrived.put(None)
        except (OSError, ValueError) as error:
            arrived.put(error)

    # A thread that waits for a line cannot be ended, and must not keep the process.
    threading.Thread(target=read, daemon=True).start()
    while True:
        try:
            line = arrived.get(timeout=IDLE) if idle() else arrived.get_nowait()
        except queue.Empty:
            yield None
            continue
        if line is None:
            return
        if isinstance(line, Exception):
            raise UserError(f"standard input cannot be read: {line}")
        yield line
