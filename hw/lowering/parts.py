# amaranth: UnusedElaboratable=no
"""Parts of vectors, and vectors of parts: elements that pass earlier or later, and are not touched.

Of whole vectors on as many lanes both are linear, and an adder graph sees through them.
"""

from sylvan.model.operations import moves
from sylvan.model.program import Node

from ..beats import Pattern
from ..operators.concat import Concat
from ..operators.slice import Slice
from .base import Body, Demand, Lowered, Lowering, lowers


class _Parts(Lowering):
    """What takes operands of other sizes in the order of its result."""

    def __init__(self, node: Node, body: Body) -> None:
        super().__init__(node, body)
        sizes = [self.size, *(value.size for value in node.operands)]
        self.linear = all(self.schedule.over(size) == size for size in sizes)


@lowers(moves.Slice)
class _Slice(_Parts):
    def natural(self, pattern: Pattern) -> Pattern:
        natural = Pattern(self.size, pattern.lanes, pattern.dwell, 1, pattern.digit)
        return self.on_one_lane if self.single else natural

    def lower(self, pattern: Pattern) -> Lowered:
        operation = self.node.operation
        assert isinstance(operation, moves.Slice)
        (whole,) = self.node.operands
        # All that pass in one beat may be fewer than pass on the lanes that there are.
        fills = pattern.lanes == self.schedule.over(self.size)
        lanes = self.schedule.over(whole.size) if fills else pattern.lanes
        taken = Pattern(whole.size, lanes, pattern.dwell, 1, pattern.digit)
        operator = Slice(taken, pattern, operation.start, self.result, self.tag)
        return Lowered(operator, pattern, (Demand(whole, taken),))


@lowers(moves.Concat)
class _Concat(_Parts):
    def natural(self, pattern: Pattern) -> Pattern:
        natural = Pattern(self.size, pattern.lanes, pattern.dwell)
        return self.on_one_lane if self.single else natural

    def lower(self, pattern: Pattern) -> Lowered:
        a, b = self.node.operands
        operator = Concat((a.size, b.size), (a.format, b.format), pattern, self.result, self.tag)
        orders = (Pattern(v.size, min(v.size, pattern.lanes), pattern.dwell) for v in (a, b))
        return Lowered(operator, pattern, tuple(map(Demand, (a, b), orders)))
