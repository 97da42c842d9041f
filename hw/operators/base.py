"""What every operator promises: ports of beats, a latency, an interval and a cost."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from amaranth import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from sylvan.model.numbers import Format

from ..beats import Beats, Pattern, Strobe, Tag
from ..clock import Path


@dataclass(frozen=True)
class Cost:
    """What an operator is made of, before any tool has seen it.

    adder_bits: bits of sums. adders: in how many carry chains.
    product_bits: bits of the rows of products, but for one row that counts as a sum.
    inverted_bits: of what is subtracted, which on iCE40 passes a look-up table of its own before.
    logic_bits: other look-up tables. register_bits: flip-flops, and waiting_bits: those of them
        that only wires lead to, which on iCE40 leave a look-up table unused.
    memories, roms: (word width, depth) of each RAM and ROM, whatever it is mapped to.
    dsps: blocks that multiply.
    """

    adder_bits: int = 0
    adders: int = 0
    logic_bits: int = 0
    register_bits: int = 0
    memories: tuple[tuple[int, int], ...] = ()
    roms: tuple[tuple[int, int], ...] = ()
    waiting_bits: int = 0
    inverted_bits: int = 0
    product_bits: int = 0
    dsps: int = 0

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(
            self.adder_bits + other.adder_bits,
            self.adders + other.adders,
            self.logic_bits + other.logic_bits,
            self.register_bits + other.register_bits,
            self.memories + other.memories,
            self.roms + other.roms,
            self.waiting_bits + other.waiting_bits,
            self.inverted_bits + other.inverted_bits,
            self.product_bits + other.product_bits,
            self.dsps + other.dsps,
        )


def counter_cost(values: int) -> Cost:
    """A counter that begins anew."""
    bits = (values - 1).bit_length()
    return Cost(bits, min(bits, 1), bits, bits)


Port = tuple[int, Format] | tuple[Pattern, Format]
"""What passes at a port: a vector on so many lanes, whole words; or in a pattern."""


def _beats(port: Port, tag: Tag) -> Beats:
    order, format = port
    if isinstance(order, Pattern):
        return Beats(order.lanes, format, tag, order.digit, order.settles > 0)
    return Beats(order, format, tag)


class Operator(wiring.Component):
    """An operator with operand streams and one result stream `o`.

    All operands of an operator start in the same cycle, but for `offsets`; `o` starts `latency`
    cycles later. Two starts are at least `interval` cycles apart. Parameters are refused by the
    constructor with a ValueError; `elaborate` only builds.

    Attributes:
        operands: names of the operand members, in the order of the operation's operands.
        offsets: cycles by which each operand starts after the first; none where all start with it.
        latency: cycles from the operands' start to the result's start.
        interval: least number of cycles between two starts.
        cost: what it is made of.
        path: adders in a row between two registers, where an operator says so.
    """

    operands: tuple[str, ...] = ("a",)
    offsets: tuple[int, ...] = ()
    latency: int = 1
    interval: int = 1

    def __init__(self, inputs: Mapping[str, Port], result: Port, tag: Tag) -> None:
        self.tag = tag
        members: dict[str, Any] = {name: In(_beats(port, tag)) for name, port in inputs.items()}
        super().__init__(members | {"o": Out(_beats(result, tag))})

    @property
    def cost(self) -> Cost:
        return Cost()

    @property
    def timing_cost(self) -> Cost:
        """What hands its strobe on."""
        return strobe_cost(self.latency, self.interval, self.tag)

    @property
    def figures(self) -> dict[str, Any]:
        """What a plan says of it besides."""
        return {}

    @property
    def path(self) -> Path | None:
        return None


class Source(Operator):
    """An operator without operands: begins at `i`, a strobe of the sequencer.

    `members` are those of the component besides `i` and `o`.
    """

    operands: tuple[str, ...] = ()

    def __init__(self, result: Port, tag: Tag, **members: Any) -> None:
        self.tag = tag
        wiring.Component.__init__(
            self, {"i": In(Strobe(tag)), **members, "o": Out(_beats(result, tag))}
        )


REGISTERS = 3
"""Strobes that are delayed by no more cycles are in registers alone."""


def _spans(cycles: int, interval: int) -> list[int]:
    """The cycles that each register or timer of a delay spans."""
    span = max(interval, 1)
    if min(cycles, span) <= REGISTERS:
        return [1] * cycles
    return [span] * (cycles // span) + [cycles % span] * (cycles % span > 0)


def strobe_cost(cycles: int, interval: int, tag: Tag) -> Cost:
    """Cost of a StrobeDelay: a strobe for every span, and for a timer its counter and one more."""
    spans = _spans(cycles, interval)
    counters = [(span - 1).bit_length() for span in spans if span > 1]
    strobes = (len(spans) + len(counters)) * (1 + tag.size)
    bits = sum(counters)
    logic = bits + len(counters)
    return Cost(bits, len(counters), logic, logic + strobes, waiting_bits=strobes)


class StrobeDelay(wiring.Component):
    """`o` is `i`, `cycles` later; its tag stays until the next one.

    Short delays are registers. Longer ones are timers, each of which holds one strobe at a time
    and so spans at most `interval` cycles, the least distance between two strobes; a chain of
    timers spans the rest. Reset forgets the strobes on their way.

    Members: i, In and o, Out(Strobe); soon, Out(1): `o` starts in the next cycle, where it is
    delayed at all.
    """

    def __init__(self, cycles: int, interval: int, tag: Tag) -> None:
        if cycles < 0:
            raise ValueError(f"a strobe cannot be delayed by {cycles} cycles")
        self.tag = tag
        self.spans = _spans(cycles, interval)
        super().__init__({"i": In(Strobe(tag)), "o": Out(Strobe(tag)), "soon": Out(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        start: Any = self.i.start
        tag: Any = self.i.tag
        for k, span in enumerate(self.spans):
            if span > 1:
                left, runs = Signal(range(span), name=f"left{k}"), Signal(name=f"runs{k}")
                waiting = Signal(self.tag, name=f"waiting{k}", reset_less=True)
                ends = Signal(name=f"ends{k}")
                m.d.comb += ends.eq(runs & (left == 1))
                m.d.sync += runs.eq(start | (runs & ~ends))
                with m.If(start):
                    m.d.sync += [left.eq(span - 1), waiting.eq(tag)]
                with m.Elif(runs):
                    m.d.sync += left.eq(left - 1)
                start, tag = ends, waiting
            later = Signal(name=f"start{k}")
            kept = Signal(self.tag, name=f"tag{k}", reset_less=True)
            m.d.sync += later.eq(start)
            with m.If(start):
                m.d.sync += kept.eq(tag)
            if k == len(self.spans) - 1:
                m.d.comb += self.soon.eq(start)
            start, tag = later, kept
        m.d.comb += [self.o.start.eq(start), self.o.tag.eq(tag)]
        return m


def delay_strobe(m: Module, name: str, strobe: Any, cycles: int, interval: int) -> Any:
    """`strobe` (of a Strobe or of Beats) `cycles` later; strobes are `interval` or more apart."""
    delay = StrobeDelay(cycles, interval, strobe.signature.tag)
    m.submodules[name] = delay
    m.d.comb += [delay.i.start.eq(strobe.start), delay.i.tag.eq(strobe.tag)]
    return delay.o


def connect_strobe(m: Module, source: Any, target: Any) -> None:
    """Let `target` (a Strobe or Beats) start when `source` does, with its tag."""
    m.d.comb += [target.start.eq(source.start), target.tag.eq(source.tag)]


def start_result(m: Module, operator: Operator, source: Any) -> None:
    """Let `operator`'s result start its latency after `source`."""
    later = delay_strobe(m, "timing", source, operator.latency, operator.interval)
    connect_strobe(m, later, operator.o)
