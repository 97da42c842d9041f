"""The two ways a command may end badly; everything else that escapes is a bug.

Standard library only, so that every room can raise them.
"""


class UserError(Exception):
    """A mistake of the user's: says what was expected, what came, and where (exit code 2)."""


class CheckError(Exception):
    """A check that ran and failed, such as RTL that differs from golden (exit code 1)."""
