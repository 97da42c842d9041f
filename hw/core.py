"""A program as hardware: streams at the borders, the plan's timetable inside."""

from typing import Any

from amaranth import Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.fifo import SyncFIFOBuffered
from amaranth.lib.wiring import In, Out

from .beats import Beats, Strobe, shape_of
from .operators.addresses import Addresses
from .operators.base import connect_strobe, delay_strobe
from .operators.delay import successor
from .operators.inputs import InputReader
from .plan import Plan
from .timetable import Part, Timetable


class Transfer(data.StructLayout):
    """A transfer of the core's streams: elements, the first one lowest, and the step's flags."""

    def __init__(self, bits: int) -> None:
        super().__init__({"data": bits, "first": 1, "last": 1})


def stream(bits: int) -> wiring.Signature:
    """A stream of the core's border with the handshake of Amaranth's streams."""
    return wiring.Signature(
        {"valid": Out(1), "ready": In(1), "data": Out(bits), "first": Out(1), "last": Out(1)}
    )


class Collector(wiring.Component):
    """Gathers the transfers of one timestep's input.

    Members: i, In(stream); full, Out(1); take, In(1): empties it; vector, Out: the elements, and
    first, last, Out(1): the flags, while full. Latency: 1 from the last transfer to full.
    """

    def __init__(self, plan: Plan) -> None:
        self.port = plan.input_port
        size = self.port.value.size
        layout = data.ArrayLayout(shape_of(self.port.value.format), size)
        super().__init__(
            {
                "i": In(stream(self.port.per_transfer * self.port.element_bits)),
                "take": In(1),
                "full": Out(1),
                "vector": Out(layout),
                "first": Out(1),
                "last": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        bits = len(self.i.data)
        held = Signal(bits * self.port.transfers, reset_less=True)
        flags = Signal(2, reset_less=True)
        m.d.comb += [
            self.i.ready.eq(~self.full),
            Value.cast(self.vector).eq(held),
            self.first.eq(flags[0]),
            self.last.eq(flags[1]),
        ]
        completes: Any = 1
        if self.port.transfers > 1:
            count = Signal(range(self.port.transfers))
            completes = count == self.port.transfers - 1
        with m.If(self.take):
            m.d.sync += self.full.eq(0)
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += [
                flags[0].eq(self.i.first),
                flags[1].eq(self.i.last),
                held.eq((held >> bits) | (self.i.data << (len(held) - bits))),
                self.full.eq(completes),
            ]
            if self.port.transfers > 1:
                m.d.sync += count.eq(successor(count, self.port.transfers))
        return m


class Sequencer(wiring.Component):
    """Fires the steps: input collected, the plan's distance kept, room for the answer.

    Members: full, first, last, In(1): the collector's; answered, In(1): an answer has left;
        step, readout, Out(Strobe): cycle 0 of the bodies.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        period = plan.program.period
        super().__init__(
            {
                "full": In(1),
                "first": In(1),
                "last": In(1),
                "answered": In(1),
                "step": Out(Strobe(period)),
                "readout": Out(Strobe(period)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        plan, period = self.plan, self.plan.program.period
        every = plan.program.readout.read == "every"
        room = Signal(range(plan.answers + 1), init=plan.answers)
        wait = Signal(range(max(plan.closing_cycles, 2)))
        fresh = Signal(init=1)
        phase, following = Signal(range(max(period, 2))), Signal(range(max(period, 2)))
        fire, reads, begins_anew = Signal(), Signal(), Signal()
        m.d.comb += [
            reads.eq(1 if every else self.last),
            fire.eq(self.full & (wait == 0) & (~reads | (room != 0))),
            begins_anew.eq(self.first | fresh),
            phase.eq(Mux(begins_anew, 0, following)),
        ]
        with m.If(wait != 0):
            m.d.sync += wait.eq(wait - 1)
        m.d.sync += self.step.start.eq(fire)
        with m.If(fire):
            closing = Mux(reads, plan.closing_cycles - 1, plan.cycles_per_step - 1)
            m.d.sync += [
                wait.eq(closing),
                fresh.eq(0),
                following.eq(successor(phase, period)),
                self.step.tag.phase.eq(phase),
                self.step.tag.init.eq(begins_anew),
                self.step.tag.first.eq(self.first),
                self.step.tag.last.eq(self.last),
            ]
        m.d.sync += room.eq(room - (fire & reads) + self.answered)
        self._begin_readout(m, every)
        return m

    def _begin_readout(self, m: Module, every: bool) -> None:
        """The readout's strobe; its reads of the state never mean the initial one."""
        gated = Strobe(self.plan.program.period).create()
        m.d.comb += [
            gated.start.eq(self.step.start if every else self.step.start & self.step.tag.last),
            gated.tag.eq(self.step.tag),
            gated.tag.init.eq(0),
        ]
        later = delay_strobe(
            m, "readout_timing", gated, self.plan.readout_begins, self.plan.closing_cycles
        )
        connect_strobe(m, later, self.readout)


class AnswerQueue(wiring.Component):
    """Holds answers until they are taken, one element per transfer.

    Members: i, In(Beats): the answer as the plan's pattern has it; o, Out(stream); answered,
        Out(1): the last element of an answer leaves.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        super().__init__(
            {
                "i": In(Beats(1, plan.output_port.value.format, plan.program.period)),
                "o": Out(stream(plan.output_port.element_bits)),
                "answered": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        plan = self.plan
        transfer = Transfer(plan.output_port.element_bits)
        fifo = SyncFIFOBuffered(width=transfer.size, depth=plan.queue_depth)
        m.submodules.fifo = fifo
        m.submodules.elements = elements = Addresses(plan.answer.pattern)
        entering, leaving = Signal(transfer), data.View(transfer, fifo.r_data)
        m.d.comb += [
            elements.start.eq(self.i.start),
            entering.data.eq(self.i.lanes[0]),
            entering.first.eq(self.i.tag.first),
            entering.last.eq(self.i.tag.last),
            fifo.w_data.eq(entering),
            fifo.w_en.eq(elements.enters),
            self.o.valid.eq(fifo.r_rdy),
            self.o.data.eq(leaving.data),
            self.o.first.eq(leaving.first),
            self.o.last.eq(leaving.last),
            fifo.r_en.eq(self.o.ready),
        ]
        element = Signal(range(max(plan.output_port.transfers, 2)))
        with m.If(self.o.valid & self.o.ready):
            m.d.sync += element.eq(successor(element, plan.output_port.transfers))
            m.d.comb += self.answered.eq(element == plan.output_port.transfers - 1)
        return m


class Core(wiring.Component):
    """The hardware of a plan.

    Members: i, In(stream): the input of a timestep in `plan.input_port.transfers` transfers;
        o, Out(stream): the answer, an element per transfer.
    Reset, at any moment, forgets everything: the state starts anew with the next timestep.
    Latency and interval: the plan's.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        port = plan.input_port
        super().__init__(
            {
                "i": In(stream(port.per_transfer * port.element_bits)),
                "o": Out(stream(plan.output_port.element_bits)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        plan = self.plan
        m.submodules.collector = collector = Collector(plan)
        m.submodules.sequencer = sequencer = Sequencer(plan)
        m.submodules.answers = answers = AnswerQueue(plan)
        wiring.connect(m, wiring.flipped(self.i), collector.i)
        wiring.connect(m, answers.o, wiring.flipped(self.o))
        m.d.comb += [
            sequencer.full.eq(collector.full),
            sequencer.first.eq(collector.first),
            sequencer.last.eq(collector.last),
            sequencer.answered.eq(answers.answered),
        ]
        ports: dict[Any, Any] = {}
        self._place_operators(m, ports)
        self._place_memories(m, ports)
        step = self._strobes(m, "step", sequencer.step, plan.step, plan.cycles_per_step)
        readout = self._strobes(m, "readout", sequencer.readout, plan.readout, plan.closing_cycles)
        m.d.comb += collector.take.eq(step[plan.release].start)
        for table, strobes in ((plan.step, step), (plan.readout, readout)):
            for part in table.parts:
                self._connect(m, part, ports, strobes, collector)
        for memory in plan.memories:
            for copy in range(memory.copies):
                _pass(m, ports[memory.written.name], ports[memory.name, copy].write)
        _pass(m, ports[plan.answer.name], answers.i)
        return m

    def _place_operators(self, m: Module, ports: dict[Any, Any]) -> None:
        for part in self.plan.parts:
            if part.operator is not None:
                m.submodules[part.name] = part.operator
                ports[part.name] = part.operator.o

    def _place_memories(self, m: Module, ports: dict[Any, Any]) -> None:
        """Memories, and their read ports under the names of the parts that read them."""
        for memory in self.plan.memories:
            for copy in range(memory.copies):
                component = memory.component(copy, self.plan.program.period)
                m.submodules[f"{memory.name}{copy or ''}"] = component
                ports[memory.name, copy] = component
                for k, part in enumerate(memory.readers(copy)):
                    ports[part.name] = getattr(component, f"out{k}")
                    ports[part.name, "strobe"] = getattr(component, f"read{k}")

    def _strobes(
        self, m: Module, name: str, root: Any, table: Timetable, interval: int
    ) -> dict[int, Any]:
        """A strobe for every cycle in which a source begins, each made from the one before."""
        moments = {p.begins for p in table.parts if not p.operands} | {0}
        if table is self.plan.step:
            moments.add(self.plan.release)
        strobes = {0: root}
        latest = 0
        for moment in sorted(moments - {0}):
            strobes[moment] = delay_strobe(
                m, f"{name}_{moment}", strobes[latest], moment - latest, interval
            )
            latest = moment
        return strobes

    def _connect(
        self, m: Module, part: Part, ports: dict[Any, Any], strobes: dict[int, Any], collector: Any
    ) -> None:
        """Feed a part its operands, or the strobe it begins with."""
        if part.operator is None:
            connect_strobe(m, strobes[part.begins], ports[part.name, "strobe"])
        elif isinstance(part.operator, InputReader):
            connect_strobe(m, strobes[part.begins], part.operator.i)
            m.d.comb += part.operator.vector.eq(collector.vector)
        elif not part.operands:
            connect_strobe(m, strobes[part.begins], part.operator.i)
        else:
            for name, operand in zip(part.operator.operands, part.operands, strict=True):
                _pass(m, ports[operand.name], getattr(part.operator, name))


def _pass(m: Module, source: Any, target: Any) -> None:
    """Hand a vector on; the target's format may be the narrower of two that both hold it."""
    connect_strobe(m, source, target)
    m.d.comb += [out.eq(lane) for out, lane in zip(target.lanes, source.lanes, strict=True)]
