# amaranth: UnusedElaboratable=no
"""Operations lane by lane: any pattern will do, and operands pass in that of the result."""

from sylvan.model.operations import Operation, arithmetic, moves

from ..beats import Pattern
from ..operators.elementwise import AddSub, Elementwise, Multiply, Neg, PhaseShift, Relu
from ..operators.narrow import Narrow
from .base import Demand, Lowered, Lowering, lowers
from .linear import Linear

PLAIN: dict[type[Operation], type[Elementwise]] = {
    arithmetic.Relu: Relu,
    arithmetic.Mul: Multiply,
}
"""Operations without constants, and the operators that take nothing but formats."""


@lowers(arithmetic.Add, arithmetic.Sub, arithmetic.Neg)
class _Sum(Linear):
    def lower(self, pattern: Pattern) -> Lowered:
        if self.at_once(pattern):
            return self.unrolled(pattern)
        if isinstance(self.node.operation, arithmetic.Neg):
            negated = Neg(pattern.lanes, self.formats, self.result, self.period)
            return Lowered(negated, pattern, self.passed(pattern))
        subtract = isinstance(self.node.operation, arithmetic.Sub)
        operator = AddSub(pattern.lanes, self.formats, self.result, self.period, subtract)
        return Lowered(operator, pattern, self.passed(pattern))


@lowers(*PLAIN)
class _Plain(Lowering):
    def lower(self, pattern: Pattern) -> Lowered:
        kind = PLAIN[type(self.node.operation)]
        operator = kind(pattern.lanes, self.formats, self.result, self.period)
        return Lowered(operator, pattern, self.passed(pattern))


@lowers(moves.Exponent)
class _Exponent(Lowering):
    def lower(self, pattern: Pattern) -> Lowered | Demand:
        operation = self.node.operation
        assert isinstance(operation, moves.Exponent)
        shifts = [operation.left_shift(phase) for phase in range(operation.period)]
        if not any(shifts):
            return Demand(self.node.operands[0], pattern)
        operator = PhaseShift(pattern.lanes, self.formats, self.result, self.period, shifts)
        return Lowered(operator, pattern, self.passed(pattern))


@lowers(moves.Narrow)
class _Narrow(Lowering):
    def lower(self, pattern: Pattern) -> Lowered:
        operation = self.node.operation
        assert isinstance(operation, moves.Narrow)
        operator = Narrow(
            pattern.lanes,
            self.formats[0],
            operation.target,
            operation.rounding,
            operation.overflow,
            self.period,
        )
        return Lowered(operator, pattern, self.passed(pattern))
