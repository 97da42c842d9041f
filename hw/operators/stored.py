# amaranth: UnusedElaboratable=no
"""How vectors are kept, by the order they are written in, and buffers from one order to another."""

from dataclasses import dataclass
from math import gcd

from amaranth import Module
from amaranth.lib import wiring
from sylvan.model.arrays import Array
from sylvan.model.numbers import Format

from ..beats import Pattern, Tag, digits
from .base import Cost, Operator, delay_strobe
from .memory import VectorMemory
from .planes import PlaneMemory

PICKED = 8
"""Elements that are picked from planes at the same time."""


def memory_of(
    written: Pattern,
    format: Format,
    readers: list[Pattern],
    initial: Array | None,
    tag: Tag,
    contexts: int = 1,
    lanes: int | None = None,
    sides: int = 1,
    saved: bool = False,
) -> VectorMemory | PlaneMemory:
    """The memory of a vector (or one for each context), of planes if it is written in digits."""
    if written.digit:
        return PlaneMemory(written, format, readers, initial, tag, contexts, saved)
    return VectorMemory(written, format, readers, initial, tag, contexts, lanes, sides, saved)


@dataclass(frozen=True)
class Stored:
    """How a vector is kept: the order of its words, its format, and for how many contexts."""

    written: Pattern
    format: Format
    contexts: int

    def latency(self, reader: Pattern) -> int:
        """Cycles from a reader's strobe to its data."""
        memory = memory_of(self.written, self.format, [reader], None, Tag(1), self.contexts)
        return memory.latency(reader)

    def readable(self, pattern: Pattern) -> Pattern:
        """The pattern closest to the one wanted that can be read."""
        written = self.written
        if not written.digit or pattern.digit:
            return pattern
        lanes, least = pattern.lanes, digits(self.format, written.digit)
        if lanes == 1 or (written.beats > 1 and written.lanes % lanes):
            lanes = picked_lanes(written)
        if lanes == pattern.lanes and pattern.dwell >= least:
            return pattern
        return Pattern(pattern.size, lanes, least)


def picked_lanes(written: Pattern) -> int:
    """Lanes that are picked from planes at a moderate cost."""
    return min(PICKED, written.lanes) if written.beats == 1 else gcd(PICKED, written.lanes)


class Buffer(Operator):
    """`o = a` in another order: stores a vector as it comes, then passes it in `pattern`.

    Parameters: written, the operand's pattern; pattern of the result, which the memory of the
        operand can be read in, words being put together of single elements; format.
    Latency: `written.cycles` and that of the memory; of digits, which follow their writes, until
        the first beat has settled. Interval: the cycles of both passes; of digits, until what is
        read last may be written anew.
    Cost: the vector's memory bits.
    """

    def __init__(self, written: Pattern, pattern: Pattern, format: Format, tag: Tag) -> None:
        lanes = pattern.lanes if pattern.lanes > written.lanes else None
        self.memory = memory_of(written, format, [pattern], None, tag, lanes=lanes)
        self.waits, self.interval = written.cycles, written.cycles + pattern.cycles
        if isinstance(self.memory, PlaneMemory):
            # Planes are read soon after they are written, and written anew soon after that.
            accesses = list(self.memory.accesses(pattern))
            self.waits = max(write - first + 1 for write, first, _ in accesses)
            freed = self.waits + max(last - write + 1 for write, _, last in accesses)
            self.interval = max(written.cycles, pattern.cycles, freed)
        self.latency = self.waits + self.memory.latency(pattern)
        super().__init__({"a": (written, format)}, (pattern, format), tag)

    @property
    def cost(self) -> Cost:
        return self.memory.cost

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.memory = memory = self.memory
        stored = delay_strobe(m, "stored", self.a, self.waits, self.interval)
        wiring.connect(m, wiring.flipped(self.a), memory.write)
        wiring.connect(m, stored, memory.read0)
        wiring.connect(m, memory.out0, wiring.flipped(self.o))
        return m
