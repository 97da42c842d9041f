"""The design of a board: a linked core between pins, its clock and its status LEDs."""

from collections.abc import Iterator
from math import log2
from typing import Any

from amaranth import ClockDomain, ClockSignal, Elaboratable, Module, Signal
from amaranth.lib import io, wiring
from amaranth.lib.cdc import ResetSynchronizer
from amaranth.lib.wiring import In, Out

from ..link.linked import LinkedCore
from ..link.plan import LinkPlan
from .board import Board

FLASH_S = 0.05
"""How long an LED shows what lasts a clock."""


class Flash(wiring.Component):
    """Makes a strobe long enough to be seen: one to two periods of 2^bits clocks, near `FLASH_S`.

    The counter never stops and nothing compares it, so that it is not what limits a clock rate.

    Members: strobe, In(1); lit, Out(1), a clock later.
    """

    def __init__(self, clock_hz: float) -> None:
        self.bits = round(log2(FLASH_S * clock_hz))
        super().__init__({"strobe": In(1), "lit": Out(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        count, before, late = Signal(self.bits), Signal(), Signal()
        m.d.sync += [count.eq(count + 1), before.eq(count[-1])]
        with m.If(self.strobe):
            m.d.sync += [self.lit.eq(1), late.eq(0)]
        with m.Elif(before & ~count[-1]):
            m.d.sync += [self.lit.eq(self.lit & ~late), late.eq(1)]
        return m


class Top(Elaboratable):
    """A linked core on a board.

    LEDs: the first is lit while a host has a session open, the second flashes at answers.
    """

    def __init__(self, board: Board, clock_hz: float, link: LinkPlan) -> None:
        self.board, self.clock_hz, self.link = board, clock_hz, link

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        if self.clock_hz != self.board.oscillator_hz:
            self._place_pll(m, platform)
        m.submodules.linked = linked = LinkedCore(self.link)
        line = platform.request("uart", dir="-")
        m.submodules.rx = rx = io.Buffer("i", line.rx)
        m.submodules.tx = tx = io.Buffer("o", line.tx)
        m.d.comb += [linked.rx.eq(rx.i), tx.o.eq(linked.tx)]
        m.submodules.flash = flash = Flash(self.clock_hz)
        m.d.comb += flash.strobe.eq(linked.answers)
        lamps = zip(self._leds(platform), (linked.opened, flash.lit), strict=False)
        for k, (pin, lit) in enumerate(lamps):
            m.submodules[f"led{k}"] = lamp = io.Buffer("o", pin)
            m.d.comb += lamp.o.eq(lit)
        return m

    def _leds(self, platform: Any) -> Iterator[Any]:
        """The ports of the LEDs; some are colours of one resource."""
        requested: dict[tuple[str, int], Any] = {}
        for name, number, *colour in self.board.leds:
            if (name, number) not in requested:
                requested[name, number] = platform.request(name, number, dir="-")
            port = requested[name, number]
            yield getattr(port, colour[0]) if colour else port

    def _place_pll(self, m: Module, platform: Any) -> None:
        """The clock `sync`, held in reset until it is steady.

        Block RAM of iCE40 reads as zeros for microseconds after configuration; nothing reads any
        before a host's OPEN, which resets the core.
        """
        pll = self.board.pll
        assert pll is not None
        settings = pll.settings(self.board.oscillator_hz, self.clock_hz)
        pin = platform.request(self.board.oscillator, dir="-")
        if pll.padded:
            source = pin.io
        else:
            m.submodules.oscillator = buffer = io.Buffer("i", pin)
            source = buffer.i
        m.domains.sync = ClockDomain()
        locked = pll.place(m, source, ClockSignal("sync"), settings)
        m.submodules.reset = ResetSynchronizer(~locked, domain="sync")
