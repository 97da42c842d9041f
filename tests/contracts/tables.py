"""What a contract table is made of: cases, planted faults, and the formats that are awkward.

A module of `contracts/operations`, named after the operation's kind, holds

- CASES: the operation with legal constants, on operands of given sizes and formats;
- reference(operation, phase, formats, *operands): the result as real values, written from the
  definition in float64 torch, on operands (batch, size) that are real values too; their formats are
  for definitions in units of a last place;
- REFUSED: what must not be built, and the message that says why;
- FAULTS: wrong hardware, each of which the suite must see.

All else (whole programs, schedules, backpressure, cycles, storage) comes from the suite.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sylvan.model.numbers import Format
from sylvan.model.operations import Operation

AWKWARD = (1, 20, 9, 16, 7, 8, 17)
"""Sizes: one, no power of two, powers of two and their neighbours. The first ones run in CI."""

SIGNED = Format(-8, 7, -2)
UNSIGNED = Format(0, 15)
LOPSIDED = Format(-3, 12, 1)
NEGATIVE = Format(-9, -2)
FORMATS = (SIGNED, UNSIGNED, LOPSIDED, NEGATIVE, Format(5, 5, -1), Format(-1, 0), Format(0, 0))
"""Signed, unsigned, lopsided, negative only, one value, one sign bit, zero alone."""


@dataclass(frozen=True)
class Case:
    """An operation on operands of (size, format)."""

    operation: Operation
    operands: tuple[tuple[int, Format], ...]

    @property
    def text(self) -> str:
        """What a failing test shows."""
        return f"{self.operation} on {self.operands}"


@dataclass(frozen=True)
class Fault:
    """Wrong hardware: attribute `name` of `owner` becomes `wrong(attribute)`."""

    title: str
    owner: Any
    name: str
    wrong: Callable[[Any], Any]


def factor(place: int) -> Callable[[Any], Any]:
    """A product that is its first or its second factor, as late as it would be."""

    def wrong(product: Any) -> Any:
        def taken(self: Any, m: Any, name: str, *factors: Any) -> Any:
            product(self, m, name, *factors)
            return factors[place]

        return taken

    return wrong


Refusal = tuple[Callable[[], Any], str]
Formats = Sequence[Format]


def unary(operation: Operation, sizes: Iterable[int], formats: Iterable[Format]) -> list[Case]:
    """One operation on every size and format."""
    formats = list(formats)
    return [Case(operation, ((n, f),)) for n in sizes for f in formats]


def binary(
    operation: Operation, sizes: Iterable[int], pairs: Iterable[tuple[Format, Format]]
) -> list[Case]:
    """One operation on every size and pair of formats."""
    pairs = list(pairs)
    return [Case(operation, ((n, a), (n, b))) for n in sizes for a, b in pairs]
