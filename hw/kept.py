# amaranth: UnusedElaboratable=no
"""What is kept between the bodies of a timestep, and when it is touched."""

from collections.abc import Iterator
from dataclasses import dataclass

from sylvan.model.arrays import Array
from sylvan.model.operations import Value

from .operators.memory import VectorMemory
from .timetable import Part


@dataclass
class MemoryPlan:
    """A vector kept between bodies: the part that writes it, and the parts that read it.

    Each copy has one read port, which serves one reader of each body.

    Attributes: writes, the cycle of the step in which the first word is written.
    """

    name: str
    value: Value
    written: Part
    initial: Array | None
    step_readers: list[Part]
    readout_readers: list[Part]
    writes: int = 0

    @property
    def copies(self) -> int:
        """Copies that the readers need."""
        return max(len(self.step_readers), len(self.readout_readers))

    def readers(self, copy: int) -> list[Part]:
        """The readers of one copy, that of the step first."""
        return self.step_readers[copy : copy + 1] + self.readout_readers[copy : copy + 1]

    def component(self, copy: int, period: int) -> VectorMemory:
        """The memory of one copy."""
        patterns = [part.pattern for part in self.readers(copy)]
        return VectorMemory(self.written.pattern, self.value.format, patterns, self.initial, period)

    def accesses(self, reader: Part) -> Iterator[tuple[int, int, int]]:
        """For each word: the cycle it is written, first read and last read, in their bodies."""
        pattern, lanes = reader.pattern, self.written.pattern.lanes
        held = pattern.dwell * (lanes // pattern.lanes)
        one_pass = pattern.beats * pattern.dwell
        for word in range(self.written.pattern.beats):
            first = reader.begins + word * held
            ends = min((word + 1) * held, one_pass)
            last = reader.begins + (pattern.repeats - 1) * one_pass + ends - 1
            yield self.writes + word, first, last
