"""Every operation: by hand, against its formula in fractions, at its extremes and near overflow."""

from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import reference
from sylvan.model import operations
from sylvan.model.builder import Builder
from sylvan.model.interpret import run
from sylvan.model.matrices import Dense, Hadamard
from sylvan.model.numbers import Format, Overflow, Rounding
from sylvan.model.operations import Operation, Value
from sylvan.model.operations.arithmetic import Add, Lerp, ModRelu, Mul, Neg, Relu, Sub
from sylvan.model.operations.constants import Const, Lookup, MatVec, Scale, Table
from sylvan.model.operations.moves import ArgMax, Concat, Exponent, Narrow, Slice
from sylvan.model.operations.phased import PhasedMatVec
from sylvan.model.program import NumericInput, Program

Raws = list[int]


@dataclass
class Case:
    """Raw operands with their formats, and the raw result that was worked out by hand."""

    operation: Operation
    operands: list[tuple[Raws, Format]]
    expected: Raws
    format: Format
    phase: int = 0


def values(operands: list[Format], sizes: list[int]) -> list[Value]:
    return [Value(f"x{k}", n, f) for k, (f, n) in enumerate(zip(operands, sizes, strict=True))]


def program_of(operation: Operation, operands: list[tuple[Raws, Format]]) -> Program:
    """Operands are states that keep their initial value: any format, and nothing else computed."""
    b = Builder(NumericInput(1, Format(0, 0), (1.0,), (0.0,)), operation.period)
    states = [
        b.state(f"x{k}", len(raws), format, raws) for k, (raws, format) in enumerate(operands)
    ]
    for state in states:
        b.write(state, state)
    b.layer("operation", b.apply(operation, *states, name="result"))
    return b.program(b.input, "every")


def golden(operation: Operation, operands: list[tuple[Raws, Format]]) -> list[Raws]:
    """The result in each phase."""
    answers = run(program_of(operation, operands), np.zeros((1, operation.period, 1), int))
    return answers[0].tolist()


# The second operand of most cases has a finer binary point: 0.25 against 1, or 1 against 2.
A, B = Format(-8, 7, 0), Format(-16, 15, -2)
HALVES = Format(-16, 15, -1)

