"""Text that a command writes between two marks of a file that is otherwise written by hand."""

from pathlib import Path


def put_between(path: Path, marks: tuple[str, str], text: str) -> None:
    """Put text there, on lines of its own."""
    begin, end = marks
    before, rest = path.read_text().split(begin)
    path.write_text(f"{before}{begin}\n{text}\n{end}{rest.split(end)[1]}")
