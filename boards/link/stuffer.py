"""From the content of frames to bytes on the line."""

from typing import Any

from amaranth import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from .frames import DELIMITER, LONGEST_BLOCK
from .plan import UNCHECKED
from .uart import bytes_streamed


class Stuffer(wiring.Component):
    """Takes the zeros out of a frame, and sends it while the next one is taken.

    A block's length is known at its end and written before it, into the frame's half of a memory.

    Parameters: longest, bytes of a frame on the line, at most.
    Members: i, In(bytes_streamed()): content; ends, In(1): so does the frame, where i.ready and
        not i.valid; free, Out(1): the next frame may begin; o, Out(bytes_streamed()).
    Cost: `2 * longest` bytes of memory, up to a power of two.
    """

    def __init__(self, longest: int) -> None:
        self.place_bits = max(longest - 1, 1).bit_length()
        byte_stream = bytes_streamed()
        super().__init__(
            {"i": In(byte_stream), "ends": In(1), "free": Out(1), "o": Out(byte_stream)}
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.memory = memory = Memory(
            shape=8, depth=2 << self.place_bits, init=[], attrs=UNCHECKED
        )
        writes, reads = memory.write_port(), memory.read_port()
        code = Signal(self.place_bits)
        place = Signal(self.place_bits, init=1)
        length: Any = Signal(8, init=1)
        side, whole, codes, sends = (Signal() for _ in range(4))
        closes = self.ends | codes
        m.d.comb += [
            self.free.eq(~whole),
            self.i.ready.eq(~codes),
            writes.addr.eq(Cat(Mux(closes, code, place), side)),
            writes.data.eq(Mux(closes, length, self.i.data)),
            writes.en.eq(closes | (self.i.valid & (self.i.data != 0))),
        ]
        with m.If(codes):
            m.d.sync += [code.eq(place), place.eq(place + 1), length.eq(1), codes.eq(0)]
        with m.Elif(self.ends):
            m.d.sync += whole.eq(1)
        with m.Elif(self.i.valid):
            m.d.sync += codes.eq((self.i.data == 0) | (length == LONGEST_BLOCK))
            with m.If(self.i.data != 0):
                m.d.sync += [place.eq(place + 1), length.eq(length + 1)]
        begins = Signal()
        m.d.comb += begins.eq(whole & ~sends)
        end = Signal(self.place_bits)
        with m.If(begins):
            # The end is the delimiter's place, in the half that is written no more.
            m.d.sync += [end.eq(place), side.eq(~side), whole.eq(0)]
            m.d.sync += [code.eq(0), place.eq(1), length.eq(1)]
        self._send(m, reads, begins, sends, ~side, end)
        return m

    def _send(self, m: Module, reads: Any, begins: Any, sends: Any, side: Any, end: Any) -> None:
        """A byte is asked for in one cycle, and offered from the next one on."""
        place = Signal(self.place_bits)
        m.d.comb += [
            reads.addr.eq(Cat(place, side)),
            self.o.data.eq(Mux(place == end, DELIMITER, reads.data)),
        ]
        with m.If(begins):
            m.d.sync += [place.eq(0), sends.eq(1)]
        with m.Elif(self.o.valid & self.o.ready):
            m.d.sync += [place.eq(place + 1), self.o.valid.eq(0), sends.eq(place != end)]
        with m.Elif(sends):
            m.d.sync += self.o.valid.eq(1)
