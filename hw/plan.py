# amaranth: UnusedElaboratable=no
"""The plan: program + schedule, with every cycle accounted for before any RTL exists.

Each layer becomes a core. Layers run at the same time, each on the vector that the one before made
of a later timestep, and all at one pace.
"""

from itertools import pairwise
from typing import Any

from sylvan.model.errors import UserError
from sylvan.model.program import Program

from .beats import Tag, shape_of
from .described import described
from .floor import floor_adder_bits
from .kept import MemoryPlan
from .layer import LayerPlan, step_body
from .lowering import Body, agree_on_words
from .microcode.plan import EnginePlan
from .operators.base import Cost
from .pace import common_pace, find_handover
from .ports import state_image
from .schedule import DEFAULT_LANES, Schedule
from .timetable import Part


def widest(program: Program) -> int:
    """Elements of the widest vector: as many lanes as can be of use."""
    states = [state.value for layer in program.layers for state in layer.states]
    values = [program.input.value, *states, *(node.result for node in program.nodes())]
    return max(value.size for value in values)


def schedule_for(program: Program, lanes: int | None, digit: int | None, **knobs: Any) -> Schedule:
    """The schedule asked for; else 8 lanes, or as many as the widest vector fills, of words.

    A microprogram has one lane.
    """
    if digit is not None and digit < 1:
        raise UserError(f"a digit has at least 1 bit, got {digit}; without it words pass whole")
    if lanes is None:
        lanes = 1 if knobs.get("microcode") else min(DEFAULT_LANES, widest(program))
    return Schedule(lanes, digit or 0, **knobs)


class Plan:
    """A program under a schedule: its layers, their times, and what the whole takes.

    Raises UserError if the program is read at a list of timesteps, an operation has no hardware,
    the lanes do not suit a vector or a matrix, or no word has as many bits as a digit.

    Attributes:
        layers: a plan for each layer; the last one has the readout.
        engine: instead of these the plan of a microprogram, where the schedule asks for one.
        pace: how closely timesteps follow each other, in all layers alike.
        latency_cycles: from the transfer that completes an input to the first of its answer.
    """

    def __init__(self, program: Program, schedule: Schedule) -> None:
        self.program = program
        self.schedule = schedule
        if timesteps := program.readout.timesteps:
            raise UserError(
                f"a core reads every timestep or the last one, this program reads {len(timesteps)} "
                f"from {timesteps[0]} to {timesteps[-1]}: a readout at a list of timesteps has no "
                "hardware yet"
            )
        most = widest(program)
        if schedule.lanes > most:
            raise UserError(
                f"{schedule.lanes} lanes for a program whose widest vector has {most} elements; "
                f"use 1 to {most}"
            )
        self.state_image = state_image(program)
        self.layers: list[LayerPlan] = []
        self.engine = EnginePlan(program, schedule) if schedule.microcode else None
        if self.engine:
            self._adopt(self.engine)
        else:
            self._plan_layers()
        self.cycles_per_step = self.pace.cycles_per_step
        self.closing_cycles = self.pace.closing_cycles

    def _adopt(self, engine: EnginePlan) -> None:
        self.tag, self.pace = engine.tag, engine.pace
        self.input_port, self.output_port = engine.input_port, engine.output_port
        self.latency_cycles = engine.latency

    def _plan_layers(self) -> None:
        program, schedule = self.program, self.schedule
        self.tag = Tag(program.period, schedule.contexts)
        bodies = self._bodies()
        if any(body.single(value) for body in bodies for value in body.sinks):
            # What is written slowly, element by element, must not wait as a whole.
            self.tag = Tag(program.period, schedule.contexts, sides=2)
            bodies = self._bodies()
        agree_on_words(bodies, schedule.digit)
        for number, body in enumerate(bodies):
            before = self.layers[-1] if self.layers else None
            self.layers.append(LayerPlan(program, number, body, before))
        self._keep_pace()
        self.input_port = self.layers[0].input_port
        self.output_port = self.layers[-1].output_port
        self.latency_cycles = sum(layer.leaving.latency for layer in self.layers)

    def _bodies(self) -> list[Body]:
        return [step_body(layer, self.schedule, self.tag) for layer in self.program.layers]

    def _keep_pace(self) -> None:
        self.pace = common_pace([layer.least_pace for layer in self.layers])
        handovers = [
            find_handover(layer.received, self.pace) if layer.received else None
            for layer in self.layers
        ]
        borders = pairwise([*handovers, None])
        for layer, (receives, hands_on) in zip(self.layers, borders, strict=True):
            layer.keep_pace(self.pace, receives, hands_on)

    @property
    def room(self) -> int:
        """Timesteps that can be under way, or their answers held up, in all layers."""
        if self.engine:
            return 1
        return sum(layer.answers for layer in self.layers)

    @property
    def state_memories(self) -> list[MemoryPlan]:
        """The memories of all layers' states, in their order."""
        return [memory for layer in self.layers for memory in layer.state_memories]

    @property
    def quiet_cycles(self) -> int:
        """Cycles after a step of any layer fired when nothing of it is on its way."""
        return max(layer.quiet_cycles for layer in self.layers)

    @property
    def parts(self) -> list[Part]:
        """The parts of all layers."""
        return [part for layer in self.layers for part in layer.parts]

    @property
    def cost(self) -> dict[str, Cost]:
        """Cost by name of part or memory; of several layers, after the layer's name."""
        if self.engine:
            return self.engine.cost
        if len(self.layers) == 1:
            return self.layers[0].cost
        return {
            f"{layer.layer.name}.{name}": cost
            for layer in self.layers
            for name, cost in layer.cost.items()
        }

    @property
    def floor_adder_bits(self) -> int | None:
        """Full-adder cells that one timestep's recurrence cannot do without, where known."""
        return floor_adder_bits(self.program)

    def describe(self) -> dict[str, Any]:
        """The plan as data: `plan.json`."""
        return {
            "schedule": self.schedule_keys(),
            "cycles": {
                "cycles_per_step": self.cycles_per_step,
                "closing_cycles": self.closing_cycles,
                "latency_cycles": self.latency_cycles,
                "interval": self.pace.interval,
                "rest": self.pace.rest,
            },
            "room": self.room,
            "floor_adder_bits": self.floor_adder_bits,
            "layers": [described(layer) for layer in self.layers],
            "microprogram": self.engine and self.engine.describe(),
        }

    @property
    def state_width(self) -> int:
        """Bits of the widest state; without any, of what is read."""
        states = [state.value for layer in self.program.layers for state in layer.states]
        values = states or [self.program.layers[-1].output]
        return max(shape_of(v.format).width for v in values)

    def schedule_keys(self) -> dict[str, int]:
        """The knobs; `digit` of whole `words` is the width of the widest state."""
        return self.schedule.keys(self.state_width)
