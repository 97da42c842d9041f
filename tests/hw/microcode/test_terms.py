"""Every operation that is a sum of shifted elements: the terms mean what the operation means."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from sylvan.hw.microcode.sums import (
    Sums,
    factors,
    is_transform,
    rows_of_symbols,
    signed_bits,
    transformed,
)
from sylvan.hw.microcode.terms import Reads, Sum, number, planes, product, signed_digits
from sylvan.model.errors import UserError
from sylvan.model.matrices import Dense, Hadamard
from sylvan.model.numbers import Format
from sylvan.model.operations import Operation, Value
from sylvan.model.operations.arithmetic import Add, Lerp, Mul, Neg, Sub
from sylvan.model.operations.constants import Const, Lookup, MatVec, Scale
from sylvan.model.operations.moves import Concat, Exponent, Slice
from sylvan.model.operations.phased import PhasedMatVec
from sylvan.model.program import Node, inferred

PERIOD = 3
SIGNED, UNSIGNED, LOPSIDED = Format(-128, 127, -4), Format(0, 63, -6), Format(-70, 3, 1)
RNG = np.random.default_rng(1)
Vectors = dict[str, list[int]]


def summed(given: Sum, vectors: Vectors, size: int, phase: int, factor_bits: int = 0) -> list[int]:
    """A sum by its definition; the bits of a factor are taken from the highest down."""
    vectors = vectors | {name: held.tolist() for name, held in given.constants.items()}
    ordered = sorted(given.terms, key=lambda term: -term.power)
    totals = []
    for i in range(size):
        total, place = 0, factor_bits - 1
        for term in ordered:
            counts = term.phase in (None, phase)
            if term.factored:
                assert given.factor is not None
                counts = counts and bool(vectors[given.factor][i] >> place & 1)
                place -= term.ends
            places = {Reads.ELEMENT: [i], Reads.FIRST: [0], Reads.ROW: range(term.columns)}
            bits = None if term.bits is None else np.reshape(term.bits, (size, -1))[i]
            for k, j in enumerate(places[term.reads]):
                bit = bits is not None and bool(bits[k])
                factor = (-1) ** (term.negative + (term.signed and bit)) << term.power
                if counts and (bits is None or term.signed or bit):
                    total += factor * vectors[term.source][j]
        assert not given.factor or place == -1
        totals.append(total)
    return totals


def sylvester(block: int, x: np.ndarray) -> np.ndarray:
    """A transform entry by entry: (-1) ** popcount(i & j)."""
    entries = [[(-1) ** (i & j).bit_count() for j in range(block)] for i in range(block)]
    return np.concatenate([np.array(entries) @ part for part in x.reshape(-1, block)])


def matrices() -> list[np.ndarray]:
    shape = (5, 4)
    drawn = [RNG.choice([-1, 1], shape)]
    drawn += [RNG.integers(lo, hi, shape) for lo, hi in ((-1, 2), (-8, 8), (0, 16), (-5, 0))]
    drawn += [np.zeros(shape, int), np.full(shape, 3), np.full(shape, -1), np.eye(5, 4, dtype=int)]
    return drawn


def of(*formats: Format, size: int = 4) -> tuple[Value, ...]:
    return tuple(Value(name, size, f) for name, f in zip("abc", formats, strict=False))


MIXED, PHASED = np.array([[3, -5, 0, 127]]), RNG.integers(-9, 10, (PERIOD, 4))
NULL_PHASE = np.array([[0, 0, 0, 0], [5, -3, 0, 1], [-7, -7, -7, -7]])
CASES: list[tuple[Operation, tuple[Value, ...]]] = [
    *((op(), of(*two)) for op in (Add, Sub) for two in ((SIGNED, UNSIGNED), (LOPSIDED, SIGNED))),
    (Neg(), of(SIGNED)),
    *((Exponent(shifts), of(SIGNED)) for shifts in ((3,), (-2, 1, 0))),
    *((Const(raw, 1), ()) for raw in (MIXED, PHASED, NULL_PHASE, 0 * MIXED, -MIXED)),
    *((Scale(np.array([[f]]), -2), of(SIGNED)) for f in (0, 1, -1, 7, -7, 107, -128)),
    *((Scale(f, -2), of(LOPSIDED)) for f in (MIXED, PHASED, PHASED[:, :1], abs(PHASED), 0 * MIXED)),
    *((MatVec(Dense(weights)), of(SIGNED)) for weights in matrices()),
    (MatVec(Dense(np.array([[2], [-3]]))), of(SIGNED, size=1)),
    (PhasedMatVec(RNG.integers(-9, 10, (PERIOD, 3, 4))), of(SIGNED)),
    (PhasedMatVec(RNG.choice([-1, 1], (PERIOD, 3, 4))), of(UNSIGNED)),
    *((Slice(*ends), of(SIGNED)) for ends in ((0, 4), (1, 3), (3, 4))),
    *((Concat(), of(*two)) for two in ((SIGNED, UNSIGNED), (LOPSIDED, SIGNED))),
    (Concat(), (Value("a", 3, SIGNED), Value("a", 3, SIGNED))),
    *((MatVec(Hadamard(4, np.array(s))), of(SIGNED, size=len(s))) for s in ([1] * 4, [-1] * 8)),
    *((MatVec(Hadamard(b, RNG.choice([-1, 1], 8))), of(LOPSIDED, size=8)) for b in (1, 2, 8)),
    *((Mul(), of(*two)) for two in ((SIGNED, UNSIGNED), (UNSIGNED, SIGNED), (LOPSIDED, LOPSIDED))),
    *((Lerp(), of(Format(0, 16, -4), *two)) for two in ((SIGNED, LOPSIDED), (UNSIGNED, UNSIGNED))),
    (Lerp(), of(Format(0, 1), LOPSIDED, SIGNED)),
]


def drawn(value: Value) -> np.ndarray:
    """Elements of a value, the ends of its format among them."""
    raw = RNG.integers(value.format.lo, value.format.hi + 1, value.size)
    raw[RNG.integers(value.size)] = RNG.choice([value.format.lo, value.format.hi])
    return raw


def values(operands: Sequence[Value]) -> dict[str, np.ndarray]:
    return {value.name: drawn(value) for value in operands}


@pytest.mark.parametrize("spelled", [False, True])
@pytest.mark.parametrize(("operation", "operands"), CASES)
def test_the_terms_mean_the_operation(
    operation: Operation, operands: tuple[Value, ...], spelled: bool
) -> None:
    node = Node(inferred("result", operation, operands), operation, operands)
    product = isinstance(operation, Mul | Lerp)
    # More bits than it needs: others that share the factor may ask for them.
    bits = signed_bits(factors(node)[0].format) + spelled if product else 0
    for _ in range(3):
        raw = values(operands)
        vectors = {name: elements.tolist() for name, elements in raw.items()}

        def shifted(value: Value, by: int, held: Vectors = vectors) -> str:
            name = f"{value.name} << {by}"
            held[name] = [element << by for element in held[value.name]]
            return name

        if is_transform(node):
            assert isinstance(operation, MatVec) and isinstance(operation.matrix, Hadamard)
            held = sylvester(operation.matrix.block, raw["a"])
            vectors[transformed("result")] = held.tolist()
        stored, constants = {v.name for v in operands}, {"result"} if spelled else set()
        made = Sums({}, stored, constants, bits, shifted).definition(node)
        assert not spelled or set(made.constants) <= {"number.1"}
        for phase in range(PERIOD):
            given = [raw[value.name][:, None] for value in operands]
            expected = operation.evaluate(given, operands, node.result.format, phase)[:, 0]
            found = summed(made, vectors, node.result.size, phase, bits)
            assert found == expected.tolist()


def test_linear_operations_on_each_other_are_one_sum() -> None:
    """Of values that are not stored: `2**shift[phase] * -(F a) - c[phase]`."""
    (a,) = of(SIGNED)
    nodes: dict[str, Node] = {}

    def apply(name: str, operation: Operation, *operands: Value) -> Value:
        nodes[name] = Node(inferred(name, operation, operands), operation, operands)
        return nodes[name].result

    scaled = apply("scaled", Scale(PHASED, -3), a)
    moved = apply("moved", Exponent((2, 0, 1)), apply("turned", Neg(), scaled))
    total = apply("total", Sub(), moved, apply("held", Const(NULL_PHASE, -1)))
    made = Sums(nodes, {"a"}, set(), 0, lambda value, by: value.name).of(total)
    raw = drawn(a)
    for phase, shift in enumerate((2, 0, 1)):
        exact = -raw * PHASED[phase] * 2.0 ** (-7 + shift) - NULL_PHASE[phase] * 0.5
        found = np.array(summed(made, {"a": raw.tolist()}, 4, phase))
        assert (found * 2.0**total.format.exp == exact).all()


def test_a_lookup_is_a_row_of_a_vector() -> None:
    table = RNG.integers(-9, 10, (PERIOD, 7, 5))
    symbol = Value("a", 1, Format(0, 6))
    node = Node(inferred("row", Lookup(table, 0), (symbol,)), Lookup(table, 0), (symbol,))
    begins, held = rows_of_symbols(node)
    for phase in range(PERIOD):
        for k in range(7):
            (start,) = summed(begins, {"a": [k]}, 1, phase)
            assert start % 8 == 0, "base | index is a place"
            assert held[start : start + 5].tolist() == table[phase, k].tolist()


def test_a_sum_of_none_is_zero() -> None:
    assert summed(number(0), {}, 2, 0) == [0, 0] and summed(number(-3), {}, 2, 0) == [-3, -3]


def test_signed_digits() -> None:
    for factor in range(-300, 301):
        digits = dict(signed_digits(factor))
        assert sum(digit << power for power, digit in digits.items()) == factor
        assert set(digits.values()) <= {1, -1}
        assert not any(power + 1 in digits for power in digits), "two next to each other"


@pytest.mark.parametrize("ends", [(0, 0), (0, 1), (-1, 0), (-1, 1), (-300, 300), (5, 9), (-9, -5)])
def test_planes(ends: tuple[int, int]) -> None:
    weights = np.arange(ends[0], ends[1] + 1)
    found = list(planes(weights))
    assert (sum((-1) ** n * b.astype(int) << p for p, n, b in found) == weights).all()
    powers = [power for power, _, _ in found]
    assert powers == sorted(set(powers), reverse=True)
    assert all(bits.any() for _, _, bits in found)


@dataclass(frozen=True)
class Doubling(Operation):
    """What nobody has heard of."""

    kind = "doubling"
    arity = 1

    def infer(self, operands: Sequence[Value]) -> tuple[int, Format]:
        return operands[0].size, operands[0].format

    def evaluate(self, x: Sequence[Any], *rest: Any) -> Any:
        return x[0]


# Other tests go through all that there are.
Operation.registry.pop("doubling")


def test_what_is_no_sum_is_refused() -> None:
    """Not asserted: who looks for schedules goes on with others."""
    (a,) = of(SIGNED)
    node = Node(inferred("twice", Doubling(), (a,)), Doubling(), (a,))
    with pytest.raises(UserError) as refused:
        Sums({"twice": node}, {"a"}, set(), 0, lambda value, by: value.name).of(node.result)
    assert str(refused.value) == (
        "twice is a doubling: a microprogram has no doubling; leave out --microcode"
    )


def test_a_sum_has_one_factor() -> None:
    with pytest.raises(AssertionError, match="one factor"):
        _ = product("p", 3, [("a", False)]) + product("q", 3, [("a", False)])


def test_bits_that_are_wrong_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The evaluator of these tests tells a sign of two's complement that is added."""
    weights = RNG.integers(-8, 8, (5, 4))

    def unsigned(weights: np.ndarray) -> Any:
        return [(power, False, bits) for power, _, bits in planes(weights)]

    monkeypatch.setattr("sylvan.hw.microcode.terms.planes", unsigned)
    with pytest.raises(AssertionError):
        test_the_terms_mean_the_operation(MatVec(Dense(weights)), of(SIGNED), False)
