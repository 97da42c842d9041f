"""Arithmetic digit by digit, the lowest first: an adder of D bits and a carry, whatever the width.

A word takes `dwell` cycles; carries, and bits that a shift moves up, start anew with every word.
"""

from collections.abc import Sequence
from typing import Any

from amaranth import Cat, Const, Module, Mux, Signal
from sylvan.model.numbers import Format

from ..adders import AdderGraph
from ..adders.graph import ZERO
from ..beats import Pattern, Tag, digits
from .addresses import Addresses, addresses_cost
from .base import Cost, Operator, start_result


class WordClock:
    """When digits go on: 1 in every cycle of a word but its last one, and 0 between vectors.

    Parameters: m; start, of the vector; pattern.
    Attributes: place, Addresses of the vector.
    """

    def __init__(self, m: Module, start: Any, pattern: Pattern) -> None:
        self.m = m
        m.submodules.words = self.place = Addresses(pattern.words)
        m.d.comb += self.place.start.eq(start)
        going = Signal(name="going0")
        m.d.comb += going.eq(self.place.active & ~self.place.moves)
        self._going = [going]

    def going(self, cycles: int) -> Signal:
        """For a stream that is so many cycles later."""
        while len(self._going) <= cycles:
            later = Signal(name=f"going{len(self._going)}")
            self.m.d.sync += later.eq(self._going[-1])
            self._going.append(later)
        return self._going[cycles]

    def carried(self, name: str, value: Any, cycles: int, fresh: int = 0) -> Signal:
        """What a word's next digit needs of this one; `fresh` for its first."""
        kept = Signal(len(value), name=name, init=fresh, reset_less=True)
        self.m.d.sync += kept.eq(Mux(self.going(cycles), value, fresh))
        return kept


def add_digits(clock: WordClock, name: str, a: Any, b: Any, minus: bool, cycles: int) -> Any:
    """`a + b` or `a - b`, this cycle's digit of it: `a + ~b + 1`, the 1 being the first carry."""
    width = len(a)
    b = ~b if minus else b
    out = Signal(name=f"{name}_out")
    carry = clock.carried(f"{name}_carry", out, cycles, int(minus))
    if width == 1:
        # Written out, for two look-up tables and no carry chain.
        clock.m.d.comb += out.eq((a & b) | (carry & (a | b)))
        return a ^ b ^ carry
    # The lowest place brings the carry into the chain.
    total = Signal(width + 2, name=f"{name}_total")
    clock.m.d.comb += [total.eq(Cat(Const(1, 1), a) + Cat(carry, b)), out.eq(total[-1])]
    return total[1:-1]


def shifted_digits(clock: WordClock, name: str, value: Any, places: int, cycles: int) -> Any:
    """`value << places`: digits of it and of those that passed before, zeros first."""
    width = len(value)
    far, near = divmod(places, width)
    passed = [value]
    for k in range(far + (near > 0)):
        passed.append(clock.carried(f"{name}_passed{k + 1}", passed[-1], cycles))
    if not near:
        return passed[far]
    return Cat(passed[far + 1][width - near :], passed[far][: width - near])


class SerialGraph(Operator):
    """`o = W (a0, a1, ...)` digit by digit, on all lanes at once.

    Parameters:
        graph: of W, on the intervals of the operands' lanes; all its outputs of positive sign.
        operands: pattern, of one digit and dwell, and format of each.
        result: the same.
    Latency: the graph's depth, at least 1. Interval: `pattern.cycles`.
    Cost: an adder is two look-up tables for a digit of 1 bit, else a chain of D + 2; a digit of
        registers for it and for every level that a node waits.
    Refuses nodes that do not pass in one word.
    """

    def __init__(
        self,
        graph: AdderGraph,
        operands: Sequence[tuple[Pattern, Format]],
        result: tuple[Pattern, Format],
        tag: Tag,
    ) -> None:
        self.graph = graph
        self.pattern = pattern = result[0]
        needed = least_digits(graph, pattern.digit)
        if needed > pattern.dwell:
            raise ValueError(
                f"the graph's widest node takes {needed} digits of {pattern.digit} bits, a word "
                f"has {pattern.dwell}"
            )
        if (graph.output_sign < 0).any():
            raise ValueError("outputs of a serial graph must have positive signs")
        self.latency = max(1, graph.depth)
        self.interval = pattern.cycles
        self.operands = tuple(f"a{k}" for k in range(len(operands)))
        super().__init__(dict(zip(self.operands, operands, strict=True)), result, tag)

    def waits(self) -> list[int]:
        """For each node, the longest that one of its users waits, in cycles."""
        graph, levels = self.graph, self.graph.levels.tolist()
        waits = [0] * len(levels)
        for at in range(graph.adders):
            operands = int(graph.a[at]), int(graph.b[at])
            for operand in operands:
                wait = levels[graph.inputs + at] - 1 - levels[operand]
                waits[operand] = max(waits[operand], wait)
        for node in graph.outputs.tolist():
            if node != ZERO:
                waits[node] = max(waits[node], self.latency - levels[node])
        return waits

    @property
    def cost(self) -> Cost:
        digit = self.pattern.digit
        adders = self.graph.adders
        one = Cost(logic_bits=2) if digit == 1 else Cost(adder_bits=digit + 2, adders=1)
        waiting = sum(self.waits()) * digit
        registers = adders * (digit + 1) + waiting
        places = sum(self.graph.shift_a.tolist()) + sum(self.graph.shift_b.tolist())
        return Cost(
            adder_bits=adders * one.adder_bits,
            adders=adders * one.adders,
            # At each level a table turns what goes on into what starts anew.
            logic_bits=adders * one.logic_bits + self.latency,
            register_bits=registers + places + self.latency,
            waiting_bits=waiting,
        ) + addresses_cost(self.pattern)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        graph, waits = self.graph, self.waits()
        levels = graph.levels.tolist()
        streams = [getattr(self, name) for name in self.operands]
        clock = WordClock(m, streams[0].start, self.pattern)
        chains: list[list[Any]] = []
        moved: dict[tuple[int, int, int], Any] = {}

        def arrive(node: int, value: Any) -> None:
            chain = [value]
            for wait in range(waits[node]):
                later = Signal(len(value), name=f"node{node}_{wait + 1}", reset_less=True)
                m.d.sync += later.eq(chain[-1])
                chain.append(later)
            chains.append(chain)

        def take(node: int, time: int, places: int) -> Any:
            key = node, time, places
            if key not in moved:
                digit = chains[node][time - levels[node]]
                name = f"node{node}_at{time}_by{places}"
                moved[key] = shifted_digits(clock, name, digit, places, time)
            return moved[key]

        for node, lane in enumerate(lane for stream in streams for lane in stream.lanes):
            arrive(node, lane)
        columns = (graph.a, graph.b, graph.shift_a, graph.shift_b, graph.subtracts)
        table = zip(*(column.tolist() for column in columns), strict=True)
        for node, (a, b, shift_a, shift_b, minus) in enumerate(table, start=graph.inputs):
            time = levels[node] - 1
            first, second = take(a, time, shift_a), take(b, time, shift_b)
            held = Signal(self.pattern.digit, name=f"node{node}", reset_less=True)
            m.d.sync += held.eq(add_digits(clock, f"node{node}", first, second, minus, time))
            arrive(node, held)
        outputs = zip(graph.outputs.tolist(), graph.output_shift.tolist(), strict=True)
        for lane, (node, places) in zip(self.o.lanes, outputs, strict=True):
            # An idle `or`, for a name where bits of several digits leave the module; see Delay.
            m.d.comb += lane.eq(0 if node == ZERO else take(node, self.latency, places) | 0)
        start_result(m, self, streams[0])
        return m


