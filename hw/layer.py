# amaranth: UnusedElaboratable=no
"""The plan of a layer, which becomes a core: parts, memories, and their times.

A core runs a timestep as up to two bodies: the step, which fires when the whole input is there,
and in the last layer, on timesteps that are read, the readout. Both are timetables, with memories
between them. Other layers hand a vector on at every timestep, to a memory of the next.
"""

from dataclasses import replace

from sylvan.model.program import Layer, Program

from .beats import Pattern, Tag
from .kept import MemoryPlan
from .lowering import Body
from .operators.base import Cost
from .operators.inputs import InputReader
from .operators.stored import Stored, picked_lanes
from .pace import (
    LEAST_SLOTS,
    Bodies,
    Handover,
    Leaving,
    Pace,
    find_answering,
    find_pace,
    readout_begins,
)
from .ports import flags_port, input_port, output_port
from .schedule import Schedule
from .timetable import Part, Timetable

MARGIN = 12
"""Cycles in which a vector that has passed is stored wherever it goes, the next layer has taken up
one that it was told of, or an answer is queued."""


def step_body(layer: Layer, schedule: Schedule, tag: Tag) -> Body:
    """The body of a layer's step: it makes what states become, and what is handed on."""
    states = [state.value for state in layer.states]
    values = {v.name: v for v in [*(n.result for n in layer.body), *states, layer.input]}
    made = dict.fromkeys([*(s.next for s in layer.states), layer.output.name])
    sinks = [values[name] for name in made]
    return Body(layer.body, [*states, layer.input], sinks, schedule, tag)