HAND: dict[str, Case] = {
    # -3 + 1.25 = -1.75 = -7/4; 7 + 3.75 = 10.75 = 43/4; -8 - 4 = -12 = -48/4
    "add": Case(Add(), [([-3, 7, -8], A), ([5, 15, -16], B)], [-7, 43, -48], Format(-48, 43, -2)),
    "add-same-exponent": Case(
        Add(), [([-3, 7], A), ([2, -8], A)], [-1, -1], Format(-16, 14, 0)
    ),
    # -3 - 1.25 = -4.25 = -17/4; 7 - (-4) = 11 = 44/4; -8 - 3.75 = -11.75 = -47/4
    "sub": Case(Sub(), [([-3, 7, -8], A), ([5, -16, 15], B)], [-17, 44, -47], Format(-47, 44, -2)),
    # 1.25 - (-3) = 4.25: the coarser operand may be the second
    "sub-coarser-second": Case(Sub(), [([5], B), ([-3], A)], [17], Format(-44, 47, -2)),
    # The most negative value has a negative, because the interval and not the width grows.
    "neg": Case(Neg(), [([-8, 0, 7], A)], [8, 0, -7], Format(-7, 8, 0)),
    # -3 * 1.25 = -3.75 = -15/4; -8 * -4 = 32 = 128/4; 7 * -4 = -28 = -112/4
    "mul": Case(
        Mul(), [([-3, -8, 7], A), ([5, -16, -16], B)], [-15, 128, -112], Format(-120, 128, -2)
    ),
    # z = 0, 1/4, 1 between -3 and 5: -3, -3 + 2 = -1, 5; in quarters -12, -4, 20
    "lerp": Case(
        Lerp(),
        [([0, 1, 4], Format(0, 4, -2)), ([-3] * 3, A), ([5] * 3, A)],
        [-12, -4, 20],
        Format(-32, 28, -2),
    ),
    # z = 3/4 between -7.5 and 1.75: -7.5 + 0.75 * 9.25 = -0.5625 = -9/16, points at 2**-(2 + 2)
    "lerp-exponents": Case(
        Lerp(),
        [([3, 0, 4], Format(0, 4, -2)), ([-15] * 3, HALVES), ([7] * 3, B)],
        [-9, -120, 28],
        Format(-128, 120, -4),
    ),
    # z as an unsigned fraction that never reaches 1: 255/256 between 0 and 7
    "lerp-below-one": Case(
        Lerp(), [([255], Format(0, 255, -8)), ([0], A), ([7], A)], [1785], Format(-2048, 1792, -8)
    ),
    "lerp-all-or-nothing": Case(
        Lerp(), [([0, 1], Format(0, 1)), ([3, 3], A), ([-5, -5], A)], [3, -5], A
    ),
    "relu": Case(Relu(), [([-8, -1, 0, 1, 7], A)], [0, 0, 0, 1, 7], Format(0, 7, 0)),
    "relu-never-positive": Case(Relu(), [([-5, -1], Format(-5, -1, -2))], [0, 0], Format(0, 0, -2)),
    "relu-always-positive": Case(Relu(), [([2, 5], Format(2, 5))], [2, 5], Format(2, 5)),
    # |a| - 3, with the sign of a: 5 -> 2, -5 -> -2; dead between -3 and 3; 0 stays 0
    "modrelu-dead-zone": Case(
        ModRelu([-3]), [([5, -5, 3, -3, 1, 0], A)], [2, -2, 0, 0, 0, 0], Format(-5, 4, 0)
    ),
    # |a| + 2, with the sign of a; the sign of 0 is 0, so that 0 stays 0
    "modrelu-positive": Case(
        ModRelu([2]), [([5, -5, 1, -1, 0], A)], [7, -7, 3, -3, 0], Format(-10, 9, 0)
    ),
    # Per lane: 4 - 1 = 3, -(4 - 5) dead, -(8 + 1) = -9, and 4 - 4 = 0 on the edge
    "modrelu-per-lane": Case(
        ModRelu([-1, -5, 1, -4]), [([4, -4, -8, 4], A)], [3, 0, -9, 0], Format(-9, 8, 0)
    ),
    # [1, -2, 3] . [4, 5, -6] = 4 - 10 - 18 = -24; [0, 0, 7] . [...] = -42
    # rows reach [-8 - 14 - 24, 7 + 16 + 21] = [-46, 44] and [-56, 49]
    "matvec-dense": Case(
        MatVec(Dense([[1, -2, 3], [0, 0, 7]])), [([4, 5, -6], A)], [-24, -42], Format(-56, 49, 0)
    ),
    # S_4 [3, 1, -2, 5]: 3+1-2+5 = 7, 3-1-2-5 = -5, 3+1+2-5 = 1, 3-1+2+5 = 9; rows 1 and 3 negated
    # rows reach [4 * -8, 4 * 7] and [2 * -8 - 2 * 7, 2 * 7 + 2 * 8] = [-30, 30]
    "matvec-hadamard": Case(
        MatVec(Hadamard(4, [1, -1, 1, -1])), [([3, 1, -2, 5], A)], [7, 5, 1, -9], Format(-32, 30, 0)
    ),
    # A block of one is the sign itself.
    "matvec-signs": Case(
        MatVec(Hadamard(1, [1, -1, -1])), [([3, 1, -8], A)], [3, -1, 8], Format(-8, 8, 0)
    ),
    # 20 = 5 blocks of 4: blocks do not mix. Each block sees [1, 0, 0, 0] * k -> k everywhere.
    "matvec-five-blocks": Case(
        MatVec(Hadamard(4, [1] * 20)),
        [([k if j == 0 else 0 for k in (1, 2, 3, 4, 5) for j in range(4)], A)],
        [1] * 4 + [2] * 4 + [3] * 4 + [4] * 4 + [5] * 4,
        Format(-32, 30, 0),
    ),
    # One matrix for every phase: as matvec-dense.
    "phased-matvec-one": Case(
        PhasedMatVec([[[1, -2, 3], [0, 0, 7]]]), [([4, 5, -6], A)], [-24, -42], Format(-56, 49, 0)
    ),
    # Phase 1: 4 * 5 - 3 = 17 and -5. Its first row reaches [4 * -8 - 8, 4 * 7 + 7] = [-40, 35], and
    # no other row reaches further; phase 0 alone reaches [-15, 15].
    "phased-matvec-phase-1": Case(
        PhasedMatVec([[[1, -1], [0, 1]], [[4, 1], [-1, 0]]]),
        [([5, -3], A)],
        [17, -5],
        Format(-40, 35, 0),
        phase=1,
    ),
    "lookup": Case(
        Lookup([[[1, -2], [3, 4], [5, 6]]], -1), [([1], Format(0, 2))], [3, 4], Format(-2, 6, -1)
    ),
    # The other phase has rows of its own; the format spans both.
    "lookup-phase-1": Case(
        Lookup([[[1, -2], [3, 4]], [[10, 20], [-30, 40]]], 0),
        [([1], Format(0, 1))],
        [-30, 40],
        Format(-30, 40, 0),
        phase=1,
    ),
    # 1.5, -0.5, 2 (halves 3, -1, 4) times -3, 7, -8: halves -9, -7, -32
    "scale": Case(
        Scale([[3, -1, 4]], -1), [([-3, 7, -8], A)], [-9, -7, -32], Format(-32, 28, -1)
    ),
    # One factor for all lanes, 3/4 in phase 0 and 5/4 in phase 1
    "scale-phase-1": Case(
        Scale([[3], [5]], -2), [([-3, 7], A)], [-15, 35], Format(-40, 35, -2), phase=1
    ),
    "const": Case(Const([[3, -4, 0]], -5), [], [3, -4, 0], Format(-4, 3, -5)),
    "const-phase-1": Case(Const([[3, -4], [7, 8]], 2), [], [7, 8], Format(-4, 8, 2), phase=1),
    # entries[a - lo] with lo = -2: -2 -> 10, -1 -> 20, 0 -> -30, 1 -> 40
    "table": Case(
        Table([10, 20, -30, 40], -4),
        [([0, -2, 1, -1], Format(-2, 1, -1))],
        [-30, 10, 40, 20],
        Format(-30, 40, -4),
    ),
    # The raw value stays, its binary point moves: 5 stood for 1.25, now for 5/32
    "exponent": Case(Exponent((-3,)), [([5, -16], B)], [5, -16], Format(-16, 15, -5)),
    "exponent-up": Case(Exponent((3,)), [([5, -16], B)], [5, -16], Format(-16, 15, 1)),
    # Phases shift by -3 and -1; the finer point is -3, so phase 1 moves left by 2: 5 -> 20
    "exponent-phase-0": Case(Exponent((-3, -1)), [([5, -16], B)], [5, -16], Format(-64, 60, -5)),
    "exponent-phase-1": Case(
        Exponent((-3, -1)), [([5, -16], B)], [20, -64], Format(-64, 60, -5), phase=1
    ),
    # Quarters 5, 6, 7, -5, -6, -7, 2, -2 = 1.25, 1.5, 1.75 ...; ties 1.5 -> 2, -1.5 -> -2, 0.5 -> 0
    "narrow-half-even": Case(
        Narrow(A), [([5, 6, 7, -5, -6, -7, 2, -2, 10], Format(-128, 127, -2))],
        [1, 2, 2, -1, -2, -2, 0, 0, 2],
        A,
    ),
    # Ties upwards: 1.5 -> 2, -1.5 -> -1, 0.5 -> 1, -0.5 -> 0, 2.5 -> 3
    "narrow-half-up": Case(
        Narrow(A, Rounding.HALF_UP),
        [([5, 6, 7, -5, -6, -7, 2, -2, 10], Format(-128, 127, -2))],
        [1, 2, 2, -1, -1, -2, 1, 0, 3],
        A,
    ),
    # 1.75 -> 1, -0.25 -> -1
    "narrow-floor": Case(
        Narrow(A, Rounding.FLOOR),
        [([7, -1, -4, -5], Format(-128, 127, -2))],
        [1, -1, -1, -2],
        A,
    ),
    # 31.75 and 7.5 (rounds to 8) stop at 7; -32 and -8.5 (rounds to -8) at -8
    "narrow-saturate": Case(
        Narrow(A), [([127, 30, -128, -34, 29], Format(-128, 127, -2))], [7, 7, -8, -8, 7], A
    ),
    # Modulo 16 into [-8, 7]: 8 -> -8, 9 -> -7, 31 -> -1, -9 -> 7, -32 -> 0
    "narrow-wrap": Case(
        Narrow(A, Rounding.FLOOR, Overflow.WRAP),
        [([8, 9, 31, -9, -32, 7], Format(-128, 127, 0))],
        [-8, -7, -1, 7, 0, 7],
        A,
    ),
    # 7.5 rounds to 8 before it wraps to -8; the interval [3, 6] takes 7 to 3 and 2 to 6
    "narrow-round-then-wrap": Case(
        Narrow(A, Rounding.HALF_EVEN, Overflow.WRAP), [([30], Format(0, 31, -2))], [-8], A
    ),
    "narrow-wrap-offset": Case(
        Narrow(Format(3, 6), Rounding.FLOOR, Overflow.WRAP),
        [([7, 2, 3, 6, -1], Format(-8, 7))],
        [3, 6, 3, 6, 3],
        Format(3, 6),
    ),
    # To a finer point nothing is rounded: 3 -> 3.00 in quarters, 7 -> 28 stops at 15
    "narrow-finer": Case(Narrow(B), [([3, 7, -8], A)], [12, 15, -16], B),
    # [-3, 7] in quarters, then 5 and -16
    "concat": Case(
        Concat(), [([-3, 7], A), ([5, -16, 1], B)], [-12, 28, 5, -16, 1], Format(-32, 28, -2)
    ),
    "concat-of-itself": Case(Concat(), [([1, 2], A), ([1, 2], A)], [1, 2, 1, 2], A),
    "slice": Case(Slice(1, 3), [([4, 5, 6, 7], A)], [5, 6], A),
    "slice-all": Case(Slice(0, 2), [([4, 5], B)], [4, 5], B),
    "argmax": Case(ArgMax(), [([-3, 7, 2], A)], [1], Format(0, 2, 0)),
    # The lowest index among equals, also where all are equal or negative
    "argmax-tie": Case(ArgMax(), [([2, 7, 7, -8, 7], A)], [1], Format(0, 4, 0)),
    "argmax-all-equal": Case(ArgMax(), [([-5, -5, -5], A)], [0], Format(0, 2, 0)),
    "argmax-of-one": Case(ArgMax(), [([-5], B)], [0], Format(0, 0, 0)),
}  # fmt: skip
EVERY_CASE = pytest.mark.parametrize("case", HAND.values(), ids=HAND)


