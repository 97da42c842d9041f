"""What a microprogram does: tasks, each of which makes a vector of others in the memory."""

from dataclasses import dataclass

from ..operators.narrow import Narrowing
from .terms import Reads, Sum


@dataclass(frozen=True)
class Task:
    """A piece of a timestep's work, on vectors in the memory."""

    @property
    def written(self) -> tuple[str, ...]:
        """Names of the vectors that it writes."""
        return ()

    @property
    def read(self) -> dict[str, bool]:
        """Names of the vectors that it reads; whether it is done with an element when it writes
        that of its result."""
        return {}

    @property
    def weighs(self) -> bool:
        """Whether it asks for bits of weights."""
        return False


@dataclass(frozen=True)
class Initialise(Task):
    """Where the state starts anew, it becomes a vector of constants, or of zeros."""

    state: str
    size: int
    initial: str | None

    @property
    def written(self) -> tuple[str, ...]:
        return (self.state,)

    @property
    def read(self) -> dict[str, bool]:
        return {self.initial: True} if self.initial else {}


@dataclass(frozen=True)
class Load(Task):
    """The input comes in."""

    result: str
    size: int

    @property
    def written(self) -> tuple[str, ...]:
        return (self.result,)


@dataclass(frozen=True)
class Evaluate(Task):
    """A sum is made for every element, and narrowed on its way into the memory.

    With a table, elements of that are taken instead, where the sum says; `along`, so many places on
    as elements were made before.
    """

    result: str
    size: int
    sum: Sum
    narrowing: Narrowing | None = None
    table: str | None = None
    along: bool = False

    @property
    def written(self) -> tuple[str, ...]:
        return (self.result,)

    @property
    def read(self) -> dict[str, bool]:
        found = {name: True for name in (self.sum.factor, self.table) if name}
        for term in self.sum.terms:
            done = found.get(term.source, True) and term.reads is Reads.ELEMENT
            found[term.source] = done
        return found

    @property
    def weighs(self) -> bool:
        return any(term.bits is not None for term in self.sum.terms)


@dataclass(frozen=True)
class Transform(Task):
    """Passes of butterflies over groups of 2**k elements, between two vectors in turn.

    Every pass takes elements i and i + 2**(k - 1) of a group to 2i and 2i + 1: the bits of their
    places turn by one, and after k passes all are back. The first `turns` only do that, so that the
    others, of sums and differences, meet the bits of a block.
    """

    result: str
    scratch: str
    source: str
    size: int
    turns: int

    @property
    def group(self) -> int:
        """Elements of a group: the largest power of two that divides the size."""
        return self.size & -self.size

    @property
    def passes(self) -> int:
        """log2 of a group's elements."""
        return self.group.bit_length() - 1

    @property
    def written(self) -> tuple[str, ...]:
        return (self.result, self.scratch) if self.passes > 1 else (self.result,)

    @property
    def read(self) -> dict[str, bool]:
        return {self.source: False}


@dataclass(frozen=True)
class Shrink(Task):
    """`sign(a) max(|a| + bias, 0)`: what is above 0 ends there or above, what is below ends below.

    Parameters: bias, a vector of constants, of one element or as many; above, below: how sums of
        an element and its bias, or differences, are brought to that side.
    """

    result: str
    source: str
    size: int
    bias: str
    one_bias: bool
    above: Narrowing
    below: Narrowing

    @property
    def written(self) -> tuple[str, ...]:
        return (self.result,)

    @property
    def read(self) -> dict[str, bool]:
        return {self.source: False, self.bias: True}


@dataclass(frozen=True)
class Choose(Task):
    """The label becomes the index of the largest element, the lowest among equals."""

    source: str
    size: int
    best: str

    @property
    def written(self) -> tuple[str, ...]:
        return (self.best,)

    @property
    def read(self) -> dict[str, bool]:
        return {self.source: False}


@dataclass(frozen=True)
class Answer(Task):
    """Elements of a vector go out; without one the label does."""

    source: str | None
    size: int

    @property
    def read(self) -> dict[str, bool]:
        return {self.source: True} if self.source else {}


@dataclass(frozen=True)
class Leave(Task):
    """The timestep ends here, unless it is the last of a sequence."""
