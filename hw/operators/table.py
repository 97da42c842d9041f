"""Functions of one value by stored entries, kept as few words."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from amaranth import Module, Mux, Signal, Value
from amaranth.lib import data
from sylvan.model.arrays import Array
from sylvan.model.numbers import Format

from ..beats import Tag, shape_of
from .base import Cost, Operator, start_result
from .constants import (
    READ_LATENCY,
    are_few,
    words_in_block,
    words_in_logic,
    words_in_logic_cost,
)
from .narrow import above, below

BLOCK_BITS = 4096
"""Bits of the smallest block RAM of any part: a fold that saves none of them saves nothing."""


@dataclass(frozen=True, eq=False)
class Fold:
    """The words of a table, and the place among them of each value `a` of `source`.

    It is `a` itself; of a mirrored function that of a negative value is its mirror's, `-point - a`,
    and its entry `total - word`. What lies beyond the places with words moves to their nearest.

    Parameters: source; words, in the order of their places; places, all of so many bits; mirrored;
    point, 0 or 1; total.
    """

    source: Format
    words: Array
    places: Format
    mirrored: bool = False
    point: int = 0
    total: int = 0

    @property
    def entries(self) -> Array:
        """What is found for each value, from the least."""
        values = np.arange(self.source.lo, self.source.hi + 1)
        turned = (values < 0) & self.mirrored
        place = np.where(turned, -self.point - values, values)
        found = self.words[np.clip(place, self.places.lo, self.places.hi) - self.places.lo]
        return np.where(turned, self.total - found, found)

    @property
    def reach(self) -> Format:
        """Interval of the places before any is moved."""
        lo, hi = self.source.lo, self.source.hi
        return Format(0, max(hi, -self.point - lo)) if self.mirrored else self.source

    @property
    def placed(self) -> bool:
        """Whether a place is not the value as it is."""
        return self.mirrored or self.over or self.under

    @property
    def over(self) -> bool:
        """Whether there are values above the last place."""
        return self.reach.hi > self.places.hi

    @property
    def under(self) -> bool:
        """Whether there are values below the first place."""
        return self.reach.lo < self.places.lo

    @property
    def word(self) -> Format:
        """Format of the words."""
        return Format(int(self.words.min()), int(self.words.max()))

    @property
    def width(self) -> int:
        """Bits of a word."""
        return shape_of(self.word).width


def folds(entries: Array, source: Format) -> Iterator[Fold]:
    """Ways to keep entries: all of them; those that vary; half of those, where it has the rest."""
    yield Fold(source, *_places(entries, source.lo, source))
    yield Fold(source, *_places(entries, source.lo, _varying(entries, source.lo)))
    if not source.lo < 0 <= source.hi:
        return
    negative, others = entries[: -source.lo][::-1], entries[-source.lo :]
    for point in (0, 1):
        # The mirror of -1 lies at 1 - point: place 0 may be its own mirror.
        mirror = others[1 - point :]
        both = min(len(negative), len(mirror))
        totals = np.unique(negative[:both] + mirror[:both])
        if len(totals) == 1:
            half = np.concatenate([others, totals - negative[both:]])
            kept = _places(half, 0, _varying(half, 0))
            yield Fold(source, *kept, True, point, int(totals[0]))


def _varying(entries: Array, lo: int) -> Format:
    """The interval within which entries, those from `lo` on, are not as at its ends."""
    changes = np.flatnonzero(np.diff(entries))
    if len(changes):
        return Format(int(lo + changes[0]), int(lo + changes[-1] + 1))
    nearest = min(max(lo, 0), lo + len(entries) - 1)
    return Format(nearest, nearest)


def _places(entries: Array, lo: int, reach: Format) -> tuple[Array, Format]:
    """Words for all places of as many bits as `reach` has, and those places."""
    bits = reach.width
    places = Format.signed_bits(max(bits, 1)) if lo < 0 else Format.unsigned_bits(bits)
    if not (places.contains(reach.lo) and places.contains(reach.hi)):
        places = Format.signed_bits(bits + 1)
    here = np.arange(places.lo, places.hi + 1).clip(lo, lo + len(entries) - 1)
    return entries[here - lo], places


class Table(Operator):
    """`o = entries[a - lo]`, lo being the least value of a's format.

    Each lane reads words of its own. There are as few as save memory: constant runs at the ends
    have none, and what is symmetric about 0 or -1/2 up to its sign and a sum half of them.

    Parameters: lanes; entries, one for each value of the source; source, result: formats; logic,
        whether words are in look-up tables however many there are, not only where they are few.
    Latency: 2; one more where a place is not the value, one more where entries are mirrored.
    Interval: 1.
    Cost: for each lane the words and a register of one; of the place and of the entry, if made.
    Refuses entries that are not one for each value, and a fold that loses one.
    """

    def __init__(
        self,
        lanes: int,
        entries: Array,
        source: Format,
        result: Format,
        tag: Tag,
        logic: bool = False,
    ) -> None:
        if len(entries) != source.hi - source.lo + 1:
            raise ValueError(f"{len(entries)} entries are not one for each value of {source}")
        self.lanes = lanes
        self.result = result
        self.logic = logic
        self.fold = min(folds(entries, source), key=self._weight)
        if not np.array_equal(self.fold.entries, entries):
            raise ValueError(f"{self.fold} does not hold every entry")
        self.latency = READ_LATENCY + self.fold.placed + self.fold.mirrored
        super().__init__({"a": (lanes, source)}, (lanes, result), tag)

    def _in_logic(self, fold: Fold) -> bool:
        return self.logic or are_few(len(fold.words), fold.width)

    def _weight(self, fold: Fold) -> tuple[int, int]:
        """Block RAMs of a lane; look-up tables of words, of places and of mirrored entries."""
        words, width = len(fold.words), fold.width
        places = fold.placed * shape_of(fold.places).width
        made = places + fold.mirrored * shape_of(self.result).width
        if self._in_logic(fold):
            return 0, made + words_in_logic_cost(words, width).logic_bits
        return -(-words * width // BLOCK_BITS), made

    @property
    def cost(self) -> Cost:
        fold, words, width = self.fold, len(self.fold.words), self.fold.width
        lane = Cost(register_bits=width, waiting_bits=width)
        if self._in_logic(fold):
            lane += words_in_logic_cost(words, width)
        else:
            lane += Cost(roms=((width, words),))
        place, entry = shape_of(fold.places).width, shape_of(self.result).width
        if fold.placed:
            negated = place * (fold.mirrored and fold.point == 0)
            lane += Cost(negated, negated > 0, place, place)
        if fold.mirrored:
            signs = self.latency - 1
            lane += Cost(entry, 1, entry, entry + signs, waiting_bits=signs)
        return sum([lane] * self.lanes, Cost())

    def elaborate(self, platform: object) -> Module:
        m = Module()
        for k, (a, o) in enumerate(zip(self.a.lanes, self.o.lanes, strict=True)):
            m.submodules[f"lane{k}"] = lane = Module()
            m.d.comb += o.eq(self._entry(lane, a))
        start_result(m, self, self.a)
        return m

    def _entry(self, m: Module, a: Value) -> Value:
        """The entry of one value."""
        fold, place = self.fold, a
        if fold.placed:
            place = Signal(shape_of(fold.places), name="place", reset_less=True)
            m.d.sync += place.eq(self.place(a))
        word = Signal(shape_of(fold.word), name="word", reset_less=True)
        m.d.sync += word.eq(self._read(m, place))
        if not fold.mirrored:
            return word
        negative: Value = a[-1]
        for cycle in range(self.latency - 1):
            later = Signal(name=f"negative{cycle}", reset_less=True)
            m.d.sync += later.eq(negative)
            negative = later
        entry = Signal(shape_of(self.result), name="entry", reset_less=True)
        m.d.sync += entry.eq(self.mirrored(word, negative))
        return entry

    def place(self, a: Value) -> Any:
        """Where a value has its word."""
        fold, place = self.fold, a
        if fold.mirrored:
            negative = a[-1]
            place = a ^ negative.replicate(len(a)).as_signed()
            if fold.point == 0:
                place = place + negative
        moved: Any = place
        if fold.over:
            moved = Mux(above(place, fold.places.hi), fold.places.hi, moved)
        if fold.under:
            moved = Mux(below(place, fold.places.lo), fold.places.lo, moved)
        return moved

    def mirrored(self, word: Value, negative: Value) -> Any:
        """The entry of a value that was negative or not."""
        return Mux(negative, self.fold.total - word, word)

    def _read(self, m: Module, place: Value) -> Value:
        """The word a cycle after its place, whose bits are its address."""
        fold = self.fold
        layout = data.ArrayLayout(shape_of(fold.word), 1)
        init = [[int(word)] for word in np.roll(fold.words, fold.places.lo)]
        read = words_in_logic if self._in_logic(fold) else words_in_block
        word: Value = read(m, layout, init, place.as_unsigned())[0]
        return word
