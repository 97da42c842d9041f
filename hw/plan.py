# amaranth: UnusedElaboratable=no
"""The plan: program + schedule, with every cycle accounted for before any RTL exists.

A core runs a timestep as up to two bodies: the step, which fires when the whole input is there,
and on timesteps that are read the readout. Both are timetables, with memories between them.
"""

from typing import Any

from sylvan.model.errors import UserError
from sylvan.model.program import Program

from .beats import Pattern, Tag, shape_of
from .floor import floor_adder_bits
from .kept import MemoryPlan
from .lowering import Body
from .operators.base import Cost
from .operators.memory import Stored, picked_lanes
from .pace import Bodies, find_pace
from .ports import input_port, output_port, state_image
from .schedule import DEFAULT_LANES, Schedule
from .timetable import Part, Timetable

MARGIN = 12
"""Cycles in which a vector that has passed is stored wherever it goes, or an answer is queued."""


def widest(program: Program) -> int:
    """Elements of the widest vector: as many lanes as can be of use."""
    states = [state.value for layer in program.layers for state in layer.states]
    values = [program.input.value, *states, *(node.result for node in program.nodes())]
    return max(value.size for value in values)


def schedule_for(
    program: Program,
    lanes: int | None,
    digit: int | None = None,
    levels: int = 1,
    contexts: int = 1,
    turns: bool = False,
    logic_roms: bool = False,
    state_port: bool = False,
) -> Schedule:
    """The schedule asked for; else 8 lanes, or as many as the widest vector fills, of words."""
    lanes = min(DEFAULT_LANES, widest(program)) if lanes is None else lanes
    if digit is not None and digit < 1:
        raise UserError(f"a digit has at least 1 bit, got {digit}; without it words pass whole")
    return Schedule(lanes, digit or 0, levels, contexts, turns, logic_roms, state_port)