class LayerPlan:
    """A layer under a schedule.

    Parameters: program; number of the layer; body of its step; before, the plan of the layer that
        it follows.

    Attributes:
        step, readout: timetables of the two bodies; a readout in the last layer only.
        answer: the part that makes the answer, or the vector handed on.
        answers_every: whether there is one for every timestep.
        memories: vectors kept between bodies.
        received: the memory of vectors handed on by the layer before.
        release: cycle of the step in which the input is taken over from where it was collected.
        readout_begins: cycle of the step that is cycle 0 of the readout.
        least_pace: how closely timesteps could follow each other.
        pace, leaving, receives: how closely they do, how vectors leave, and how they come from the
            layer before.
    """

    _written: dict[str, Part]
    pace: Pace
    leaving: Leaving
    receives: Handover | None

    def __init__(
        self, program: Program, number: int, body: Body, before: "LayerPlan | None"
    ) -> None:
        self.program = program
        self.layer = program.layers[number]
        self.schedule, self.tag = body.schedule, body.tag
        self.names: set[str] = set()
        every = program.readout.read == "every"
        last = number == len(program.layers) - 1
        self.answers_every = every or not last
        self.input_port = flags_port(self.layer.input) if before else input_port(program)
        self.output_port = output_port(program)
        self.step = self._plan_step(body, before)
        self.answer = self._written[self.layer.output.name]
        self.readout = self._plan_readout(every) if last else None
        self._plan_memories(every)
        self.received = self._plan_received(before) if before else None
        taken = [p.begins for p in self.step.parts if isinstance(p.operator, InputReader)]
        self.release = max(taken, default=0)
        bodies = Bodies(self.step, self.memories, self.readout)
        self.readout_begins = readout_begins(bodies)
        contexts = self.schedule.contexts
        self.least_pace = find_pace(bodies, self.release, self.input_port, every, contexts)

    def _plan_step(self, body: Body, before: "LayerPlan | None") -> Timetable:
        contexts, layer = self.schedule.contexts, self.layer
        stored = {
            state.value.name: Stored(body.order(state.value), state.value.format, contexts)
            for state in layer.states
        }
        for state in layer.states:
            if state.next != layer.output.name and body.stays_single(state.value, state.next):
                order = Pattern(state.value.size, 1)
                stored[state.value.name] = replace(stored[state.value.name], written=order)
        collected = None if before else layer.input
        if before:
            handed = self._words(before.answer.pattern)
            stored[layer.input.name] = Stored(handed, layer.input.format, LEAST_SLOTS)
        step = Timetable(body, stored, collected, self.names)
        self._written = {value.name: step.kept(value) for value in body.sinks}
        latest = None
        if contexts > 1:
            intervals = [part.interval for part in step.parts]
            latest = max(self.input_port.transfers, *intervals) - 1
        step.settle(list(self._written.values()), latest)
        return step

    def _plan_readout(self, every: bool) -> Timetable:
        """The readout's timetable; the answer is now what it makes."""
        schedule, handed_on, output = self.schedule, self.layer.output, self.program.output
        written = self._words(self._written[handed_on.name].pattern)
        words = schedule
        if written.digit or (not every and schedule.lanes > picked_lanes(written)):
            # Its cycles count for what is read alone, its products always.
            lanes, roms = picked_lanes(written), schedule.logic_roms
            words = Schedule(lanes, logic_roms=roms, dsps=schedule.dsps)
        body = Body(self.program.readout.body, [handed_on], [output], words, self.tag)
        kept = {handed_on.name: Stored(written, handed_on.format, schedule.contexts)}
        readout = Timetable(body, kept, None, self.names)
        self.answer = readout.demand(output, Pattern(output.size, 1, body.dwell(output)))
        readout.settle([self.answer])
        return readout

    def _plan_memories(self, every: bool) -> None:
        """One memory per state; the value handed on shares that of a state that becomes it."""
        # Where every step of many contexts is read, a port would have to serve two at once.
        kept = self.tag, every and self.schedule.contexts > 1
        handed_on = self.layer.output
        read = self.readout.parts if self.readout else []
        unserved = [part for part in read if part.memory]
        self.memories: list[MemoryPlan] = []
        for state in self.layer.states:
            readers = [part for part in self.step.parts if part.memory == state.value.name]
            serves = unserved if state.next == handed_on.name else []
            unserved = [] if serves else unserved
            written = self._written[state.next]
            self.memories.append(
                MemoryPlan(
                    f"{state.value.name}_memory",
                    *kept,
                    state.value,
                    self.step.memories[state.value.name].written.lanes,
                    written,
                    state.initial,
                    readers,
                    serves,
                    saved=self.schedule.state_port,
                )
            )
        if unserved:
            written = self._written[handed_on.name]
            name = f"{handed_on.name}_kept"
            lanes = self._words(written.pattern).lanes
            self.memories.append(
                MemoryPlan(name, *kept, handed_on, lanes, written, None, [], unserved)
            )
        for memory in self.memories:
            memory.writes = memory.written.time
            # A word is written after its last read in the same step, if need be by waiting, or on
            # the other side.
            wait = max(
                (
                    last - write + 1
                    for reader in memory.step_readers
                    for write, _, last in memory.accesses(reader)
                ),
                default=0,
            )
            if wait > 0 and self.tag.sides > 1:
                memory.sides = 2
            else:
                memory.written = self.step.later(memory.written, memory.writes + max(wait, 0))
                memory.writes = memory.written.time

    def _words(self, written: Pattern) -> Pattern:
        """The order in which what a step writes is kept: on all lanes, even if it has one."""
        lanes = self.schedule.over(written.size)
        return written if written.lanes == lanes else Pattern(written.size, lanes)

    def _plan_received(self, before: "LayerPlan") -> MemoryPlan:
        """The memory that the layer before writes; each of its readers has a copy."""
        value = self.layer.input
        tag = Tag(self.tag.period, self.tag.contexts, LEAST_SLOTS)
        readers = [part for part in self.step.parts if part.memory == value.name]
        made = before.answer
        lanes = self._words(made.pattern).lanes
        memory = MemoryPlan("input_memory", tag, True, value, lanes, made, None, readers, [])
        memory.writes = made.time
        return memory

    def keep_pace(self, pace: Pace, receives: Handover | None, hands_on: Handover | None) -> None:
        """Settle on the pace of all layers, and on what is told to those before and after."""
        self.pace, self.receives = pace, receives
        self.leaving = hands_on or find_answering(
            self.answer, self.readout_begins, self.output_port, pace
        )
        if self.received and receives:
            self.received.tag = Tag(self.tag.period, self.tag.contexts, receives.room)

    @property
    def hands_on(self) -> Handover | None:
        """How vectors leave for the next layer, where there is one."""
        return self.leaving if isinstance(self.leaving, Handover) else None

    @property
    def answer_interval(self) -> int:
        """Least distance of two timesteps that are answered, or whose vector is handed on."""
        return self.pace.interval if self.hands_on else self.pace.closing_interval

    @property
    def answers(self) -> int:
        """Whole answers, or vectors handed on, that there is room for."""
        return self.leaving.room

    @property
    def queue_depth(self) -> int:
        """Elements that the output queue holds."""
        return self.answers * self.output_port.transfers

    @property
    def moments(self) -> set[int]:
        """Cycles of the step in which something is told at a border."""
        told = {self.release}
        if self.receives:
            told.add(self.receives.freed)
        if self.hands_on:
            told.add(self.hands_on.announced)
        return told

    @property
    def quiet_cycles(self) -> int:
        """Cycles after a step fired when it and its readout are over, its vector is the next
        layer's, and its context has rested.

        A few more than the timetables say: what they make is stored a little later.
        """
        readout = self.readout_begins + self.readout.ends if self.readout else 0
        return MARGIN + max(self.step.ends, readout, self.pace.rest, *self.moments)

    @property
    def state_memories(self) -> list[MemoryPlan]:
        """The memories of the states, in their order."""
        return self.memories[: len(self.layer.states)]

    @property
    def parts(self) -> list[Part]:
        """The parts of both bodies."""
        return self.step.parts + (self.readout.parts if self.readout else [])

    @property
    def all_memories(self) -> list[MemoryPlan]:
        """Those of vectors kept between bodies, and that of the vectors handed on to the layer."""
        return self.memories + ([self.received] if self.received else [])

    @property
    def cost(self) -> dict[str, Cost]:
        """Cost by name of part or memory."""
        operators = {p.name: p.operator for p in self.parts if p.operator is not None}
        costs = {name: made.cost + made.timing_cost for name, made in operators.items()}
        for memory in self.all_memories:
            for copy in range(memory.copies):
                component = memory.component(copy)
                costs[f"{memory.name}{copy or ''}"] = component.cost
        return costs
