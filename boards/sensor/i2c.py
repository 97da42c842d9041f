"""The controller's end of an I2C bus, bit by bit: what the bus is used for is the caller's."""

from enum import IntEnum
from math import ceil
from typing import Any

from amaranth import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import In, Out

LOW_S = 1.3e-6
"""The shortest low time of the clock in fast mode (UM10204, table 10), the tightest of its times:
a bit of two such halves is in time for all others."""
BITS = 9
"""Of a byte and its acknowledgement."""


def clocks_per_quarter(clock_hz: float) -> int:
    """Clocks of a quarter of a bit, at least 2."""
    return max(ceil(clock_hz * LOW_S / 2), 2)


class Act(IntEnum):
    """What passes on the bus: SDA falls, or rises, while SCL is high, or nine bits."""

    START = 0
    STOP = 1
    BYTE = 2


class Quarter(IntEnum):
    """SCL low with the SDA of the bit before; with this bit's; SCL high; with SDA after it."""

    HOLD = 0
    SETUP = 1
    RISEN = 2
    ENDS = 3


class I2cController(wiring.Component):
    """Acts on an open-drain bus as its only controller.

    A bit is SCL low for two quarters and high for two, from when it is seen high: a target that
    holds it down is waited for, without end. A START is one after any other act, also a repeated
    one. Nine bits are sent and read at once, the highest first: ones leave SDA to the target.

    Parameters: clocks, per quarter, at least 2.
    Members: scl, sda, In(1): the lines, from outside; scl_low, sda_low, Out(1): pull them down;
        valid, In(1), while ready, Out(1): begin act, In(Act), which is held until ready is up
        again, with send, In(9); read, Out(9): the nine bits that passed, from then on.
    Interval: `interval` of a START, a STOP or each of nine bits, where SCL rises at once.
    """

    def __init__(self, clocks: int) -> None:
        if clocks < 2:
            raise ValueError(f"a quarter of a bit takes at least 2 clocks, got {clocks}")
        self.clocks = clocks
        super().__init__(
            {
                "scl": In(1, init=1),
                "sda": In(1, init=1),
                "scl_low": Out(1),
                "sda_low": Out(1),
                "act": In(2),
                "send": In(BITS),
                "valid": In(1),
                "ready": Out(1),
                "read": Out(BITS),
            }
        )

    @property
    def interval(self) -> int:
        """Clocks of a bit: four quarters, and two of the synchronizer that sees SCL rise."""
        return 4 * self.clocks + 2

    def elaborate(self, platform: object) -> Module:
        m = Module()
        scl, sda = Signal(init=1), Signal(init=1)
        m.submodules.scl_synchronizer = FFSynchronizer(self.scl, scl, init=1)
        m.submodules.sda_synchronizer = FFSynchronizer(self.sda, sda, init=1)
        busy, left = Signal(), Signal(range(BITS))
        quarter, count = Signal(Quarter), Signal(range(self.clocks))
        bits: Any = Signal(BITS)
        before, after = Signal(), Signal()
        byte = self.act == Act.BYTE
        m.d.comb += [
            self.ready.eq(~busy),
            self.read.eq(bits),
            before.eq(Mux(byte, bits[-1], self.act == Act.START)),
            after.eq(Mux(byte, bits[-1], self.act == Act.STOP)),
        ]
        with m.If(~busy):
            m.d.sync += [
                busy.eq(self.valid),
                quarter.eq(Quarter.HOLD),
                count.eq(self.clocks - 1),
                left.eq(Mux(byte, BITS - 1, 0)),
                bits.eq(Mux(self.valid, self.send, bits)),
                self.scl_low.eq(self.scl_low | self.valid),
            ]
        with m.Elif(count != 0):
            # SCL is high from when it is seen so.
            m.d.sync += count.eq(count - ((quarter != Quarter.RISEN) | scl))
        with m.Else():
            m.d.sync += [quarter.eq(quarter + 1), count.eq(self.clocks - 1)]
            with m.Switch(quarter):
                with m.Case(Quarter.HOLD):
                    m.d.sync += self.sda_low.eq(~before)
                with m.Case(Quarter.SETUP):
                    m.d.sync += self.scl_low.eq(0)
                with m.Case(Quarter.RISEN):
                    m.d.sync += [bits.eq(Cat(sda, bits[:-1])), self.sda_low.eq(~after)]
                with m.Case(Quarter.ENDS):
                    m.d.sync += [left.eq(left - 1), busy.eq(left != 0), self.scl_low.eq(left != 0)]
        return m
