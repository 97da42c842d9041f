"""The borders of a core: where timesteps come in whole, and answers go out one by one."""

from typing import Any

from amaranth import Module, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.fifo import SyncFIFOBuffered
from amaranth.lib.wiring import In, Out

from .beats import Beats, Tag, shape_of
from .layer import LayerPlan
from .operators.addresses import Addresses
from .operators.delay import successor


class Transfer(data.StructLayout):
    """A transfer of the core's streams: elements, the first one lowest, and the step's flags."""

    def __init__(self, bits: int, tag: Tag) -> None:
        super().__init__({"data": bits, **tag.flags})


def stream(bits: int, tag: Tag) -> wiring.Signature:
    """A stream of the core's border with the handshake of Amaranth's streams."""
    flags = {name: Out(shape) for name, shape in tag.flags.items()}
    return wiring.Signature({"valid": Out(1), "ready": In(1), "data": Out(bits), **flags})


class Collector(wiring.Component):
    """Gathers the transfers of one timestep's input, of a core with one context.

    Members: i, In(stream); full, Out(1), with flags, Out: those of the last transfer, and vector,
    Out: the elements; take, In(1): empties it. Latency: 1 from the last transfer to full.
    """

    def __init__(self, plan: LayerPlan) -> None:
        self.port = plan.input_port
        self.tag = plan.tag
        size = self.port.value.size
        layout = data.ArrayLayout(shape_of(self.port.value.format), size)
        super().__init__(
            {
                "i": In(stream(self.port.transfer_bits, self.tag)),
                "take": In(1),
                "full": Out(1),
                "vector": Out(layout),
                "flags": Out(data.StructLayout(self.tag.flags)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        bits = len(self.i.data)
        held = Signal(bits * self.port.transfers, reset_less=True)
        flags = Signal.like(self.flags, reset_less=True)
        m.d.comb += [
            self.i.ready.eq(~self.full),
            Value.cast(self.vector).eq(held),
            self.flags.eq(flags),
        ]
        completes: Any = 1
        if self.port.transfers > 1:
            count = Signal(range(self.port.transfers))
            completes = count == self.port.transfers - 1
        with m.If(self.take):
            m.d.sync += self.full.eq(0)
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += [
                *(flags[name].eq(getattr(self.i, name)) for name in self.tag.flags),
                held.eq((held >> bits) | (self.i.data << (len(held) - bits))),
                self.full.eq(completes),
            ]
            if self.port.transfers > 1:
                m.d.sync += count.eq(successor(count, self.port.transfers))
        return m


def fifo_depth(elements: int) -> int:
    """Depth of a SyncFIFOBuffered that takes a write whenever it holds fewer than `elements`.

    Behind its output register lie `depth - 1` words, which fill and pass on in one cycle. While
    the register is empty at most one of them is occupied, and that one refuses the next write only
    where it is all there is: at depth 2. Without words of its own, at depth 1, the queue is the
    register alone.
    """
    return 3 if elements == 2 else elements


class AnswerQueue(wiring.Component):
    """Holds answers until they are taken, one element per transfer.

    It is never asked to refuse: the sequencer fires a step that is read only where there is room
    for its whole answer.

    Members: i, In(Beats): the answer as the plan's pattern has it; o, Out(stream); answered,
        Out(1): the last element of an answer left a cycle ago.
    """

    def __init__(self, plan: LayerPlan) -> None:
        self.plan = plan
        super().__init__(
            {
                "i": In(Beats(1, plan.output_port.value.format, plan.tag)),
                "o": Out(stream(plan.output_port.element_bits, plan.tag)),
                "answered": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        plan = self.plan
        transfer = Transfer(plan.output_port.element_bits, plan.tag)
        fifo = SyncFIFOBuffered(width=transfer.size, depth=fifo_depth(plan.queue_depth))
        m.submodules.fifo = fifo
        m.submodules.elements = elements = Addresses(plan.answer.pattern)
        entering, leaving = Signal(transfer, reset_less=True), data.View(transfer, fifo.r_data)
        enters = Signal()
        m.d.sync += [
            enters.eq(elements.enters),
            entering.data.eq(self.i.lanes[0]),
            *(entering[name].eq(self.i.tag[name]) for name in plan.tag.flags),
        ]
        m.d.comb += [
            elements.start.eq(self.i.start),
            fifo.w_data.eq(entering),
            fifo.w_en.eq(enters),
            self.o.valid.eq(fifo.r_rdy),
            self.o.data.eq(leaving.data),
            *(getattr(self.o, name).eq(leaving[name]) for name in plan.tag.flags),
            fifo.r_en.eq(self.o.ready),
        ]
        element = Signal(range(max(plan.output_port.transfers, 2)))
        m.d.sync += self.answered.eq(0)
        with m.If(self.o.valid & self.o.ready):
            m.d.sync += [
                element.eq(successor(element, plan.output_port.transfers)),
                self.answered.eq(element == plan.output_port.transfers - 1),
            ]
        return m
