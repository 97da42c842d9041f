"""The transform's stages in time, digit by digit."""

from typing import Any

from amaranth import Cat, Module, Mux, Signal, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In
from sylvan.model.numbers import Format

from ..beats import Pattern, Tag, digits
from .addresses import addresses_cost
from .base import Cost, Operator, connect_strobe, delay_strobe, strobe_cost
from .delay import delay_cost, delayed
from .hadamard import butterfly
from .serial import WordClock, add_digits


class SerialTimeStage(wiring.Component):
    """Butterflies between beats `delay` apart, on every lane, as `hadamard.TimeStage` makes them.

    Members: start, In(1); i, In and o, Out: the lanes. Latency: `delay * dwell + 1`.
    """

    def __init__(self, pattern: Pattern, delay: int) -> None:
        self.pattern = pattern
        self.delay = delay
        lanes = In(unsigned(pattern.digit)).array(pattern.lanes)
        super().__init__({"start": In(1), "i": lanes, "o": lanes.flip()})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        clock = WordClock(m, self.start, self.pattern)
        second = Signal()
        # The word rests at 0 after the vector, while the last differences leave.
        m.d.comb += second.eq(clock.place.word[self.delay.bit_length() - 1])
        shape = self.o[0].shape()
        feeds = [Signal(shape, name=f"feed{k}") for k in range(len(self.o))]
        layout = data.ArrayLayout(shape, len(self.o))
        line = self.delay * self.pattern.dwell
        back = data.View(layout, delayed(m, "line", Cat(*feeds), line))
        for k, (x, feed, out) in enumerate(zip(self.i, feeds, self.o, strict=True)):
            late = Signal(shape, name=f"late{k}")
            held = Signal(shape, name=f"lane{k}", reset_less=True)
            difference = add_digits(clock, f"difference{k}", late, x, True, 0)
            total = add_digits(clock, f"sum{k}", late, x, False, 0)
            m.d.comb += [late.eq(back[k]), feed.eq(Mux(second, difference, x)), out.eq(held)]
            m.d.sync += held.eq(Mux(second, total, late))
        return m


class SerialTransform(Operator):
    """The stages in time of `o = (I (x) S_m) a`, between beats: what is left is between lanes.

    Parameters:
        pattern: of the operand; its lanes P divide the block m.
        block: m, a power of two.
        source: format; the result's is that of `log2(m / P)` stages.
    Latency: `(m / P - 1) * dwell + log2(m / P)`. Interval: `pattern.cycles`.
    Cost: a stage two adders of a digit for each lane, and a delay of `m / (2 P) .. 1` words.
    """

    def __init__(self, pattern: Pattern, block: int, source: Format, tag: Tag) -> None:
        if block % pattern.lanes:
            raise ValueError(f"blocks of {block} do not begin with lane 0 of {pattern.lanes}")
        self.pattern = pattern
        stages = (block // pattern.lanes).bit_length() - 1
        self.delays = [1 << k for k in reversed(range(stages))]
        self.latency = sum(self.delays) * pattern.dwell + stages
        self.interval = pattern.cycles
        result = between_beats(source, block // pattern.lanes)
        if digits(result, pattern.digit) > pattern.dwell:
            raise ValueError(f"{result} does not pass in {pattern.dwell} digits")
        super().__init__({"a": (pattern, source)}, (pattern, result), tag)

    @property
    def cost(self) -> Cost:
        bits = self.pattern.lanes * self.pattern.digit
        lanes, digit = self.pattern.lanes, self.pattern.digit
        adders = (
            Cost(2 * lanes * (digit + 2), 2 * lanes) if digit > 1 else Cost(logic_bits=4 * bits)
        )
        stage = adders + Cost(logic_bits=2 * bits, register_bits=bits + 2 * lanes)
        stages = (stage + delay_cost(bits, d * self.pattern.dwell) for d in self.delays)
        return sum(stages, Cost())

    @property
    def timing_cost(self) -> Cost:
        """A strobe from stage to stage, and in each a place in the vector."""
        waits = (delay * self.pattern.dwell + 1 for delay in self.delays)
        strobes = (strobe_cost(wait, self.interval, self.tag) for wait in waits)
        return sum([addresses_cost(self.pattern)] * len(self.delays), sum(strobes, Cost()))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        lanes: Any = self.a.lanes
        strobe: Any = self.a
        for delay in self.delays:
            stage = SerialTimeStage(self.pattern, delay)
            m.submodules[f"time{delay}"] = stage
            m.d.comb += stage.start.eq(strobe.start)
            m.d.comb += [i.eq(lane) for i, lane in zip(stage.i, lanes, strict=True)]
            lanes = stage.o
            latency = delay * self.pattern.dwell + 1
            strobe = delay_strobe(m, f"timing{delay}", strobe, latency, self.interval)
        connect_strobe(m, strobe, self.o)
        m.d.comb += [out.eq(lane) for out, lane in zip(self.o.lanes, lanes, strict=True)]
        return m


def between_beats(source: Format, beats: int) -> Format:
    """Interval after the stages between so many beats."""
    for _ in range(beats.bit_length() - 1):
        source = butterfly(source)
    return source
