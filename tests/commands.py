"""What the command's tests share."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass
class Outcome:
    """How a command ended and what it said."""

    code: int
    out: str
    error: str


Sylvan = Callable[..., Outcome]
"""Runs a command."""
