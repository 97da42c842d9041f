# amaranth: UnusedElaboratable=no
"""Vectors of words that stay."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from amaranth import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out
from sylvan.model.arrays import Array
from sylvan.model.numbers import Format

from ..beats import Beats, Pattern, Strobe, Tag, shape_of
from .addresses import Addresses, addresses_cost
from .banks import WORD_BITS, Banks
from .base import Cost, connect_strobe, delay_strobe
from .choice import choice_cost, choice_latency, chosen
from .constants import READ_LATENCY, constants, constants_cost
from .delay import delay_cost, delayed
from .elements import ElementPort, connect_found, element_cost, exchanged, with_element
from .gather import gathered, gathered_cost
from .rom import pack_beats
from .rows import Rows

INITIAL_ROWS = range(32, 129)
"""Rows of a memory that is block RAM on every part and takes no more of it for twice as many."""


class VectorMemory(wiring.Component):
    """A vector written in one pattern and read in any number of them through one read port.

    The readers' turns are kept apart by the plan. A reader whose strobe is tagged `init` reads the
    initial value in place of what was written.

    Parameters:
        written: the pattern written; its lanes are those of a word, or it has a single one.
        format: of the elements.
        readers: the patterns read; their lanes divide those of a word, unless one word is all.
        initial: raw initial value (size,), or None where nothing is read before it is written.
        contexts: vectors that are kept, chosen by the context of the tag; with 1 whatever it is.
        lanes: of a word, which is written once, as its last element enters. Without a number those
            of `written`, and a word is written for as long as its beat stays.
        sides: 2 where what is read is another vector than what is written, chosen by the tag.
        saved: whether elements are read and written one at a time as well.

    Members: write, In(Beats); read<k>, In(Strobe) and out<k>, Out(Beats) for each reader; element,
        In(ElementPort) of whole elements where it is saved.
    Latency: that of `latency`. A word may be read in the cycle after its write and never in the
    same one. Several vectors of wide words are in banks.
    Cost: for each vector `ceil(size / lanes) * lanes * width` memory bits, an output register of
    one word; one vector of one word is kept in registers. An initial value lies beside what is
    written where that is free, so that nothing is chosen behind the memory; elsewhere, if it is not
    zero, it takes as many memory bits (none if of one word), and a choice between two words. A
    reader of L lanes of a word takes a multiplexer of `(lanes - L) * width` with registers.
    """

    def latency(self, reader: Pattern) -> int:
        """Cycles from a reader's strobe to its data; picking parts of words takes more."""
        word = Banks.latency if self.in_banks else READ_LATENCY
        return word + choice_latency(-(-self.pattern.lanes // reader.lanes))

    @property
    def in_banks(self) -> bool:
        """Whether words are so wide, and latency so well hidden, that banks are worth it."""
        wide = self.pattern.lanes * shape_of(self.format).width > WORD_BITS
        return self.rows.contexts > 1 and wide

    @property
    def holds_initial(self) -> bool:
        """Whether the initial value is in the memory itself, in rows that are never written."""
        return self.initial is not None and not self.in_banks and self.rows.count in INITIAL_ROWS

    @property
    def depth(self) -> int:
        """Words of the memory."""
        return 2 << self.rows.bits if self.holds_initial else self.rows.count

    def accesses(self, reader: Pattern) -> Iterator[tuple[int, int, int]]:
        """For each word: its write, first and last read, in cycles from the first of either."""
        lanes, written = self.pattern.lanes, self.writing.pattern
        held = reader.dwell * (lanes // reader.lanes)
        one_pass = reader.beats * reader.dwell
        for word in range(self.pattern.beats):
            ends = min((word + 1) * held, one_pass)
            last = (reader.repeats - 1) * one_pass + ends - 1
            enters = min((word + 1) * self.writing.parts, written.beats) - 1
            yield enters * written.dwell, word * held, last

    def __init__(
        self,
        written: Pattern,
        format: Format,
        readers: list[Pattern],
        initial: Array | None,
        tag: Tag,
        contexts: int = 1,
        lanes: int | None = None,
        sides: int = 1,
        saved: bool = False,
    ) -> None:
        self.writing = Addresses(written, lanes)
        self.once = lanes is not None and written.dwell * self.writing.parts > 1
        self.pattern = Pattern(written.size, self.writing.word_lanes)
        self.format = format
        self.saved = saved
        self.rows = Rows(self.pattern.beats, contexts, sides)
        self.readers = [Addresses(reader, self.pattern.lanes) for reader in readers]
        self.initial = initial
        members: dict[str, Any] = {"write": In(Beats(written.lanes, format, tag))}
        for k, reader in enumerate(readers):
            members[f"read{k}"] = In(Strobe(tag))
            members[f"out{k}"] = Out(Beats(reader.lanes, format, tag))
        self.element_port = ElementPort(self.pattern, format, tag)
        if saved:
            members["element"] = In(self.element_port)
        super().__init__(members)

    @property
    def cost(self) -> Cost:
        width, lanes, words = shape_of(self.format).width, self.pattern.lanes, self.pattern.beats
        word = width * lanes
        memories = ((word, self.depth),) if self.rows.count > 1 and not self.in_banks else ()
        # Without a memory the word itself is registers, and so is what its read port holds.
        held = word if memories else 3 * word
        total = Cost(register_bits=held, memories=memories, waiting_bits=held)
        if self.in_banks:
            total = self._banks.cost
        if self.initial is not None and self.initial.any() and not self.holds_initial:
            total += Cost(logic_bits=word) + constants_cost(words, word)
        for places in [self.writing, *self.readers]:
            total += addresses_cost(places.pattern)
        if self.once:
            total += gathered_cost(self.writing, width)
        for reader in self.readers:
            if reader.parts > 1:
                waits = self.latency(reader.pattern) - choice_latency(reader.parts)
                total += delay_cost((reader.parts - 1).bit_length(), waits)
                total += choice_cost(reader.parts, width * reader.pattern.lanes)
        return total + element_cost(lanes, width) if self.saved else total

    def elaborate(self, platform: object) -> Module:
        m = Module()
        layout = data.ArrayLayout(shape_of(self.format), self.pattern.lanes)
        m.submodules.writing = writing = self.writing
        m.d.comb += writing.start.eq(self.write.start)
        given: list[Any] = [*self.write.lanes]
        enters: Any = writing.active
        if self.once:
            given, enters = gathered(m, writing, given[0])
        # Lanes are signals of their own wherever they leave a module, and so keep their names.
        lanes = [
            Signal(shape_of(self.format), name=f"lane{k}", reset_less=True)
            for k in range(self.pattern.lanes)
        ]
        word = data.View(layout, Cat(*lanes))
        word_read: Any = 0
        address: Any = 0
        starts_anew: Any = 0
        for k, reading in enumerate(self.readers):
            m.submodules[f"reading{k}"] = reading
            strobe = getattr(self, f"read{k}")
            m.d.comb += reading.start.eq(strobe.start)
            # An idle reader rests at word 0, so the turns combine by a plain or.
            word_read = word_read | reading.word
            address = address | self.rows.row(reading.word, strobe.tag, reading.active)
            starts_anew = starts_anew | (reading.active & strobe.tag.init)
            self._connect(m, k, reading, word)
        row = self.rows.row(writing.word, self.write.tag, written=True)
        write = row, Cat(*given), enters
        if self.saved:
            element = self.element
            # Of two sides the one that the next timestep reads.
            row = self.rows.row(element.beat, element.tag)
            word_read = word_read | element.beat
            address = address | row
            starts_anew = starts_anew | element.tag.init
            write = with_element(element, row, lanes, write)
            connect_found(m, element, lanes)
        if self.in_banks:
            m.submodules.words = banks = self._banks
            m.d.comb += [
                banks.write_row.eq(write[0]),
                banks.write_data.eq(write[1]),
                banks.enable.eq(write[2]),
                banks.read_row.eq(address),
                banks.anew.eq(starts_anew),
                Value.cast(word).eq(self._exchanged(m, banks.data)),
            ]
            return m
        m.submodules.words = words = Memory(
            shape=layout,
            depth=max(self.depth, 2),
            init=self._initial_rows(),
            attrs={"no_rw_check": 1},
        )
        write_port = words.write_port()
        read_port = words.read_port()
        m.d.comb += [
            write_port.addr.eq(write[0]),
            Value.cast(write_port.data).eq(write[1]),
            write_port.en.eq(write[2]),
        ]
        read: Any = read_port.data
        if self.holds_initial:
            address = Cat((address | Const(0, self.rows.bits))[: self.rows.bits], starts_anew)
        else:
            read = self._initialised(m, read_port, word_read, starts_anew)
        m.d.comb += read_port.addr.eq(address)
        m.d.sync += Value.cast(word).eq(self._exchanged(m, read))
        return m

    def _initial_rows(self) -> list[list[int]]:
        """The memory's contents at first: the initial value in its upper half, for each context."""
        if self.initial is None or not self.holds_initial:
            return []
        beats = pack_beats(self.initial, self.pattern.lanes).tolist()
        rows = [[0] * self.pattern.lanes] * self.depth
        for first in range(1 << self.rows.bits, self.depth, 1 << self.rows.word_bits):
            rows[first : first + len(beats)] = beats
        return rows

    @property
    def _banks(self) -> Banks:
        initial = None
        if self.initial is not None:
            initial = np.zeros((1 << self.rows.word_bits, self.pattern.lanes), np.int64)
            initial[: self.pattern.beats] = pack_beats(self.initial, self.pattern.lanes)
        return Banks(shape_of(self.format), self.pattern.lanes, self.rows.count, initial)

    def _initialised(self, m: Module, read: Any, address: Any, starts_anew: Any) -> Any:
        """What was read, or the initial value; the choice is one cycle behind the address."""
        if self.initial is None:
            return read.data
        anew = Signal()
        m.d.sync += anew.eq(starts_anew)
        initial: Any = 0
        if self.initial.any():
            init = [[int(raw) for raw in w] for w in pack_beats(self.initial, self.pattern.lanes)]
            layout = read.data.shape()
            m.submodules.initial = rom = constants(layout, init)
            port = rom.read_port()
            m.d.comb += port.addr.eq(address)
            initial = Value.cast(port.data)
        return Mux(anew, initial, Value.cast(read.data))

    def _exchanged(self, m: Module, found: Any) -> Any:
        """The word found; with one lane exchanged where the element port wants that."""
        if not self.saved:
            return found
        width = shape_of(self.format).width
        lanes = [Value.cast(found).word_select(k, width) for k in range(self.pattern.lanes)]
        return Cat(*exchanged(m, self.element, lanes))

    def _connect(self, m: Module, k: int, reading: Addresses, word: Any) -> None:
        """Hand the word, or one of its elements, to reader `k`."""
        strobe, out = getattr(self, f"read{k}"), getattr(self, f"out{k}")
        latency = self.latency(reading.pattern)
        interval = reading.pattern.cycles
        connect_strobe(m, delay_strobe(m, f"timing{k}", strobe, latency, interval), out)
        if reading.parts == 1:
            m.d.comb += Cat(*out.lanes).eq(word)
            return
        waits = latency - choice_latency(reading.parts)
        part = delayed(m, f"part{k}_", reading.part, waits)
        count, lanes = reading.pattern.lanes, [word[lane] for lane in range(self.pattern.lanes)]
        # What no element follows is padding.
        lanes += lanes[: -len(lanes) % count]
        parts = [lanes[first : first + count] for first in range(0, len(lanes), count)]
        for o, element in zip(out.lanes, chosen(m, f"element{k}_", parts, part), strict=True):
            m.d.comb += o.eq(element)
