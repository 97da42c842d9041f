"""What an operation is: a format rule, an exact value, and constants that can be stored as data.

Arrays of values are feature-major, `(size, batch)`: constants broadcast along the batch and every
inner loop runs over contiguous memory.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from ..arrays import Array
from ..numbers import Format


@dataclass(frozen=True)
class Value:
    """A named vector of `size` integers, all in one format (the hull over its lanes)."""

    name: str
    size: int
    format: Format


class Operation(ABC):
    """One vector operation of a program, at one timestep.

    Subclasses are frozen dataclasses: their fields are the operation's constants (ints, enums,
    formats, integer arrays, matrices). Constants that differ by phase carry it as their first axis,
    of length 1 (the same in every phase) or the program's period. In a readout at a list of
    timesteps a phase is the place in that list.

    Attributes:
        kind: name in the program file and in messages.
        arity: number of operands.
        lossless: False if distinct operands may give equal results by rounding or clamping.
    """

    kind: ClassVar[str]
    arity: ClassVar[int]
    lossless: ClassVar[bool] = True
    registry: ClassVar[dict[str, type["Operation"]]] = {}

    def __init_subclass__(cls) -> None:
        Operation.registry[cls.kind] = cls

    @property
    def period(self) -> int:
        """Number of phases that the constants distinguish: 1 or all of them."""
        return 1

    @abstractmethod
    def infer(self, operands: Sequence[Value]) -> tuple[int, Format]:
        """Size and exact format of the result. Raises ValueError for operands that do not fit."""

    @abstractmethod
    def evaluate(
        self, x: Sequence[Array], operands: Sequence[Value], result: Format, phase: int
    ) -> Array:
        """Raw result of shape (size, batch), exactly."""

    def magnitude(self, operands: Sequence[Value], result: Format) -> int:
        """Bound on every intermediate of `evaluate`, from which its integer type is chosen."""
        return max(result.magnitude, *(v.format.magnitude for v in operands), 0)


def shift_left(raw: Array, shift: int) -> Array:
    """`raw << shift`, without a copy where nothing moves."""
    return raw << shift if shift else raw


def same_size(operands: Sequence[Value]) -> int:
    """The operands' common size."""
    sizes = {v.size for v in operands}
    if len(sizes) != 1:
        listing = ", ".join(f"{v.name} has {v.size}" for v in operands)
        raise ValueError(f"operands must have one size, but {listing} elements")
    return sizes.pop()
