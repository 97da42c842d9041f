"""How closely the bodies of timesteps may follow each other.

No operator is started before it is ready, no word is read before it is written or written before it
is read, no read port serves two readers at once. All of it is arithmetic on timetables.

What operators and ports ask for holds between any two timesteps, what a state asks for between two
of the same context: there the recurrence rests, and others fill its time.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from .kept import MemoryPlan
from .ports import Port
from .timetable import Part, Timetable

COLLECT = 1
"""Cycles from the transfer that completes an input to the one in which its step can fire; one more
where contexts are looked up."""
BEGIN = 1
"""Cycles from firing to cycle 0 of the step."""
QUEUE = 3
"""Cycles from an element at the end of the readout to its transfer, the queue being empty; one
less where the queue is a single register."""
LOOK_UP = 3
"""Least rest of a context where contexts are looked up: what fires is entered a cycle later."""
ROOM = 2
"""Cycles from the last transfer of an answer to a step that may take its place."""
TOLD = 2
"""Cycles from the announcement of a vector to the transfer that tells the next layer of it."""
FREED = 1
"""Cycles from the end of a vector's use to a step that may take its place."""
LEAST_SLOTS = 2
"""Of a memory between layers: while one vector is read, another is written."""


@dataclass(frozen=True)
class Bodies:
    """The step, the vectors kept between, and where the layer is read, the readout."""

    step: Timetable
    memories: Sequence[MemoryPlan]
    readout: Timetable | None

    def shared_ports(self) -> Iterator[tuple[Part, Part]]:
        """The reader in the step and the one in the readout of each read port that has both."""
        for memory in self.memories:
            for copy in range(memory.copies):
                if len(readers := memory.readers(copy)) == 2:
                    yield readers[0], readers[1]


@dataclass(frozen=True)
class Pace:
    """Distances between timesteps, in cycles.

    Attributes:
        interval: least distance of a timestep that is not read from the next.
        closing_interval: the same of one that is read.
        rest: least distance of two timesteps of a context.
        every: whether every timestep is read.
        contexts: how many there are.
    """

    interval: int
    closing_interval: int
    rest: int
    every: bool
    contexts: int

    @property
    def cycles_per_step(self) -> int | float:
        """Mean distance where all contexts take turns and none is read."""
        mean = max(self.interval, self.rest / self.contexts)
        return int(mean) if mean == int(mean) else mean

    @property
    def closing_cycles(self) -> int | float:
        """The same from a timestep that is read to the next."""
        return self.cycles_per_step if self.every else self.closing_interval


def find_pace(bodies: Bodies, release: int, input_port: Port, every: bool, contexts: int) -> Pace:
    """The closest that bodies can follow each other, `every` timestep being read or only some.

    `release` is the cycle of the step in which the input is taken over.
    """
    # One context collects into what the step reads; more have registers between.
    collected = release + input_port.transfers + BEGIN + COLLECT
    if contexts > 1:
        collected = max(input_port.transfers, release + 1)
    interval = closing = max(_of_parts(bodies.step), collected)
    rest = max(_recurrence(bodies), interval)
    reread = 0
    if bodies.readout is not None:
        begins = readout_begins(bodies)
        closing = max(_of_parts(bodies.readout), _of_ports(bodies, begins), interval)
        reread = _rereading(bodies, begins)
    if every:
        interval = closing
        rest = max(rest, reread, interval)
    if contexts > 1 and rest > interval:
        rest = max(rest, LOOK_UP)
    if not every:
        closing = max(closing, rest, reread)
    if contexts == 1:
        interval, closing = rest, max(closing, rest)
    return Pace(interval, closing, rest, every, contexts)


def common_pace(layers: Sequence[Pace]) -> Pace:
    """The closest that all layers can follow: in step, none of them ever waits for another."""
    return replace(
        layers[-1],
        interval=max(layer.interval for layer in layers),
        closing_interval=max(layer.closing_interval for layer in layers),
        rest=max(layer.rest for layer in layers),
    )


@dataclass(frozen=True)
class Leaving:
    """How vectors leave a layer.

    Attributes:
        latency: cycles from the transfer that completes an input to the first of the answer, or to
            the one that tells the next layer of the vector it is handed.
        room: vectors that there is room for, so that no timestep waits for it.
    """

    latency: int
    room: int


def find_answering(answer: Part, begins: int, port: Port, pace: Pace) -> Leaving:
    """Through the queue of answers, from a readout that begins in that cycle of the step."""
    pattern = answer.pattern
    first = BEGIN + begins + answer.time + QUEUE
    drained = first + (pattern.beats - 1) * pattern.dwell + ROOM
    room = -(-drained // pace.closing_interval)
    single = room * port.transfers == 1
    return Leaving(_collects(pace) + first - single, room)


@dataclass(frozen=True)
class Handover(Leaving):
    """Into a memory between two layers.

    Attributes:
        announced: cycle of the earlier layer's step in which its vector is announced: as soon as
            no word can be read before it is written, for once begun it passes without a stall.
        freed: cycle of the later layer's step in which the vector's place is free again: as soon
            as no word can be written anew before it is read.
    """

    announced: int
    freed: int


def find_handover(memory: MemoryPlan, pace: Pace) -> Handover:
    """The soonest for a memory that the earlier layer writes and the later one reads."""
    accesses = [access for reader in memory.step_readers for access in memory.accesses(reader)]
    told = TOLD + _collects(pace) + BEGIN
    written = max((write - first + 1 for write, first, _ in accesses), default=0)
    announced = max(written - told, 0)
    read = max((last - write + 1 for write, _, last in accesses), default=0)
    freed = max(read - FREED - BEGIN, 0)
    held = BEGIN + announced + told + freed + FREED
    room = max(-(-held // pace.interval), LEAST_SLOTS)
    return Handover(_collects(pace) + BEGIN + announced + TOLD, room, announced, freed)


def _collects(pace: Pace) -> int:
    """Cycles from the transfer that completes an input to the one in which its step fires."""
    return COLLECT + (pace.contexts > 1)


def _of_parts(table: Timetable) -> int:
    """Least distance at which all operators are ready."""
    return max((part.interval for part in table.parts), default=0)


def _recurrence(bodies: Bodies) -> int:
    """Least distance of two steps of a context: states are written when they are read, and read
    when they are written."""
    found = [0]
    for memory in bodies.memories:
        for reader in memory.step_readers:
            found += [write - first + 1 for write, first, _ in memory.accesses(reader)]
            if memory.sides > 1:
                # What a step reads is written anew by the next.
                found += [last - write + 1 for write, _, last in memory.accesses(reader)]
    return max(found)


def readout_begins(bodies: Bodies) -> int:
    """Cycle of the step when all the readout reads is written, and read ports are free."""
    found = [0]
    for memory in bodies.memories:
        for reader in memory.readout_readers:
            found += [write - first + 1 for write, first, _ in memory.accesses(reader)]
    for ahead, after in bodies.shared_ports():
        found.append(ahead.begins + ahead.pattern.cycles - after.begins)
    return max(found)


def _of_ports(bodies: Bodies, begins: int) -> int:
    """Least distance of a step that is read from the next that reads through the same port."""
    found = [0]
    for ahead, after in bodies.shared_ports():
        found.append(begins + after.begins + after.pattern.cycles - ahead.begins)
    return max(found)


def _rereading(bodies: Bodies, begins: int) -> int:
    """Least distance of a step that is read from the next of its context, which writes anew."""
    found = [0]
    for memory in bodies.memories:
        for reader in memory.readout_readers:
            found += [begins + last - write + 1 for write, _, last in memory.accesses(reader)]
    return max(found)