@EVERY_CASE
def test_by_hand(case: Case) -> None:
    assert golden(case.operation, case.operands)[case.phase] == case.expected
    operands = values([f for _, f in case.operands], [len(raws) for raws, _ in case.operands])
    assert case.operation.infer(operands) == (len(case.expected), case.format)
    raws = [raws for raws, _ in case.operands]
    assert reference.apply(case.operation, operands, raws, case.phase) == case.expected


def test_every_operation_has_a_case_a_formula_and_a_line_of_specification() -> None:
    page = (Path(operations.__file__).parent / "README.md").read_text()
    for kind, operation in Operation.registry.items():
        assert operation.kind == kind
        assert any(case.operation.kind == kind for case in HAND.values()), kind
        assert kind in reference.FORMULAS
        assert f"| `{kind}`" in page, f"{kind} has no line in the table of operations/README.md"
        note = "no" if operation.lossless else "yes"
        line = next(row for row in page.splitlines() if row.startswith(f"| `{kind}`"))
        assert line.split("|")[-2].strip().startswith(note), f"does {kind} lose information?"


@EVERY_CASE
def test_against_the_formula_on_random_data(case: Case) -> None:
    """And every result lies in the inferred format."""
    rng = np.random.default_rng(0)
    formats = [f for _, f in case.operands]
    sizes = [len(raws) for raws, _ in case.operands]
    for _ in range(8):
        given = [
            (rng.integers(f.lo, f.hi + 1, n).tolist(), f)
            for f, n in zip(formats, sizes, strict=True)
        ]
        for phase, answer in enumerate(golden(case.operation, given)):
            raws = [raws for raws, _ in given]
            expected = reference.apply(case.operation, values(formats, sizes), raws, phase)
            assert answer == expected
            assert all(case.format.contains(raw) for raw in answer)


