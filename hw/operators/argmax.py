# amaranth: UnusedElaboratable=no
"""The index of the largest element of a stream."""

from amaranth import Cat, Const, Module, Signal, Value
from sylvan.model.numbers import Format

from ..beats import Pattern, Tag, shape_of
from .addresses import Addresses, addresses_cost
from .base import Cost, Operator, start_result


class ArgMax(Operator):
    """`o = argmax a`: the lowest index among the largest elements of a single-lane vector.

    Parameters: pattern of the operand (one lane); its format; format of the index.
    Latency: `(size - 1) * dwell + 1`, and where elements stay `size * dwell`: one that is better is
        taken over in its last cycle, having been compared before. Interval: `size * dwell`.
    Cost: a comparator and registers for the best element and its index.
    """

    def __init__(self, pattern: Pattern, source: Format, result: Format, tag: Tag) -> None:
        if pattern.lanes != 1 or pattern.repeats != 1:
            raise ValueError(f"argmax takes single elements once, got {pattern}")
        self.pattern = pattern
        self.source = source
        self.stays = pattern.dwell > 1
        self.latency = pattern.cycles if self.stays else pattern.size
        self.interval = pattern.cycles
        super().__init__({"a": (1, source)}, (1, result), tag)

    @property
    def cost(self) -> Cost:
        width, index = shape_of(self.source).width, self.pattern.size.bit_length()
        best = Cost(width, 1, 0, width + index, waiting_bits=width + index)
        return best + addresses_cost(self.pattern)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.addresses = addresses = Addresses(self.pattern)
        m.d.comb += addresses.start.eq(self.a.start)
        element = self.signed(self.a.lanes[0])
        # The best so far, inverted: e > b where e + ~b, which is e - b - 1, has no sign.
        inverted = Signal(element.shape(), reset_less=True)
        ahead = Signal(len(element) + 1)
        index = Signal.like(addresses.word, reset_less=True)
        opens, better = Signal(), Signal()
        compared = m.d.sync if self.stays else m.d.comb
        m.d.comb += ahead.eq(element + inverted)
        compared += [opens.eq(addresses.word == 0), better.eq(~ahead[-1])]
        with m.If(addresses.moves & (opens | better)):
            m.d.sync += [inverted.eq(~element), index.eq(addresses.word)]
        m.d.comb += self.o.lanes[0].eq(index)
        start_result(m, self, self.a)
        return m

    def signed(self, element: Value) -> Value:
        """An element as a number with a sign."""
        return element if element.shape().signed else Cat(element, Const(0, 1)).as_signed()
