"""From beats that stay to digits that pass, and back; the order of the elements is the same."""

from typing import Any

from amaranth import Cat, Module, Mux, Shape, Signal
from sylvan.model.numbers import Format

from ..beats import Pattern, Tag, digits, shape_of
from .addresses import Addresses, addresses_cost
from .base import Cost, Operator, start_result


class ToDigits(Operator):
    """`o = a`, every beat that stays for `dwell` cycles as digits: a shift register for each lane.

    Parameters: pattern, of the result; format.
    Latency: 1. Interval: `pattern.cycles`. Cost: a register and a selector for every bit.
    """

    def __init__(self, pattern: Pattern, format: Format, tag: Tag) -> None:
        self.pattern = pattern
        self.format = format
        self.interval = pattern.cycles
        super().__init__({"a": (pattern.words, format)}, (pattern, format), tag)

    @property
    def cost(self) -> Cost:
        bits = self.pattern.lanes * shape_of(self.format).width
        return Cost(logic_bits=bits, register_bits=bits) + addresses_cost(self.pattern)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.words = words = Addresses(self.pattern.words)
        m.d.comb += words.start.eq(self.a.start)
        for k, (a, o) in enumerate(zip(self.a.lanes, self.o.lanes, strict=True)):
            shape = shape_of(self.format)
            shape = Shape(max(shape.width, self.pattern.digit), shape.signed)
            left = Signal(shape, name=f"lane{k}", reset_less=True)
            m.d.sync += left.eq(Mux(words.enters, a, left >> self.pattern.digit))
            # An idle `or` keeps what leaves the module a signal with a name; see Delay.
            m.d.comb += o.eq(left | 0)
        start_result(m, self, self.a)
        return m


class ToWords(Operator):
    """`o = a`, the digits of every element collected, and kept while the next ones pass.

    Parameters: pattern, of the operand; format.
    Latency: the digits of the format. Interval: `pattern.cycles`.
    Cost: two registers for every bit.
    """

    def __init__(self, pattern: Pattern, format: Format, tag: Tag) -> None:
        self.pattern = pattern
        self.format = format
        self.digits = digits(format, pattern.digit)
        self.latency = self.digits
        self.interval = pattern.cycles
        super().__init__({"a": (pattern, format)}, (pattern.words, format), tag)

    @property
    def cost(self) -> Cost:
        bits = self.pattern.lanes * shape_of(self.format).width
        return Cost(register_bits=2 * bits, waiting_bits=2 * bits) + addresses_cost(self.pattern)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.words = words = Addresses(self.pattern.words)
        m.d.comb += words.start.eq(self.a.start)
        complete = words.active & (words.held == self.digits - 1)
        for k, (a, o) in enumerate(zip(self.a.lanes, self.o.lanes, strict=True)):
            m.d.comb += o.eq(collected(m, f"lane{k}", a, self.digits, complete))
        start_result(m, self, self.a)
        return m


def collected(m: Module, name: str, digit: Any, count: int, complete: Any) -> Any:
    """The word of the last `count` digits, from the cycle after `complete` on."""
    before = Signal((count - 1) * len(digit), name=f"{name}_before", reset_less=True)
    word = Signal(count * len(digit), name=name, reset_less=True)
    now = Cat(before, digit)
    m.d.sync += before.eq(now[len(digit) :])
    with m.If(complete):
        m.d.sync += word.eq(now)
    # An idle `or`, for a name where fewer bits leave the module; see Delay.
    return word | 0