@EVERY_CASE
def test_extremes_stay_inside_and_reach_the_ends(case: Case) -> None:
    """Every lane at either end of its format: no result outside, and the ends are reached."""
    formats = [f for _, f in case.operands]
    sizes = [len(raws) for raws, _ in case.operands]
    ends = [(f.lo, f.hi, 0) if f.contains(0) else (f.lo, f.hi) for f in formats]
    lanes = [end for end, n in zip(ends, sizes, strict=True) for _ in range(n)]
    rng = np.random.default_rng(0)
    if len(lanes) <= 5:
        choices = list(product(*lanes))
    else:
        drawn = [tuple(int(rng.choice(end)) for end in lanes) for _ in range(100)]
        choices = [tuple(min(e) for e in lanes), tuple(max(e) for e in lanes), *drawn]
    seen: set[int] = set()
    for choice in choices:
        left, given = list(choice), []
        for f, n in zip(formats, sizes, strict=True):
            given.append((left[:n], f))
            left = left[n:]
        for answer in golden(case.operation, given):
            assert all(case.format.contains(raw) for raw in answer), choice
            seen.update(answer)
    tight = {"add", "sub", "neg", "mul", "relu", "exponent", "concat", "slice", "scale", "const"}
    if case.operation.kind in tight:
        assert (min(seen), max(seen)) == (case.format.lo, case.format.hi)


