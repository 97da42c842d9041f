# amaranth: UnusedElaboratable=no
"""Operations lane by lane: any pattern will do, and operands pass in that of the result."""

from sylvan.model.operations import Operation, arithmetic, moves
from sylvan.model.program import Node

from ..beats import Pattern
from ..operators.base import Operator
from ..operators.elementwise import AddSub, Elementwise, Multiply, Neg, PhaseShift, Relu
from ..operators.narrow import Narrow, Narrowing
from ..operators.serial import SerialPhaseShift
from ..operators.serial_narrow import SerialNarrow, can_pass, leaving_digits, narrow_digits
from .base import Body, Demand, Lowered, Lowering, lowers
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
            negated = Neg(pattern.lanes, self.formats, self.result, self.tag)
            return Lowered(negated, pattern, self.passed(pattern))
        subtract = isinstance(self.node.operation, arithmetic.Sub)
        operator = AddSub(pattern.lanes, self.formats, self.result, self.tag, subtract)
        return Lowered(operator, pattern, self.passed(pattern))


@lowers(*PLAIN)
class _Plain(Lowering):
    def lower(self, pattern: Pattern) -> Lowered:
        kind = PLAIN[type(self.node.operation)]
        operator = kind(pattern.lanes, self.formats, self.result, self.tag)
        return Lowered(operator, pattern, self.passed(pattern))


@lowers(moves.Exponent)
class _Exponent(Lowering):
    serial = True

    def __init__(self, node: Node, body: Body) -> None:
        super().__init__(node, body)
        assert isinstance(node.operation, moves.Exponent)
        self.shifts = [node.operation.left_shift(phase) for phase in range(node.operation.period)]
        self.linear = not any(self.shifts)

    def lower(self, pattern: Pattern) -> Lowered | Demand:
        if self.linear:
            return Demand(self.node.operands[0], pattern)
        (source,) = self.formats
        operator: Operator
        if pattern.digit:
            operator = SerialPhaseShift(pattern, source, self.result, self.tag, self.shifts)
        else:
            operator = PhaseShift(pattern.lanes, [source], self.result, self.tag, self.shifts)
        return Lowered(operator, pattern, self.passed(pattern))


@lowers(moves.Narrow)
class _Narrow(Lowering):
    def __init__(self, node: Node, body: Body) -> None:
        super().__init__(node, body)
        operation = node.operation
        assert isinstance(operation, moves.Narrow)
        self.passes = can_pass(operation.target, operation.overflow)
        self.narrowing = Narrowing(
            self.formats[0], operation.target, operation.rounding, operation.overflow
        )

    def least_digits(self, digit: int) -> int:
        least = super().least_digits(digit)
        return max(least, narrow_digits(self.narrowing, digit)) if self.passes else least

    def natural(self, pattern: Pattern) -> Pattern:
        if not (self.schedule.digit and self.passes):
            return pattern.words
        settles = leaving_digits(self.narrowing, self.schedule.digit)
        return self.body.order(self.node.result).settling(settles)

    def lower(self, pattern: Pattern) -> Lowered:
        operator: Operator
        if pattern.digit:
            taken = self.body.order(self.node.operands[0])
            operator = SerialNarrow(taken, self.narrowing, self.tag)
            return Lowered(operator, pattern, self.passed(taken))
        (operand,) = self.node.operands
        inner = self.body.inner(operand)
        linear = self.body.lowerings[operand.name] if inner else None
        added = self.narrowing.half > 0 and isinstance(linear, Linear) and linear.at_once(pattern)
        operator = Narrow(pattern.lanes, self.narrowing, self.tag, added)
        if added:
            assert isinstance(linear, Linear)
            summed = linear.biased(pattern, self.narrowing.half, "sum")
            return Lowered(operator, pattern, (summed,))
        return Lowered(operator, pattern, self.passed(pattern))