def least_digits(graph: AdderGraph, digit: int) -> int:
    """Digits of a word that holds every node of a graph, and every output."""
    formats = list(graph.formats)
    outputs = zip(graph.outputs.tolist(), graph.output_shift.tolist(), strict=True)
    for node, places in outputs:
        if node != ZERO:
            format = graph.formats[node]
            formats.append(Format(format.lo << places, format.hi << places))
    return max(digits(format, digit) for format in formats)


class SerialSignFlip(Operator):
    """`o = a` where b is 0, `-a` where b is 1, b being a word of one bit.

    Latency: 1. Interval: `pattern.cycles`. Cost: two look-up tables or a chain for each lane.
    """

    operands = ("a", "b")

    def __init__(self, pattern: Pattern, source: Format, result: Format, tag: Tag) -> None:
        self.pattern = pattern
        self.interval = pattern.cycles
        ports = {"a": (pattern, source), "b": (pattern.words, Format(0, 1))}
        super().__init__(ports, (pattern, result), tag)

    @property
    def cost(self) -> Cost:
        bits = self.pattern.lanes * self.pattern.digit
        flipped = Cost(adder_bits=bits, logic_bits=bits, register_bits=bits + self.pattern.lanes)
        return flipped + addresses_cost(self.pattern)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        clock = WordClock(m, self.a.start, self.pattern)
        for k, (a, negative) in enumerate(zip(self.a.lanes, self.b.lanes, strict=True)):
            # `-a` is `~a + 1`; the 1 comes with the first digit, a carry with the others.
            out = Signal(name=f"out{k}")
            carry = clock.carried(f"carry{k}", out, 0)
            one = Mux(clock.place.enters, negative, carry)
            total = Signal(len(a) + 1, name=f"total{k}")
            held = Signal(len(a), name=f"lane{k}", reset_less=True)
            m.d.comb += [
                total.eq((a ^ negative.replicate(len(a))) + one),
                out.eq(total[-1]),
                self.o.lanes[k].eq(held),
            ]
            m.d.sync += held.eq(total)
        start_result(m, self, self.a)
        return m


class SerialPhaseShift(Operator):
    """`o = a << shifts[phase]`.

    Parameters: pattern; formats; shifts, one left shift per phase.
    Latency: 1. Interval: `pattern.cycles`. Cost: a selector for each lane, registers for the bits
    that move up.
    """

    def __init__(
        self, pattern: Pattern, source: Format, result: Format, tag: Tag, shifts: list[int]
    ) -> None:
        self.pattern = pattern
        self.shifts = shifts
        self.interval = pattern.cycles
        super().__init__({"a": (pattern, source)}, (pattern, result), tag)

    @property
    def cost(self) -> Cost:
        bits = self.pattern.lanes * self.pattern.digit
        passed = self.pattern.lanes * max(self.shifts)
        return Cost(logic_bits=bits, register_bits=bits + passed) + addresses_cost(self.pattern)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        clock = WordClock(m, self.a.start, self.pattern)
        for k, a in enumerate(self.a.lanes):
            moved = [
                shifted_digits(clock, f"lane{k}_by{shift}", a, shift, 0) for shift in self.shifts
            ]
            chosen = moved[0]
            for phase, digit in enumerate(moved[1:], start=1):
                chosen = Mux(self.a.tag.phase == phase, digit, chosen)
            held = Signal(len(a), name=f"lane{k}", reset_less=True)
            m.d.sync += held.eq(chosen)
            m.d.comb += self.o.lanes[k].eq(held)
        start_result(m, self, self.a)
        return m
