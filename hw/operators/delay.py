"""Waiting: the one place where data is held for a fixed number of cycles."""

from typing import Any

from amaranth import Cat, Module, Mux, Signal, Value
from amaranth.lib import data
from amaranth.lib.memory import Memory
from sylvan.model.numbers import Format

from ..beats import Pattern, Tag, wires
from .addresses import Addresses, addresses_cost
from .base import Cost, Operator, connect_strobe, delay_strobe, start_result
from .constants import READ_LATENCY

REGISTER_CYCLES = 5
"""Delays up to this long are shift registers; longer ones are circular memories."""

SIDES = 2
"""Registers of those, one before and one behind."""


def delayed(m: Module, name: str, value: Value, cycles: int) -> Value:
    """`value` as it was `cycles` cycles ago, whatever it means: no reset, no enable.

    The memory form has a register on each side, because a memory is slow to reach and to read. It
    reads the word after the one that is written, so that reads and writes never meet at an address.
    """
    if cycles <= REGISTER_CYCLES:
        for stage in range(cycles):
            held = Signal(value.shape(), name=f"{name}{stage}", reset_less=True)
            m.d.sync += held.eq(value)
            value = held
        return value
    depth = cycles - SIDES
    m.submodules[name] = memory = Memory(
        shape=value.shape(), depth=depth, init=[], attrs={"no_rw_check": 1}
    )
    write = memory.write_port()
    read = memory.read_port()
    here = Signal(range(depth), name=f"{name}_here")
    following = Signal(range(depth), name=f"{name}_following", init=1)
    arriving, leaving = (
        Signal(value.shape(), name=f"{name}_{side}", reset_less=True)
        for side in ("arriving", "leaving")
    )
    m.d.sync += [
        here.eq(following),
        following.eq(successor(following, depth)),
        arriving.eq(value),
        leaving.eq(read.data),
    ]
    m.d.comb += [
        write.addr.eq(here),
        write.data.eq(arriving),
        write.en.eq(1),
        read.addr.eq(following),
    ]
    return leaving


def successor(count: Any, modulus: int) -> Any:
    """The next count of 0 .. modulus - 1, round and round."""
    return Mux(count == modulus - 1, 0, count + 1)


def delay_cost(bits: int, cycles: int) -> Cost:
    """Cost of delaying `bits` wires."""
    if cycles <= REGISTER_CYCLES:
        return Cost(register_bits=bits * cycles, waiting_bits=bits * cycles)
    depth = cycles - SIDES
    pointer = (depth - 1).bit_length()
    memory = Cost(pointer, 1, pointer, 2 * pointer, ((bits, depth),), waiting_bits=pointer)
    return memory + Cost(register_bits=SIDES * bits, waiting_bits=bits)


class Delay(Operator):
    """`o = a`, later. Inserted by the timetable where a value is needed after it was made.

    Parameters: pattern and format of the vector; cycles >= 1.
    Latency: `cycles`. Interval: `pattern.cycles`, however long the delay: vectors follow each other
    through it.
    Cost: `cycles * lanes * width` register or memory bits; of beats that stay, one word for all
    cycles of each where that is less.
    """

    def __init__(self, pattern: Pattern, format: Format, cycles: int, tag: Tag) -> None:
        if cycles < 1:
            raise ValueError(f"a delay takes at least one cycle, got {cycles}")
        self.cycles = self.latency = cycles
        self.pattern = pattern
        self.interval = pattern.cycles
        super().__init__({"a": (pattern, format)}, (pattern, format), tag)

    @property
    def beats(self) -> int:
        """Beats on their way at once, the one that leaves until it has left."""
        return -(-(self.cycles - READ_LATENCY) // self.pattern.dwell) + 1

    @property
    def by_beats(self) -> bool:
        """Whether beats that stay and follow each other are kept once for all their cycles."""
        stays = self.pattern.dwell > 1 and self.pattern.beats > 1 and not self.pattern.digit
        return stays and self.cycles > REGISTER_CYCLES and self.beats < self.cycles - SIDES

    @property
    def cost(self) -> Cost:
        if self.by_beats:
            bits, pointer = sum(map(len, wires(self.a))), (self.beats - 1).bit_length()
            counted = addresses_cost(self.pattern) + Cost(pointer, 1, pointer, pointer)
            held = Cost(register_bits=bits, waiting_bits=bits, memories=((bits, self.beats),))
            return held + counted + counted
        return delay_cost(sum(map(len, wires(self.a))), self.cycles)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        if self.by_beats:
            self._keep_beats(m)
            return m
        if self.cycles <= REGISTER_CYCLES:
            for k, (a, o) in enumerate(zip(wires(self.a), wires(self.o), strict=True)):
                m.d.comb += o.eq(delayed(m, f"lane{k}_", a, self.cycles))
        else:
            word = delayed(m, "held", Cat(*wires(self.a)), self.cycles)
            # The idle `or` keeps each lane a signal with a name, where a slice of the memory's word
            # would leave the module without one. It is gone from the Verilog.
            place = 0
            for o in wires(self.o):
                m.d.comb += o.eq(word[place : place + len(o)] | 0)
                place += len(o)
        start_result(m, self, self.a)
        return m

    def _keep_beats(self, m: Module) -> None:
        """A queue of beats: each enters in its first cycle and is read while it leaves."""
        layout = data.ArrayLayout(self.o.lanes[0].shape(), self.pattern.lanes)
        m.submodules.beats = memory = Memory(
            shape=layout, depth=self.beats, init=[], attrs={"no_rw_check": 1}
        )
        write, read = memory.write_port(), memory.read_port()
        m.submodules.entering = entering = Addresses(self.pattern)
        m.submodules.leaving = leaving = Addresses(self.pattern)
        reading = delay_strobe(m, "reading", self.a, self.cycles - READ_LATENCY, self.interval)
        begins = delay_strobe(m, "timing", reading, READ_LATENCY, self.interval)
        m.d.comb += [entering.start.eq(self.a.start), leaving.start.eq(reading.start)]
        connect_strobe(m, begins, self.o)
        first, last = (Signal(range(self.beats), name=name) for name in ("first", "last"))
        with m.If(entering.enters):
            m.d.sync += last.eq(successor(last, self.beats))
        with m.If(leaving.moves):
            m.d.sync += first.eq(successor(first, self.beats))
        m.d.comb += [
            write.addr.eq(last),
            Value.cast(write.data).eq(Cat(*self.a.lanes)),
            write.en.eq(entering.enters),
            read.addr.eq(first),
        ]
        for k, o in enumerate(self.o.lanes):
            held = Signal(o.shape(), name=f"lane{k}", reset_less=True)
            m.d.sync += held.eq(read.data[k])
            m.d.comb += o.eq(held)
