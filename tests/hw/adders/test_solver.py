"""The door: every class of matrix is its graph, structure costs what it must, and bad input."""

import time
from itertools import product
from typing import Any

import numpy as np
import pytest
from sylvan.hw.adders import minimum_depth, optimize, subexpressions
from sylvan.hw.adders.structure import butterfly, kronecker
from sylvan.model.arrays import Array
from sylvan.model.matrices import sylvester

KINDS = {
    "binary": lambda r, shape: r.choice([-1, 1], shape),
    "ternary": lambda r, shape: r.choice([-1, 0, 0, 1], shape),
    "sparse": lambda r, shape: r.choice([-1, 1] + [0] * 18, shape),
    "4 bits": lambda r, shape: r.integers(-8, 8, shape),
    "12 bits": lambda r, shape: r.integers(-2048, 2048, shape),
}
SHAPES = [(1, 1), (1, 9), (9, 1), (2, 2), (7, 5), (16, 16), (12, 31)]


def plain_adders(matrix: Array) -> int:
    """One tree for each output, an adder for each signed digit but one."""

    def tree(row: Array) -> int:
        total = 0
        for entry in row.tolist():
            while entry:
                if entry & 1:
                    entry -= 2 - (entry & 3)
                    total += 1
                entry >>= 1
        return max(0, total - 1)

    return sum(tree(row) for row in matrix)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_the_graph_is_the_matrix(kind: str, shape: tuple[int, int]) -> None:
    """On random batches, against numpy's product; intervals hold and are reached."""
    random = np.random.default_rng(sum(shape) + len(kind))
    matrix = KINDS[kind](random, shape)
    graph = optimize(matrix, input_bits=6)
    batch = random.integers(-32, 32, (50, shape[1]))
    assert (graph.evaluate(batch) == batch @ matrix.T).all()
    assert graph.adders <= plain_adders(matrix)
    for form, format in zip(graph.forms, graph.formats, strict=True):
        assert format.hi == sum(max(c * -32, c * 31) for c in form.tolist())
        assert format.lo == sum(min(c * -32, c * 31) for c in form.tolist())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("extra", [0, 1, 2])
def test_depth_is_bounded(kind: str, extra: int) -> None:
    random = np.random.default_rng(extra)
    for shape in SHAPES:
        matrix = KINDS[kind](random, shape)
        bound = minimum_depth(matrix) + extra
        graph = optimize(matrix, max_depth=bound)
        assert graph.depth <= bound
        batch = random.integers(-128, 128, (9, shape[1]))
        assert (graph.evaluate(batch) == batch @ matrix.T).all()


AWKWARD = [
    ([[1, 1, 1, 1], [1, -1, -1, -1]], 2),
    ([[1, 11], [1, -11]], 2),
    ([[1, 1, 1, -1], [1, -1, 1, -1], [-1, 1, -1, -1], [1, 1, 1, 1]], 2),
    (
        [
            [-2, -2, 1, 1, -1, -1, -1, -1, -1, -8, -2],
            [4, 4, -1, -1, 1, 1, 1, 1, 1, 8, 2],
            [-2, -2, 1, 1, -16, -16, -16, -16, -16, -8, -1],
            [2, 2, -1, -1, 8, 8, 8, 8, 8, 2, 2],
            [2, 2, -1, -1, 1, 1, 1, 1, 1, 8, 4],
        ],
        5,
    ),
]


@pytest.mark.parametrize(("matrix", "bound"), AWKWARD)
def test_depth_is_bounded_where_halves_and_merged_columns_are_uneven(
    matrix: list[list[int]], bound: int
) -> None:
    for depth in (bound, bound + 1, 63, 1 << 40):
        assert optimize(matrix, max_depth=depth).depth <= depth


def test_depth_is_bounded_in_small_binary_matrices() -> None:
    random = np.random.default_rng(0)
    for _ in range(150):
        matrix = random.choice([-1, 1], (2, int(random.integers(2, 7))))
        least = minimum_depth(matrix)
        assert optimize(matrix, max_depth=least).depth == least


