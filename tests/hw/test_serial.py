# amaranth: UnusedElaboratable=no
"""Digits: sums, shifts, narrowing and memories in digits of any width are exact.

Graphs against their matrices, narrowing against fractions on every value of small formats; words
follow each other without a pause, vectors with and without one.
"""

from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import pytest
from amaranth import Module, Signal
from clocked import run_clocked
from reference import ROUND, into, power
from sylvan.hw.adders import optimize
from sylvan.hw.adders.graph import GraphBuilder
from sylvan.hw.beats import Pattern, Tag, digits
from sylvan.hw.operators.base import Operator
from sylvan.hw.operators.converters import ToDigits, ToWords
from sylvan.hw.operators.narrow import Narrowing
from sylvan.hw.operators.planes import PlaneMemory
from sylvan.hw.operators.serial import (
    SerialGraph,
    SerialPhaseShift,
    SerialSignFlip,
    least_digits,
)
from sylvan.hw.operators.serial_narrow import SerialNarrow, can_pass, narrow_digits
from sylvan.hw.operators.serial_transform import SerialTransform, between_beats
from sylvan.hw.operators.stored import Buffer
from sylvan.model.matrices import sylvester
from sylvan.model.numbers import Format, Overflow, Rounding

NIBBLE = Format(-8, 7)
PAUSES = (0, 3)


def sent(raw: Any, pattern: Pattern) -> list[list[int]]:
    """What the lanes carry in each cycle of a vector, from its elements."""
    cycles = []
    for beat in range(pattern.beats):
        for held in range(pattern.dwell):
            elements = raw[beat * pattern.lanes : (beat + 1) * pattern.lanes]
            if pattern.digit:
                mask = (1 << pattern.digit) - 1
                elements = [(int(e) >> held * pattern.digit) & mask for e in elements]
            cycles.append([int(e) for e in elements])
    return cycles


def received(cycles: list[Any], pattern: Pattern, format: Format) -> list[int]:
    """The elements of what lanes carried; over and under as the format's ends."""
    found = []
    count = digits(format, pattern.digit) if pattern.digit else 1
    for beat in range(pattern.beats):
        rows = cycles[beat * pattern.dwell : (beat + 1) * pattern.dwell]
        for lane in range(pattern.lanes):
            if not pattern.digit:
                assert all(row[lane] == rows[0][lane] for row in rows), "a word stays"
                found.append(rows[0][lane])
                continue
            taken = rows if not pattern.settles else rows[:count]
            raw = sum(row[lane] << k * pattern.digit for k, row in enumerate(taken))
            bits = len(taken) * pattern.digit
            if format.signed and raw >> bits - 1:
                raw -= 1 << bits
            if pattern.settles:
                ends = rows[pattern.settles - 1][pattern.lanes :]
                over, under = ends[lane], ends[pattern.lanes + lane]
                raw = format.hi if over else format.lo if under else raw
            found.append(raw)
    return found


def run(
    operator: Operator, patterns: list[Pattern], result: Pattern, vectors: Any, pause: int = 0
) -> list[list[int]]:
    """The results of an operator on vectors, one after the other: [vector][operand] elements."""
    format = operator.o.signature.format
    distance = operator.interval + pause
    length = distance * (len(vectors) - 1) + operator.latency + result.cycles
    lanes: dict[tuple[int, int], list[int]] = {}
    for number, operands in enumerate(vectors):
        for place, (raw, pattern) in enumerate(zip(operands, patterns, strict=True)):
            for cycle, values in enumerate(sent(raw, pattern)):
                lanes[number * distance + cycle, place] = values
    seen: list[list[int]] = []
    starts: list[int] = []

    async def bench(context: Any) -> None:
        for cycle in range(length):
            for place, name in enumerate(operator.operands):
                port = getattr(operator, name)
                at, turn = divmod(cycle, distance)
                context.set(port.start, turn == 0 and at < len(vectors))
                # What passes between vectors must not matter.
                idle = [cycle * 7 + k for k in range(len(port.lanes))]
                values = lanes.get((cycle, place), idle)
                for lane, value in zip(port.lanes, values, strict=False):
                    context.set(lane, value)
            if context.get(operator.o.start):
                starts.append(cycle)
            wires = [*operator.o.lanes]
            if result.settles:
                wires += [*operator.o.over, *operator.o.under]
            seen.append([context.get(wire) for wire in wires])
            await context.tick()

    m = Module()
    m.submodules.operator = operator
    count = Signal(8)
    m.d.sync += count.eq(count + 1)
    run_clocked(m, bench)
    assert starts == [k * distance + operator.latency for k in range(len(vectors))]
    return [received(seen[at : at + result.cycles], result, format) for at in starts]


