"""Counting through a pattern: the address generator of every memory and input register."""

from typing import Any

from amaranth import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..beats import Pattern
from .base import Cost


def addresses_cost(pattern: Pattern) -> Cost:
    """Cost of counting through a pattern."""
    bits = pattern.cycles.bit_length()
    return Cost(adder_bits=bits, adders=1, logic_bits=bits, register_bits=bits)


class Addresses(wiring.Component):
    """The place in a pattern of each cycle from `start` on; all outputs rest at 0 otherwise.

    Parameters: pattern; word_lanes, lanes of the memory's words: those of the pattern, or more
    where the pattern takes a word part by part. Its lanes divide them, unless one word is all.

    Members: start, In(1); active, Out(1): a pattern is passing, from the cycle of start; word,
    Out: number of the word; part, Out: which part of the word; held, Out: cycles that the beat has
    stayed; enters, Out(1): the first cycle of a beat; moves, Out(1): its last; ends, Out(1): the
    last cycle of a pass.
    """

    def __init__(self, pattern: Pattern, word_lanes: int | None = None) -> None:
        self.pattern = pattern
        self.word_lanes = word_lanes or pattern.lanes
        self.words = -(-pattern.size // self.word_lanes)
        if pattern.lanes > self.word_lanes or (self.words > 1 and self.word_lanes % pattern.lanes):
            raise ValueError(f"{pattern.lanes} lanes cannot pass from words of {self.word_lanes}")
        self.parts = -(-self.word_lanes // pattern.lanes)
        super().__init__(
            {
                "start": In(1),
                "active": Out(1),
                "word": Out(range(max(self.words, 2))),
                "part": Out(range(max(self.parts, 2))),
                "held": Out(range(max(pattern.dwell, 2))),
                "enters": Out(1),
                "moves": Out(1),
                "ends": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        pattern = self.pattern
        running = Signal()
        m.d.comb += self.active.eq(self.start | running)
        # That a count is at its end is a register, so that nothing is compared where it is used.
        enters: Any = self.active
        moves: Any = self.active
        if pattern.dwell > 1:
            opens, closes = Signal(init=1), Signal()
            with m.If(self.active):
                m.d.sync += [
                    self.held.eq(Mux(closes, 0, self.held + 1)),
                    opens.eq(closes),
                    closes.eq(self.held == pattern.dwell - 2),
                ]
            # No beat of several cycles ends in the first.
            enters, moves = self.active & opens, running & closes
        m.d.comb += [self.enters.eq(enters), self.moves.eq(moves)]
        ends: Any = self.moves
        if pattern.beats > 1:
            final = Signal()
            ends = (moves if pattern.dwell > 1 else running) & final
            word, part = divmod(pattern.beats - 2, self.parts)
            with m.If(self.moves):
                m.d.sync += final.eq((self.word == word) & (self.part == part))
            self._advance(m, ends)
        m.d.comb += self.ends.eq(ends)
        if pattern.repeats > 1:
            turn, over = Signal(range(pattern.repeats)), Signal()
            with m.If(ends):
                m.d.sync += [
                    turn.eq(Mux(over, 0, turn + 1)),
                    over.eq(turn == pattern.repeats - 2),
                ]
            ends = ends & over
        m.d.sync += running.eq(self.active & ~ends)
        return m

    def _advance(self, m: Module, ends: Any) -> None:
        """The next part of the word, or of the next word; all begins again where a pass ends."""
        next_word: Any = self.moves
        if self.parts > 1:
            next_word = self.moves & (self.part == self.parts - 1)
            with m.If(self.moves):
                m.d.sync += self.part.eq(self.part + 1)
            with m.If(next_word | ends):
                m.d.sync += self.part.eq(0)
        if self.words > 1:
            with m.If(next_word):
                m.d.sync += self.word.eq(self.word + 1)
            with m.If(ends):
                m.d.sync += self.word.eq(0)
