"""A small search that tests run, and what its storage holds."""

from collections import Counter
from pathlib import Path

from sqlalchemy import select

from sylvan.explore.store import RESULTS, Store

SPEC = """\
[task]
name = "digits"

[numeric]
hidden = [4, 8]
state_bits = [8, 10]
epochs = 1

[targets]
parts = ["ice40-up5k"]

[constraints]
steps_per_s = ">= 1k"

[objectives]
accuracy = "max"
luts = "min"

[search]
builds = 0
"""


def spec(folder: Path, *changes: tuple[str, str]) -> Path:
    """The spec in a file, with some of its text changed."""
    text = SPEC
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    path = folder / "small.toml"
    path.write_text(text)
    return path


def kept(url: str) -> Counter[str]:
    """How many results there are of each kind."""
    with Store(url).engine.connect() as connection:
        return Counter(row.kind for row in connection.execute(select(RESULTS.c.kind)))
