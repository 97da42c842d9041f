"""A layer as hardware: streams at the borders, the plan's timetable inside."""

from typing import Any

from amaranth import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .beats import wires
from .border import AnswerQueue, Collector, stream
from .contexts import ContextQueue
from .handover import Announcer, InputMemory, Link
from .layer import LayerPlan
from .operators.base import connect_strobe, delay_strobe
from .operators.inputs import InputReader
from .sequencer import Sequencer
from .state_link import StateLink
from .timetable import Part, Timetable


class Core(wiring.Component):
    """The hardware of a layer's plan.

    Members: i, In(stream): the input of a timestep in `plan.input_port.transfers` transfers;
        o, Out(stream): the answer, an element per transfer. Where layers meet it is a Link;
        state, In(StateLink), where the schedule has a state port.
    Reset, at any moment, forgets everything: the state starts anew with the next timestep.
    Latency and interval: the plan's.
    """

    def __init__(self, plan: LayerPlan) -> None:
        self.plan = plan
        i = stream(plan.input_port.transfer_bits, plan.tag)
        o = stream(plan.output_port.element_bits, plan.tag)
        if plan.received:
            i = Link(plan.received.written.pattern, plan.layer.input.format, plan.tag)
        if plan.hands_on:
            o = Link(plan.answer.pattern, plan.layer.output.format, plan.tag)
        members = {"i": In(i), "o": Out(o)}
        if plan.schedule.state_port:
            members["state"] = In(StateLink(plan))
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        plan = self.plan
        several = plan.tag.contexts > 1
        ports: dict[Any, Any] = {}
        m.submodules.collector = collector = (ContextQueue if several else Collector)(plan)
        m.submodules.sequencer = sequencer = Sequencer(plan)
        m.submodules.answers = answers = (AnswerQueue if plan.readout else Announcer)(plan)
        arriving = self._place_received(m, ports) if plan.received else wiring.flipped(self.i)
        wiring.connect(m, arriving, collector.i)
        self._hand_out(m, answers.o)
        m.d.comb += [
            sequencer.full.eq(collector.full),
            sequencer.flags.eq(collector.flags),
            sequencer.answered.eq(answers.answered),
        ]
        self._place_operators(m, ports)
        self._place_memories(m, ports)
        if plan.schedule.state_port:
            self._link_state(m, ports, collector, sequencer)
        pace = plan.pace
        step = self._strobes(m, "step", sequencer.step, plan.step, pace.interval)
        bodies = [(plan.step, step)]
        if plan.readout:
            closing = pace.closing_interval
            readout = self._strobes(m, "readout", sequencer.readout, plan.readout, closing)
            bodies.append((plan.readout, readout))
        if several:
            m.d.comb += collector.fires.eq(sequencer.fires)
            connect_strobe(m, sequencer.rested, collector.rested)
        else:
            m.d.comb += collector.take.eq(step[plan.release].start)
        for table, strobes in bodies:
            for part in table.parts:
                self._connect(m, part, ports, strobes, collector)
        for memory in plan.memories:
            for copy in range(memory.copies):
                _pass(m, ports[memory.written.name], ports[memory.name, copy].write)
        _pass(m, ports[plan.answer.name], answers.i)
        if plan.receives:
            m.d.comb += ports["received"].done.eq(step[plan.receives.freed].start)
        if plan.hands_on:
            connect_strobe(m, step[plan.hands_on.announced], answers.announces)
        return m

    def _place_received(self, m: Module, ports: dict[Any, Any]) -> Any:
        """The memory of what the layer before hands on; the stream that tells of it."""
        m.submodules.input_memory = ports["received"] = memory = InputMemory(self.plan)
        wiring.connect(m, wiring.flipped(self.i), memory.i)
        assert self.plan.received is not None
        for k, part in enumerate(self.plan.received.step_readers):
            ports[part.name] = getattr(memory, f"out{k}")
            ports[part.name, "strobe"] = getattr(memory, f"read{k}")
        return memory.o

    def _hand_out(self, m: Module, o: Any) -> None:
        """What leaves; of answers inside a stack each part by itself.

        They are slices of one word, which would leave the module without a name. The idle `or`
        makes a signal of each; it is gone from the Verilog.
        """
        inside = self.plan.received is not None or self.plan.schedule.state_port
        if self.plan.hands_on or not inside:
            wiring.connect(m, o, wiring.flipped(self.o))
            return
        m.d.comb += [o.ready.eq(self.o.ready), self.o.valid.eq(o.valid)]
        for name in ("data", *self.plan.tag.flags):
            m.d.comb += getattr(self.o, name).eq(getattr(o, name) | 0)

    def _place_operators(self, m: Module, ports: dict[Any, Any]) -> None:
        for part in self.plan.parts:
            if part.operator is not None:
                m.submodules[part.name] = part.operator
                ports[part.name] = part.operator.o

    def _place_memories(self, m: Module, ports: dict[Any, Any]) -> None:
        """Memories, and their read ports under the names of the parts that read them."""
        for memory in self.plan.memories:
            for copy in range(memory.copies):
                component = memory.component(copy)
                m.submodules[f"{memory.name}{copy or ''}"] = component
                ports[memory.name, copy] = component
                for k, part in enumerate(memory.readers(copy)):
                    ports[part.name] = getattr(component, f"out{k}")
                    ports[part.name, "strobe"] = getattr(component, f"read{k}")

    def _link_state(self, m: Module, ports: dict[Any, Any], collector: Any, sequencer: Any) -> None:
        """What the state port asks for, of every copy of a state's memory."""
        link = self.state
        wiring.connect(m, wiring.flipped(link.own), sequencer.state)
        several = self.plan.tag.contexts > 1
        m.d.comb += [
            link.collected.eq(collector.collected if several else collector.full),
            link.fires.eq(sequencer.fires),
        ]
        for k, memory in enumerate(self.plan.state_memories):
            own = getattr(link, f"element{k}")
            for copy in range(memory.copies):
                element = ports[memory.name, copy].element
                asked = [name for name in element.signature.members if name != "found"]
                m.d.comb += [getattr(element, name).eq(getattr(own, name)) for name in asked]
            m.d.comb += own.found.eq(ports[memory.name, 0].element.found)

    def _strobes(
        self, m: Module, name: str, root: Any, table: Timetable, interval: int
    ) -> dict[int, Any]:
        """A strobe for every cycle in which a source begins, each made from the one before."""
        moments = {p.begins for p in table.parts if not p.operands} | {0}
        if table is self.plan.step:
            moments |= self.plan.moments
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
        elif not part.operands:
            connect_strobe(m, strobes[part.begins], part.operator.i)
            if isinstance(part.operator, InputReader):
                m.d.comb += part.operator.vector.eq(collector.vector)
        else:
            for name, operand in zip(part.operator.operands, part.operands, strict=True):
                _pass(m, ports[operand.name], getattr(part.operator, name))


def _pass(m: Module, source: Any, target: Any) -> None:
    """Hand a vector on; the target's format may be the narrower of two that both hold it."""
    connect_strobe(m, source, target)
    m.d.comb += [out.eq(wire) for out, wire in zip(wires(target), wires(source), strict=True)]
