"""Signal changes of a core in simulation: how much it moves for a timestep, whatever the part.

Counted are the bits that change in a waveform, on every signal inside the core, once for each net
however many names it has, and without the clock. Memories are seen by their ports alone. No
capacitance is known, so only cores of one kind can be compared.
"""

import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from sylvan.sim.harness import TOP
from vcd.reader import TokenKind, tokenize

CORE, CLOCK, RESET = "core", "clk", "rst"
UNNAMED = re.compile(rb"(\s*\$var \w+ \d+ \S+ )\$")
"""A net that Yosys named; the reader takes its dollar for the end of the declaration."""


def first_run(waves: Path) -> int:
    """Toggles between the first reset and the second, of all within the core.

    Raises ValueError if the waveform has no such reset, or ends before the second.
    """
    scope: list[str] = []
    nets: set[str] = set()
    reset: str | None = None
    clocks: set[str] = set()
    values: dict[str, int] = {}
    toggles, running = 0, False
    with _readable(waves) as file:
        for token in tokenize(file):
            if token.kind is TokenKind.SCOPE:
                scope.append(token.scope.ident)
            elif token.kind is TokenKind.UPSCOPE:
                scope.pop()
            elif token.kind is TokenKind.VAR:
                name, net = token.var.reference, token.var.id_code
                if name == RESET and scope[-1] == TOP:
                    reset = net
                if name == CLOCK:
                    clocks.add(net)
                if CORE in scope:
                    nets.add(net)
            elif token.kind in (TokenKind.CHANGE_SCALAR, TokenKind.CHANGE_VECTOR):
                change = token.data
                value = _bits(change.value)
                if change.id_code == reset:
                    if running and value:
                        return toggles
                    running = not value
                if running and change.id_code in nets - clocks:
                    toggles += (values.get(change.id_code, 0) ^ value).bit_count()
                values[change.id_code] = value
    raise ValueError(f"{waves} holds no whole run between two resets")


@contextmanager
def _readable(waves: Path) -> Iterator[BinaryIO]:
    """The waveform with names that the reader takes."""
    with waves.open("rb") as given, tempfile.TemporaryFile() as named:
        for line in given:
            named.write(UNNAMED.sub(rb"\1unnamed", line))
            if line.startswith(b"$enddefinitions"):
                break
        shutil.copyfileobj(given, named)
        named.seek(0)
        yield named


def _bits(value: int | str) -> int:
    """What is not known yet counts as 0: nothing is, once the first reset is over."""
    return value if isinstance(value, int) else int("".join("01"[c == "1"] for c in value), 2)
