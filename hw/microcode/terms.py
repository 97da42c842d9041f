"""Sums of elements, each shifted left, and gated or signed by bits: all that an adder makes.

    value[i] = sum over terms of +-2**power * bits * source[...]

where the elements are `source[i]`, or all of a row, `source[j]` for every j. An adder alone makes
this by Horner's rule: from the highest power down, it doubles what it has and adds the next terms.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum

import numpy as np
from sylvan.model.arrays import Array
from sylvan.model.numbers import Format


class Reads(Enum):
    """Which elements of its source a term reads for element i: that one, all of them, the first."""

    ELEMENT = "element"
    ROW = "row"
    FIRST = "first"


@dataclass(frozen=True, eq=False)
class Term:
    """Elements of a vector in the memory, as part of a sum.

    Parameters:
        source: name of the vector; columns, how many elements a row reads.
        power: how far they are shifted left.
        negative: whether they are subtracted.
        bits: for every element of the sum (and every element of a row), whether it counts; or,
            where the term is `signed`, whether it counts the other way round. None: all count.
        phase: the phase in which the term counts; None: in all.
        factored: whether a bit of the sum's factor says if it counts, from the highest bit down;
            ends: whether the next such term is told by the next bit.
    """

    source: str
    reads: Reads = Reads.ELEMENT
    columns: int = 1
    power: int = 0
    negative: bool = False
    bits: Array | None = None
    signed: bool = False
    phase: int | None = None
    factored: bool = False
    ends: bool = False


@dataclass(frozen=True, eq=False)
class Sum:
    """The terms of a vector.

    Parameters: constants, vectors of them that terms name; factor, the vector whose elements'
        bits tell which terms count.
    """

    terms: tuple[Term, ...] = ()
    constants: dict[str, Array] = field(default_factory=dict)
    factor: str | None = None

    def shifted(self, power: int) -> "Sum":
        """The same sum, shifted left."""
        return self._each(lambda term: replace(term, power=term.power + power))

    @property
    def negated(self) -> "Sum":
        """The same sum, subtracted."""
        return self._each(lambda term: replace(term, negative=not term.negative))

    def in_phase(self, phase: int) -> "Sum":
        """The same sum in one phase, 0 in others."""
        kept = tuple(term for term in self.terms if term.phase in (None, phase))
        return replace(self, terms=kept)._each(lambda term: replace(term, phase=phase))

    def _each(self, change: Callable[[Term], Term]) -> "Sum":
        return replace(self, terms=tuple(map(change, self.terms)))

    def __add__(self, other: "Sum") -> "Sum":
        assert not (self.factor and other.factor), "a sum has one factor"
        found = self.factor or other.factor
        return Sum(self.terms + other.terms, self.constants | other.constants, found)


def by_phase(sums: Sequence[Sum]) -> Sum:
    """The sum of each phase; of a single one in all."""
    if len(sums) == 1:
        return sums[0]
    found = [given.in_phase(phase) for phase, given in enumerate(sums)]
    return sum(found, Sum())


def number(value: int) -> Sum:
    """The same number for every element."""
    if not value:
        return Sum()
    # No value has this name: theirs are without points.
    name = f"number.{value}"
    return Sum((Term(name, Reads.FIRST),), {name: np.array([value])})


def vector(name: str, elements: Array, spelled: bool) -> Sum:
    """Constants by a vector of that name in the memory; or, `spelled`, by bits of weights."""
    if not elements.any():
        return Sum()
    if spelled:
        one = number(1)
        digits = planes(elements)
        found = (replace(one.terms[0], power=p, negative=n, bits=b) for p, n, b in digits)
        return replace(one, terms=tuple(found))
    return Sum((Term(name),), {name: elements})


def signed(source: str, signs: Array) -> Sum:
    """Every element, the other way round where the sign is negative."""
    negative = signs < 0
    if (negative == negative[0]).all():
        return Sum((Term(source, negative=bool(negative[0])),))
    return Sum((Term(source, bits=negative, signed=True),))


def rows(source: str, weights: Array) -> Sum:
    """A row of weights for every element; of weights +1 and -1 one bit is enough."""
    columns = weights.shape[1]
    if (np.abs(weights) == 1).all():
        return Sum((Term(source, Reads.ROW, columns, bits=weights < 0, signed=True),))
    return Sum(tuple(Term(source, Reads.ROW, columns, p, n, b) for p, n, b in planes(weights)))


def scaled(source: str, factors: Array) -> Sum:
    """A factor for every element; one for all takes no bits, and the fewest terms."""
    if len(factors) == 1:
        digits = signed_digits(int(factors[0]))
        return Sum(tuple(Term(source, power=power, negative=digit < 0) for power, digit in digits))
    return Sum(tuple(Term(source, power=p, negative=n, bits=b) for p, n, b in planes(factors)))


def product(factor: str, bits: int, given: Sequence[tuple[str, bool]]) -> Sum:
    """`factor[i] * sum of +-source[i]`: by the factor's bits, as two's complement of so many.

    Parameters: given, the sources, and whether each is subtracted.
    """
    last = len(given) - 1
    terms = (
        Term(source, power=p, negative=negative ^ (p == bits - 1), factored=True, ends=k == last)
        for p in reversed(range(bits))
        for k, (source, negative) in enumerate(given)
    )
    return Sum(tuple(terms), factor=factor)


def planes(weights: Array) -> Iterator[tuple[int, bool, Array]]:
    """Integers as bits: (power, whether subtracted, bits) of every digit of two's complement."""
    span = Format(int(weights.min()), int(weights.max()))
    for power in reversed(range(span.width)):
        bits = (weights >> power & 1).astype(bool)
        if bits.any():
            yield power, span.signed and power == span.width - 1, bits


def signed_digits(factor: int) -> Iterator[tuple[int, int]]:
    """Powers and digits +-1 of the canonical signed-digit form: no two next to each other."""
    power = 0
    while factor:
        if factor & 1:
            digit = 2 - (factor & 3)
            yield power, digit
            factor -= digit
        factor >>= 1
        power += 1
