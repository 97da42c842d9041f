"""The design of a board: a linked core between pins, its clock and its status LEDs."""

from collections.abc import Iterator
from typing import Any

from amaranth import ClockDomain, ClockSignal, Elaboratable, Module, Signal
from amaranth.lib import io
from amaranth.lib.cdc import ResetSynchronizer

from ..link.linked import LinkedCore
from ..link.plan import LinkPlan
from .board import Board

BLINK_S = 0.05
"""How long an LED shows what lasts a few clocks."""


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
        flash = Signal(range(round(BLINK_S * self.clock_hz) + 1))
        with m.If(linked.answers):
            m.d.sync += flash.eq(round(BLINK_S * self.clock_hz))
        with m.Elif(flash != 0):
            m.d.sync += flash.eq(flash - 1)
        lamps = zip(self._leds(platform), (linked.opened, flash != 0), strict=False)
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
        """The clock `sync`, held in reset until it is steady."""
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
