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

WORD_BITS = 192
"""Bits of a word that is so wide that banks are worth it."""
BANK_BITS = 36
"""Bits of a bank, as long as there are registers enough that tools take for different ones."""
VARIANTS = 4
"""Registers of one value that differ in their initial value and in whether a reset restores it."""


class Banks(wiring.Component):
    """A memory with one write and one read port, in banks of whole elements.

    A row is told to all banks by way of two registers, the second of them each bank's own, as near
    to it as placement likes; what is written waits as long. Tools would merge registers that are
    equal. So the first are several, each of which keeps a form of its own of what it is told, and
    the second of those that hear from the same first are variants.

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
        most = VARIANTS * ((rows - 1).bit_length() + 1)
        self.bank_lanes = max(1, BANK_BITS // shape.width, -(-lanes // most))
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
        forms = -(-banks // VARIANTS)
        choice = bits if self.initial is not None and self.initial.any() else 0
        return Cost(
            logic_bits=2 * told * forms + choice,
            register_bits=4 * bits + told * (banks + forms),
            memories=tuple((bits, self.rows) for bits in widths),
            waiting_bits=4 * bits + told * (banks - forms),
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        width = self.shape.width
        written = Signal.like(self.write_data, reset_less=True)
        m.d.sync += written.eq(self.write_data)
        write, read = Cat(self.enable, self.write_row), Cat(self.anew, self.read_row)
        data: list[Any] = []
        for number, lane in enumerate(range(0, self.lanes, self.bank_lanes)):
            here = slice(lane * width, min(lane + self.bank_lanes, self.lanes) * width)
            bits = here.stop - here.start
            memory = Memory(shape=bits, depth=self.rows, init=[], attrs={"no_rw_check": 1})
            m.submodules[f"bank{number}"] = memory
            write_port = memory.write_port()
            read_port = memory.read_port()
            form, variant = divmod(number, VARIANTS)
            if variant == 0:
                write_form = _formed(m, f"write_form{form}", write, form)
                read_form = _formed(m, f"read_form{form}", read, form)
            told_write = _varied(m, f"write{number}", write_form, variant)
            told_read = _varied(m, f"read{number}", read_form, variant)
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


def _formed(m: Module, name: str, value: Value, form: int) -> Value:
    """`value` a cycle later, kept in a form that no other register has; 0 by itself."""
    kept = Signal(len(value), name=name, init=(1 << form) - 1)
    m.d.sync += kept.eq(turned(value, form))
    return turned(kept, form)


def _varied(m: Module, name: str, value: Value, variant: int) -> Value:
    """`value` a cycle later; bit 0, which must not be 1 by itself, has half as many variants."""
    init = ((1 << len(value)) - 2) * (variant % 2)
    kept = Signal(len(value), name=name, init=init, reset_less=variant >= VARIANTS // 2)
    m.d.sync += kept.eq(value)
    return kept


def turned(bits: Value, number: int) -> Value:
    """Form `number` of as many as there are bits; turned again it is plain.

    All bits but one are turned by that one, and those below it are inverted, which tells them from
    the same two bits in another form.
    """
    by = bits[number]
    return Cat(b if k == number else b ^ by ^ (k < number) for k, b in enumerate(bits))
