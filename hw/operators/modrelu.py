"""The activation that moves values by a bias, away from zero or up to it."""

from typing import Any

from amaranth import Const, Module, Mux, Shape, Signal, Value
from sylvan.model.numbers import Format

from ..beats import shape_of
from .base import Cost, start_result
from .elementwise import Elementwise


class ModRelu(Elementwise):
    """`o = sign(a) max(|a| + b, 0)`.

    Parameters: lanes; formats of a and b, with one binary point; format of the result.
    Latency: 2, the sum and the choice of zero. Interval: 1.
    Cost: per lane `width` adder bits and as many for the sign of b, `width(o)` logic, registers for
        both cycles.
    """

    operands = ("a", "b")
    latency = 2

    @property
    def moved(self) -> Shape:
        """Shape of `a + b` and `a - b`."""
        reach = sum(format.magnitude for format in self.formats)
        return shape_of(Format(-reach, reach))

    @property
    def cost(self) -> Cost:
        sums = self.lanes * self.moved.width
        return Cost(sums, self.lanes, sums + self.bits, sums + 2 * self.lanes + self.bits)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        for k, (a, b, o) in enumerate(zip(self.a.lanes, self.b.lanes, self.o.lanes, strict=True)):
            moved = Signal(self.moved, name=f"moved{k}", reset_less=True)
            negative = Signal(name=f"negative{k}", reset_less=True)
            zero = Signal(name=f"zero{k}", reset_less=True)
            held = Signal(shape_of(self.result), name=f"lane{k}", reset_less=True)
            sign = a[-1] if a.shape().signed else Const(0, 1)
            m.d.sync += [
                moved.eq(self.lane(a, b, sign)),
                negative.eq(sign),
                zero.eq(a == 0),
                held.eq(Mux(self.beyond(moved, negative, zero), 0, moved)),
            ]
            m.d.comb += o.eq(held)
        start_result(m, self, self.a)
        return m

    def lane(self, *operands: Value) -> Any:
        """The sum of one lane: the bias takes the sign of the value."""
        a, b, negative = operands
        # The lowest bits, 1 and the sign, carry what a difference needs.
        turned = (b ^ negative.replicate(len(b)).as_signed()) << 1 | negative
        return ((a << 1 | 1) + turned) >> 1

    def beyond(self, moved: Value, negative: Value, zero: Value) -> Any:
        """Whether there is no value left: zero has no sign, and none passes zero."""
        return zero | (moved[-1] != negative)
