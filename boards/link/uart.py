"""Bytes on two wires: start bit, eight bits with the lowest first, stop bit."""

from typing import Any

from amaranth import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import In, Out
from sylvan.model.errors import UserError

FEWEST_CLOCKS = 4
FARTHEST = 0.02


def clocks_per_bit(clock_hz: float, baud: int) -> int:
    """Clocks that a bit takes, or a UserError where no whole number is near enough."""
    clocks = max(round(clock_hz / baud), FEWEST_CLOCKS) if baud > 0 else 0
    if not clocks or abs(clock_hz / clocks / baud - 1) > FARTHEST:
        wanted = max(int(clock_hz / max(baud, 1)), FEWEST_CLOCKS)
        near = " or ".join(f"{clock_hz / n:.0f}" for n in (wanted, wanted + 1))
        raise UserError(
            f"a clock of {clock_hz / 1e6:g} MHz makes no {baud} baud: a bit takes a whole number "
            f"of clocks, at least {FEWEST_CLOCKS}; {near} would do"
        )
    return clocks


def bytes_strobed() -> wiring.Signature:
    """Bytes that pass when they come: nothing holds them up."""
    return wiring.Signature({"valid": Out(1), "data": Out(8)})


def bytes_streamed() -> wiring.Signature:
    """A stream of bytes with the handshake of Amaranth's streams."""
    return wiring.Signature({"valid": Out(1), "ready": In(1), "data": Out(8)})


class UartReceiver(wiring.Component):
    """Reads bytes; one whose stop bit is missing is none.

    A bit is read `clocks // 2` to `clocks // 2 + 1` clocks after its beginning, as told by the
    falling edge of the start bit.

    Parameters: clocks, per bit, at least 4.
    Members: rx, In(1); o, Out(bytes_strobed()).
    Tolerance: how much faster or slower than a bit per `clocks` a sender may be,
        `10 * clocks / (9 * clocks + clocks // 2 + 1) - 1` and `clocks // 2 / (9 * clocks)`.
    Latency: 3 from the stop bit being read to valid.
    """

    def __init__(self, clocks: int) -> None:
        self.clocks = clocks
        super().__init__({"rx": In(1), "o": Out(bytes_strobed())})

    @property
    def tolerance(self) -> float:
        """The lower one of the two."""
        middle = self.clocks // 2
        return min(10 * self.clocks / (9 * self.clocks + middle + 1) - 1, middle / 9 / self.clocks)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        line, rested, busy = Signal(init=1), Signal(), Signal()
        count = Signal(range(self.clocks))
        left = Signal(range(10))
        m.submodules.synchronizer = FFSynchronizer(self.rx, line, init=1)
        m.d.sync += self.o.valid.eq(0)
        with m.If(~busy):
            m.d.sync += [
                rested.eq(line),
                busy.eq(rested & ~line),
                count.eq(self.clocks // 2 - 1),
                left.eq(9),
            ]
        with m.Elif(count != 0):
            m.d.sync += count.eq(count - 1)
        with m.Else():
            m.d.sync += [count.eq(self.clocks - 1), left.eq(left - 1)]
            with m.If(left != 0):
                m.d.sync += self.o.data.eq(Cat(self.o.data[1:], line))
            # A start bit that was a glitch, or the stop bit: then the line has rested or not.
            with m.If((left == 0) | ((left == 9) & line)):
                m.d.sync += [busy.eq(0), rested.eq(line), self.o.valid.eq(line & (left == 0))]
        return m


class UartTransmitter(wiring.Component):
    """Sends bytes.

    Parameters: clocks, per bit.
    Members: i, In(bytes_streamed()); tx, Out(1).
    Interval: `10 * clocks`.
    """

    def __init__(self, clocks: int) -> None:
        self.clocks = clocks
        super().__init__({"i": In(bytes_streamed()), "tx": Out(1, init=1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        bits: Any = Signal(9, init=-1)
        count = Signal(range(self.clocks))
        left = Signal(range(11))
        m.d.comb += [
            self.i.ready.eq((left == 0) | ((left == 1) & (count == 0))),
            self.tx.eq(bits[0]),
        ]
        with m.If(self.i.ready & self.i.valid):
            m.d.sync += [bits.eq(Cat(0, self.i.data)), left.eq(10), count.eq(self.clocks - 1)]
        with m.Elif(count != 0):
            m.d.sync += count.eq(count - 1)
        with m.Elif(left != 0):
            m.d.sync += [bits.eq(Cat(bits[1:], 1)), left.eq(left - 1), count.eq(self.clocks - 1)]
        return m
