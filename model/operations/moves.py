"""Operations that move, relabel or select: no arithmetic but the narrowing that is named."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..arrays import Array, integer
from ..numbers import Format, Overflow, Rounding, hull, narrow
from .base import Operation, Value, shift_left


@dataclass(frozen=True)
class Exponent(Operation):
    """`a * 2**shifts[phase]`, exactly: a relabelling of the binary point, free of logic.

    Where the shifts differ by phase the result keeps the finest of their binary points, and the
    raw value moves left by what is left over: one selection between wires.

    Parameters: shifts, one or one per phase.
    """

    kind = "exponent"
    arity = 1
    shifts: tuple[int, ...]

    def __post_init__(self) -> None:
        shifts = tuple(integer("shifts of exponent", shift) for shift in self.shifts)
        object.__setattr__(self, "shifts", shifts)
        if not shifts:
            raise ValueError("exponent needs at least one shift")

    @property
    def period(self) -> int:
        return len(self.shifts)

    def left_shift(self, phase: int) -> int:
        """How far the raw value moves left in `phase`."""
        return self.shifts[phase % self.period] - min(self.shifts)

    def infer(self, operands: Sequence[Value]) -> tuple[int, Format]:
        f = operands[0].format
        return operands[0].size, hull(Format(f.lo, f.hi, f.exp + s) for s in self.shifts)

    def evaluate(
        self, x: Sequence[Array], operands: Sequence[Value], result: Format, phase: int
    ) -> Array:
        return shift_left(x[0], self.left_shift(phase))


@dataclass(frozen=True)
class Narrow(Operation):
    """`a` rounded to the binary point of `target`, then brought into its interval.

    The only operation that drops fraction bits or clamps. Parameters: target format, rounding
    mode, overflow mode. WRAP takes the value modulo the span of `target`, a power of two.
    """

    kind = "narrow"
    arity = 1
    lossless = False
    target: Format
    rounding: Rounding = Rounding.HALF_EVEN
    overflow: Overflow = Overflow.SATURATE

    def __post_init__(self) -> None:
        if not (isinstance(self.rounding, Rounding) and isinstance(self.overflow, Overflow)):
            raise ValueError(
                f"narrow needs a Rounding and an Overflow, got {self.rounding!r}, {self.overflow!r}"
            )
        span = self.target.hi - self.target.lo + 1
        if self.overflow is Overflow.WRAP and span & (span - 1):
            raise ValueError(f"wrapping needs an interval of 2**k values, got {span}")

    def infer(self, operands: Sequence[Value]) -> tuple[int, Format]:
        return operands[0].size, self.target

    def evaluate(
        self, x: Sequence[Array], operands: Sequence[Value], result: Format, phase: int
    ) -> Array:
        return narrow(x[0], operands[0].format, self.target, self.rounding, self.overflow)

    def magnitude(self, operands: Sequence[Value], result: Format) -> int:
        shift = self.target.exp - operands[0].format.exp
        wide = operands[0].format.magnitude << max(-shift, 0)
        return wide + (1 << max(shift, 0)) + 2 * self.target.magnitude


@dataclass(frozen=True)
class Concat(Operation):
    """Elements of a, then those of b, at the finer of the two binary points."""

    kind = "concat"
    arity = 2

    def infer(self, operands: Sequence[Value]) -> tuple[int, Format]:
        return sum(v.size for v in operands), hull(v.format for v in operands)

    def evaluate(
        self, x: Sequence[Array], operands: Sequence[Value], result: Format, phase: int
    ) -> Array:
        parts = [
            shift_left(raw, v.format.exp - result.exp) for raw, v in zip(x, operands, strict=True)
        ]
        # A constant has a batch of 1, which concatenation does not broadcast by itself.
        batch = max(part.shape[1] for part in parts)
        return np.concatenate([np.broadcast_to(p, (len(p), batch)) for p in parts])


@dataclass(frozen=True)
class Slice(Operation):
    """Elements `start` to `stop - 1`."""

    kind = "slice"
    arity = 1
    start: int
    stop: int

    def __post_init__(self) -> None:
        for name in ("start", "stop"):
            object.__setattr__(self, name, integer(f"{name} of slice", getattr(self, name)))

    def infer(self, operands: Sequence[Value]) -> tuple[int, Format]:
        (a,) = operands
        if not 0 <= self.start < self.stop <= a.size:
            raise ValueError(
                f"slice [{self.start}, {self.stop}) is not inside the {a.size} of {a.name}"
            )
        return self.stop - self.start, a.format

    def evaluate(
        self, x: Sequence[Array], operands: Sequence[Value], result: Format, phase: int
    ) -> Array:
        return x[0][self.start : self.stop]


@dataclass(frozen=True)
class ArgMax(Operation):
    """Index of the largest element, the lowest index among equals."""

    kind = "argmax"
    arity = 1
    lossless = False

    def infer(self, operands: Sequence[Value]) -> tuple[int, Format]:
        return 1, Format(0, operands[0].size - 1)

    def evaluate(
        self, x: Sequence[Array], operands: Sequence[Value], result: Format, phase: int
    ) -> Array:
        return np.argmax(x[0], axis=0)[None]