@pytest.mark.parametrize("pause", PAUSES)
@pytest.mark.parametrize("digit", [1, 2, 3, 7, 12])
def test_a_graph_in_digits_is_its_matrix(digit: int, pause: int) -> None:
    rng = np.random.default_rng(digit)
    matrix = rng.integers(-9, 10, (6, 5)) * rng.integers(0, 2, (6, 5)) << rng.integers(0, 3, (6, 1))
    matrix[3] = 0
    builder = GraphBuilder([(-8, 7)] * 5)
    outputs = []
    for row in matrix:
        terms = [t for w, x in zip(row, builder.inputs(), strict=True) for t in _multiple(w, x)]
        total = builder.add_all(terms)
        if total is not None and total.sign < 0:
            total = builder.add(-total << 1, total)  # any positive node will do
        outputs.append(total)
    graph = builder.graph(outputs)
    word = least_digits(graph, digit) + 1
    taken, made = Pattern(5, 5, word, 1, digit), Pattern(6, 6, word, 1, digit)
    operator = SerialGraph(graph, [(taken, NIBBLE)], (made, Format(-1000, 1000)), Tag(1))
    vectors = rng.integers(-8, 8, (7, 1, 5))
    expected = graph.evaluate(vectors[:, 0]).tolist()
    assert run(operator, [taken], made, vectors, pause) == expected


def _multiple(weight: int, x: Any) -> list[Any]:
    """`weight x` as terms, bit by bit."""
    terms = [x << k for k in range(5) if abs(int(weight)) >> k & 1]
    return terms if weight > 0 else [-t for t in terms]


def test_a_serial_graph_s_promises_and_what_it_refuses() -> None:
    graph = optimize(sylvester(8), input_bits=4)
    order = Pattern(8, 8, 7, 1, 1)
    operator = SerialGraph(graph, [(order, NIBBLE)], (order, Format(-64, 56)), Tag(1))
    assert (operator.latency, operator.interval) == (3, 7)
    counting = 3 + 2 * 3  # a place of 3 bits: a register each, an adder, a selector
    assert operator.cost.logic_bits == 2 * 24 + 3 + 3
    assert operator.cost.register_bits == 2 * 24 + 3 + counting - 6
    short = Pattern(8, 8, 6, 1, 1)
    with pytest.raises(ValueError, match="widest node takes 7 digits of 1 bits, a word has 6"):
        SerialGraph(graph, [(short, NIBBLE)], (short, Format(-64, 56)), Tag(1))
    negative = optimize([[-1]], input_bits=4)
    with pytest.raises(ValueError, match="outputs of a serial graph must have positive signs"):
        SerialGraph(negative, [(order, NIBBLE)], (order, NIBBLE), Tag(1))


SOURCES = [(-8, 7), (-3, 12), (-6, -2), (1, 10), (3, 3), (-12, -10)]
TARGETS = [(-4, 3), (0, 0), (0, 3), (-1, 0), (-3, 4), (2, 2), (-3, -1), (-8, 8)]
ROUNDED = [(s, r) for s in (1, 2, 3) for r in Rounding]
ROUNDED += [(0, Rounding.FLOOR), (-2, Rounding.HALF_UP)]
IN_CI = {(1, 1), (1, 2), (3, 2), (2, 3), (3, 0), (1, -2)}
"""Digit and shift: one that divides the other, and one that does not."""


@pytest.mark.parametrize(
    "digit, shift, rounding",
    [
        pytest.param(d, *r, marks=() if (d, r[0]) in IN_CI else pytest.mark.full)
        for d in (1, 2, 3, 5)
        for r in ROUNDED
    ],
)
def test_every_narrowed_value_is_that_of_fractions(
    digit: int, shift: int, rounding: Rounding
) -> None:
    """Every value of a source one after the other, a word each, and clamped as a memory would."""
    for source_ends, target_ends, mode in product(SOURCES, TARGETS, Overflow):
        source, target = Format(*source_ends, -shift), Format(*target_ends, 0)
        span = target.hi - target.lo + 1
        if mode is Overflow.WRAP and (span & (span - 1) or not can_pass(target, mode)):
            continue
        narrow = Narrowing(source, target, rounding, mode)
        values = list(range(source.lo, source.hi + 1))
        word = narrow_digits(narrow, digit)
        order = Pattern(len(values), 1, word, 1, digit)
        operator = SerialNarrow(order, narrow, Tag(1))
        result = order.settling(operator.leaving)
        (found,) = run(operator, [order], result, [[values]])
        exact = [Fraction(raw) * power(source.exp - target.exp) for raw in values]
        expected = [into(ROUND[rounding](x), target, mode) for x in exact]
        assert found == expected, (source, target, mode, digit)


