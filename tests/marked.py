"""What stands between the marks of a file that a benchmark writes a part of."""

from pathlib import Path


def between(path: Path, marks: tuple[str, str]) -> str:
    """The lines there."""
    begin, end = marks
    return path.read_text().split(begin)[1].split(end)[0].strip("\n")
