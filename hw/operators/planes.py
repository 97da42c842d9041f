# amaranth: UnusedElaboratable=no
"""Vectors that stay, kept as planes: one digit of every lane in a word of the memory."""

from collections.abc import Iterator
from typing import Any

from amaranth import Array, Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out
from sylvan.model.arrays import Array as Vector
from sylvan.model.numbers import Format

from ..beats import Beats, Pattern, Strobe, Tag, digits, digits_of, shape_of
from .addresses import Addresses, addresses_cost
from .base import Cost, connect_strobe, delay_strobe
from .constants import READ_LATENCY, constants, constants_cost
from .converters import collected
from .elements import ElementPort, connect_found, element_cost, exchanged, with_element
from .rom import pack_beats
from .rows import Rows


class PlaneMemory(wiring.Component):
    """A vector written digit by digit, and read so or as words, through one read port.

    What was over or under its format when it was written is read as that end: an element that
    saturates is stored at full speed, before anyone knows. The readers' turns are kept apart by
    the plan; one whose strobe is tagged `init` reads the initial value.

    Parameters:
        written: the pattern written; it may settle.
        format: of the elements.
        readers: the patterns read: of the digits written, or words on lanes that divide those
            written (any number of lanes if those hold the whole vector) which stay for at least
            the digits of the format.
        initial: raw initial value (size,), or None where nothing is read before it is written.
        contexts: vectors that are kept, chosen by the context of the tag; with 1 whatever it is.
        saved: whether elements are read and written one at a time as well, by digits; before it
            is read again, all of what is over or under has to be written.

    Members: write, In(Beats); read<k>, In(Strobe) and out<k>, Out(Beats) for each reader; element,
        In(ElementPort) where it is saved.
    Refuses other readers.
    Latency: `latency` of a reader, from its strobe to its data. A plane may be read in the cycle
        after its write and never in the same one.
    Cost: memory bits for the vector, over and under; a register, a selector of four for each lane
        and bit of a digit; for words a multiplexer to their lanes and two registers for each bit.
    """

    def __init__(
        self,
        written: Pattern,
        format: Format,
        readers: list[Pattern],
        initial: Vector | None,
        tag: Tag,
        contexts: int = 1,
        saved: bool = False,
    ) -> None:
        self.rows = Rows(written.beats, contexts)
        self.saved = saved
        self.pattern = written
        self.format = format
        self.readers = readers
        self.initial = initial
        self.digits = digits(format, written.digit)
        for reader in readers:
            self._check(reader)
        order = written.lanes, format, tag, written.digit
        members: dict[str, Any] = {"write": In(Beats(*order, written.settles > 0))}
        for k, reader in enumerate(readers):
            members[f"read{k}"] = In(Strobe(tag))
            members[f"out{k}"] = Out(Beats(reader.lanes, format, tag, reader.digit))
        self.element_port = ElementPort(written, format, tag)
        if saved:
            members["element"] = In(self.element_port)
        super().__init__(members)

    def _check(self, reader: Pattern) -> None:
        written = self.pattern
        if reader.digit:
            legal = reader == written.settled
        else:
            whole = written.lanes % reader.lanes == 0 or written.beats == 1
            legal = whole and reader.dwell >= self.digits
        if not legal:
            raise ValueError(f"{reader} cannot be read from planes written as {written}")

    def latency(self, reader: Pattern) -> int:
        """Cycles from a reader's strobe to its data."""
        return READ_LATENCY if reader.digit else READ_LATENCY + 1 + self.digits

    @property
    def depth(self) -> int:
        """Planes of the memory."""
        if self.rows.count == 1:
            return self.digits
        return self.rows.count << self._place_bits

    @property
    def _place_bits(self) -> int:
        """Address bits that count digits."""
        return (self.digits - 1).bit_length()

    def accesses(self, reader: Pattern) -> Iterator[tuple[int, int, int]]:
        """For each plane: its write, first and last read, in cycles from the first of either."""
        written, dwell = self.pattern, self.pattern.dwell
        at_once = self.rows.count == 1
        turns = reader.cycles // reader.repeats * (reader.repeats - 1)
        for beat in range(reader.beats):
            source = beat if reader.digit else beat * reader.lanes // written.lanes
            first = beat * reader.dwell
            for place in range(self.digits):
                yield source * dwell + place, first + place, turns + first + place
            if written.settles:
                # The ends of a vector in one beat are registers: needed when its plane is there.
                last = turns + first + self.digits - 1 + at_once
                yield source * dwell + written.settles - 1, first + at_once, last

    @property
    def cost(self) -> Cost:
        lanes, digit, width = self.pattern.lanes, self.pattern.digit, shape_of(self.format).width
        plane = lanes * digit
        total = Cost(logic_bits=plane, register_bits=plane, memories=((plane, self.depth),))
        if self.pattern.settles:
            many = self.rows.count > 1
            ends = ((2 * lanes, self.rows.count),) if many else ()
            held = 0 if many else 2 * lanes
            total += Cost(register_bits=held, memories=ends, waiting_bits=held)
        if self.initial is not None and self.initial.any():
            rows = self.digits * self.pattern.beats
            total += Cost(logic_bits=plane) + constants_cost(rows, plane)
        for pattern in [self.pattern, *self.readers]:
            total += addresses_cost(pattern)
        for reader in self.readers:
            if not reader.digit:
                mux = digit * max(lanes - reader.lanes, 0)
                words = 2 * width * reader.lanes
                registers = words + digit * reader.lanes
                total += Cost(logic_bits=mux, register_bits=registers, waiting_bits=words)
        return total + element_cost(lanes, digit) if self.saved else total

    def elaborate(self, platform: object) -> Module:
        m = Module()
        plane = self.pattern.lanes * self.pattern.digit
        m.submodules.planes = planes = Memory(
            shape=plane, depth=max(self.depth, 2), init=[], attrs={"no_rw_check": 1}
        )
        write = planes.write_port()
        read = planes.read_port()
        m.submodules.writing = writing = Addresses(self.pattern.words)
        names = [f"lane{k}" for k in range(self.pattern.lanes)]
        lanes = [Signal(self.pattern.digit, name=name, reset_less=True) for name in names]
        written: Any = (
            self._address(writing.held, self.rows.row(writing.word, self.write.tag)),
            Cat(*self.write.lanes),
            writing.active & (writing.held < self.digits),
        )
        if self.saved:
            element = self.element
            row = self.rows.row(element.beat, element.tag)
            written = with_element(element, self._address(element.place, row), lanes, written)
            connect_found(m, element, lanes)
        m.d.comb += [
            writing.start.eq(self.write.start),
            write.addr.eq(written[0]),
            write.data.eq(written[1]),
            write.en.eq(written[2]),
        ]
        readings = []
        for k, reader in enumerate(self.readers):
            m.submodules[f"reading{k}"] = reading = Addresses(reader.words)
            m.d.comb += reading.start.eq(getattr(self, f"read{k}").start)
            readings.append(reading)
        beat, row, place, holds, anew = self._turns(readings)
        m.d.comb += read.addr.eq(self._address(place, row))
        ends = self._ends(m, writing, row) if self.pattern.settles else ()
        found = self._settled(m, lanes, ends, read.data, beat, place, holds, anew)
        if self.saved:
            found = exchanged(m, self.element, found)
        m.d.sync += [lane.eq(value) for lane, value in zip(lanes, found, strict=True)]
        for k, reading in enumerate(readings):
            self._connect(m, k, reading, lanes)
        return m

    def _address(self, place: Value, row: Value) -> Value:
        return place if self.rows.count == 1 else self._beside(place, row)

    def _beside(self, place: Value, row: Value) -> Value:
        return Cat((place | Const(0, self._place_bits))[: self._place_bits], row)

    def _turns(self, readings: list[Addresses]) -> tuple[Any, ...]:
        """Beat, row and digit that are read, whether a sign is held instead, whether it is anew.

        An idle reader rests at 0, so the turns combine by a plain or.
        """
        row: Any = Const(0, 1)
        beat: Any = Const(0, 1)
        place: Any = Const(0, 1)
        holds: Any = Const(0, 1)
        anew: Any = Const(0, 1)
        for k, (reader, reading) in enumerate(zip(self.readers, readings, strict=True)):
            tag = getattr(self, f"read{k}").tag
            source = self._place_of(reader, reading.word)[0]
            beat = beat | source
            row = row | self.rows.row(source, tag, reading.active)
            place = place | reading.held
            anew = anew | (reading.active & tag.init)
            if reader.digit:
                holds = holds | (reading.held >= self.digits)
        if self.saved:
            element = self.element
            beat = beat | element.beat
            row = row | self.rows.row(element.beat, element.tag)
            place = place | element.place
            anew = anew | element.tag.init
        return beat, row, place, holds, anew

    def _place_of(self, reader: Pattern, beat: Value) -> tuple[Value, Value]:
        """The beat written that holds a beat read, and which part of its lanes that is."""
        if self.pattern.beats == 1:
            return Const(0, 1), beat
        parts = self.pattern.lanes // reader.lanes
        if parts & (parts - 1) == 0:
            bits = parts.bit_length() - 1
            return beat[bits:], beat[:bits]
        numbers = range(reader.beats)
        source = Array(Const(n // parts, range(self.pattern.beats)) for n in numbers)
        return source[beat], Array(Const(n % parts, range(parts)) for n in numbers)[beat]

    def _settled(
        self,
        m: Module,
        lanes: list[Signal],
        ends: Any,
        data: Value,
        beat: Any,
        place: Any,
        holding: Any,
        new: Any,
    ) -> list[Any]:
        """What a plane's lanes become when it was read; what is over or under is its end."""
        holds, anew = Signal(), Signal()
        here = Signal(len(place), name="place", reset_less=True)
        m.d.sync += [holds.eq(holding), anew.eq(new), here.eq(place)]
        initial = self._initial(m, place, beat)
        digit = self.pattern.digit
        hi, lo = Signal(digit), Signal(digit)
        m.d.comb += hi.eq(self._digit_of(self.format.hi, here))
        # Ends that are each other's complement take one wire less into every lane's selector.
        opposite = self.format.lo == ~self.format.hi
        m.d.comb += lo.eq(~hi if opposite else self._digit_of(self.format.lo, here))
        found = []
        for k, lane in enumerate(lanes):
            raw = data.word_select(k, digit)
            if ends:
                over, under = ends[0][k], ends[1][k]
                raw = Mux(over | under, Mux(over, hi, lo), raw)
            raw = Mux(anew, initial.word_select(k, digit), raw) if initial is not None else raw
            sign = lane[-1].replicate(digit) if self.format.signed else Const(0, digit)
            found.append(Mux(holds, sign, raw))
        return found

    def _digit_of(self, raw: int, place: Value) -> Any:
        digit = self.pattern.digit
        return Array(Const(value, digit) for value in digits_of(raw, digit, self.digits))[place]

    def _ends(self, m: Module, writing: Addresses, row: Any) -> Any:
        """Over and under of every lane of the beat read the cycle before."""
        lanes = self.pattern.lanes
        settles = writing.active & (writing.held == self.pattern.settles - 1)
        known = Cat(*self.write.over, *self.write.under)
        written: Any = self.rows.row(writing.word, self.write.tag), known, settles
        if self.saved:
            # What is written element by element is whole as it is.
            element, none = self.element, [Const(0, 2 * lanes)]
            row_written = self.rows.row(element.beat, element.tag)
            written = with_element(element, row_written, none, written)
        if self.rows.count == 1:
            kept = Signal(2 * lanes, name="ends", reset_less=True)
            with m.If(written[2]):
                m.d.sync += kept.eq(written[1])
            return kept[:lanes], kept[lanes:]
        m.submodules.ends = ends = Memory(
            shape=2 * lanes, depth=self.rows.count, init=[], attrs={"no_rw_check": 1}
        )
        write = ends.write_port()
        read = ends.read_port()
        m.d.comb += [
            write.addr.eq(written[0]),
            write.data.eq(written[1]),
            write.en.eq(written[2]),
            read.addr.eq(row),
        ]
        return read.data[:lanes], read.data[lanes:]

    def _initial(self, m: Module, place: Any, beat: Any) -> Any:
        """The plane of the initial value, a cycle after its place; None where there is none."""
        if self.initial is None:
            return None
        digit = self.pattern.digit
        plane = self.pattern.lanes * digit
        if not self.initial.any():
            return Const(0, plane)
        rows = 1 << self._place_bits if self.pattern.beats > 1 else self.digits
        words: list[int] = []
        for lanes in pack_beats(self.initial, self.pattern.lanes):
            planes = zip(*(digits_of(int(raw), digit, rows) for raw in lanes), strict=True)
            words += [sum(value << k * digit for k, value in enumerate(plane)) for plane in planes]
        m.submodules.initial = rom = constants(plane, words)
        port = rom.read_port()
        m.d.comb += port.addr.eq(place if self.pattern.beats == 1 else self._beside(place, beat))
        return port.data

    def _connect(self, m: Module, k: int, reading: Addresses, lanes: list[Signal]) -> None:
        """Hand the plane's lanes, or words collected from some of them, to reader `k`."""
        reader = self.readers[k]
        strobe, out = getattr(self, f"read{k}"), getattr(self, f"out{k}")
        later = delay_strobe(m, f"timing{k}", strobe, self.latency(reader), reader.cycles)
        connect_strobe(m, later, out)
        if reader.digit:
            m.d.comb += [o.eq(lane) for o, lane in zip(out.lanes, lanes, strict=True)]
            return
        _, group = self._place_of(reader, reading.word)
        group = _later(m, f"group{k}", group, READ_LATENCY)
        complete = reading.active & (reading.held == self.digits - 1)
        complete = _later(m, f"complete{k}", complete, READ_LATENCY + 1)
        for j, o in enumerate(out.lanes):
            picked = Signal(self.pattern.digit, name=f"picked{k}_{j}", reset_less=True)
            m.d.sync += picked.eq(Array(lanes[j :: reader.lanes])[group])
            word = collected(m, f"word{k}_{j}", picked, self.digits, complete)
            m.d.comb += o.eq(word)


def _later(m: Module, name: str, value: Any, cycles: int) -> Any:
    """A value of control, so many cycles later."""
    for stage in range(cycles):
        held = Signal(len(value), name=f"{name}_{stage}")
        m.d.sync += held.eq(value)
        value = held
    return value
