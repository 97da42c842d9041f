# amaranth: UnusedElaboratable=no
"""Dense constant matrices by products: row after row, or column after column.

Inner products where single elements with the right dwell are demanded (few rows, a readout), outer
products where the result must come in beats (few columns, an input).
"""

from functools import cached_property

from sylvan.model.arrays import Array
from sylvan.model.numbers import Format
from sylvan.model.operations.phased import PhasedMatVec
from sylvan.model.program import Node

from ..beats import Pattern
from ..operators.matvec import InnerMatVec, OuterMatVec
from ..operators.rom import pack_beats
from .base import Body, Demand, Lowered, Lowering, lowers


class Products(Lowering):
    """A lowering of an operation that multiplies by weights (phases, rows, columns)."""

    def __init__(self, node: Node, body: Body) -> None:
        super().__init__(node, body)
        (operand,) = node.operands
        self.columns = operand.size
        self.column_lanes = self.schedule.over(self.columns)
        self.row_dwell = Pattern(self.columns, self.column_lanes).beats

    single = False

    @cached_property
    def outer_cycles(self) -> int:
        return self.columns * Pattern(self.size, self.schedule.over(self.size)).beats

    @property
    def dwell(self) -> int:
        return self.row_dwell

    def order_of_products(self, pattern: Pattern) -> Pattern:
        """The pattern closest to the one demanded in which products come."""
        if pattern.lanes == 1 and pattern.dwell >= self.row_dwell:
            # Words that come of a single beat may as well stay.
            stays = self.row_dwell == 1 and not self.schedule.digit
            return Pattern(self.size, 1, pattern.dwell if stays else self.row_dwell)
        if pattern.dwell == 1 and pattern.repeats == 1:
            return pattern
        return Pattern(self.size, self.schedule.over(self.size))

    def is_inner(self, pattern: Pattern) -> bool:
        """Whether inner products pass in `pattern`."""
        return pattern.lanes == 1 and pattern.dwell % self.row_dwell == 0

    def inner(self, weights: Array, pattern: Pattern) -> Lowered:
        """Row after row, a single element at a time."""
        stays = pattern.dwell // self.row_dwell
        taken = Pattern(self.columns, self.column_lanes, stays, self.size)
        stored = self._weights(weights, taken.lanes, stays)
        factors = self.formats[0], stored.operator.o.signature.format
        ends = *factors, self.result
        operator = InnerMatVec(weights, taken.lanes, *ends, self.tag, self.schedule.dsps)
        return Lowered(operator, pattern, (Demand(self.node.operands[0], taken), stored))

    def outer(self, weights: Array, pattern: Pattern) -> Lowered:
        """Column after column, `pattern.lanes` rows at a time."""
        taken = Pattern(self.columns, 1, pattern.beats)
        stored = self._weights(weights.swapaxes(1, 2), pattern.lanes)
        factors = self.formats[0], stored.operator.o.signature.format
        ends = *factors, self.result
        operator = OuterMatVec(weights, pattern.lanes, *ends, self.tag, self.schedule.dsps)
        return Lowered(operator, pattern, (Demand(self.node.operands[0], taken), stored))

    def _weights(self, weights: Array, lanes: int, dwell: int = 1) -> Lowered:
        """Weights (phases, ...) in the order in which they are multiplied."""
        words = pack_beats(weights, lanes).reshape(len(weights), -1)
        order = Pattern(words.shape[1], lanes, dwell)
        format = Format(int(weights.min()), int(weights.max()))
        return self.rom(words, order, format, "weights")


@lowers(PhasedMatVec)
class _PhasedMatVec(Products):
    def natural(self, pattern: Pattern) -> Pattern:
        return self.order_of_products(pattern)

    def lower(self, pattern: Pattern) -> Lowered:
        operation = self.node.operation
        assert isinstance(operation, PhasedMatVec)
        if self.is_inner(pattern):
            return self.inner(operation.weights, pattern)
        return self.outer(operation.weights, pattern)
