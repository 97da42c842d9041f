"""Where frames of the host's are judged, and timesteps wait until the core takes them."""

from typing import Any

from amaranth import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out
from sylvan.hw.border import stream

from .frames import CRC_BYTES, Kind
from .plan import UNCHECKED, LinkPlan
from .uart import bytes_strobed


class StepIntake(wiring.Component):
    """Takes what is whole, in its order, and there is room for; all else leaves no trace.

    A timestep is written behind those that wait, and is one of them only when its frame has ended
    well.

    Members:
        i, In(bytes_strobed()), ends, good, In(1): from the Deframer.
        taken, In(8): the number of the timestep that the core takes next.
        address, In; data, Out(8): a byte of those that wait, a cycle later.
        opens, heard, resends, refuses, Out(1): a frame has ended that was OPEN; STEP, ACK or
            RESEND; RESEND; none that can be taken; a cycle ago.
        number, context, reached, Out(8): of that frame, the last being its `awaited`.
        awaited, limit, Out(8): what the board has to say of timesteps.
        opened, Out(1): there was an OPEN since reset.
    """

    def __init__(self, link: LinkPlan) -> None:
        self.link = link
        waiting = link.step
        outs = {name: Out(1) for name in ("opens", "heard", "resends", "refuses", "opened")}
        bytes_ = {name: Out(8) for name in ("number", "context", "reached", "awaited", "limit")}
        super().__init__(
            {
                "i": In(bytes_strobed()),
                "ends": In(1),
                "good": In(1),
                "taken": In(8),
                "address": In(waiting.room_bits + waiting.place_bits),
                "data": Out(8),
                **outs,
                **bytes_,
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        waiting, bare = self.link.step, Kind.STEP.header_bytes + CRC_BYTES
        m.submodules.memory = memory = Memory(
            shape=8, depth=waiting.depth, init=[], attrs=UNCHECKED
        )
        writes, reads = memory.write_port(), memory.read_port()
        place = Signal(range(waiting.frame_bytes + 2))
        kind, roomy = Signal(4), Signal()
        room = Signal(8)
        m.d.comb += [
            self.limit.eq(self.taken + waiting.room),
            room.eq(self.limit - self.awaited),
            writes.addr.eq(Cat(place[: waiting.place_bits], self.awaited[: waiting.room_bits])),
            writes.data.eq(self.i.data),
            # What has no room at its beginning would overwrite one that waits.
            writes.en.eq(self.i.valid & (place < waiting.ends) & Mux(place == 0, room != 0, roomy)),
            reads.addr.eq(self.address),
            self.data.eq(reads.data),
        ]
        with m.If(self.ends):
            m.d.sync += place.eq(0)
        with m.Elif(self.i.valid):
            with m.If(place <= waiting.frame_bytes):
                m.d.sync += place.eq(place + 1)
            with m.Switch(place):
                with m.Case(0):
                    m.d.sync += [kind.eq(self.i.data[4:]), roomy.eq(room != 0)]
                for k, field in enumerate((self.number, self.reached, self.context), 1):
                    with m.Case(k):
                        m.d.sync += field.eq(self.i.data)
        self._judge(m, kind, place == bare, place == waiting.frame_bytes, roomy)
        return m

    def _judge(self, m: Module, kind: Any, is_bare: Any, is_full: Any, roomy: Any) -> None:
        fits = is_full & (self.context < self.link.identity.contexts)
        step = (kind == Kind.STEP) & fits
        resend = (kind == Kind.RESEND) & is_bare
        plain = ((kind == Kind.ACK) & is_bare) | resend
        opens = (kind == Kind.OPEN) & is_bare
        heard = self.opened & (step | plain)
        # Registers: a way from a CRC into every part of a core would be the slowest of all.
        whole = self.ends & self.good
        m.d.sync += [
            self.opens.eq(whole & opens),
            self.heard.eq(whole & heard),
            self.resends.eq(whole & heard & resend),
            self.refuses.eq(whole & ~opens & ~heard),
        ]
        with m.If(whole & opens):
            m.d.sync += [self.opened.eq(1), self.awaited.eq(0)]
        with m.Elif(whole & heard & step & roomy & (self.number == self.awaited)):
            m.d.sync += self.awaited.eq(self.awaited + 1)


class StepFeeder(wiring.Component):
    """Hands the timesteps that wait to the core.

    Members: awaited, In(8): the first number that does not wait; taken, Out(8): the first one that
        the core has not; address, Out; data, In(8): of the memory; o, Out(stream): to the core.
    Latency: two cycles for each byte of a timestep, header included, and one for each transfer.
    """

    def __init__(self, link: LinkPlan) -> None:
        self.link = link
        waiting = link.step
        super().__init__(
            {
                "awaited": In(8),
                "taken": Out(8),
                "address": Out(waiting.room_bits + waiting.place_bits),
                "data": In(8),
                "o": Out(stream(link.plan.input_port.transfer_bits, link.plan.tag)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        waiting = self.link.step
        size = waiting.vector.transfer_bytes
        place = Signal(waiting.place_bits)
        word = Signal(8 * size)
        left = Signal(range(size + 1), init=size)
        m.d.comb += [
            self.address.eq(Cat(place, self.taken[: waiting.room_bits])),
            self.o.data.eq(word),
        ]
        with m.FSM():
            with m.State("ASK"), m.If(self.taken != self.awaited):
                m.next = "TAKE"
            with m.State("TAKE"):
                m.d.sync += place.eq(place + 1)
                m.next = "ASK"
                with m.If(place == 0):
                    m.d.sync += [self.o.first.eq(self.data[0]), self.o.last.eq(self.data[1])]
                if "context" in self.link.plan.tag.flags:
                    with m.If(place == 3):
                        m.d.sync += self.o.context.eq(self.data)
                with m.If(place >= waiting.begins):
                    m.d.sync += [word.eq(Cat(word, self.data) >> 8), left.eq(left - 1)]
                    with m.If(left == 1):
                        m.next = "GIVE"
            with m.State("GIVE"):
                m.d.comb += self.o.valid.eq(1)
                with m.If(self.o.ready):
                    m.d.sync += left.eq(size)
                    m.next = "ASK"
                    with m.If(place == waiting.ends % (1 << waiting.place_bits)):
                        m.d.sync += [place.eq(0), self.taken.eq(self.taken + 1)]
        return m
