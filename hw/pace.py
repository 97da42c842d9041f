"""How closely the bodies of timesteps may follow each other.

No operator is started before it is ready, no word is read before it is written or written before it
is read, no read port serves two readers at once. All of it is arithmetic on two timetables.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .kept import MemoryPlan
from .operators.inputs import InputReader
from .ports import Port
from .timetable import Part, Timetable

COLLECT = 1
"""Cycles from the transfer that completes an input to the one in which its step can fire."""
BEGIN = 1
"""Cycles from firing to cycle 0 of the step."""
QUEUE = 2
"""Cycles from an element at the end of the readout to its transfer, the queue being empty; one
less where the queue is a single register."""


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
        release: cycle of the step in which the input is taken over, freeing its collector.
        readout_begins: cycle of the step that is cycle 0 of the readout.
        cycles_per_step: least distance of two timesteps of which the earlier is not read.
        closing_cycles: the same where it is read.
        latency_cycles: from the transfer that completes an input to the first of its answer.
        answers: whole answers that the output queue has room for.
    """

    release: int
    readout_begins: int
    cycles_per_step: int
    closing_cycles: int
    latency_cycles: int
    answers: int


def find_pace(bodies: Bodies, input_port: Port, output_port: Port, every: bool) -> Pace:
    """The closest that bodies can follow each other, `every` timestep being read or only some."""
    taken = [p.begins for p in bodies.step.parts if isinstance(p.operator, InputReader)]
    release = max(taken, default=0)
    collected = release + input_port.transfers + BEGIN + COLLECT
    begins = _readout_begins(bodies)
    ordinary = max(_of_steps(bodies), collected)
    closing = max(_of_readouts(bodies, begins), ordinary)
    pattern = bodies.answer.pattern
    first = BEGIN + begins + bodies.answer.time + QUEUE
    drained = first + (pattern.beats - 1) * pattern.dwell + 1
    answers = -(-drained // closing)
    single = answers * output_port.transfers == 1
    return Pace(
        release=release,
        readout_begins=begins,
        cycles_per_step=closing if every else ordinary,
        closing_cycles=closing,
        latency_cycles=COLLECT + first - single,
        answers=answers,
    )


def _of_steps(bodies: Bodies) -> int:
    """Least distance of two steps: operators are ready, and states written when they are read."""
    found = [part.interval for part in bodies.step.parts]
    for memory in bodies.memories:
        for reader in memory.step_readers:
            found += [write - first + 1 for write, first, _ in memory.accesses(reader)]
    return max(found, default=0)


def _readout_begins(bodies: Bodies) -> int:
    """Cycle of the step when all the readout reads is written, and read ports are free."""
    found = [0]
    for memory in bodies.memories:
        for reader in memory.readout_readers:
            found += [write - first + 1 for write, first, _ in memory.accesses(reader)]
    for ahead, after in bodies.shared_ports():
        found.append(ahead.begins + ahead.pattern.cycles - after.begins)
    return max(found)


def _of_readouts(bodies: Bodies, begins: int) -> int:
    """Least distance of a step that is read from the next, whose writes and reads come later."""
    found = [part.interval for part in bodies.readout.parts]
    for memory in bodies.memories:
        for reader in memory.readout_readers:
            found += [begins + last - write + 1 for write, _, last in memory.accesses(reader)]
    for ahead, after in bodies.shared_ports():
        found.append(begins + after.begins + after.pattern.cycles - ahead.begins)
    return max(found, default=0)
