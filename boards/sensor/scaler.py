"""Counts of a sensor become elements of a timestep, bit by bit: a sample leaves time enough."""

from collections.abc import Sequence
from typing import Any

from amaranth import Cat, Module, Mux, Signal, signed
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out
from sylvan.hw.beats import shape_of

from .scaling import COUNT_BITS, Scaling

ROW = data.StructLayout({"factor": 1, "addend": 1, "whole": 1, "ends": 1})
"""A step of a product: bits of both constants, whether a whole bit leaves, and the last one."""


class Scaler(wiring.Component):
    """Scales the counts of the channels in their order: `Scaling.scaled`.

    The product is made from its lowest bit on: in step k, bit k of the factor adds the count, bit k
    of the addend is carried in, and the sum's lowest bit leaves. Only 16 bits stay, whatever the
    width of the constants.

    Parameters: channels, a Scaling of each, with the same format and fraction bits.
    Members: count, In(signed(16)), held while busy; starts, In(1), on the next channel; rewinds,
        In(1), to the first channel, at any time; busy, Out(1); element, Out(format), until the next
        start.
    Interval: `interval`, from starts to starts.
    Cost: a memory of `steps` rows of 4 bits for each channel; an adder of 16 bits.
    """

    def __init__(self, channels: Sequence[Scaling]) -> None:
        self.channels = channels
        self.format = channels[0].format
        self.whole_bits = max(channel.whole_bits for channel in channels)
        super().__init__(
            {
                "count": In(signed(COUNT_BITS)),
                "starts": In(1),
                "rewinds": In(1),
                "busy": Out(1),
                "element": Out(shape_of(self.format)),
            }
        )

    @property
    def steps(self) -> int:
        """Bits of a product."""
        return self.channels[0].fraction_bits + self.whole_bits

    @property
    def interval(self) -> int:
        """Clocks of a channel."""
        return self.steps + 1

    @property
    def rows(self) -> list[dict[str, int]]:
        """The memory."""
        fraction_bits, steps = self.channels[0].fraction_bits, self.steps
        return [
            {
                "factor": channel.factor >> k & 1,
                "addend": channel.addend >> k & 1,
                "whole": int(k >= fraction_bits),
                "ends": int(k == steps - 1),
            }
            for channel in self.channels
            for k in range(steps)
        ]

    def elaborate(self, platform: object) -> Module:
        m = Module()
        rows = self.rows
        m.submodules.memory = stored = memory.Memory(shape=ROW, depth=len(rows), init=rows)
        port = stored.read_port()
        row: Any = port.data
        at, place = Signal(range(len(rows) + 1)), Signal(range(len(rows) + 1))
        kept = Signal(signed(COUNT_BITS))
        total: Any = Signal(signed(COUNT_BITS + 1))
        nearest: Any = Signal(signed(self.whole_bits))
        # Whether the lowest whole bit stays: it goes where the value was a half.
        stays = Signal()
        m.d.comb += [
            place.eq(Mux(self.rewinds, 0, at + self.busy)),
            port.addr.eq(place),
            total.eq(kept + Mux(row.factor, self.count, 0) + row.addend),
            self.element.eq(nearest),
        ]
        m.d.sync += at.eq(place)
        with m.If(nearest < self.format.lo):
            m.d.comb += self.element.eq(self.format.lo)
        with m.If(nearest > self.format.hi):
            m.d.comb += self.element.eq(self.format.hi)
        with m.If(self.rewinds):
            m.d.sync += self.busy.eq(0)
        with m.Elif(self.busy):
            m.d.sync += [
                kept.eq(total[1:].as_signed()),
                stays.eq(stays | total[0] | row.whole),
                self.busy.eq(~row.ends),
            ]
            with m.If(row.whole):
                m.d.sync += nearest.eq(Cat(nearest[1:], total[0] & stays))
        with m.Elif(self.starts):
            m.d.sync += [self.busy.eq(1), kept.eq(0), stays.eq(0)]
        return m
