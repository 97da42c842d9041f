# amaranth: UnusedElaboratable=no
"""Operations lane by lane: any pattern will do, and operands pass in that of the result."""

from collections.abc import Sequence

from sylvan.model.numbers import Format, hull
from sylvan.model.operations import arithmetic, moves
from sylvan.model.program import Node

from ..beats import Pattern
from ..operators.base import Operator
from ..operators.elementwise import AddSub, Neg, PhaseShift, Relu, SignedAdd
from ..operators.narrow import Narrow, Narrowing
from ..operators.serial import SerialPhaseShift
from ..operators.serial_narrow import SerialNarrow, can_pass, leaving_digits, narrow_digits
from .base import Body, Demand, Lowered, Lowering, Unsigned, lowers
from .linear import Linear, shifted


@lowers(arithmetic.Add, arithmetic.Sub, arithmetic.Neg)
class _Sum(Linear):
    def lower(self, pattern: Pattern) -> Lowered:
        if self.at_once(pattern):
            return self.unrolled(pattern)
        if isinstance(self.node.operation, arithmetic.Neg):
            negated = Neg(pattern.lanes, self.formats, self.result, self.tag)
            return Lowered(negated, pattern, self.passed(pattern))
        return self._sum(pattern, list(self.passed(pattern)), self.formats, self.result)

    def biased(self, pattern: Pattern, bias: int) -> Lowered | None:
        """Of words a bias is added with an operand, where one takes it."""
        if self.at_once(pattern) or not isinstance(self.node.operation, arithmetic.Add):
            return super().biased(pattern, bias)
        passed: list[Demand | Lowered] = list(self.passed(pattern))
        for k, value in enumerate(self.node.operands):
            found, finer = self.alone(value), value.format.exp - self.result.exp
            if found is None or bias % (1 << finer):
                continue
            taken = found.biased(pattern, bias >> finer)
            if taken is None:
                continue
            passed[k] = taken
            formats = list(self.formats)
            formats[k] = shifted(formats[k], bias >> finer)
            return self.named(self._sum(pattern, passed, formats, shifted(self.result, bias)))
        return None

    def _sum(
        self,
        pattern: Pattern,
        passed: Sequence[Demand | Lowered],
        formats: list[Format],
        result: Format,
    ) -> Lowered:
        """The operator of two words; signs of an operand are turned in the sum itself."""
        lanes, kind = pattern.lanes, type(self.node.operation)
        for k, value in enumerate(self.node.operands):
            found = self.alone(value)
            signed = kind is arithmetic.Add and isinstance(passed[k], Demand)
            given = found.unsigned(pattern) if found and signed else None
            if given is None:
                continue
            order = [given.format, Format(0, 1), formats[1 - k]]
            turned = SignedAdd(lanes, order, result, self.tag, self.schedule.turns)
            return Lowered(turned, pattern, (given.plain, given.signs, passed[1 - k]))
        subtract = kind is arithmetic.Sub
        operator = AddSub(lanes, formats, result, self.tag, subtract)
        return Lowered(operator, pattern, tuple(passed))


@lowers(arithmetic.Relu)
class _Relu(Lowering):
    def lower(self, pattern: Pattern) -> Lowered:
        operator = Relu(pattern.lanes, self.formats, self.result, self.tag)
        return Lowered(operator, pattern, self.passed(pattern))


@lowers(arithmetic.Mul)
class _Mul(Lowering):
    def lower(self, pattern: Pattern) -> Lowered:
        operator = self.multiply(pattern, self.formats, self.result)
        return Lowered(operator, pattern, self.passed(pattern))


@lowers(arithmetic.Lerp)
class _Lerp(Lowering):
    """`a + z (b - a)`, a single product in each lane."""

    def lower(self, pattern: Pattern) -> Lowered:
        z, a, b = self.passed(pattern)
        weight, *ends = self.formats
        lanes, tag = pattern.lanes, self.tag
        difference = ends[1] - ends[0]
        moved = difference.times(weight.lo, weight.hi, weight.exp)
        minus = AddSub(lanes, [ends[1], ends[0]], difference, tag, True)
        times = self.multiply(pattern, [weight, difference], moved)
        plus = AddSub(lanes, [ends[0], moved], self.result, tag, False)
        product = Lowered(
            times, pattern, (z, Lowered(minus, pattern, (b, a), "difference")), "product"
        )
        return Lowered(plus, pattern, (a, product))


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

    def biased(self, pattern: Pattern, bias: int) -> Lowered | None:
        """What is merely relabelled takes a bias where it is made."""
        found = self.alone(self.node.operands[0]) if self.linear else None
        return found.biased(pattern, bias) if found else None

    def unsigned(self, pattern: Pattern) -> Unsigned | None:
        """What is shifted keeps its signs for later, too."""
        found = self.alone(self.node.operands[0])
        given = found.unsigned(pattern) if found else None
        if given is None:
            return None
        operation, source = self.node.operation, given.format
        assert isinstance(operation, moves.Exponent)
        ends = (Format(source.lo, source.hi, source.exp + by) for by in operation.shifts)
        format, plain = hull(ends), given.plain
        if not self.linear:
            operator = PhaseShift(pattern.lanes, [source], format, self.tag, self.shifts)
            plain = self.named(Lowered(operator, pattern, (plain,)))
        return Unsigned(plain, format, given.signs)


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
            return super().natural(pattern)
        settles = leaving_digits(self.narrowing, self.schedule.digit)
        return self.body.order(self.node.result).settling(settles)

    def lower(self, pattern: Pattern) -> Lowered:
        operator: Operator
        if pattern.digit:
            taken = self.body.order(self.node.operands[0])
            operator = SerialNarrow(taken, self.narrowing, self.tag)
            return Lowered(operator, pattern, self.passed(taken))
        found, half = self.alone(self.node.operands[0]), self.narrowing.half
        summed = found.biased(pattern, half) if found and half else None
        operator = Narrow(pattern.lanes, self.narrowing, self.tag, summed is not None)
        return Lowered(operator, pattern, (summed,) if summed else self.passed(pattern))
