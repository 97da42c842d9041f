"""How closely the bodies of timesteps may follow each other.

No operator is started before it is ready, no word is read before it is written or written before it
is read, no read port serves two readers at once. All of it is arithmetic on two timetables.

What operators and ports ask for holds between any two timesteps, what a state asks for between two
of the same context: there the recurrence rests, and others fill its time.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .kept import MemoryPlan
from .operators.inputs import InputReader
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


@dataclass(frozen=True)
class Bodies:
    """The step, the readout with the part that makes its answer, and the vectors kept between."""

    step: Timetable
    readout: Timetable
    answer: Part
    memories: Sequence[MemoryPlan]

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
        release: cycle of the step in which the input is taken over.
        readout_begins: cycle of the step that is cycle 0 of the readout.
        interval: least distance of a timestep that is not read from the next.
        closing_interval: the same of one that is read.
        rest: least distance of two timesteps of a context.
        cycles_per_step: mean distance where all contexts take turns and none is read.
        closing_cycles: the same from one that is read to the next.
        latency_cycles: from the transfer that completes an input to the first of its answer.
        answers: whole answers that the output queue has room for.
    """

    release: int
    readout_begins: int
    interval: int
    closing_interval: int
    rest: int
    cycles_per_step: int | float
    closing_cycles: int | float
    latency_cycles: int
    answers: int


def find_pace(
    bodies: Bodies, input_port: Port, output_port: Port, every: bool, contexts: int
) -> Pace:
    """The closest that bodies can follow each other, `every` timestep being read or only some."""
    taken = [p.begins for p in bodies.step.parts if isinstance(p.operator, InputReader)]
    release = max(taken, default=0)
    # One context collects into what the step reads; more have registers between.
    collected = release + input_port.transfers + BEGIN + COLLECT
    if contexts > 1:
        collected = max(input_port.transfers, release + 1)
    begins = _readout_begins(bodies)
    interval = max(_of_parts(bodies.step), collected)
    rest = max(_recurrence(bodies), interval)
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
    mean = max(interval, rest / contexts)
    ordinary = int(mean) if mean == int(mean) else mean
    pattern = bodies.answer.pattern
    first = BEGIN + begins + bodies.answer.time + QUEUE
    drained = first + (pattern.beats - 1) * pattern.dwell + ROOM
    answers = -(-drained // closing)
    single = answers * output_port.transfers == 1
    return Pace(
        release=release,
        readout_begins=begins,
        interval=interval,
        closing_interval=closing,
        rest=rest,
        cycles_per_step=ordinary,
        closing_cycles=ordinary if every else closing,
        latency_cycles=COLLECT + (contexts > 1) + first - single,
        answers=answers,
    )


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


def _readout_begins(bodies: Bodies) -> int:
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
