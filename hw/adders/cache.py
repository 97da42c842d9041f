"""Graphs that were searched for once: kept by what they are of, by whom, and how long.

A file is named after a hash of the matrix, the inputs, the bounds and this package's own source, so
a better search starts anew. Whoever reads one checks it against the matrix, so a damaged file costs
time and nothing else.
"""

import hashlib
import io
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from sylvan.model.arrays import Array
from sylvan.model.files import cache_folder, write_whole

from .graph import AdderGraph

FIELDS = tuple(AdderGraph.__dataclass_fields__)


def key_of(matrix: Array, how: Mapping[str, Any]) -> str:
    """What the graph of `matrix`, made `how`, is kept under."""
    text = repr((matrix.shape, sorted(how.items()), source()))
    return hashlib.sha256(text.encode() + matrix.astype("<i8").tobytes()).hexdigest()


@lru_cache
def source() -> str:
    """A hash of the code that decides what a graph looks like."""
    files = sorted(Path(__file__).parent.glob("*.py"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def recall(key: str, matrix: Array, intervals: Sequence[tuple[int, int]]) -> AdderGraph | None:
    """The graph that was kept under `key`, if it is there, and is `matrix` on `intervals`."""
    try:
        with np.load(_path(key), allow_pickle=False) as file:
            arrays = {name: file[name] for name in FIELDS}
        graph = AdderGraph(**arrays)
        graph.check(matrix)
        ends = list(zip(graph.lo.tolist(), graph.hi.tolist(), strict=True))
        whole = all(array.dtype.kind in "ib" for array in arrays.values())
    except Exception:  # a damaged archive raises whatever its reader stumbles over
        return None
    return graph if whole and ends == list(intervals) else None


def keep(key: str, graph: AdderGraph) -> None:
    """Keep a graph; a folder that cannot be written keeps nothing, and costs nobody the result."""
    content = io.BytesIO()
    np.savez_compressed(content, **{name: getattr(graph, name) for name in FIELDS})
    path = _path(key)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, content.getvalue())
    except OSError:
        return


def _path(key: str) -> Path:
    return cache_folder() / "adders" / f"{key}.npz"
