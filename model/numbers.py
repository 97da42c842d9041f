"""Exact integers with a binary point: formats, and the only two ways to lose information.

A format is an interval, never a width: the width is read off the interval, so sums and products of
formats are exact by construction and only a *named* narrowing can round, saturate or wrap.
Standard library only: golden model, exporters and RTL all lean on this page.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeVar

T = TypeVar("T")

MAX_EXPONENT = 1024
"""Bound on a format's exponent, so that aligning two of them cannot fill the memory."""


class Rounding(Enum):
    """What becomes of dropped fraction bits, `s` of them, from the raw value `x`.

    - HALF_EVEN: nearest, ties to the even neighbour. Unbiased, the default inside a loop.
    - HALF_UP: nearest, ties towards plus infinity: `floor(x / 2**s + 1/2)`.
    - FLOOR: towards minus infinity: `floor(x / 2**s)`.
    """

    HALF_EVEN = "half_even"
    HALF_UP = "half_up"
    FLOOR = "floor"


class Overflow(Enum):
    """What becomes of a value outside the format: clamped to the bound, or modulo its span."""

    SATURATE = "saturate"
    WRAP = "wrap"


@dataclass(frozen=True, order=True)
class Format:
    """All integers raw with `lo <= raw <= hi`, each standing for `raw * 2**exp`.

    Raises ValueError for an empty interval or an exponent beyond +-1024, and TypeError for fields
    that are not integers.
    """

    lo: int
    hi: int
    exp: int = 0

    def __post_init__(self) -> None:
        for name in ("lo", "hi", "exp"):
            if type(getattr(self, name)) is not int:
                raise TypeError(f"Format.{name} must be an int, not {getattr(self, name)!r}")
        if self.lo > self.hi:
            raise ValueError(f"Format needs lo <= hi, got [{self.lo}, {self.hi}]")
        if abs(self.exp) > MAX_EXPONENT:
            raise ValueError(f"Format.exp must lie within +-{MAX_EXPONENT}, got {self.exp}")

    @classmethod
    def signed_bits(cls, bits: int, exp: int = 0, *, symmetric: bool = False) -> "Format":
        """Two's complement of `bits` bits; `symmetric` leaves out the most negative value."""
        if bits < 1:
            raise ValueError(f"a signed format needs at least 1 bit, got {bits}")
        return cls(-(1 << (bits - 1)) + symmetric, (1 << (bits - 1)) - 1, exp)

    @classmethod
    def unsigned_bits(cls, bits: int, exp: int = 0) -> "Format":
        """Unsigned binary of `bits` bits."""
        if bits < 0:
            raise ValueError(f"an unsigned format needs at least 0 bits, got {bits}")
        return cls(0, (1 << bits) - 1, exp)

    @property
    def signed(self) -> bool:
        """Whether a sign bit is needed."""
        return self.lo < 0

    @property
    def width(self) -> int:
        """Bits that hold every value of the interval; 0 when zero is the only value."""
        return max(self.hi, ~self.lo, 0).bit_length() + self.signed

    @property
    def magnitude(self) -> int:
        """Largest absolute raw value."""
        return max(abs(self.lo), abs(self.hi))

    def contains(self, raw: int) -> bool:
        """Whether `raw` lies in the interval."""
        return self.lo <= raw <= self.hi

    def aligned(self, exp: int) -> "Format":
        """The same values with a finer (or equal) binary point, exactly."""
        if exp > self.exp:
            raise ValueError(f"cannot align 2**{self.exp} to the coarser 2**{exp} without loss")
        shift = self.exp - exp
        return Format(self.lo << shift, self.hi << shift, exp)

    def times(self, lo: int, hi: int, exp: int = 0) -> "Format":
        """Interval of the products with any integer in `[lo, hi]`, itself scaled by `2**exp`."""
        corners = [a * b for a in (self.lo, self.hi) for b in (lo, hi)]
        return Format(min(corners), max(corners), self.exp + exp)

    def __neg__(self) -> "Format":
        return Format(-self.hi, -self.lo, self.exp)

    def __add__(self, other: "Format") -> "Format":
        exp = min(self.exp, other.exp)
        a, b = self.aligned(exp), other.aligned(exp)
        return Format(a.lo + b.lo, a.hi + b.hi, exp)

    def __sub__(self, other: "Format") -> "Format":
        return self + -other


def hull(formats: Iterable[Format]) -> Format:
    """The smallest format, at the finest exponent among them, that holds every value of each."""
    formats = list(formats)
    exp = min(f.exp for f in formats)
    aligned = [f.aligned(exp) for f in formats]
    return Format(min(f.lo for f in aligned), max(f.hi for f in aligned), exp)


def round_shift(raw: T, shift: int, rounding: Rounding) -> T:
    """`raw / 2**shift` rounded to an integer, for ints and integer arrays alike.

    Half to even adds `2**(shift-1) - 1` plus the bit that will become the lowest one: a tie then
    carries only into an odd neighbour. A negative shift multiplies, exactly. Intermediate values
    stay below `|raw| + 2**shift`. A shift of zero may return `raw` itself.
    """
    x: Any = raw
    if shift == 0:
        return raw
    if shift < 0:
        return x << -shift
    half = 1 << (shift - 1)
    if rounding is Rounding.HALF_UP:
        return (x + half) >> shift
    if rounding is Rounding.HALF_EVEN:
        # Augmented, so that an array makes one temporary instead of four.
        x = x >> shift
        x &= 1
        x += raw
        x += half - 1
        x >>= shift
        return x
    return x >> shift


def clamp(raw: T, lo: int, hi: int) -> T:
    """`raw` brought into `[lo, hi]`, for ints and integer arrays alike."""
    x: Any = raw
    if isinstance(raw, int):
        return min(max(x, lo), hi)
    # Bounds of the array's own type spare numpy a search.
    return x.clip(x.dtype.type(lo), x.dtype.type(hi))


def overflow(raw: T, target: Format, mode: Overflow) -> T:
    """Bring `raw`, an int or an integer array, into the interval of `target`.

    Wrapping takes the value modulo the span, for a target of 2**k values.
    """
    if mode is Overflow.SATURATE:
        return clamp(raw, target.lo, target.hi)
    x: Any = raw
    return ((x - target.lo) & (target.hi - target.lo)) + target.lo


def narrow(raw: T, source: Format, target: Format, rounding: Rounding, mode: Overflow) -> T:
    """The raw value in `target` for `raw` in `source`, rounded and brought into range."""
    return overflow(round_shift(raw, target.exp - source.exp, rounding), target, mode)
