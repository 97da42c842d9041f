"""Constants: integer arrays and numbers, checked once, then read-only and comparable."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

MAX_BITS = 62
"""Every raw value and intermediate of a program stays below `2**62`, so that int64 holds it."""


@dataclass(frozen=True)
class Constant:
    """Integers `raw` that stand for `raw * 2**exp`."""

    raw: Array
    exp: int


def rounded(values: Array, exp: int) -> Constant:
    """Real constants on the grid `2**exp`."""
    return Constant(np.rint(np.ldexp(values, -exp)).astype(np.int64), exp)


def check_shape(name: str, array: npt.ArrayLike, shape: tuple[int, ...]) -> None:
    """Raises ValueError unless the constant `name` has that shape."""
    if np.shape(array) != shape:
        raise ValueError(f"{name} must have shape {shape}, got {np.shape(array)}")


def integers(name: str, array: npt.ArrayLike, ndim: int) -> Array:
    """A checked, read-only int64 copy of constant `name` with `ndim` axes, none of them empty."""
    given = np.asarray(array)
    if given.dtype.kind not in "iu" or given.ndim != ndim or 0 in given.shape:
        raise ValueError(
            f"{name} must be a non-empty integer array with {ndim} axes, "
            f"got {given.dtype} of shape {given.shape}"
        )
    peak = max(-int(given.min()), int(given.max()))
    if peak >> MAX_BITS:
        raise ValueError(f"{name} must stay below 2**{MAX_BITS}, got a magnitude of {peak}")
    copy = given.astype(np.int64)
    copy.flags.writeable = False
    return copy


def integer(name: str, number: Any) -> int:
    """A checked int: Python's and numpy's integers pass, bools and floats do not."""
    if isinstance(number, bool | np.bool_) or not isinstance(number, int | np.integer):
        raise ValueError(f"{name} must be an integer, got {number!r}")
    return int(number)


def reals(name: str, numbers: Iterable[Any], count: int) -> tuple[float, ...]:
    """`count` checked floats: finite numbers pass; bools, strings and NaN do not."""
    given = tuple(numbers)
    kinds = (int, float, np.integer, np.floating)
    try:
        real = all(isinstance(n, kinds) and not isinstance(n, bool) for n in given)
        floats = tuple(float(n) for n in given) if real else ()
    except OverflowError:
        floats = ()
    if len(given) != count or len(floats) != count or not all(map(math.isfinite, floats)):
        raise ValueError(f"{name} needs {count} finite numbers, got {given}")
    return floats


def equal_constants(a: Any, b: Any) -> bool:
    """Whether two operations or matrices of one type carry the same constants."""
    if type(a) is not type(b):
        return False
    return all(np.array_equal(getattr(a, f.name), getattr(b, f.name)) for f in fields(a))


def signed_digits(raw: Array) -> Array:
    """Nonzero digits of the canonical signed-digit form of each integer: those of `3x XOR x`.

    An adder graph needs one addition fewer than that for a constant alone.
    """
    x = np.abs(raw.astype(np.int64))
    changed = (3 * x) ^ x
    places = range(int(changed.max(initial=0)).bit_length())
    return sum(((changed >> k) & 1 for k in places), np.zeros_like(x))
