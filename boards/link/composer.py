"""The frames of the board, byte by byte."""

from typing import Any

from amaranth import Array, Cat, Const, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .crc import Crc
from .frames import CRC_BYTES, Kind
from .plan import LinkPlan
from .uart import bytes_streamed

HEADER = Kind.ANSWER.header_bytes


class Composer(wiring.Component):
    """Composes the frame that is due: IDENTITY, REFUSED, STATUS if asked for, ANSWER, STATUS.

    Members:
        opens, refuses, asks, changes, In(1): IDENTITY, REFUSED, the one STATUS or the other is due
            from now on; token, of OPEN, number below context, or of RESEND, number.
        awaited, limit, In(8): what every frame says.
        some, In(1), number, In(8), takes, Out(1), address, Out, data, In(8): of the AnswerStore.
        free, In(1), o, Out(bytes_streamed()), ends, Out(1): to the Stuffer.
    Interval: 9 for each byte of a frame, before what the Stuffer adds.
    """

    def __init__(self, link: LinkPlan) -> None:
        self.link = link
        waiting = link.answer
        super().__init__(
            {
                **{name: In(1) for name in ("opens", "refuses", "asks", "changes", "some", "free")},
                **{name: In(8) for name in ("awaited", "limit", "number", "data")},
                "token": In(16),
                "takes": Out(1),
                "address": Out(waiting.room_bits + waiting.place_bits),
                "o": Out(bytes_streamed()),
                "ends": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.crc = crc = Crc()
        waiting, identity = self.link.answer, self.link.identity.encode()
        longest = max(waiting.ends, HEADER + len(identity))
        place, end = Signal(range(longest + 1)), Signal(range(longest + 1))
        sent = Signal(range(CRC_BYTES + 1))
        kind, number, context = Signal(4), Signal(8), Signal(8)
        byte, chosen = Signal(8), Signal(8)
        rom = Array(Const(value, 8) for value in identity)
        answers = kind == Kind.ANSWER
        begins = Signal()
        due = self._due(m, begins, kind, number, context, end)
        m.d.comb += self.address.eq(Cat(place[: waiting.place_bits], number[: waiting.room_bits]))
        with m.Switch(place):
            with m.Case(0):
                m.d.comb += byte.eq(Cat(Mux(answers, self.data[:2], 0), Const(0, 2), kind))
            with m.Case(1):
                m.d.comb += byte.eq(number)
            with m.Case(2):
                m.d.comb += byte.eq(self.awaited)
            with m.Case(3):
                m.d.comb += byte.eq(Mux(answers, self.data, context))
            with m.Case(4):
                m.d.comb += byte.eq(self.limit)
            with m.Default():
                m.d.comb += byte.eq(Mux(answers, self.data, rom[(place - HEADER)[:4]]))
        with m.FSM():
            with m.State("REST"):
                m.d.comb += crc.clear.eq(1)
                m.d.sync += [place.eq(0), sent.eq(0)]
                with m.If(self.free & due):
                    m.d.comb += begins.eq(1)
                    m.next = "READ"
            with m.State("READ"):
                m.next = "CHOOSE"
            with m.State("CHOOSE"):
                # Of many: from here on it would be on the slowest path of the link.
                m.d.sync += chosen.eq(byte)
                m.next = "GIVE"
            with m.State("GIVE"):
                passes = crc.i.ready & self.o.ready
                m.d.comb += [self.o.data.eq(chosen), self.o.valid.eq(crc.i.ready)]
                m.d.comb += [crc.i.data.eq(chosen), crc.i.valid.eq(passes)]
                with m.If(passes):
                    m.d.sync += place.eq(place + 1)
                    m.next = "READ"
                    with m.If(place == end - 1):
                        m.next = "CRC"
            with m.State("CRC"):
                m.d.comb += [
                    self.o.data.eq(~crc.register.word_select(sent[:2], 8)),
                    self.o.valid.eq(crc.i.ready & (sent != CRC_BYTES)),
                    self.ends.eq(self.o.ready & (sent == CRC_BYTES)),
                ]
                with m.If(self.o.valid & self.o.ready):
                    m.d.sync += sent.eq(sent + 1)
                with m.If(self.ends):
                    m.next = "REST"
        return m

    def _due(self, m: Module, begins: Any, kind: Any, number: Any, context: Any, end: Any) -> Any:
        """Whether a frame is due; as it begins, what it is."""
        owes = Signal(4)
        identity, refused, asked, status = owes
        token, question = Signal(16), Signal(8)
        with m.If(begins):
            m.d.sync += [status.eq(0), number.eq(0), context.eq(0), end.eq(HEADER)]
            with m.If(identity):
                m.d.sync += [kind.eq(Kind.IDENTITY), identity.eq(0), Cat(number, context).eq(token)]
                m.d.sync += end.eq(HEADER + len(self.link.identity.encode()))
            with m.Elif(refused):
                m.d.sync += [kind.eq(Kind.REFUSED), refused.eq(0)]
            with m.Elif(asked):
                m.d.sync += [kind.eq(Kind.STATUS), number.eq(question), asked.eq(0)]
            with m.Elif(self.some):
                m.d.sync += [kind.eq(Kind.ANSWER), number.eq(self.number)]
                m.d.sync += end.eq(self.link.answer.ends)
                m.d.comb += self.takes.eq(1)
            with m.Else():
                m.d.sync += kind.eq(Kind.STATUS)
        with m.If(self.changes):
            m.d.sync += status.eq(1)
        with m.If(self.asks):
            m.d.sync += [asked.eq(1), question.eq(self.token)]
        with m.If(self.refuses):
            m.d.sync += refused.eq(1)
        with m.If(self.opens):
            m.d.sync += [owes.eq(1), token.eq(self.token)]
        return owes.any() | self.some
