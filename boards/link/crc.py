"""The CRC of docs/link.md a bit at a time: a byte takes many more clocks on the line."""

from typing import Any

from amaranth import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .uart import bytes_streamed

REFLECTED = 0xEDB88320
RESIDUE = 0xDEBB20E3
"""What the register holds after any content and its CRC."""


class Crc(wiring.Component):
    """`register = (register >> 1) ^ (REFLECTED if register[0] ^ bit else 0)`, lowest bit first.

    Members: clear, In(1): begin anew; i, In(bytes_streamed()); register, Out(32): of all bytes
        taken, where i.ready; the CRC is its inverse.
    Interval: 9.
    """

    def __init__(self) -> None:
        super().__init__(
            {"clear": In(1), "i": In(bytes_streamed()), "register": Out(32, init=0xFFFFFFFF)}
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        bits: Any = Signal(8)
        left = Signal(range(9))
        m.d.comb += self.i.ready.eq(left == 0)
        with m.If(left != 0):
            flips = self.register[0] ^ bits[0]
            m.d.sync += [
                self.register.eq((self.register >> 1) ^ Mux(flips, REFLECTED, 0)),
                bits.eq(bits >> 1),
                left.eq(left - 1),
            ]
        with m.Elif(self.i.valid):
            m.d.sync += [bits.eq(self.i.data), left.eq(8)]
        with m.If(self.clear):
            m.d.sync += [self.register.eq(self.register.init), left.eq(0)]
        return m
