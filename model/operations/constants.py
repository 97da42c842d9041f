"""Operations with constants of their own: matvec, lookup, scale, const, table."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..arrays import Array, equal_constants, integer, integers
from ..matrices import Matrix
from ..numbers import Format
from .base import Operation, Value


def _bounds(raw: Array, exp: int) -> Format:
    return Format(int(raw.min()), int(raw.max()), exp)


@dataclass(frozen=True)
class MatVec(Operation):
    """`W a` for a structured constant matrix W of shape (rows, columns)."""

    kind = "matvec"
    arity = 1
    matrix: Matrix

    def infer(self, operands: Sequence[Value]) -> tuple[int, Format]:
        rows, columns = self.matrix.shape
        if operands[0].size != columns:
            raise ValueError(
                f"the matrix has {columns} columns, {operands[0].name} has {operands[0].size}"
            )
        return rows, self.matrix.interval(operands[0].format)

    def evaluate(
        self, x: Sequence[Array], operands: Sequence[Value], result: Format, phase: int
    ) -> Array:
        return self.matrix.apply(x[0], operands[0].format.magnitude)

    def magnitude(self, operands: Sequence[Value], result: Format) -> int:
        positive, negative = self.matrix.row_sums()
        return int((positive - negative).max()) * operands[0].format.magnitude


@dataclass(frozen=True, eq=False)
class Lookup(Operation):
    """Row `table[phase, symbol]`: the matvec of a one-hot input, without the products.

    Parameters: table of shape (phases, symbols, size); exp, the binary point of its entries.
    """

    kind = "lookup"
    arity = 1
    table: Array
    exp: int

    __eq__ = equal_constants

    def __post_init__(self) -> None:
        object.__setattr__(self, "table", integers("table", self.table, 3))
        object.__setattr__(self, "exp", integer("exp", self.exp))

    @property
    def period(self) -> int:
        return len(self.table)

    def infer(self, operands: Sequence[Value]) -> tuple[int, Format]:
        (symbol,) = operands
        symbols = self.table.shape[1]
        if symbol.size != 1 or symbol.format != Format(0, symbols - 1):
            raise ValueError(
                f"the table has {symbols} symbols, {symbol.name} is {symbol.size} of "
                f"{symbol.format}"
            )
        return self.table.shape[2], _bounds(self.table, self.exp)

    def evaluate(
        self, x: Sequence[Array], operands: Sequence[Value], result: Format, phase: int
    ) -> Array:
        return np.ascontiguousarray(self.table[phase % self.period][x[0][0]].T)


@dataclass(frozen=True, eq=False)
class Scale(Operation):
    """`factors[phase] * a` per lane, an exact product with fixed-point constants.

    Parameters: factors of shape (phases, size) or (phases, 1); exp, their binary point.
    """

    kind = "scale"
    arity = 1
    factors: Array
    exp: int

    __eq__ = equal_constants

    def __post_init__(self) -> None:
        object.__setattr__(self, "factors", integers("factors", self.factors, 2))
        object.__setattr__(self, "exp", integer("exp", self.exp))

    @property
    def period(self) -> int:
        return len(self.factors)

    def infer(self, operands: Sequence[Value]) -> tuple[int, Format]:
        (a,) = operands
        if self.factors.shape[1] not in (1, a.size):
            raise ValueError(f"{self.factors.shape[1]} factors for the {a.size} lanes of {a.name}")
        span = _bounds(self.factors, self.exp)
        return a.size, a.format.times(span.lo, span.hi, span.exp)

    def evaluate(
        self, x: Sequence[Array], operands: Sequence[Value], result: Format, phase: int
    ) -> Array:
        return x[0] * self.factors[phase % self.period][:, None].astype(x[0].dtype)


@dataclass(frozen=True, eq=False)
class Const(Operation):
    """The vector `raw[phase]`. Parameters: raw of shape (phases, size); exp, its binary point."""

    kind = "const"
    arity = 0
    raw: Array
    exp: int

    __eq__ = equal_constants

    def __post_init__(self) -> None:
        object.__setattr__(self, "raw", integers("raw", self.raw, 2))
        object.__setattr__(self, "exp", integer("exp", self.exp))

    @property
    def period(self) -> int:
        return len(self.raw)

    def infer(self, operands: Sequence[Value]) -> tuple[int, Format]:
        return self.raw.shape[1], _bounds(self.raw, self.exp)

    def evaluate(
        self, x: Sequence[Array], operands: Sequence[Value], result: Format, phase: int
    ) -> Array:
        return self.raw[phase % self.period][:, None]


@dataclass(frozen=True, eq=False)
class Table(Operation):
    """`entries[a - a.lo]`: any function of one value; the stored integers *are* its definition.

    Parameters: entries, one for each raw value of the operand's format; exp, their binary point.
    """

    kind = "table"
    arity = 1
    lossless = False
    entries: Array
    exp: int

    __eq__ = equal_constants

    def __post_init__(self) -> None:
        object.__setattr__(self, "entries", integers("entries", self.entries, 1))
        object.__setattr__(self, "exp", integer("exp", self.exp))

    def infer(self, operands: Sequence[Value]) -> tuple[int, Format]:
        (a,) = operands
        span = a.format.hi - a.format.lo + 1
        if len(self.entries) != span:
            raise ValueError(f"{len(self.entries)} entries for the {span} values of {a.name}")
        return a.size, _bounds(self.entries, self.exp)

    def evaluate(
        self, x: Sequence[Array], operands: Sequence[Value], result: Format, phase: int
    ) -> Array:
        return np.take(self.entries, x[0] - operands[0].format.lo)
