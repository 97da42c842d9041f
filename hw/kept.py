# amaranth: UnusedElaboratable=no
"""What is kept between the bodies of a timestep, and when it is touched."""

from collections.abc import Iterator
from dataclasses import dataclass

from sylvan.model.arrays import Array
from sylvan.model.operations import Value

from .beats import Tag
from .operators.elements import ElementPort
from .operators.memory import VectorMemory
from .operators.planes import PlaneMemory
from .operators.stored import memory_of
from .timetable import Part


@dataclass
class MemoryPlan:
    """A vector kept between bodies: the part that writes it, and the parts that read it.

    It is kept in words of `lanes` elements, on two sides where a timestep writes the first of them
    before it has read the last, so that they need not wait.

    Each copy has one read port, which serves one reader of each body, or of one of them.

    Parameters:
        tag: of the timesteps; each of its contexts, or slots, has a vector of its own.
        apart: whether readers of both bodies may be at it at once, and so have copies of their own.
        saved: whether the state port reads and writes it too, every copy in step.
    Attributes: writes, the cycle of the step in which the first word is written.
    """

    name: str
    tag: Tag
    apart: bool
    value: Value
    lanes: int
    written: Part
    initial: Array | None
    step_readers: list[Part]
    readout_readers: list[Part]
    saved: bool = False
    writes: int = 0
    sides: int = 1

    @property
    def copies(self) -> int:
        """Copies that the readers need; of what is saved there is one at least."""
        counts = len(self.step_readers), len(self.readout_readers)
        return max(sum(counts) if self.apart else max(counts), int(self.saved))

    def readers(self, copy: int) -> list[Part]:
        """The readers of one copy, that of the step first."""
        if self.apart:
            return [*self.step_readers, *self.readout_readers][copy : copy + 1]
        return self.step_readers[copy : copy + 1] + self.readout_readers[copy : copy + 1]

    def component(self, copy: int) -> VectorMemory | PlaneMemory:
        """The memory of one copy."""
        patterns = [part.pattern for part in self.readers(copy)]
        return memory_of(
            self.written.pattern,
            self.value.format,
            patterns,
            self.initial,
            self.tag,
            self.tag.kept,
            self.lanes,
            self.sides,
            self.saved,
        )

    @property
    def element_port(self) -> ElementPort:
        """Through which the state port reads and writes it."""
        return self.component(0).element_port

    def accesses(self, reader: Part) -> Iterator[tuple[int, int, int]]:
        """For each word: the cycle it is written, first read and last read, in their bodies."""
        for write, first, last in self.component(0).accesses(reader.pattern):
            yield self.writes + write, reader.begins + first, reader.begins + last