def test_a_constant_shares_its_own_digits() -> None:
    """51 = 3 * 17: two adders, though only one row holds the pair 2 + 1 twice."""
    assert optimize([[51]]).adders == optimize([[45]]).adders == 2


def test_minimum_depth_by_hand() -> None:
    """7 = 8 - 1 has two digits, 11 = 8 + 4 - 1 three; a row's digits are added in pairs."""
    assert minimum_depth([[0, 0]]) == 0
    assert minimum_depth([[4, 0]]) == 0
    assert minimum_depth([[7, 0]]) == 1
    assert minimum_depth([[11, 0], [1, 1]]) == 2
    assert minimum_depth([[1] * 4]) == 2
    assert minimum_depth([[1] * 5]) == 3


@pytest.mark.parametrize("size", [2, 4, 16, 64, 128])
def test_a_hadamard_matrix_is_a_butterfly_in_any_order_with_any_signs(size: int) -> None:
    random = np.random.default_rng(size)
    stages = size.bit_length() - 1
    for _ in range(3):
        matrix = sylvester(size)[random.permutation(size)][:, random.permutation(size)]
        matrix = matrix * random.choice([-1, 1], size) * random.choice([-1, 1], (size, 1))
        graph = optimize(matrix)
        assert (graph.adders, graph.depth) == (size * stages, stages)
        assert graph.adder_bits == sum(size * (8 + stage) for stage in range(stages))


@pytest.mark.parametrize("more", [None, 0, 2])
def test_any_kronecker_product_costs_copies_of_its_factors(more: int | None) -> None:
    """`A (x) B`: B for each column of A, then A for each row of B."""
    a, b = np.array([[1, 2, 0], [3, -1, 1], [0, 5, 7]]), np.array([[1, 1, 3, -2], [-1, 4, 0, 1]])
    matrix = np.kron(a, b)
    depth = None if more is None else minimum_depth(a) + minimum_depth(b) + more
    graph = optimize(matrix, max_depth=depth)
    assert graph.adders <= 2 * optimize(a).adders + 3 * optimize(b).adders + (more == 0) * 3
    assert depth is None or graph.depth <= depth
    outer, inner = kronecker(matrix) or (a, b)
    assert (outer @ inner == matrix).all() and inner.shape == (6, 12)
    matrix[0, 0] += 1
    assert kronecker(matrix) is None


def test_a_product_of_two_vectors_is_one_of_each() -> None:
    outer = np.outer([1, 3, 5, 7, 9], [1, -3, 5, 11, 0])
    graph = optimize(outer)
    assert (
        graph.adders
        == optimize([[1, -3, 5, 11]]).adders + optimize([[1], [3], [5], [7], [9]]).adders
    )


def test_a_kronecker_product_costs_its_factors() -> None:
    """In any order: a butterfly over copies of the other factor, and blocks of butterflies."""
    random = np.random.default_rng(3)
    other = random.choice([-1, 1], (8, 8))
    alone = optimize(other).adders
    matrix = np.kron(sylvester(4), other)[random.permutation(32)][:, random.permutation(32)]
    assert optimize(matrix).adders == 4 * alone + 2 * 32
    large = random.choice([-1, 1], (40, 40))
    twice = np.kron(sylvester(2), large)[random.permutation(80)][:, random.permutation(80)]
    assert butterfly(twice, random) is not None
    apart = np.kron(np.eye(8, dtype=np.int64), sylvester(16))[:, random.permutation(128)]
    assert optimize(apart[random.permutation(128)]).adders == 8 * 64


def test_what_is_equal_is_made_once() -> None:
    """Rows and columns repeated, negated, shifted or zero."""
    matrix = np.array([[1, 1, 0, 2], [-1, -1, 0, -2], [0, 0, 0, 0], [4, 4, 0, 8]])
    graph = optimize(matrix)
    assert graph.adders == 2
    assert graph.outputs[2] == -1
    wide = np.array([[1, 3, -1, 2], [3, 5, -3, 6], [7, 1, -7, 14]])
    narrow = np.array([[1, 3], [3, 5], [7, 1]])
    # Columns 2 and 3 are -1 and 2 times column 0: two adders more than without them.
    assert optimize(wide).adders == optimize(narrow).adders + 2


