"""The two ways a command may end badly; everything else that escapes is a bug.

Standard library only, so that every room can raise them.
"""

LONGEST_QUOTE = 160
LONGEST_MESSAGE = 1000


def shortened(text: str, most: int = LONGEST_QUOTE) -> str:
    """`text`, or its two ends: what a stranger wrote may have any length."""
    if len(text) <= most:
        return text
    tail = most // 4
    return f"{text[: most - tail]}...{text[-tail:]}"


class UserError(Exception):
    """A mistake of the user's: says what was expected, what came, and where (exit code 2).

    However much a message quotes, it stays one that can be read.
    """

    def __init__(self, message: str) -> None:
        super().__init__(shortened(message, LONGEST_MESSAGE))


class CheckError(Exception):
    """A check that ran and failed, such as RTL that differs from golden (exit code 1)."""