@pytest.mark.parametrize("rounding", Rounding, ids=lambda r: r.value)
@pytest.mark.parametrize("mode", Overflow, ids=lambda o: o.value)
def test_narrow_is_that_of_numbers(rounding: Rounding, mode: Overflow) -> None:
    """Every raw value of 7 bits, every shift, every target: the array form of `numbers.narrow`."""
    source = Format(-64, 63, 0)
    operand = values([source], [128])
    raws = list(range(-64, 64))
    column = np.array(raws)[:, None]
    for shift in range(-3, 8):
        for target in [Format.signed_bits(bits, shift) for bits in range(1, 8)]:
            narrow = Narrow(target, rounding, mode)
            for dtype in (np.int32, np.int64):
                result = narrow.evaluate([column.astype(dtype)], operand, target, 0)
                assert result[:, 0].tolist() == reference.apply(narrow, operand, [raws])
    assert column[:, 0].tolist() == raws, "the operand was changed"


# ---- integer types: exact up to the 62 bits, refused beyond

NEAR = [
    (1 << power) + offset for power in (28, 29, 30, 31, 32, 40, 52, 60, 61) for offset in (-1, 0, 1)
]  # fmt: skip
FORMS: dict[str, tuple[Operation, list[int], list[int]]] = {
    # Operation, exponents of its operands, sizes of its operands
    "add": (Add(), [0, 0], [2, 2]),
    "add-aligned": (Add(), [0, -3], [2, 2]),
    "sub": (Sub(), [0, 0], [2, 2]),
    "sub-aligned": (Sub(), [-3, 0], [2, 2]),
    "neg": (Neg(), [0], [2]),
    "relu": (Relu(), [0], [2]),
    "modrelu": (ModRelu([5, -5]), [0], [2]),
    "modrelu-wide": (ModRelu([1 << 40, -(1 << 40)]), [0], [2]),
    "dense-few": (MatVec(Dense([[1, 1], [1, -1]])), [0], [2]),
    "dense-many": (MatVec(Dense([[1, -1, 1, -1, 1, -1, 1]])), [0], [7]),
    "dense-zero": (MatVec(Dense([[0, 0]])), [0], [2]),
    "hadamard": (MatVec(Hadamard(8, [1, -1] * 4)), [0], [8]),
    "phased": (PhasedMatVec([[[1, 1], [0, 0]], [[3, -5], [1, 0]]]), [0], [2]),
    "scale": (Scale([[3, -5]], 0), [0], [2]),
    "scale-phases": (Scale([[1], [-2]], 0), [0], [2]),
    "exponent": (Exponent((0, 1)), [0], [2]),
    "concat": (Concat(), [0, -3], [2, 2]),
    "slice": (Slice(1, 2), [0], [2]),
    "argmax": (ArgMax(), [0], [3]),
    **{
        f"narrow-{rounding.value}-{mode.value}-{shift}": (
            Narrow(Format(-128, 127, shift), rounding, mode),
            [0],
            [3],
        )
        for rounding in Rounding
        for mode in Overflow
        for shift in (-1, 0, 1, 29, 40)
    },
    "narrow-wide": (Narrow(Format(-(1 << 40), (1 << 40) - 1)), [0], [3]),
}