def test_what_narrowing_in_digits_refuses() -> None:
    narrow = Narrowing(Format(-99, 99, -3), NIBBLE, Rounding.HALF_EVEN, Overflow.SATURATE)
    assert narrow_digits(narrow, 1) == 3 + 5
    with pytest.raises(ValueError, match="narrowing takes 8 digits of 1 bits, a word has 7"):
        SerialNarrow(Pattern(4, 4, 7, 1, 1), narrow, Tag(1))
    wraps = Narrowing(Format(-99, 99), Format(-3, 4), Rounding.FLOOR, Overflow.WRAP)
    with pytest.raises(ValueError, match=r"digits cannot wrap into \[-3, 4\]"):
        SerialNarrow(Pattern(4, 4, 9, 1, 1), wraps, Tag(1))


@pytest.mark.parametrize("pause", PAUSES)
@pytest.mark.parametrize("digit", [1, 3, 4])
@pytest.mark.parametrize("lanes", [1, 2, 8])
def test_words_become_digits_and_digits_words(lanes: int, digit: int, pause: int) -> None:
    order = Pattern(8, lanes, 5, 1, digit)
    vectors = np.random.default_rng(3).integers(-8, 8, (4, 1, 8))
    expected = vectors[:, 0].tolist()
    serial, parallel = ToDigits(order, NIBBLE, Tag(1)), ToWords(order, NIBBLE, Tag(1))
    assert run(serial, [order.words], order, vectors, pause) == expected
    assert run(parallel, [order], order.words, vectors, pause) == expected
    assert parallel.latency == digits(NIBBLE, digit)


@pytest.mark.parametrize("digit", [1, 2, 5])
@pytest.mark.parametrize("lanes", [1, 4])
def test_signs_turn_and_phases_shift(lanes: int, digit: int) -> None:
    order = Pattern(8, lanes, -(-7 // digit), 1, digit)
    rng = np.random.default_rng(digit)
    a, negative = rng.integers(-8, 8, (3, 8)), rng.integers(0, 2, (3, 8))
    flip = SerialSignFlip(order, NIBBLE, Format(-7, 8), Tag(1))
    turned = run(flip, [order, order.words], order, list(zip(a, negative, strict=True)))
    assert turned == np.where(negative, -a, a).tolist()
    shift = SerialPhaseShift(order, NIBBLE, Format(-64, 56), 1, [3])
    assert run(shift, [order], order, a[:, None]) == (a << 3).tolist()


@pytest.mark.parametrize("digit", [1, 2, 4])
@pytest.mark.parametrize("lanes, block, size", [(1, 8, 8), (2, 8, 24), (2, 4, 8), (1, 2, 6)])
def test_stages_between_beats(lanes: int, block: int, size: int, digit: int) -> None:
    """Each lane's elements of a block, transformed."""
    result = between_beats(NIBBLE, block // lanes)
    order = Pattern(size, lanes, digits(result, digit), 1, digit)
    operator = SerialTransform(order, block, NIBBLE, Tag(1))
    vectors = np.random.default_rng(1).integers(-8, 8, (3, 1, size))
    blocks = vectors[:, 0].reshape(3, -1, block // lanes, lanes)
    expected = np.einsum("ij,vbjl->vbil", sylvester(block // lanes), blocks).reshape(3, size)
    for pause in PAUSES:
        operator = SerialTransform(order, block, NIBBLE, Tag(1))
        assert run(operator, [order], order, vectors, pause) == expected.tolist()
    with pytest.raises(ValueError, match="blocks of 3 do not begin with lane 0 of 2"):
        SerialTransform(Pattern(6, 2, 9, 1, digit), 3, NIBBLE, Tag(1))


@pytest.mark.parametrize("digit", [1, 3])
@pytest.mark.parametrize("lanes, picked", [(12, 12), (12, 5), (6, 3), (6, 1), (4, 2)])
def test_words_are_picked_from_planes(lanes: int, picked: int, digit: int) -> None:
    written = Pattern(12, lanes, 5, 1, digit)
    for reader in (Pattern(12, picked, 4), Pattern(12, picked, 6, 3)):
        operator = Buffer(written, reader, NIBBLE, Tag(1))
        vectors = np.random.default_rng(2).integers(-8, 8, (3, 1, 12))
        once = -(-12 // picked) * picked
        expected = [[*v[0].tolist(), *[0] * (once - 12)] * reader.repeats for v in vectors]
        found = run(
            operator, [written], Pattern(once * reader.repeats, picked, reader.dwell), vectors
        )
        assert [row[:12] for row in found] == [row[:12] for row in expected]
        assert [row[once : once + 12] for row in found] == [
            row[once : once + 12] for row in expected
        ]


def test_planes_are_read_as_they_were_written_or_in_words() -> None:
    written = Pattern(12, 6, 5, 1, 2)
    for reader in (Pattern(12, 6, 6, 1, 2), Pattern(12, 4, 3), Pattern(12, 6, 1)):
        with pytest.raises(ValueError, match="cannot be read from planes written as"):
            PlaneMemory(written, NIBBLE, [reader], None, Tag(1))
