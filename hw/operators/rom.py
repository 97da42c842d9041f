# amaranth: UnusedElaboratable=no
"""Constants that pass like any other vector."""

from math import prod
from typing import Any

import numpy as np
from amaranth import Cat, Module, Signal, Value
from amaranth.lib import data
from sylvan.model.arrays import Array
from sylvan.model.numbers import Format

from ..beats import Pattern, Tag, shape_of
from .addresses import Addresses, addresses_cost
from .base import Cost, Operator, Source, start_result
from .constants import READ_LATENCY, are_few, words_in_block, words_in_logic, words_in_logic_cost


def pack_beats(vectors: Array, lanes: int) -> Array:
    """Vectors (..., size) as beats (..., beats, lanes), padded with zeros."""
    *rest, size = vectors.shape
    beats = -(-size // lanes)
    padded = np.zeros((*rest, beats * lanes), np.int64)
    padded[..., :size] = vectors
    return padded.reshape(*rest, beats, lanes)


class Rom(Source):
    """Constant words in a pattern's order, chosen by phase.

    Parameters:
        words: integers (phases, beats, lanes), phases being 1 or the period.
        pattern: the order; its beats and lanes are those of `words`.
        format: holds every word.
        logic: whether words are in look-up tables however many there are, not only where few.
    Latency: 2, in logic 3. Interval: `pattern.cycles`.
    Cost: `depth * lanes * width` memory bits, depth being the product of phases, beats and, in
    digits, digits of a word, all but the first of several grown to a power of two; a single word is
    wires. In logic a LUT for each 16 bits, the choice among tables and their registers.
    """

    def __init__(
        self, words: Array, pattern: Pattern, format: Format, tag: Tag, logic: bool = False
    ) -> None:
        self.set_words(words[:, None], pattern, format, logic)
        super().__init__((pattern, format), tag)

    def set_words(self, words: Array, pattern: Pattern, format: Format, logic: bool) -> None:
        """Keep words (phases, symbols, beats, lanes) that pass in `pattern`; every digit is one."""
        width = pattern.lanes * (pattern.digit or shape_of(format).width)
        if words.shape[2:] != (pattern.beats, pattern.lanes):
            raise ValueError(
                f"words of shape {words.shape} do not pass as {pattern.beats} beats of "
                f"{pattern.lanes} lanes"
            )
        if pattern.digit:
            places = np.arange(pattern.dwell)[:, None] * pattern.digit
            passing = words[..., None, :] >> np.minimum(places, 63) & (1 << pattern.digit) - 1
            words = passing.reshape(*words.shape[:2], -1, pattern.lanes)
            pattern = Pattern(words.shape[2] * pattern.lanes, pattern.lanes)
        self.words = words
        self.pattern = pattern
        self.interval = pattern.cycles
        self.in_logic = self.depth > 1 and (logic or are_few(self.depth, width))
        self.latency = READ_LATENCY + self.in_logic

    @property
    def depth(self) -> int:
        """Words of the memory: phase, symbol and beat have bits of their own in its address."""
        outermost, *others = [axis for axis in self.words.shape[:-1] if axis > 1] or [1]
        return outermost * prod(1 << _bits(axis) for axis in others)

    @property
    def cost(self) -> Cost:
        counting = addresses_cost(self.pattern)
        if self.depth == 1:
            return counting
        word = sum(map(len, self.o.lanes))
        held = Cost(register_bits=word, waiting_bits=word)
        if self.in_logic:
            kept = words_in_logic_cost(self.depth, word)
            address = Cost(register_bits=_bits(self.depth), waiting_bits=_bits(self.depth))
            return counting + held + kept + address
        return counting + held + Cost(roms=((word, self.depth),))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        self.read_words(m, self.i, None)
        return m

    def read_words(self, m: Module, strobe: Any, symbol: Value | None) -> None:
        """Build the read path; word, symbol and phase each take their own bits of the address."""
        phases, symbols, beats, _ = self.words.shape
        layout = data.ArrayLayout(self.o.lanes[0].shape(), self.pattern.lanes)
        m.submodules.addresses = addresses = Addresses(self.pattern)
        m.d.comb += addresses.start.eq(strobe.start)
        index: list[Value] = [addresses.word[: _bits(beats)]]
        if symbol is not None:
            index.append(symbol[: _bits(symbols)])
        if phases > 1:
            index.append(strobe.tag.phase)
        init = [[int(raw) for raw in word] for word in _grown(self.words)]
        if len(init) == 1:
            m.d.comb += [lane.eq(raw) for lane, raw in zip(self.o.lanes, init[0], strict=True)]
        else:
            if self.in_logic:
                word = self._in_logic(m, init, Cat(*index))
            else:
                word = words_in_block(m, layout, init, Cat(*index))
            for k, lane in enumerate(self.o.lanes):
                held = Signal(lane.shape(), name=f"lane{k}", reset_less=True)
                m.d.sync += held.eq(word[k])
                m.d.comb += lane.eq(held)
        start_result(m, self, strobe)

    def _in_logic(self, m: Module, init: list[list[int]], address: Value) -> Any:
        """The word two cycles after its address.

        The address waits for a cycle because tools make tables of its successor just as well.
        """
        counted, address = address, Signal(len(address), reset_less=True)
        m.d.sync += address.eq(counted)
        layout = data.ArrayLayout(self.o.lanes[0].shape(), self.pattern.lanes)
        return words_in_logic(m, layout, init, address)


class LookupRom(Rom):
    """The words of the symbol on lane 0 of operand `a`, which stays there while they are read.

    Parameters: words (phases, symbols, beats, lanes); the others, latency, interval and cost as
    for Rom, symbols being one more factor of the depth.
    """

    operands = ("a",)

    def __init__(
        self,
        words: Array,
        pattern: Pattern,
        format: Format,
        symbol: Format,
        tag: Tag,
        logic: bool = False,
    ) -> None:
        self.set_words(words, pattern, format, logic)
        Operator.__init__(self, {"a": (1, symbol)}, (pattern, format), tag)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        self.read_words(m, self.a, self.a.lanes[0])
        return m


def _bits(count: int) -> int:
    return (count - 1).bit_length()


def _grown(words: Array) -> Array:
    """Words (..., lanes) as (depth, lanes): zeros grow every axis to a power of two.

    Except for the outermost, whose bits are the address's highest.
    """
    several = [axis for axis in words.shape[:-1] if axis > 1]
    extra = [(0, (1 << _bits(axis)) - axis) for axis in several[1:]]
    words = words.reshape(*several, words.shape[-1])
    return np.pad(words, [(0, 0)] * (len(several) > 0) + [*extra, (0, 0)]).reshape(
        -1, words.shape[-1]
    )
