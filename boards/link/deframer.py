"""From bytes on the line to the content of frames, and whether it came undamaged."""

from typing import Any

from amaranth import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .crc import RESIDUE, Crc
from .frames import DELIMITER, LONGEST_BLOCK
from .uart import bytes_strobed


class Deframer(wiring.Component):
    """Puts back the zeros of a frame, and checks its CRC.

    Members: i, In(bytes_strobed()), at least 10 clocks apart; o, Out(bytes_strobed()): content;
        ends, Out(1): so does a frame, with good, Out(1): all since the last one was its content.
    Latency: 0.
    """

    def __init__(self) -> None:
        bytes_ = bytes_strobed()
        super().__init__({"i": In(bytes_), "o": Out(bytes_), "ends": Out(1), "good": Out(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.crc = crc = Crc()
        left: Any = Signal(8)
        zero = Signal()
        coded = Signal()
        m.d.comb += [
            self.ends.eq(self.i.valid & (self.i.data == DELIMITER)),
            self.good.eq((left == 0) & (crc.register == RESIDUE)),
            coded.eq(left != 0),
            self.o.valid.eq(self.i.valid & ~self.ends & (coded | zero)),
            self.o.data.eq(Mux(coded, self.i.data, 0)),
            crc.i.valid.eq(self.o.valid),
            crc.i.data.eq(self.o.data),
            crc.clear.eq(self.ends),
        ]
        with m.If(self.ends):
            m.d.sync += [left.eq(0), zero.eq(0)]
        with m.Elif(self.i.valid):
            m.d.sync += left.eq(Mux(coded, left, self.i.data) - 1)
            with m.If(~coded):
                m.d.sync += zero.eq(self.i.data <= LONGEST_BLOCK)
        return m