class Plan:
    """A program under a schedule: its parts, their times, and what the whole takes.

    Raises UserError if the program has several layers or is read at a list of timesteps, an
    operation has no hardware, the lanes do not suit a vector or a matrix, or no word has as many
    bits as a digit.

    Attributes:
        step, readout: timetables of the two bodies.
        answer: the part that makes the answer.
        memories: vectors kept between bodies.
        pace: how closely timesteps follow each other; its figures are the plan's too.
    """

    def __init__(self, program: Program, schedule: Schedule) -> None:
        self.program = program
        self.schedule = schedule
        if len(program.layers) != 1:
            raise UserError(
                f"a core holds one layer, this program has {len(program.layers)}: a stack of "
                "layers has no hardware yet"
            )
        if timesteps := program.readout.timesteps:
            raise UserError(
                f"a core reads every timestep or the last one, this program reads {len(timesteps)} "
                f"from {timesteps[0]} to {timesteps[-1]}: a readout at a list of timesteps has no "
                "hardware yet"
            )
        (self.layer,) = program.layers
        most = widest(program)
        if schedule.lanes > most:
            raise UserError(
                f"{schedule.lanes} lanes for a program whose widest vector has {most} elements; "
                f"use 1 to {most}"
            )
        self.input_port = input_port(program)
        self.output_port = output_port(program)
        self.state_image = state_image(program, self.layer)
        self.tag = Tag(program.period, schedule.contexts)
        every = program.readout.read == "every"
        self._plan_bodies(every)
        self._plan_memories(every)
        bodies = Bodies(self.step, self.readout, self.answer, self.memories)
        self.pace = find_pace(bodies, self.input_port, self.output_port, every, schedule.contexts)
        self.release = self.pace.release
        self.readout_begins = self.pace.readout_begins
        self.cycles_per_step = self.pace.cycles_per_step
        self.closing_cycles = self.pace.closing_cycles
        self.latency_cycles = self.pace.latency_cycles
        self.answers = self.pace.answers

    def _plan_bodies(self, every: bool) -> None:
        names: set[str] = set()
        tag, schedule, layer = self.tag, self.schedule, self.layer
        states = [s.value for s in layer.states]
        values = {v.name: v for v in [*(n.result for n in layer.body), *states, layer.input]}
        made = dict.fromkeys([*(s.next for s in layer.states), layer.output.name])
        sinks = [values[name] for name in made]
        body = Body(layer.body, [*states, layer.input], sinks, schedule, tag)
        stored = {
            state.name: Stored(body.order(state), state.format, schedule.contexts)
            for state in states
        }
        self.step = Timetable(body, stored, layer.input, names)
        self._written = {value.name: self.step.kept(value) for value in sinks}
        latest = None
        if schedule.contexts > 1:
            intervals = [part.interval for part in self.step.parts]
            latest = max(self.input_port.transfers, *intervals) - 1
        self.step.settle(list(self._written.values()), latest)

        written = self._written[layer.output.name].pattern
        words = schedule
        if written.digit or (not every and schedule.lanes > picked_lanes(written)):
            # Its cycles count for what is read alone, its products always.
            words = Schedule(picked_lanes(written), logic_roms=schedule.logic_roms)
        output = self.program.output
        body = Body(self.program.readout.body, [layer.output], [output], words, tag)
        kept = {layer.output.name: Stored(written, layer.output.format, schedule.contexts)}
        self.readout = Timetable(body, kept, None, names)
        self.answer = self.readout.demand(output, Pattern(output.size, 1, body.dwell(output)))
        self.readout.settle([self.answer])

    def _plan_memories(self, every: bool) -> None:
        """One memory per state; the value handed on shares that of a state that becomes it."""
        # Where every step of many contexts is read, a port would have to serve two at once.
        kept = self.tag, every and self.schedule.contexts > 1
        handed_on = self.layer.output
        unserved = [part for part in self.readout.parts if part.memory]
        self.memories = []
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
            self.memories.append(MemoryPlan(name, *kept, handed_on, written, None, [], unserved))
        for memory in self.memories:
            memory.writes = memory.written.time
            # A word is written after its last read in the same step, if need be by waiting.
            wait = max(
                (
                    last - write + 1
                    for reader in memory.step_readers
                    for write, _, last in memory.accesses(reader)
                ),
                default=0,
            )
            memory.written = self.step.later(memory.written, memory.writes + max(wait, 0))
            memory.writes = memory.written.time

    @property
    def queue_depth(self) -> int:
        """Elements that the output queue holds."""
        return self.answers * self.output_port.transfers

    @property
    def state_memories(self) -> list[MemoryPlan]:
        """The memories of the states, in their order."""
        return self.memories[: len(self.layer.states)]

    @property
    def quiet_cycles(self) -> int:
        """Cycles after a step fired when it and its readout are over, and its context has rested.

        A few more than the timetables say: what they make is stored a little later.
        """
        readout = self.readout_begins + self.readout.ends
        return MARGIN + max(self.step.ends, readout, self.pace.rest)

    @property
    def parts(self) -> list[Part]:
        """The parts of both bodies."""
        return self.step.parts + self.readout.parts

    @property
    def cost(self) -> dict[str, Cost]:
        """Cost by name of part or memory."""
        operators = {p.name: p.operator for p in self.parts if p.operator is not None}
        costs = {name: made.cost + made.timing_cost for name, made in operators.items()}
        for memory in self.memories:
            for copy in range(memory.copies):
                component = memory.component(copy)
                costs[f"{memory.name}{copy or ''}"] = component.cost
        return costs

    @property
    def floor_adder_bits(self) -> int | None:
        """Full-adder cells that one timestep's recurrence cannot do without, where known."""
        return floor_adder_bits(self.layer)

    def describe(self) -> dict[str, Any]:
        """The plan as data: `plan.json`."""
        return {
            "schedule": self.schedule_keys(),
            "cycles": {
                "cycles_per_step": self.cycles_per_step,
                "closing_cycles": self.closing_cycles,
                "latency_cycles": self.latency_cycles,
            },
            "floor_adder_bits": self.floor_adder_bits,
            "step": [_describe(part) for part in self.step.parts],
            "readout_begins": self.readout_begins,
            "readout": [_describe(part) for part in self.readout.parts],
            "memories": [
                {
                    "name": memory.name,
                    "copies": memory.copies,
                    "words": memory.written.pattern.beats,
                    "word_lanes": memory.written.pattern.lanes,
                    "digit": memory.written.pattern.digit,
                    "element_bits": shape_of(memory.value.format).width,
                    "written_by": memory.written.name,
                    "writes": memory.writes,
                }
                for memory in self.memories
            ],
            "answers": self.answers,
        }

    @property
    def state_width(self) -> int:
        """Bits of the widest state; without any, of what the step hands on."""
        values = [s.value for s in self.layer.states] or [self.layer.output]
        return max(shape_of(v.format).width for v in values)

    def schedule_keys(self) -> dict[str, int]:
        """The knobs; `digit` of whole `words` is the width of the widest state."""
        digit = self.schedule.digit
        return {
            "lanes": self.schedule.lanes,
            "digit": digit or self.state_width,
            "words": not digit,
            "levels": self.schedule.levels,
            "contexts": self.schedule.contexts,
            "turns": self.schedule.turns,
            "logic_roms": self.schedule.logic_roms,
            "state_port": self.schedule.state_port,
        }


def _describe(part: Part) -> dict[str, Any]:
    pattern = part.pattern
    return {
        "name": part.name,
        "operator": type(part.operator).__name__ if part.operator else "memory",
        "format": [part.format.lo, part.format.hi, part.format.exp],
        "size": pattern.size,
        "lanes": pattern.lanes,
        "dwell": pattern.dwell,
        "digit": pattern.digit,
        "settles": pattern.settles,
        "repeats": pattern.repeats,
        "operands": [operand.name for operand in part.operands],
        "begins": part.begins,
        "latency": part.latency,
        "interval": part.interval,
        **(part.operator.figures if part.operator else {}),
    }
