"""Structured constant matrices: what a matvec multiplies by, and what hardware can exploit of it."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from .arrays import Array, equal_constants, integers
from .numbers import Format

EXACT_IN_FLOAT64 = 1 << 53
FEW_COLUMNS = 4


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
    def apply(self, x: Array) -> Array:
        """Matrix times `x` of shape (columns, batch), exactly, in the integer type of `x`."""

    def interval(self, operand: Format) -> Format:
        """Hull over the rows of the exact interval of a dot product with `operand`'s values."""
        positive, negative = self.row_sums()
        los = (int(p) * operand.lo + int(n) * operand.hi for p, n in zip(positive, negative))
        his = (int(p) * operand.hi + int(n) * operand.lo for p, n in zip(positive, negative))
        return Format(min(los), max(his), operand.exp)

    def __eq__(self, other: object) -> bool:
        return equal_constants(self, other)

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True, eq=False)
class Hadamard(Matrix):
    """`diag(signs) (I_q (x) S_m)`: blocks of the Sylvester matrix, rows signed.

    `S_1 = [1]`, `S_2m = [[S_m, S_m], [S_m, -S_m]]`; entry (i, j) is `(-1)**popcount(i & j)`. Not normalized:
    `S_m S_m = m I`, so a factor `1/sqrt(m)` is an exponent's business.

    Parameters: block m, a power of two; signs, +-1 per row, a multiple of m of them.
    Cost: `n log2 m` adders by the fast Walsh-Hadamard transform.
    """

    kind = "hadamard"
    block: int
    signs: Array

    def __post_init__(self) -> None:
        object.__setattr__(self, "signs", integers("signs", self.signs, 1))
        if type(self.block) is not int or self.block < 1 or self.block & (self.block - 1):
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

    def apply(self, x: Array) -> Array:
        scratch = np.empty_like(x), np.empty_like(x)
        source = x
        for stage in range(self.stages):
            target = scratch[stage % 2]
            pairs = (-1, 2, 1 << stage, x.shape[1])
            a, b = source.reshape(pairs)[:, 0], source.reshape(pairs)[:, 1]
            np.add(a, b, out=target.reshape(pairs)[:, 0])
            np.subtract(a, b, out=target.reshape(pairs)[:, 1])
            source = target
        return source * self.signs[:, None].astype(x.dtype)


@dataclass(frozen=True, eq=False)
class Dense(Matrix):
    """A matrix of small integers, binary and ternary ones included; zeros may cost nothing."""

    kind = "dense"
    weights: Array

    def __post_init__(self) -> None:
        object.__setattr__(self, "weights", integers("weights", self.weights, 2))

    @property
    def shape(self) -> tuple[int, int]:
        rows, columns = self.weights.shape
        return rows, columns

    def dense(self) -> Array:
        return self.weights

    def row_sums(self) -> tuple[Array, Array]:
        return np.maximum(self.weights, 0).sum(1), np.minimum(self.weights, 0).sum(1)

    def apply(self, x: Array) -> Array:
        """By float64 BLAS where that pays and every partial sum is exact in it."""
        columns = self.weights.shape[1]
        if columns > FEW_COLUMNS:
            peak = int(np.abs(x).max(initial=0)) * int(np.abs(self.weights).sum(1).max())
            if peak < EXACT_IN_FLOAT64:
                product: Array = self.weights.astype(np.float64) @ x.astype(np.float64)
                return product.astype(x.dtype)
        weights = self.weights.astype(x.dtype)
        result = weights[:, :1] * x[:1]
        for column in range(1, columns):
            result += weights[:, column : column + 1] * x[column : column + 1]
        return result
