"""The `sylvan` command: every stage from training to a bitstream, each with files in and out."""

from ..console import run_safely
from .commands import app

__all__ = ["app", "main"]


def main() -> None:
    """The command as a process."""
    run_safely(app)
