"""A matrix for each phase, or for each timestep that a readout reads."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from ..arrays import Array, equal_constants, integers
from ..matrices import Dense
from ..numbers import Format, hull
from .base import Operation, Value


@dataclass(frozen=True, eq=False)
class PhasedMatVec(Operation):
    """`weights[phase] a`: dense matrices of one shape, one of which multiplies.

    Parameters: weights of shape (phases, rows, columns).
    """

    kind = "phased_matvec"
    arity = 1
    weights: Array

    __eq__ = equal_constants

    def __post_init__(self) -> None:
        object.__setattr__(self, "weights", integers("weights", self.weights, 3))
        # Refuses rows that are too heavy now.
        _ = self.matrices

    @cached_property
    def matrices(self) -> tuple[Dense, ...]:
        """The matrix of each phase."""
        return tuple(Dense(weights) for weights in self.weights)

    @property
    def period(self) -> int:
        return len(self.weights)

    def infer(self, operands: Sequence[Value]) -> tuple[int, Format]:
        (a,) = operands
        _, rows, columns = self.weights.shape
        if a.size != columns:
            raise ValueError(f"the matrices have {columns} columns, {a.name} has {a.size}")
        return rows, hull(matrix.interval(a.format) for matrix in self.matrices)

    def evaluate(
        self, x: Sequence[Array], operands: Sequence[Value], result: Format, phase: int
    ) -> Array:
        matrix = self.matrices[phase % self.period]
        return matrix.apply(x[0], operands[0].format.magnitude)

    def magnitude(self, operands: Sequence[Value], result: Format) -> int:
        sums = [matrix.row_sums() for matrix in self.matrices]
        gain = max(int((positive - negative).max()) for positive, negative in sums)
        return gain * operands[0].format.magnitude
