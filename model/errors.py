"""The two ways a command may end badly, and what their sentences have in common.

Everything else that escapes is a bug. Standard library only, so that every room can raise them.
"""

import difflib
from collections.abc import Iterable

LONGEST_QUOTE = 160
LONGEST_MESSAGE = 1000


def shortened(text: str, most: int = LONGEST_QUOTE) -> str:
    """`text`, or its two ends: what a stranger wrote may have any length."""
    if len(text) <= most:
        return text
    tail = most // 4
    return f"{text[: most - tail]}...{text[-tail:]}"


def nearest(name: str, names: Iterable[str]) -> str:
    """`, did you mean '...'?` for a message, or nothing where no name is near."""
    near = difflib.get_close_matches(name, list(names), 1)
    return f", did you mean {near[0]!r}?" if near else ""


class UserError(Exception):
    """A mistake of the user's: says what was expected, what came, and where (exit code 2).

    However much a message quotes, it stays one that can be read.
    """

    def __init__(self, message: str) -> None:
        super().__init__(shortened(message, LONGEST_MESSAGE))


class CheckError(Exception):
    """A check that ran and failed, such as RTL that differs from golden (exit code 1)."""
