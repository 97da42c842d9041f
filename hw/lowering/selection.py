# amaranth: UnusedElaboratable=no
"""Operations that look through a vector, element by element, for what to answer."""

from sylvan.model.operations import moves

from ..beats import Pattern
from ..operators.argmax import ArgMax
from .base import Demand, Lowered, Lowering, lowers


@lowers(moves.ArgMax)
class _ArgMax(Lowering):
    dwell = 1
    single = False

    def natural(self, pattern: Pattern) -> Pattern:
        return Pattern(1, 1)

    def lower(self, pattern: Pattern) -> Lowered:
        (a,) = self.node.operands
        elements = Pattern(a.size, 1, self.body.dwell(a))
        operator = ArgMax(elements, a.format, self.result, self.tag)
        return Lowered(operator, pattern, (Demand(a, elements),))