@pytest.mark.parametrize(("operation", "exps", "sizes"), FORMS.values(), ids=FORMS)
def test_no_integer_type_overflows(operation: Operation, exps: Raws, sizes: Raws) -> None:
    """Magnitudes around 2**30, where int32 ends for us, 2**31, 2**53 and 2**62."""
    rng = np.random.default_rng(0)
    accepted = []
    for top in NEAR:
        formats = [Format(-top, top - 1, exp) for exp in exps]
        ends = [rng.choice([-top, 1 - top, top - 2, top - 1], n).tolist() for n in sizes]
        for given in (
            ends,
            [[-top] * n for n in sizes],
            [[top - 1] * n for n in sizes],
            [[top - 1 if k % 2 else -top for k in range(n)] for n in sizes],
        ):
            operands = list(zip(given, formats, strict=True))
            try:
                program = program_of(operation, operands)
            except ValueError as error:
                assert "could exceed 62 bits" in str(error)
                continue
            accepted.append(top)
            answers = run(program, np.zeros((1, operation.period, 1), int))[0].tolist()
            for phase, answer in enumerate(answers):
                assert answer == reference.apply(operation, values(formats, sizes), given, phase)
    assert set(NEAR[:18]) <= set(accepted), "magnitudes of 41 bits leave room for all of these"


@pytest.mark.parametrize("top", [(1 << 15), (1 << 15) + 1, 1 << 16, 1 << 30, (1 << 31) - 1])
def test_products_of_two_wide_operands(top: int) -> None:
    wide = Format(-top, top)
    operands = [([-top, top, -top], wide), ([-top, top, top], wide)]
    assert golden(Mul(), operands) == [[top**2, top**2, -(top**2)]]
    fraction = Format(0, 1 << 15, -15)
    low = Format(-top >> 8, top >> 8)
    operands = [([0, 1 << 15, 1], fraction), ([low.lo] * 3, low), ([low.hi] * 3, low)]
    expected = [low.lo << 15, low.hi << 15, (low.lo << 15) + low.hi - low.lo]
    assert golden(Lerp(), operands) == [expected]


@pytest.mark.parametrize("top", [1 << 30, 1 << 31, 1 << 40, (1 << 62) - 1])
def test_wide_constants_and_tables(top: int) -> None:
    assert golden(Const([[top, -top]], 0), []) == [[top, -top]]
    assert golden(Table([top, -top], 0), [([0, 1], Format(0, 1))]) == [[top, -top]]
    assert golden(Lookup([[[top], [-top]]], 0), [([1], Format(0, 1))]) == [[-top]]
    near = Format(top - 3, top)
    assert golden(Table([1, 2, 3, 4], 0), [([top, top - 3], near)]) == [[4, 1]]


