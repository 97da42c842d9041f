"""Lane by lane arithmetic."""

from typing import Any

from amaranth import Module, Mux, Signal, Value
from sylvan.model.numbers import Format

from ..beats import Tag, shape_of
from .base import Cost, Operator, start_result
from .product import Product


class Elementwise(Operator):
    """An operator that treats all lanes alike; subclasses give the expression of one lane.

    Parameters: lanes; formats of the operands; format of the result, wide enough for every value
    of the expression.
    Latency: 1. Interval: 1.
    """

    def __init__(self, lanes: int, formats: list[Format], result: Format, tag: Tag) -> None:
        self.lanes = lanes
        self.formats = formats
        self.result = result
        inputs = {name: (lanes, f) for name, f in zip(self.operands, formats, strict=True)}
        super().__init__(inputs, (lanes, result), tag)

    @property
    def bits(self) -> int:
        """Bits of the result, all lanes."""
        return self.lanes * shape_of(self.result).width

    def lane(self, *operands: Value) -> Any:
        """The result of one lane."""
        raise NotImplementedError

    def elaborate(self, platform: object) -> Module:
        m = Module()
        streams = [getattr(self, name) for name in self.operands]
        for lane in range(self.lanes):
            held = Signal(shape_of(self.result), name=f"lane{lane}", reset_less=True)
            m.d.sync += held.eq(self.lane(*(s.lanes[lane] for s in streams)))
            m.d.comb += self.o.lanes[lane].eq(held)
        start_result(m, self, streams[0])
        return m


class AddSub(Elementwise):
    """`o = a + b` or `a - b`, binary points aligned by wiring.

    Cost: `lanes * width` adder bits, but for those that go past, and all in registers.
    """

    operands = ("a", "b")

    def __init__(
        self, lanes: int, formats: list[Format], result: Format, tag: Tag, subtract: bool
    ) -> None:
        self.subtract = subtract
        super().__init__(lanes, formats, result, tag)

    @property
    def cost(self) -> Cost:
        # Where one operand has no bits, those of the other go past; but they are subtracted.
        shifts = [f.exp - self.result.exp for f in self.formats]
        past = self.lanes * (shifts[1] if self.subtract else max(shifts))
        inverted = (self.bits - past) * self.subtract
        return Cost(self.bits - past, self.lanes, register_bits=self.bits, inverted_bits=inverted)

    def lane(self, *operands: Value) -> Any:
        a, b = (x << (f.exp - self.result.exp) for x, f in zip(operands, self.formats, strict=True))
        return a - b if self.subtract else a + b


class SignedAdd(Elementwise):
    """`o = b + a` where `negative` is 0, `b - a` where it is 1, binary points aligned by wiring.

    Parameters: turns, whether a sum and a difference are written that take turns, which become one
    carry chain on ECP5; else the sign is an exclusive or and a carry, for a bit more of sum.
    Cost: `lanes * width` adder bits, as many registers; without turns as much logic.
    """

    operands = ("a", "negative", "b")

    def __init__(
        self, lanes: int, formats: list[Format], result: Format, tag: Tag, turns: bool
    ) -> None:
        self.turns = turns
        super().__init__(lanes, formats, result, tag)

    @property
    def cost(self) -> Cost:
        logic = 0 if self.turns else self.bits
        return Cost(self.bits, self.lanes, logic, self.bits)

    def lane(self, *operands: Value) -> Any:
        given, negative, added = operands
        a = given << (self.formats[0].exp - self.result.exp)
        b = added << (self.formats[2].exp - self.result.exp)
        if self.turns:
            return Mux(negative, b - a, b + a)
        # The lowest bits, 1 and the sign, carry what a difference needs.
        turned = (a ^ negative.replicate(len(a)).as_signed()) << 1 | negative
        return ((b << 1 | 1) + turned) >> 1


class Neg(Elementwise):
    """`o = -a`. Cost: `lanes * width` adder bits, as many registers."""

    @property
    def cost(self) -> Cost:
        return Cost(self.bits, self.lanes, register_bits=self.bits)

    def lane(self, *operands: Value) -> Any:
        return -operands[0]


class SignFlip(Elementwise):
    """`o = a` where b is 0, `-a` where b is 1.

    Cost: `lanes * width` adder bits, as many logic and register bits.
    """

    operands = ("a", "b")

    @property
    def cost(self) -> Cost:
        return Cost(self.bits, self.lanes, self.bits, self.bits)

    def lane(self, *operands: Value) -> Any:
        a, negative = operands
        return (a ^ negative.replicate(len(a)).as_signed()) + negative


class Relu(Elementwise):
    """`o = max(a, 0)`. Cost: `lanes * width` registers, the logic absorbed by them."""

    @property
    def cost(self) -> Cost:
        return Cost(register_bits=self.bits, waiting_bits=self.bits)

    def lane(self, *operands: Value) -> Any:
        (a,) = operands
        if not self.formats[0].signed:
            return a
        return Mux(a[-1], 0, a)


class Multiply(Elementwise):
    """`o = a * b`, by partial products in logic, or where `dsps` may by DSP blocks.

    Latency: that of a product.
    Cost: `lanes` products, `lanes * width(o)` registers for each of its levels.
    """

    operands = ("a", "b")

    def __init__(
        self, lanes: int, formats: list[Format], result: Format, tag: Tag, dsps: bool = False
    ) -> None:
        super().__init__(lanes, formats, result, tag)
        self.product = Product(formats[0], formats[1], dsps)
        self.latency = self.product.latency

    @property
    def cost(self) -> Cost:
        held = Cost(register_bits=self.latency * self.bits)
        return sum([self.product.cost] * self.lanes, held)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        for k, (a, b, o) in enumerate(zip(self.a.lanes, self.b.lanes, self.o.lanes, strict=True)):
            m.d.comb += o.eq(self.product.of(m, f"lane{k}", a, b))
        start_result(m, self, self.a)
        return m


class PhaseShift(Elementwise):
    """`o = a << shifts[phase]`: an exponent that differs by phase.

    Parameters: shifts, one left shift per phase.
    Cost: `lanes * width` registers with a selector each.
    """

    def __init__(
        self, lanes: int, formats: list[Format], result: Format, tag: Tag, shifts: list[int]
    ) -> None:
        self.shifts = shifts
        super().__init__(lanes, formats, result, tag)

    @property
    def cost(self) -> Cost:
        return Cost(logic_bits=self.bits, register_bits=self.bits)

    def lane(self, *operands: Value) -> Any:
        (a,) = operands
        chosen: Any = a << self.shifts[0]
        for phase, shift in enumerate(self.shifts[1:], start=1):
            chosen = Mux(self.a.tag.phase == phase, a << shift, chosen)
        return chosen
