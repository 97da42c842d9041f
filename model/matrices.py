"""Structured constant matrices: what a matvec multiplies by, what hardware can exploit of it."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from .arrays import MAX_BITS, Array, equal_constants, integer, integers
from .numbers import Format

EXACT_IN: dict[Any, int] = {np.dtype(np.float32): 1 << 24, np.dtype(np.float64): 1 << 53}
"""Magnitudes up to which a float type holds every integer: BLAS sums exactly, in any order."""
NUMBER_TYPES = (*EXACT_IN, np.dtype(np.int64))
FEW_COLUMNS = 4
LARGE_BLOCK = 64


class Matrix(ABC):
    """A constant integer matrix of shape (rows, columns)."""

    kind: ClassVar[str]
    registry: ClassVar[dict[str, type["Matrix"]]] = {}

    def __init_subclass__(cls) -> None:
        Matrix.registry[cls.kind] = cls

    @property
    @abstractmethod
    def shape(self) -> tuple[int, int]:
        """(rows, columns)."""

    @abstractmethod
    def dense(self) -> Array:
        """The matrix written out, int64."""

    @abstractmethod
    def row_sums(self) -> tuple[Array, Array]:
        """Per row, the sums of the positive and of the negative entries."""

    @abstractmethod
    def apply(self, x: Array, peak: int | None = None) -> Array:
        """Matrix times `x` of shape (columns, batch), exactly, in the integer type of `x`.

        `peak` is a bound on the magnitudes in `x`, measured where it is not given.
        """

    def interval(self, operand: Format) -> Format:
        """Hull over the rows of the exact interval of a dot product with `operand`'s values."""
        positive, negative = self.row_sums()
        rows = list(zip(positive.tolist(), negative.tolist(), strict=True))
        los = (p * operand.lo + n * operand.hi for p, n in rows)
        his = (p * operand.hi + n * operand.lo for p, n in rows)
        return Format(min(los), max(his), operand.exp)

    def __eq__(self, other: object) -> bool:
        return equal_constants(self, other)

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True, eq=False)
class Hadamard(Matrix):
    """`diag(signs) (I_q (x) S_m)`: blocks of the Sylvester matrix, rows signed.

    `S_1 = [1]`, `S_2m = [[S_m, S_m], [S_m, -S_m]]`; entry (i, j) is `(-1)**popcount(i & j)`.
    Not normalized: `S_m S_m = m I`, so a factor `1/sqrt(m)` is an exponent's business.

    Parameters: block m, a power of two; signs, +-1 per row, a multiple of m of them.
    Cost: `n log2 m` adders by the fast Walsh-Hadamard transform.
    """

    kind = "hadamard"
    block: int
    signs: Array

    def __post_init__(self) -> None:
        object.__setattr__(self, "signs", integers("signs", self.signs, 1))
        object.__setattr__(self, "block", integer("block", self.block))
        if self.block < 1 or self.block & (self.block - 1):
            raise ValueError(f"block must be a power of two, got {self.block!r}")
        if len(self.signs) % self.block:
            raise ValueError(f"{len(self.signs)} signs are no multiple of the block {self.block}")
        if not np.isin(self.signs, (-1, 1)).all():
            raise ValueError("signs must be +1 or -1")

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.signs), len(self.signs)

    @property
    def stages(self) -> int:
        """log2 of the block: butterfly stages of the transform."""
        return self.block.bit_length() - 1

    def dense(self) -> Array:
        return self.apply(np.eye(len(self.signs), dtype=np.int64))

    def row_sums(self) -> tuple[Array, Array]:
        rows = np.arange(len(self.signs))
        all_ones = rows % self.block == 0
        plus = np.where(all_ones, self.block, self.block // 2)
        minus = self.block - plus
        negated = self.signs < 0
        return np.where(negated, minus, plus), -np.where(negated, plus, minus)

    @cached_property
    def _factors(self) -> dict[Any, tuple[Array, Array]]:
        """`S_m = (S_outer (x) I) (I (x) S_inner)`, the signs in the inner one; by number type."""
        outer = 1 if self.block < LARGE_BLOCK else 1 << (self.stages // 2)
        inner = self.block // outer
        signs = self.signs.reshape(-1, outer, inner, 1)
        left, right = sylvester(outer), signs * sylvester(inner)
        return {t: (left.astype(t), right.astype(t)) for t in NUMBER_TYPES}

    def apply(self, x: Array, peak: int | None = None) -> Array:
        # Two small products cost less than the butterfly's stages, each a pass over the memory.
        number = _exact_type(x, self.block, peak)
        outer, inner = self._factors[number]
        y = x.astype(number).reshape(*inner.shape[:3], x.shape[1])
        if len(outer) > 1:
            y = np.matmul(outer, y.swapaxes(1, 2)).swapaxes(1, 2)
        return np.matmul(inner, y).reshape(x.shape).astype(x.dtype)


@dataclass(frozen=True, eq=False)
class Dense(Matrix):
    """A matrix of small integers, binary and ternary ones included; zeros may cost nothing."""

    kind = "dense"
    weights: Array

    def __post_init__(self) -> None:
        object.__setattr__(self, "weights", integers("weights", self.weights, 2))
        gain = np.abs(self.weights).sum(1, dtype=np.float64).max()
        if gain >= 1 << MAX_BITS:
            raise ValueError(f"the weights of a row sum to {gain:.3g}, beyond {MAX_BITS} bits")

    @property
    def shape(self) -> tuple[int, int]:
        rows, columns = self.weights.shape
        return rows, columns

    def dense(self) -> Array:
        return self.weights

    def row_sums(self) -> tuple[Array, Array]:
        return np.maximum(self.weights, 0).sum(1), np.minimum(self.weights, 0).sum(1)

    @cached_property
    def _gain(self) -> int:
        """The largest sum of magnitudes of a row."""
        return int(np.abs(self.weights).sum(1).max())

    @cached_property
    def _by_type(self) -> dict[Any, Array]:
        return {t: self.weights.astype(t) for t in NUMBER_TYPES}

    def apply(self, x: Array, peak: int | None = None) -> Array:
        columns = self.weights.shape[1]
        if columns > FEW_COLUMNS:
            number = _exact_type(x, self._gain, peak)
            return np.matmul(self._by_type[number], x.astype(number)).astype(x.dtype)
        weights = self.weights.astype(x.dtype)
        result: Array = weights[:, :1] * x[:1]
        for column in range(1, columns):
            result += weights[:, column : column + 1] * x[column : column + 1]
        return result


def sylvester(size: int) -> Array:
    """`S_1 = [1]`, `S_2m = [[S_m, S_m], [S_m, -S_m]]`, written out."""
    matrix = np.ones((1, 1), np.int64)
    while len(matrix) < size:
        matrix = np.block([[matrix, matrix], [matrix, -matrix]])
    return matrix


def _exact_type(x: Array, gain: int, peak: int | None) -> Any:
    """The cheapest type in which sums of `gain` values of `x` are exact."""
    if peak is None:
        peak = max(-int(x.min(initial=0)), int(x.max(initial=0)))
    return next((t for t, limit in EXACT_IN.items() if gain * peak < limit), NUMBER_TYPES[-1])