@pytest.mark.parametrize(
    ("operation", "operands"),
    [
        (Add(), [Format(0, (1 << 62) - 1), Format(0, 1)]),
        (Add(), [Format(0, 1, 70), Format(0, 1, 0)]),
        (Sub(), [Format(0, 1 << 61), Format(0, 1 << 61)]),
        (Mul(), [Format(0, 1 << 31), Format(0, 1 << 31)]),
        (Neg(), [Format(0, 1 << 62)]),
        (MatVec(Dense([[4]])), [Format(-(1 << 60), 0)]),
        (MatVec(Hadamard(4, [1] * 4)), [Format(-(1 << 60), 0)]),
        (PhasedMatVec([[[1]], [[4]]]), [Format(-(1 << 60), 0)]),
        (Scale([[1 << 61]], 0), [Format(0, 2)]),
        (Exponent((0, 62)), [Format(0, 1)]),
        (Narrow(Format(0, 1, -62)), [Format(0, 1)]),
        (Narrow(Format(0, 1, 62)), [Format(0, 1)]),
        (ModRelu([(1 << 62) - 1]), [Format(0, 1)]),
        (Lerp(), [Format(0, 1 << 61, -61), Format(0, 1), Format(0, 1)]),
        (Concat(), [Format(0, 1, 62), Format(0, 1)]),
    ],
    ids=lambda item: item.kind if isinstance(item, Operation) else "",
)
def test_more_than_62_bits_are_refused(operation: Operation, operands: list[Format]) -> None:
    size = operation.matrix.shape[1] if isinstance(operation, MatVec) else 1
    with pytest.raises(ValueError, match="could exceed 62 bits"):
        program_of(operation, [([f.lo] * size, f) for f in operands])


# ---- refusals

X1, X2, X3 = (Value(f"x{n}", n, A) for n in (1, 2, 3))


