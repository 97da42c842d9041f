"""Cell families, one room each: a parameter dataclass, a step body, a torch layer, a README."""

from pathlib import Path


def cell_names() -> list[str]:
    """The families that can be trained: rooms that hold a layer.py."""
    return sorted(path.parent.name for home in __path__ for path in Path(home).glob("*/layer.py"))
