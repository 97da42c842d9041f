# amaranth: UnusedElaboratable=no
"""The input of a timestep, handed out element by element or in beats."""

from amaranth import Cat, Module, Signal, Value
from amaranth.lib import data
from amaranth.lib.wiring import In
from sylvan.model.numbers import Format

from ..beats import Pattern, Tag, shape_of
from .addresses import Addresses, addresses_cost
from .base import Cost, Source, start_result


class InputReader(Source):
    """Takes the collected input at `i` and passes it in `pattern`, shifting by a beat at a time.

    Parameters: pattern; format of an element.
    Members: i, In(Strobe); vector, In: the collected elements, stable in the cycle of the strobe;
        o, Out(Beats).
    Latency: 1. Interval: `pattern.cycles`. Cost: a register of the whole input.
    """

    def __init__(self, pattern: Pattern, format: Format, tag: Tag) -> None:
        self.pattern = pattern
        self.format = format
        self.interval = pattern.cycles
        vector = In(data.ArrayLayout(shape_of(format), pattern.size))
        super().__init__((pattern.lanes, format), tag, vector=vector)

    @property
    def cost(self) -> Cost:
        bits = self.pattern.beats * self.pattern.lanes * shape_of(self.format).width
        if self.pattern.beats == 1:
            return Cost(register_bits=bits, waiting_bits=bits)
        return Cost(logic_bits=bits, register_bits=bits) + addresses_cost(self.pattern)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        width, beats = len(self.o.lanes[0]), self.pattern.beats
        vector = Value.cast(self.vector)
        m.submodules.addresses = addresses = Addresses(self.pattern)
        start_result(m, self, self.i)
        m.d.comb += addresses.start.eq(self.o.start)
        for k, lane in enumerate(self.o.lanes):
            elements = range(k, self.pattern.size, self.pattern.lanes)
            held = Signal(width * beats, name=f"lane{k}", reset_less=True)
            m.d.comb += lane.eq(held[:width])
            with m.If(self.i.start):
                m.d.sync += held.eq(Cat(vector.word_select(e, width) for e in elements))
            with m.Elif(addresses.moves):
                m.d.sync += held.eq(held.rotate_right(width))
        return m