@pytest.mark.parametrize(
    ("operation", "operands", "message"),
    [
        (Add(), [X2, X3], "operands must have one size, but x2 has 2, x3 has 3 elements"),
        (Sub(), [X2, X3], "operands must have one size, but x2 has 2, x3 has 3 elements"),
        (Mul(), [X3, X2], "operands must have one size, but x3 has 3, x2 has 2 elements"),
        (Lerp(), [Value("z", 2, Format(0, 1)), X2, X3], "but z has 2, x2 has 2, x3 has 3"),
        (Lerp(), [X2, X2, X2], r"the weight of lerp must lie in \[0, 1\], got Format\(lo=-8, hi=7"),
        (Lerp(), [Value("z", 2, Format(0, 2)), X2, X2], r"must lie in \[0, 1\], got Format\(lo=0"),
        (Lerp(), [Value("z", 2, Format(0, 5, -2)), X2, X2], r"must lie in \[0, 1\], got"),
        (Lerp(), [Value("z", 2, Format(0, 1, 1)), X2, X2], r"must lie in \[0, 1\], got"),
        (ModRelu([1, 2]), [X3], "bias has 2 elements, x3 has 3"),
        (MatVec(Dense([[1, 2]])), [X3], "the matrix has 2 columns, x3 has 3"),
        (MatVec(Hadamard(2, [1, 1])), [X3], "the matrix has 2 columns, x3 has 3"),
        (PhasedMatVec([[[1, 2]]]), [X3], "the matrices have 2 columns, x3 has 3"),
        (Scale([[1, 2]], 0), [X3], "2 factors for the 3 lanes of x3"),
        (Table([1, 2, 3], 0), [X2], "3 entries for the 16 values of x2"),
        (Lookup([[[1], [2]]], 0), [X1], r"the table has 2 symbols, x1 is 1 of Format\(lo=-8, hi=7"),
        (Lookup([[[1], [2]]], 0), [Value("s", 1, Format(0, 2))], "the table has 2 symbols, s is 1"),
        (Lookup([[[1], [2]]], 0), [Value("s", 2, Format(0, 1))], "the table has 2 symbols, s is 2"),
        (Lookup([[[1], [2]]], 0), [Value("s", 1, Format(0, 1, -1))], "the table has 2 symbols, s"),
        (Slice(1, 4), [X3], r"slice \[1, 4\) is not inside the 3 of x3"),
        (Slice(2, 2), [X3], r"slice \[2, 2\) is not inside the 3 of x3"),
        (Slice(-1, 2), [X3], r"slice \[-1, 2\) is not inside the 3 of x3"),
        (Exponent((2000,)), [X3], r"Format.exp must lie within \+-1024, got 2000"),
    ],
)  # fmt: skip
def test_refused_operands(operation: Operation, operands: list[Value], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        operation.infer(operands)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Const([1, 2], 0), r"raw must be .* with 2 axes, got int64 of shape \(2,\)"),
        (lambda: Const([[0.5]], 0), r"raw must be .* integer array with 2 axes, got float64"),
        (lambda: Const([[True]], 0), r"raw must be .* integer array with 2 axes, got bool"),
        (lambda: Const([[1]], 0.5), "exp must be an integer, got 0.5"),
        (lambda: Const([[1]], True), "exp must be an integer, got True"),
        (lambda: Const([[1 << 62]], 0), r"raw must stay below 2\*\*62"),
        (lambda: PhasedMatVec([[1]]), "weights must be .* with 3 axes"),
        (lambda: PhasedMatVec([[[1, 1, 1]], [[1 << 61] * 3]]), "the weights of a row sum to 6.92e"),
        (lambda: Scale([1], 0), "factors must be .* with 2 axes"),
        (lambda: Scale([[1]], "0"), "exp must be an integer, got '0'"),
        (lambda: Lookup([[1]], 0), "table must be .* with 3 axes"),
        (lambda: Lookup([[[1]]], None), "exp must be an integer, got None"),
        (lambda: Table([], 0), "entries must be a non-empty integer array with 1 axes"),
        (lambda: Table([1], np.float64(1)), "exp must be an integer, got "),
        (lambda: ModRelu([]), "bias must be a non-empty integer array with 1 axes"),
        (lambda: ModRelu(3), r"bias must be .* with 1 axes, got int64 of shape \(\)"),
        (lambda: Exponent(()), "exponent needs at least one shift"),
        (lambda: Exponent((0.5,)), "shifts of exponent must be an integer, got 0.5"),
        (lambda: Slice(0.0, 1), "start of slice must be an integer, got 0.0"),
        (lambda: Slice(0, True), "stop of slice must be an integer, got True"),
        (lambda: Narrow(A, "floor"), "narrow needs a Rounding and an Overflow, got 'floor'"),
        (lambda: Narrow(A, Rounding.FLOOR, "wrap"), "needs a Rounding and an Overflow, .* 'wrap'"),
        (
            lambda: Narrow(Format(-7, 7), Rounding.FLOOR, Overflow.WRAP),
            r"wrapping needs an interval of 2\*\*k values, got 15",
        ),
    ],
)
def test_refused_constants(make, message) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_equality_is_by_kind_and_constants() -> None:
    assert Const([[1, 2]], 0) == Const(np.array([[1, 2]], np.int16), np.int32(0))
    assert Const([[1, 2]], 0) != Const([[1, 2]], 1)
    assert Const([[1, 2]], 0) != Scale([[1, 2]], 0)
    assert ModRelu([1]) != ModRelu([1, 1])
    assert MatVec(Dense([[1]])) != MatVec(Hadamard(1, [1]))
    assert Add() == Add()
    assert Add() != Sub()
    assert Exponent((1,)) == Exponent([1])  # type: ignore[arg-type]
    assert Narrow(A) != Narrow(A, Rounding.FLOOR)
