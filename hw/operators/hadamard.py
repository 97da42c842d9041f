"""The fast Walsh-Hadamard transform on a stream of beats."""

from typing import Any

from amaranth import Cat, Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out
from sylvan.model.numbers import Format

from ..beats import Tag, shape_of
from .base import Cost, Operator, StrobeDelay, connect_strobe, delay_strobe, strobe_cost
from .delay import delay_cost, delayed


def butterfly(format: Format) -> Format:
    """Interval that holds every sum and difference of two values of `format`."""
    lo = min(2 * format.lo, format.lo - format.hi)
    return Format(lo, max(2 * format.hi, format.hi - format.lo), format.exp)


class TimeStage(wiring.Component):
    """Butterflies between beats `delay` apart, on every lane: a single-path delay feedback.

    In the first `delay` cycles of each pair of runs the delay line fills, and hands out the
    differences of the pair before; in the second it is met by its partners, sums go out and
    differences go in. Runs without a clock enable: a gap between vectors is harmless.

    Where adders take `turns`, what came stays for twice as long instead, and differences are made
    when they go out, by the adder that makes sums in between.

    Members: start, In(1), or if it is told a cycle `ahead`, soon; i, In and o, Out: the lanes.
    Latency: `delay + 1`.
    """

    def __init__(
        self, lanes: int, delay: int, source: Format, result: Format, turns: bool, ahead: bool
    ) -> None:
        self.delay = delay
        self.turns = turns
        self.ahead = ahead
        super().__init__(
            {
                "soon" if ahead else "start": In(1),
                "i": In(shape_of(source)).array(lanes),
                "o": Out(shape_of(result)).array(lanes),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        position = Signal(range(2 * self.delay))
        second = Signal()
        if self.ahead:
            m.d.sync += position.eq(Mux(self.soon, 0, position + 1))
            m.d.comb += second.eq(position[-1])
        else:
            m.d.sync += position.eq(Mux(self.start, 1, position + 1))
            m.d.comb += second.eq(position[-1] & ~self.start)
        if self.turns:
            self._take_turns(m, second)
        else:
            self._feed_back(m, second)
        return m

    def _take_turns(self, m: Module, second: Signal) -> None:
        shape = self.i[0].shape()
        layout = data.ArrayLayout(shape, len(self.i))
        line = delayed(m, "line", Cat(*self.i), self.delay)
        again = data.View(layout, delayed(m, "again", line, self.delay))
        back = data.View(layout, line)
        for k, (x, out) in enumerate(zip(self.i, self.o, strict=True)):
            late, later = Signal(shape, name=f"late{k}"), Signal(shape, name=f"later{k}")
            held = Signal(out.shape(), name=f"lane{k}", reset_less=True)
            m.d.comb += [late.eq(back[k]), later.eq(again[k]), out.eq(held)]
            m.d.sync += held.eq(Mux(second, x + late, later - late))

    def _feed_back(self, m: Module, second: Signal) -> None:
        shape = self.o[0].shape()
        feeds = [Signal(shape, name=f"feed{k}") for k in range(len(self.o))]
        layout = data.ArrayLayout(shape, len(self.o))
        back = data.View(layout, delayed(m, "line", Cat(*feeds), self.delay))
        for k, (x, feed, out) in enumerate(zip(self.i, feeds, self.o, strict=True)):
            late = Signal(shape, name=f"late{k}")
            held = Signal(shape, name=f"lane{k}", reset_less=True)
            m.d.comb += [
                late.eq(back[k]),
                feed.eq(Mux(second, late - x, x)),
                out.eq(held),
            ]
            m.d.sync += held.eq(Mux(second, late + x, late))


class Hadamard(Operator):
    """`o = (I (x) S_m) a`: the transform of every block, in natural order, unnormalized.

    Element e = beat * lanes + lane. Index bits of the beat become stages in time (one butterfly
    per lane with delay feedback, the longest delay first, while words are narrow), those of the
    lane stages in space. No weights, no addresses.

    Parameters:
        lanes: P; divides the block m or is a multiple of it.
        block: m, a power of two.
        size: n, elements of the vector.
        source, result: formats; words grow by one bit a stage, exactly.
        turns: whether the adders of stages in time take turns at sums and differences.
    Latency: `max(m / P - 1, 0) + log2 m`, a register per stage. Interval: `ceil(n / P)`.
    Cost: a stage in time `2 P w` adder bits and a delay of `m / (2 P) .. 1` beats, in space `P w`;
        with turns `P w` adder bits that choose an operand and a sign, and two such delays.
    """

    def __init__(
        self,
        lanes: int,
        block: int,
        size: int,
        source: Format,
        result: Format,
        tag: Tag,
        turns: bool = False,
    ) -> None:
        if block % lanes and lanes % block:
            raise ValueError(
                f"blocks of {block} cannot pass on {lanes} lanes: one must divide the other"
            )
        self.lanes = lanes
        self.turns = turns
        in_time = max(block // lanes, 1).bit_length() - 1
        in_space = min(block, lanes).bit_length() - 1
        self.delays = [1 << k for k in reversed(range(in_time))]
        self.strides = [1 << k for k in range(in_space)]
        self.formats = [source]
        for _ in range(in_time + in_space):
            self.formats.append(butterfly(self.formats[-1]))
        self.latency = sum(self.delays) + in_time + in_space
        self.interval = -(-size // lanes)
        super().__init__({"a": (lanes, source)}, (lanes, result), tag)

    @property
    def cost(self) -> Cost:
        total = Cost()
        for k, format in enumerate(self.formats[1:]):
            bits = self.lanes * shape_of(format).width
            if k < len(self.delays) and self.turns:
                held = self.lanes * shape_of(self.formats[k]).width
                lines = delay_cost(held, self.delays[k])
                total += Cost(adder_bits=bits, adders=self.lanes, register_bits=bits)
                total += lines + lines
            elif k < len(self.delays):
                total += Cost(2 * bits, 2 * self.lanes, 2 * bits, bits)
                total += delay_cost(bits, self.delays[k])
            else:
                total += Cost(bits, self.lanes, 0, bits, inverted_bits=bits // 2)
        return total

    @property
    def timing_cost(self) -> Cost:
        """A strobe from stage to stage, and for those in time a counter."""
        waits = [delay + 1 for delay in self.delays] + [len(self.strides)]
        counters = [delay.bit_length() for delay in self.delays]
        total = Cost(sum(counters), len(counters), sum(counters), sum(counters))
        return sum((strobe_cost(wait, self.interval, self.tag) for wait in waits), total)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        lanes: Any = self.a.lanes
        strobe: Any = self.a
        soon: Any = None
        for k, delay in enumerate(self.delays):
            given, made = self.formats[k : k + 2]
            stage = TimeStage(self.lanes, delay, given, made, self.turns, ahead=soon is not None)
            m.submodules[f"time{delay}"] = stage
            m.d.comb += stage.start.eq(strobe.start) if soon is None else stage.soon.eq(soon)
            m.d.comb += [i.eq(lane) for i, lane in zip(stage.i, lanes, strict=True)]
            timing = StrobeDelay(delay + 1, self.interval, self.tag)
            m.submodules[f"timing{delay}"] = timing
            connect_strobe(m, strobe, timing.i)
            lanes, strobe, soon = stage.o, timing.o, timing.soon
        for k, stride in enumerate(self.strides, start=len(self.delays)):
            lanes = self._space_stage(m, lanes, stride, self.formats[k + 1])
        strobe = delay_strobe(m, "timing", strobe, len(self.strides), self.interval)
        connect_strobe(m, strobe, self.o)
        m.d.comb += [out.eq(lane) for out, lane in zip(self.o.lanes, lanes, strict=True)]
        return m

    def _space_stage(self, m: Module, lanes: Any, stride: int, result: Format) -> Any:
        """Butterflies between lanes `stride` apart, registered."""
        results = []
        for k in range(self.lanes):
            a, b = lanes[k & ~stride], lanes[k | stride]
            held = Signal(shape_of(result), name=f"space{stride}_{k}", reset_less=True)
            m.d.sync += held.eq(a - b if k & stride else a + b)
            results.append(held)
        return results
