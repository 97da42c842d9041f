"""Where answers wait until the host has them."""

from amaranth import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out
from sylvan.hw.border import stream

from .plan import UNCHECKED, LinkPlan


class AnswerStore(wiring.Component):
    """Keeps answers as they lie in a frame, and says which of them is to be sent next.

    Members:
        i, In(stream): from the core.
        acknowledges, rewinds, In(1): the host awaits answer `reached`, In(8), and has all before
            it; and wants those from it on once more.
        some, Out(1): there is one to send, with `number`, Out(8); takes, In(1): it is being sent.
        address, In; data, Out(8): a byte of those that wait, a cycle later.
    Latency: `2 + transfer_bytes` for a first transfer, `1 + transfer_bytes` for the others; a cycle
        of rest between two answers.
    """

    def __init__(self, link: LinkPlan) -> None:
        self.link = link
        waiting = link.answer
        super().__init__(
            {
                "i": In(stream(link.plan.output_port.transfer_bits, link.plan.tag)),
                "acknowledges": In(1),
                "rewinds": In(1),
                "reached": In(8),
                "some": Out(1),
                "number": Out(8),
                "takes": In(1),
                "address": In(waiting.room_bits + waiting.place_bits),
                "data": Out(8),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        waiting = self.link.answer
        m.submodules.memory = memory = Memory(
            shape=8, depth=waiting.depth, init=[], attrs=UNCHECKED
        )
        writes, reads = memory.write_port(), memory.read_port()
        oldest, newest = Signal(8), Signal(8)
        place = Signal(range(waiting.ends + 1))
        size = waiting.vector.transfer_bytes
        word, left = Signal(8 * size), Signal(range(size + 1))
        m.d.comb += [
            writes.addr.eq(Cat(place[: waiting.place_bits], newest[: waiting.room_bits])),
            reads.addr.eq(self.address),
            self.data.eq(reads.data),
            self.some.eq(self.number != newest),
        ]
        count, roomy = Signal(8), Signal(init=1)
        m.d.comb += count.eq(newest - oldest)
        m.d.sync += roomy.eq(count != waiting.room)
        with m.FSM(init="FLAGS"):
            # A cycle after which `roomy` knows of the last answer; what it does not know yet of the
            # host's acknowledgements is room only.
            with m.State("COUNT"):
                m.next = "FLAGS"
            with m.State("FLAGS"):
                m.d.comb += writes.data.eq(Cat(self.i.first, self.i.last))
                # Where there is no room, this is the place of one that waits.
                with m.If(self.i.valid & roomy):
                    m.d.comb += writes.en.eq(1)
                    m.d.sync += place.eq(3)
                    m.next = "CONTEXT"
            with m.State("CONTEXT"):
                if "context" in self.link.plan.tag.flags:
                    m.d.comb += writes.data.eq(self.i.context)
                m.d.comb += writes.en.eq(1)
                m.d.sync += place.eq(waiting.begins)
                m.next = "TAKE"
            with m.State("TAKE"):
                m.d.comb += self.i.ready.eq(1)
                m.d.sync += [word.eq(self.i.data), left.eq(size)]
                with m.If(self.i.valid):
                    m.next = "WRITE"
            with m.State("WRITE"):
                m.d.comb += [writes.data.eq(word[:8]), writes.en.eq(1)]
                m.d.sync += [word.eq(word >> 8), left.eq(left - 1), place.eq(place + 1)]
                with m.If(left == 1):
                    m.next = "TAKE"
                    with m.If(place == waiting.ends - 1):
                        m.d.sync += [newest.eq(newest + 1), place.eq(0)]
                        m.next = "COUNT"
        behind = Signal(8)
        m.d.comb += behind.eq(self.number - self.reached)
        with m.If(self.takes):
            m.d.sync += self.number.eq(self.number + 1)
        with m.If(self.acknowledges):
            m.d.sync += oldest.eq(self.reached)
            with m.If(self.rewinds | behind[-1]):
                m.d.sync += self.number.eq(self.reached)
        return m
