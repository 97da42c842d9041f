# amaranth: UnusedElaboratable=no
"""Where layers meet: vectors that one layer hands on wait in a memory until the next has read them.

A step that has fired passes its vector without a stall. So it fires only where the memory has room,
and tells the next layer of its vector as soon as that can no longer overtake it.
"""

from typing import Any

from amaranth import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.fifo import SyncFIFOBuffered
from amaranth.lib.wiring import In, Out
from sylvan.model.numbers import Format

from .beats import Beats, Pattern, Strobe, Tag, wires
from .border import Transfer, fifo_depth, stream
from .layer import LayerPlan
from .operators.base import connect_strobe, delay_strobe
from .operators.delay import successor


class Link(wiring.Signature):
    """Between two cores: vector, which passes when it is made; announced, for the next core to
    begin; freed, in return: a vector has been read."""

    def __init__(self, pattern: Pattern, format: Format, tag: Tag) -> None:
        self.vector = Beats(pattern.lanes, format, tag, pattern.digit, pattern.settles > 0)
        super().__init__(
            {
                "vector": Out(self.vector),
                "announced": Out(Strobe(tag)),
                "freed": In(1),
            }
        )


class Announcer(wiring.Component):
    """Hands vectors on to the next layer as they are made: the sequencer saw that there is room.

    Members: i, In(Beats): the vector; announces, In(Strobe): it is to be told of; o, Out(Link);
        answered, Out(1): a vector has been read.
    """

    def __init__(self, plan: LayerPlan) -> None:
        link = Link(plan.answer.pattern, plan.layer.output.format, plan.tag)
        super().__init__(
            {
                "i": In(link.vector),
                "announces": In(Strobe(plan.tag)),
                "o": Out(link),
                "answered": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        connect_strobe(m, self.i, self.o.vector)
        connect_strobe(m, self.announces, self.o.announced)
        m.d.comb += [
            *(a.eq(b) for a, b in zip(wires(self.o.vector), wires(self.i), strict=True)),
            self.answered.eq(self.o.freed),
        ]
        return m


class InputMemory(wiring.Component):
    """Keeps the vectors that the layer before hands on, and tells of each in a stream of flags.

    Members: i, In(Link); o, Out(stream): the flags of a vector that a step may read; read<k>,
        In(Strobe) and out<k>, Out(Beats) for each part that reads; done, In(1): its place is free.
    Vectors take the places in turn, and so does every reader: it reads each vector once.
    Latency: `TOLD` from the announcement to the stream, the queue being empty; that of the memory.
    """

    def __init__(self, plan: LayerPlan) -> None:
        assert plan.received is not None
        self.received, self.tag = plan.received, plan.tag
        format = self.received.value.format
        members: dict[str, Any] = {
            "i": In(Link(self.received.written.pattern, format, self.tag)),
            "o": Out(stream(0, self.tag)),
            "done": In(1),
        }
        for k, part in enumerate(self.received.step_readers):
            members[f"read{k}"] = In(Strobe(self.tag))
            members[f"out{k}"] = Out(
                Beats(part.pattern.lanes, format, self.tag, part.pattern.digit)
            )
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.comb += self.i.freed.eq(self.done)
        self._tell(m)
        for k, part in enumerate(self.received.step_readers):
            m.submodules[f"copy{k}"] = memory = self.received.component(k)
            vector, reads = self.i.vector, getattr(self, f"read{k}")
            m.d.comb += [
                memory.write.start.eq(vector.start),
                memory.write.tag.slot.eq(self._in_turn(m, f"written{k}", vector.start)),
                *(a.eq(b) for a, b in zip(wires(memory.write), wires(vector), strict=True)),
                memory.read0.start.eq(reads.start),
                memory.read0.tag.slot.eq(self._in_turn(m, f"reading{k}", reads.start)),
            ]
            out = getattr(self, f"out{k}")
            latency = memory.latency(part.pattern)
            connect_strobe(m, delay_strobe(m, f"timing{k}", reads, latency, part.interval), out)
            m.d.comb += [a.eq(b) for a, b in zip(wires(out), wires(memory.out0), strict=True)]
        return m

    def _tell(self, m: Module) -> None:
        """A vector's flags wait until the step of the one before has fired."""
        transfer = Transfer(0, self.tag)
        depth = fifo_depth(self.received.tag.kept)
        m.submodules.flags = fifo = SyncFIFOBuffered(width=transfer.size, depth=depth)
        entering, leaving = Signal(transfer), transfer(fifo.r_data)
        m.d.comb += [
            *(entering[name].eq(self.i.announced.tag[name]) for name in self.tag.flags),
            fifo.w_data.eq(entering),
            fifo.w_en.eq(self.i.announced.start),
            self.o.valid.eq(fifo.r_rdy),
            *(getattr(self.o, name).eq(leaving[name]) for name in self.tag.flags),
            fifo.r_en.eq(self.o.ready),
        ]

    def _in_turn(self, m: Module, name: str, start: Any) -> Any:
        """The place of the vector that starts now, and stays until the next one does."""
        slots = self.received.tag.kept
        latest = Signal(range(slots), name=name, init=slots - 1)
        place = Mux(start, successor(latest, slots), latest)
        m.d.sync += latest.eq(place)
        return place