def test_intervals_narrow_the_sums() -> None:
    matrix = np.array([[1, 1], [1, -1]])
    graph = optimize(matrix, intervals=[(0, 3), (-100, 5)])
    assert [(f.lo, f.hi) for f in graph.formats[2:]] == [(-100, 8), (-5, 103)]
    assert graph.adder_bits < optimize(matrix, input_bits=16).adder_bits


@pytest.mark.usefixtures("forgetful")
def test_one_seed_gives_one_graph_and_another_may_not() -> None:
    matrix = np.random.default_rng(0).choice([-1, 1], (24, 24))
    graphs = [optimize(matrix, seed=seed) for seed in (4, 4, 5, 6, 7)]
    listed = [np.concatenate([g.a, g.b, g.outputs]).tolist() for g in graphs]
    assert listed[0] == listed[1]
    assert any(other != listed[0] for other in listed[2:])


@pytest.mark.usefixtures("forgetful")
def test_search_beats_the_first_greedy_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    matrix = np.random.default_rng(0).choice([-1, 0, 1], (32, 32))
    searched = optimize(matrix).adder_bits
    monkeypatch.setattr(subexpressions, "ROUNDS_PER_ROW", 0)
    assert searched < 0.97 * optimize(matrix).adder_bits


@pytest.fixture
def rounds(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The rounds of each stretch of a search, on a clock by which a round takes a millisecond."""
    counted: list[int] = []
    clock = [0.0]
    real = subexpressions.improve

    def improve(*given: Any) -> object:
        counted.append(given[3])
        clock[0] += 1e-3 * given[3] + 1e-5
        return real(*given)

    monkeypatch.setattr(subexpressions, "improve", improve)
    monkeypatch.setattr(time, "perf_counter", lambda: clock[0])
    return counted


def test_a_budget_ends_the_search(rounds: list[int]) -> None:
    matrix = np.random.default_rng(0).choice([-1, 1], (16, 16))
    optimize(matrix, time_budget=1e-6).check(matrix)
    assert sum(rounds) == 0
    for seconds in (0.2, 1.0):
        rounds.clear()
        optimize(matrix, time_budget=seconds).check(matrix)
        assert 0.9e3 * seconds < sum(rounds) < 1.6e3 * seconds


def test_a_budget_is_shared_out_among_blocks(
    rounds: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of six equal blocks gets rounds of its own."""
    random = np.random.default_rng(1)
    matrix = np.zeros((48, 48), np.int64)
    for block in range(6):
        at = slice(8 * block, 8 * block + 8)
        matrix[at, at] = random.integers(-3, 4, (8, 8))
    each: list[int] = []
    real = subexpressions.share_subexpressions

    def told(*given: Any) -> Any:
        before = sum(rounds)
        result = real(*given)
        each.append(sum(rounds) - before)
        return result

    monkeypatch.setattr("sylvan.hw.adders.solver.share_subexpressions", told)
    optimize(matrix, time_budget=1.2)
    assert len(each) == 6
    assert max(each) < 3 * min(each)


@pytest.mark.usefixtures("forgetful")
def test_an_interrupt_gives_the_best_until_then(monkeypatch: pytest.MonkeyPatch) -> None:
    matrix = np.random.default_rng(0).choice([-1, 1], (32, 32))
    whole = optimize(matrix)
    calls, real = [], subexpressions.improve

    def interrupted(*given: object) -> object:
        calls.append(given)
        if len(calls) == 9:
            raise KeyboardInterrupt
        return real(*given)

    monkeypatch.setattr(subexpressions, "improve", interrupted)
    graph = optimize(matrix)
    graph.check(matrix)
    assert len(calls) < 16
    assert graph.adder_bits >= whole.adder_bits


@pytest.mark.usefixtures("forgetful")
@pytest.mark.parametrize("interruptible", [True, False])
def test_an_interrupt_while_pairs_are_shared_first(
    interruptible: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows that are not shared, or not all, are a graph as well."""
    matrix = np.random.default_rng(0).choice([-1, 1], (16, 16))

    def interrupted(*given: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(subexpressions, "share_some", interrupted)
    if interruptible:
        optimize(matrix).check(matrix)
    else:
        with pytest.raises(KeyboardInterrupt):
            optimize(matrix, interruptible=False)


@pytest.mark.usefixtures("forgetful")
@pytest.mark.parametrize(("call", "interruptible"), [(1, True), (2, False), (2, True)])
def test_an_interrupt_of_a_first_graph(
    call: int, interruptible: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where there is one already, that is taken; where there is none, there is nothing to give."""
    matrix = np.random.default_rng(0).choice([-1, 1], (16, 16))
    real, calls = subexpressions._begun, []

    def interrupted(*given: Any) -> Any:
        calls.append(given)
        if len(calls) == call:
            raise KeyboardInterrupt
        return real(*given)

    monkeypatch.setattr(subexpressions, "_begun", interrupted)
    if call == 2 and interruptible:
        optimize(matrix).check(matrix)
    else:
        with pytest.raises(KeyboardInterrupt):
            optimize(matrix, interruptible=interruptible)


REFUSED: list[tuple[object, dict[str, object], str]] = [
    ([[1, 2], [3]], {}, "the matrix has rows of several lengths"),
    ([], {}, r"a matrix has rows and columns, at least one of each; got shape \(0,\)"),
    ([[], []], {}, r"got shape \(2, 0\)"),
    ([1, 2], {}, r"got shape \(2,\)"),
    ([[1.0, 2.0]], {}, "the entries of the matrix must be integers, got float64"),
    ([["1"]], {}, "the entries of the matrix must be integers"),
    ([[True]], {}, "the entries of the matrix must be integers, got bool"),
    ([[1], [1 << 70]], {}, r"entries must stay below 2\*\*58, got \d+ in row 1, column 0"),
    ([[3, -(1 << 62)]], {}, r"entries must stay below 2\*\*58, got -\d+ in row 0, column 1"),
    ([[1 << 50, 1]], {"input_bits": 16}, "needs 67 bits, at most 58 are supported"),
    ([[1]], {"input_bits": 0}, r"input_bits must lie in 1\.\.32, got 0"),
    ([[1, 1]], {"intervals": [(0, 1)]}, "the matrix has 2 inputs, got 1 intervals"),
    ([[1]], {"intervals": [(2, 1)]}, r"the interval of input 0 is empty: \[2, 1\]"),
    ([[1]], {"intervals": [(0, 1 << 60)]}, r"the interval of input 0 must stay below 2\*\*58"),
    ([[1]], {"intervals": [(0.5, 1)]}, "the interval of input 0 must be an integer, got 0.5"),
    ([[1]], {"intervals": [(0, 1, 2)]}, r"intervals are pairs \(lo, hi\), got"),
    ([[1]], {"intervals": 5}, r"intervals are pairs \(lo, hi\), got 5"),
    ([[1] * 5], {"max_depth": 2}, "max_depth must be at least 3 for this matrix, got 2"),
    ([[1] * 5], {"max_depth": 3.5}, "max_depth must be an integer, got 3.5"),
    ([[1]], {"seed": -1}, r"seed must lie in 0\.\.2147483647, got -1"),
    ([[1]], {"seed": None}, "seed must be an integer, got None"),
    ([[1]], {"time_budget": 0}, "time_budget must be more than 0 seconds, got 0"),
    ([[1]], {"time_budget": "1"}, "time_budget needs 1 finite numbers, got"),
]


@pytest.mark.parametrize(("matrix", "more", "said"), REFUSED)
def test_bad_input_is_refused(matrix: object, more: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        optimize(matrix, **more)  # type: ignore[arg-type]


def test_every_small_matrix() -> None:
    """All 2 x 2 matrices of entries -2, 0, 1 and 3, in one go of awkward cases."""
    for entries in product((-2, 0, 1, 3), repeat=4):
        matrix = np.array(entries).reshape(2, 2)
        graph = optimize(matrix)
        assert (graph.matrix() == matrix).all()
        assert graph.adders <= plain_adders(matrix)
