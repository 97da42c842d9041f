"""Integer arrays as constants: checked once, then read-only and comparable."""

from dataclasses import fields
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def integers(name: str, array: npt.ArrayLike, ndim: int) -> Array:
    """A checked, read-only int64 copy of constant `name` with `ndim` axes, none of them empty."""
    given = np.asarray(array)
    if given.dtype.kind not in "iu" or given.ndim != ndim or 0 in given.shape:
        raise ValueError(
            f"{name} must be a non-empty integer array with {ndim} axes, "
            f"got {given.dtype} of shape {given.shape}"
        )
    copy = given.astype(np.int64)
    copy.flags.writeable = False
    return copy


def equal_constants(a: Any, b: Any) -> bool:
    """Whether two operations or matrices of one type carry the same constants."""
    if type(a) is not type(b):
        return False
    return all(np.array_equal(getattr(a, f.name), getattr(b, f.name)) for f in fields(a))
