# amaranth: UnusedElaboratable=no
"""Wide words in memory: lanes side by side, far apart on a part, that are told the same row."""

from typing import Any

from amaranth import Array as Choices
from amaranth import Cat, Module, Mux, Shape, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out
from sylvan.model.arrays import Array

from .base import Cost

BANK_BITS = 192
"""Bits of a word that one set of address registers serves, as long as there are forms enough."""


class Banks(wiring.Component):
    """A memory with one write and one read port, in banks of whole elements.

    A row is told to all banks by way of two registers, the second of them each bank's own, as near
    to it as placement likes; what is written waits as long. Tools would merge registers that are
    equal, so every bank keeps a turn of its own of what it is told, and turns it back.

    Parameters: shape and lanes of a word; rows; initial, words (2**k, lanes) of which one is read
        in place of what was written, chosen by the lowest k bits of the row, or None.

    Members: write_row, write_data, enable: a word to write; read_row, anew: a word to read, or the
        initial word; data, Out: what was read.
    Latency: 4 from a row to its data. A word may be read in the cycle after its write.
    Cost: memory bits; four words and twice the banks' addresses in registers, two of the words
        within the memory where it has such.
    """

    latency = 4

    def __init__(self, shape: Shape, lanes: int, rows: int, initial: Array | None) -> None:
        self.shape = shape
        self.lanes = lanes
        self.rows = rows
        self.initial = initial
        forms = (rows - 1).bit_length() + 1
        self.bank_lanes = max(1, BANK_BITS // shape.width, -(-lanes // forms))
        bits = lanes * shape.width
        super().__init__(
            {
                "write_row": In(range(rows)),
                "write_data": In(bits),
                "enable": In(1),
                "read_row": In(range(rows)),
                "anew": In(1),
                "data": Out(bits),
            }
        )

    @property
    def cost(self) -> Cost:
        bits, width = len(self.data), self.shape.width
        firsts = range(0, self.lanes, self.bank_lanes)
        widths = [width * min(self.bank_lanes, self.lanes - first) for first in firsts]
        banks = len(widths)
        told = 2 * (len(self.read_row) + 1)
        choice = bits if self.initial is not None and self.initial.any() else 0
        return Cost(
            logic_bits=told * banks + choice,
            register_bits=4 * bits + told * (banks + 1),
            memories=tuple((bits, self.rows) for bits in widths),
            waiting_bits=4 * bits + told,
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        width = self.shape.width
        written = Signal.like(self.write_data, reset_less=True)
        write, read = Signal(len(self.write_row) + 1), Signal(len(self.read_row) + 1)
        m.d.sync += [
            write.eq(Cat(self.enable, self.write_row)),
            read.eq(Cat(self.anew, self.read_row)),
            written.eq(self.write_data),
        ]
        data: list[Any] = []
        for number, lane in enumerate(range(0, self.lanes, self.bank_lanes)):
            here = slice(lane * width, min(lane + self.bank_lanes, self.lanes) * width)
            bits = here.stop - here.start
            memory = Memory(shape=bits, depth=self.rows, init=[], attrs={"no_rw_check": 1})
            m.submodules[f"bank{number}"] = memory
            write_port = memory.write_port()
            read_port = memory.read_port()
            told_write = _told(m, f"write{number}", write, number)
            told_read = _told(m, f"read{number}", read, number)
            arriving = Signal(bits, name=f"arriving{number}", reset_less=True)
            leaving = Signal(bits, name=f"leaving{number}", reset_less=True)
            word: Any = read_port.data
            if self.initial is not None:
                anew = Signal(name=f"anew{number}")
                m.d.sync += anew.eq(told_read[0])
                word = Mux(anew, self._initial_word(m, number, told_read[1:]), word)
            m.d.sync += [arriving.eq(written[here]), leaving.eq(word)]
            m.d.comb += [
                write_port.en.eq(told_write[0]),
                write_port.addr.eq(told_write[1:]),
                write_port.data.eq(arriving),
                read_port.addr.eq(told_read[1:]),
            ]
            data.append(leaving)
        m.d.comb += self.data.eq(Cat(*data))
        return m

    def _initial_word(self, m: Module, number: int, row: Value) -> Any:
        """The initial word of bank `number`, a cycle after its row."""
        assert self.initial is not None
        width, first = self.shape.width, number * self.bank_lanes
        raws = [
            sum(int(raw) % (1 << width) << k * width for k, raw in enumerate(word))
            for word in self.initial[:, first : first + self.bank_lanes]
        ]
        if len(set(raws)) == 1:
            return raws[0]
        place = Signal(range(len(raws)), name=f"place{number}")
        m.d.sync += place.eq(row)
        return Choices(raws)[place]


def _told(m: Module, name: str, value: Signal, number: int) -> Value:
    """`value` a cycle later, kept by bank `number` in a form that no other bank has."""
    kept = Signal(len(value), name=name)
    m.d.sync += kept.eq(turned(value, number))
    return turned(kept, number)


def turned(bits: Value, number: int) -> Value:
    """Form `number` of as many as there are bits; turned again it is plain.

    All bits but one are turned by that one, and those below it are inverted, which tells them from
    the same two bits in another form.
    """
    by = bits[number]
    return Cat(b if k == number else b ^ by ^ (k < number) for k, b in enumerate(bits))
