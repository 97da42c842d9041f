"""Counting through a pattern: the address generator of every memory and input register."""

from typing import Any

from amaranth import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..beats import Pattern
from .base import Cost
from .delay import successor


def addresses_cost(pattern: Pattern) -> Cost:
    """Cost of counting through a pattern."""
    bits = pattern.cycles.bit_length()
    return Cost(adder_bits=bits, logic_bits=bits, register_bits=bits)


class Addresses(wiring.Component):
    """The place in a pattern of each cycle from `start` on; all outputs rest at 0 otherwise.

    Parameters: pattern; word_lanes, lanes of the memory's words: those of the pattern, or more
    where the pattern takes elements one by one (lanes 1).

    Members: start, In(1); active, Out(1): a pattern is passing, from the cycle of start; word,
    Out: number of the word; lane, Out: element within the word; held, Out: cycles that the beat has
    stayed; enters, Out(1): the first cycle of a beat; moves, Out(1): its last.
    """

    def __init__(self, pattern: Pattern, word_lanes: int | None = None) -> None:
        self.pattern = pattern
        self.word_lanes = word_lanes or pattern.lanes
        if pattern.lanes not in (1, self.word_lanes):
            raise ValueError(f"{pattern.lanes} lanes cannot pass from words of {self.word_lanes}")
        self.words = -(-pattern.size // self.word_lanes)
        self.singly = pattern.lanes < self.word_lanes
        super().__init__(
            {
                "start": In(1),
                "active": Out(1),
                "word": Out(range(max(self.words, 2))),
                "lane": Out(range(max(self.word_lanes, 2))),
                "held": Out(range(max(pattern.dwell, 2))),
                "enters": Out(1),
                "moves": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        pattern = self.pattern
        running = Signal()
        m.d.comb += self.active.eq(self.start | running)
        enters: Any = self.active
        moves: Any = self.active
        if pattern.dwell > 1:
            with m.If(self.active):
                m.d.sync += self.held.eq(successor(self.held, pattern.dwell))
            enters = self.active & (self.held == 0)
            moves = self.active & (self.held == pattern.dwell - 1)
        m.d.comb += [self.enters.eq(enters), self.moves.eq(moves)]
        ends: Any = self.moves
        if self.words > 1:
            ends = ends & (self.word == self.words - 1)
        next_word: Any = self.moves
        if self.singly:
            last_lane = (pattern.size - 1) % self.word_lanes
            ends = ends & (self.lane == last_lane)
            next_word = self.moves & (self.lane == self.word_lanes - 1)
            with m.If(self.moves):
                m.d.sync += self.lane.eq(self.lane + 1)
            with m.If(next_word | ends):
                m.d.sync += self.lane.eq(0)
        if self.words > 1:
            with m.If(next_word):
                m.d.sync += self.word.eq(self.word + 1)
            with m.If(ends):
                m.d.sync += self.word.eq(0)
        if pattern.repeats > 1:
            turn = Signal(range(pattern.repeats))
            with m.If(ends):
                m.d.sync += turn.eq(successor(turn, pattern.repeats))
            ends = ends & (turn == pattern.repeats - 1)
        with m.If(ends):
            m.d.sync += running.eq(0)
        with m.Elif(self.start):
            m.d.sync += running.eq(1)
        return m
