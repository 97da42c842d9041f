"""The graph: what it computes, what it costs, and that a wrong one is found out."""

from dataclasses import replace

import numpy as np
import pytest
from sylvan.hw.adders.cost import bit_length, full_adders
from sylvan.hw.adders.forest import forest
from sylvan.hw.adders.graph import AdderGraph, GraphBuilder, Term
from sylvan.model.arrays import signed_digits
from sylvan.model.numbers import Format


def example() -> AdderGraph:
    """y0 = 5 x0 - 2 x1, y1 = -(x0 + x1), y2 = 0, y3 = 4 x1, for x in [-8, 7] and [0, 15]."""
    b = GraphBuilder([(-8, 7), (0, 15)])
    x0, x1 = b.inputs()
    five = b.add(x0 << 2, x0)
    return b.graph([b.add(five, -(x1 << 1)), -b.add(x0, x1), None, x1 << 2])


def test_a_graph_by_hand() -> None:
    graph = example()
    assert graph.matrix().tolist() == [[5, -2], [-1, -1], [0, 0], [0, 4]]
    assert (graph.adders, graph.depth) == (3, 2)
    assert graph.evaluate([[3, 10], [-8, 0]]).tolist() == [[-5, -13, 0, 40], [-40, 8, 0, 0]]
    ends = [(format.lo, format.hi) for format in graph.formats]
    assert ends == [(-8, 7), (0, 15), (-40, 35), (-70, 35), (-8, 22)]


def test_cells_by_hand() -> None:
    """4 x0 + x0: bits 2 to 5 of 6. 5 x0 - 2 x1: bits 1 to 6 of 7. x0 + x1: 5 bits with the sign."""
    assert example().cells.tolist() == [4, 6, 5]
    assert example().adder_bits == 15


@pytest.mark.parametrize(("lo", "hi"), [(-128, 127), (-5, 9), (0, 255), (-1, 0), (-384, 381)])
@pytest.mark.parametrize(("shift_a", "shift_b"), [(0, 0), (3, 0), (0, 5)])
def test_cells_are_the_bits_that_both_operands_have(
    lo: int, hi: int, shift_a: int, shift_b: int
) -> None:
    """From the lowest bit of the one shifted most to the highest of either."""
    other = Format(-16, 15)
    wide = max(Format(min(lo, -1), hi).width + shift_a, other.width + shift_b)
    assert full_adders(lo, hi, -16, 15, shift_a, shift_b, False) == wide - max(shift_a, shift_b)


def test_cells_equal_those_of_da4ml() -> None:
    """Signed and unsigned operands, shifted either way, added and subtracted."""
    peer = pytest.importorskip("da4ml._binary.cmvm_bin", reason="da4ml is not installed")
    random = np.random.default_rng(5)
    for _ in range(3000):
        lo_a, lo_b = (int(v) for v in -random.choice([0, 128, int(random.integers(300))], 2))
        hi_a, hi_b = (int(v) for v in random.choice([1, 127, 255, int(random.integers(1, 300))], 2))
        shift, minus = int(random.integers(-3, 5)), bool(random.integers(2))
        a, b = (float(lo_a), float(hi_a), 1.0), (float(lo_b), float(hi_b), 1.0)
        wanted = peer.cost_add(a, b, shift, minus, 1, -1)[1]
        found = full_adders(lo_a, hi_a, lo_b, hi_b, max(-shift, 0), max(shift, 0), minus)
        assert found == max(1, wanted)


def test_bits_and_digits_of_small_numbers() -> None:
    for number in range(-600, 600):
        fewest = min(
            bin(plus).count("1") + bin(plus - number).count("1")
            for plus in range(max(0, number), 2200)
        )
        assert signed_digits(np.array([number]))[0] == fewest
        if number >= 0:
            assert bit_length(number) == number.bit_length()


def test_a_wrong_graph_is_found_out() -> None:
    graph, matrix = example(), [[5, -2], [-1, -1], [0, 0], [0, 4]]
    graph.check(matrix)
    faults = {
        "shift_b": graph.shift_b + np.array([1, 0, 0]),
        "subtracts": ~graph.subtracts,
        "outputs": graph.outputs[::-1],
        "output_sign": -graph.output_sign,
    }
    for field, value in faults.items():
        with pytest.raises(ValueError, match=r"entry \(\d, \d\) is -?\d+, should be -?\d+"):
            replace(graph, **{field: value}).check(matrix)
    with pytest.raises(ValueError, match=r"is a matrix of shape \(4, 2\), not \(3, 2\)"):
        graph.check(matrix[:3])


@pytest.mark.parametrize(
    ("batch", "said"),
    [
        ([[1, 2, 3]], r"integers of shape \(batch, 2\), got int64 of shape \(1, 3\)"),
        ([1, 2], r"got int64 of shape \(2,\)"),
        ([[1.0, 2.0]], r"got float64 of shape \(1, 2\)"),
    ],
)
def test_a_batch_of_another_shape_is_refused(batch: list[object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        example().evaluate(batch)


def test_terms_are_added_narrowest_first() -> None:
    """Spans 3, 3 and 255 of one depth: the narrow ones meet first."""
    b = GraphBuilder([(-128, 127), (-2, 1), (-2, 1)])
    graph = b.graph([b.add_all(b.inputs())])
    # Node 3 is x1 + x2, and meets x0, the only one of depth 0 that is left.
    assert list(zip(graph.a.tolist(), graph.b.tolist(), strict=True)) == [(1, 2), (0, 3)]
    assert b.add_all([]) is None
    assert b.add_all([Term(1, 3, -1)]) == Term(1, 3, -1)


def test_a_forest_is_its_matrix_with_fewer_digits() -> None:
    random = np.random.default_rng(1)
    matrix = random.choice([-1, 1], (40, 24))
    for most in (1, 3, 40):
        order = forest(matrix, most, np.ones(24, np.int64))
        total = 0
        depth: dict[int, int] = {-1: -1}
        for row, parent, sign in order:
            base = sign * matrix[parent] if parent >= 0 else 0
            total += int(signed_digits(matrix[row] - base).sum()) + (parent >= 0)
            depth[row] = depth[parent] + 1
        assert sorted(row for row, _, _ in order) == list(range(40))
        assert max(depth.values()) <= most
        assert total < signed_digits(matrix).sum()
