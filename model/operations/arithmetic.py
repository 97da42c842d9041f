"""Elementwise arithmetic: every result exact, in a format wide enough for it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..arrays import Array, equal_constants, integers
from ..numbers import Format, clamp, hull
from .base import Operation, Value, same_size, shift_left


def _aligned(x: Sequence[Array], operands: Sequence[Value], exp: int) -> list[Array]:
    return [shift_left(raw, v.format.exp - exp) for raw, v in zip(x, operands, strict=True)]


def _aligned_magnitude(operands: Sequence[Value]) -> int:
    exp = min(v.format.exp for v in operands)
    return sum(v.format.aligned(exp).magnitude for v in operands)


@dataclass(frozen=True)
class Add(Operation):
    """`a + b`, binary points aligned to the finer one."""

    kind = "add"
    arity = 2

    def infer(self, operands: Sequence[Value]) -> tuple[int, Format]:
        a, b = operands
        return same_size(operands), a.format + b.format

    def evaluate(
        self, x: Sequence[Array], operands: Sequence[Value], result: Format, phase: int
    ) -> Array:
        a, b = _aligned(x, operands, result.exp)
        return a + b

    def magnitude(self, operands: Sequence[Value], result: Format) -> int:
        return _aligned_magnitude(operands)


@dataclass(frozen=True)
class Sub(Operation):
    """`a - b`, binary points aligned to the finer one."""

    kind = "sub"
    arity = 2

    def infer(self, operands: Sequence[Value]) -> tuple[int, Format]:
        a, b = operands
        return same_size(operands), a.format - b.format

    def evaluate(
        self, x: Sequence[Array], operands: Sequence[Value], result: Format, phase: int
    ) -> Array:
        a, b = _aligned(x, operands, result.exp)
        return a - b

    def magnitude(self, operands: Sequence[Value], result: Format) -> int:
        return _aligned_magnitude(operands)


@dataclass(frozen=True)
class Neg(Operation):
    """`-a`."""

    kind = "neg"
    arity = 1

    def infer(self, operands: Sequence[Value]) -> tuple[int, Format]:
        return operands[0].size, -operands[0].format

    def evaluate(
        self, x: Sequence[Array], operands: Sequence[Value], result: Format, phase: int
    ) -> Array:
        return -x[0]


@dataclass(frozen=True)
class Mul(Operation):
    """`a * b`, elementwise."""

    kind = "mul"
    arity = 2

    def infer(self, operands: Sequence[Value]) -> tuple[int, Format]:
        a, b = (v.format for v in operands)
        return same_size(operands), a.times(b.lo, b.hi, b.exp)

    def evaluate(
        self, x: Sequence[Array], operands: Sequence[Value], result: Format, phase: int
    ) -> Array:
        return x[0] * x[1]


@dataclass(frozen=True)
class Lerp(Operation):
    """`a + z (b - a)` for `z` in `[0, 1]`: the interval is the hull of those of a and b.

    Operands: z, a, b. Refuses a z whose format reaches outside `[0, 1]`.
    """

    kind = "lerp"
    arity = 3

    def infer(self, operands: Sequence[Value]) -> tuple[int, Format]:
        z, a, b = (v.format for v in operands)
        if z.lo < 0 or z.exp > 0 or z.hi > 1 << -z.exp:
            raise ValueError(f"the weight of lerp must lie in [0, 1], got {z}")
        span = hull([a, b])
        return same_size(operands), span.times(1 << -z.exp, 1 << -z.exp, z.exp)

    def evaluate(
        self, x: Sequence[Array], operands: Sequence[Value], result: Format, phase: int
    ) -> Array:
        fraction = -operands[0].format.exp
        a, b = _aligned(x[1:], operands[1:], result.exp + fraction)
        return shift_left(a, fraction) + x[0] * (b - a)

    def magnitude(self, operands: Sequence[Value], result: Format) -> int:
        return 3 * result.magnitude + _aligned_magnitude(operands[1:])


@dataclass(frozen=True)
class Relu(Operation):
    """`max(a, 0)`."""

    kind = "relu"
    arity = 1
    lossless = False

    def infer(self, operands: Sequence[Value]) -> tuple[int, Format]:
        f = operands[0].format
        return operands[0].size, Format(max(f.lo, 0), max(f.hi, 0), f.exp)

    def evaluate(
        self, x: Sequence[Array], operands: Sequence[Value], result: Format, phase: int
    ) -> Array:
        return clamp(x[0], 0, result.hi)


@dataclass(frozen=True, eq=False)
class ModRelu(Operation):
    """`sign(a) max(|a| + bias, 0)`, bias per lane in units of a's last place."""

    kind = "modrelu"
    arity = 1
    lossless = False
    bias: Array

    __eq__ = equal_constants

    def __post_init__(self) -> None:
        object.__setattr__(self, "bias", integers("bias", self.bias, 1))

    def infer(self, operands: Sequence[Value]) -> tuple[int, Format]:
        (a,) = operands
        if len(self.bias) not in (1, a.size):
            raise ValueError(f"bias has {len(self.bias)} elements, {a.name} has {a.size}")
        top = int(self.bias.max())
        hi, lo = max(a.format.hi, 0), max(-a.format.lo, 0)
        return a.size, Format(
            -max(lo + top, 0) if lo else 0, max(hi + top, 0) if hi else 0, a.format.exp
        )

    def evaluate(
        self, x: Sequence[Array], operands: Sequence[Value], result: Format, phase: int
    ) -> Array:
        bias = self.bias[:, None].astype(x[0].dtype)
        return np.sign(x[0]) * np.maximum(np.abs(x[0]) + bias, 0)

    def magnitude(self, operands: Sequence[Value], result: Format) -> int:
        return operands[0].format.magnitude + int(np.abs(self.bias).max())
