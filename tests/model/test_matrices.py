"""Structured matrices against their definitions, in every number type that `apply` may choose."""

import numpy as np
import pytest
from reference import rows
from sylvan.model.matrices import Dense, Hadamard, Matrix, sylvester
from sylvan.model.numbers import Format


def hadamard(block: int, blocks: int, seed: int = 0) -> Hadamard:
    return Hadamard(block, np.random.default_rng(seed).choice([-1, 1], block * blocks))


def dense(height: int, width: int, top: int = 8, seed: int = 0) -> Dense:
    return Dense(np.random.default_rng(seed).integers(-top, top + 1, (height, width)))


# Blocks 1 to 256 (one product, then two), totals that are no powers of two, few and many columns.
TABLE: dict[str, Matrix] = {
    **{
        f"hadamard-{blocks}x{block}": hadamard(block, blocks)
        for block, blocks in [
            (1, 1),
            (1, 5),
            (2, 1),
            (2, 3),
            (4, 5),
            (8, 3),
            (16, 2),
            (32, 1),
            (64, 1),
            (64, 3),
            (128, 1),
            (256, 1),
        ]
    },
    **{
        f"dense-{height}x{width}": dense(height, width)
        for height, width in [(1, 1), (1, 5), (7, 1), (3, 4), (4, 5), (20, 33)]
    },
    "dense-binary": Dense(np.random.default_rng(1).choice([-1, 1], (9, 16))),
    "dense-zero": Dense(np.zeros((3, 5), np.int64)),
    "dense-zero-row": Dense([[0, 0, 0], [1, -1, 0]]),
    "dense-positive": Dense([[1, 2, 3, 4, 5, 6]]),
    "dense-negative": Dense([[-1, -2, -3]]),
}
EVERY_MATRIX = pytest.mark.parametrize("matrix", TABLE.values(), ids=TABLE)


def product(matrix: Matrix, x: np.ndarray) -> list[list[int]]:
    """In Python's integers, which cannot overflow."""
    exact = np.array(rows(matrix), dtype=object) @ x.astype(object)
    return exact.tolist()


def test_sylvester_by_hand() -> None:
    assert sylvester(1).tolist() == [[1]]
    assert sylvester(2).tolist() == [[1, 1], [1, -1]]
    assert sylvester(4).tolist() == [[1, 1, 1, 1], [1, -1, 1, -1], [1, 1, -1, -1], [1, -1, -1, 1]]


def test_hadamard_by_hand() -> None:
    """Two blocks of two, rows 1 and 2 negated: [[1, 1], [-1, 1]] and [[-1, -1], [1, -1]]."""
    matrix = Hadamard(2, [1, -1, -1, 1])
    assert matrix.dense().tolist() == [[1, 1, 0, 0], [-1, 1, 0, 0], [0, 0, -1, -1], [0, 0, 1, -1]]
    # 3 + 5, -(3 - 5), -(7 + 2), 7 - 2
    assert matrix.apply(np.array([[3], [5], [7], [2]])).tolist() == [[8], [2], [-9], [5]]


@EVERY_MATRIX
def test_dense_form_is_the_definition(matrix: Matrix) -> None:
    assert matrix.dense().tolist() == rows(matrix)
    assert matrix.shape == matrix.dense().shape
    assert matrix.dense().dtype == np.int64


@pytest.mark.parametrize("block", [1, 2, 4, 16, 64, 128])
def test_hadamard_is_orthogonal_up_to_the_block(block: int) -> None:
    form = hadamard(block, 3).dense()
    assert np.array_equal(form @ form.T, block * np.eye(3 * block))


@EVERY_MATRIX
def test_row_sums(matrix: Matrix) -> None:
    positive, negative = matrix.row_sums()
    assert positive.tolist() == [sum(w for w in row if w > 0) for row in rows(matrix)]
    assert negative.tolist() == [sum(w for w in row if w < 0) for row in rows(matrix)]


@EVERY_MATRIX
@pytest.mark.parametrize("operand", [Format(-8, 7, -3), Format(0, 5), Format(-9, -2), Format(4, 4)])
def test_interval_is_right_and_tight(matrix: Matrix, operand: Format) -> None:
    """The extreme dot products put each operand at the end that its weight's sign asks for."""
    form = matrix.dense()
    highest = np.where(form > 0, operand.hi, operand.lo) * form
    lowest = np.where(form > 0, operand.lo, operand.hi) * form
    expected = Format(int(lowest.sum(1).min()), int(highest.sum(1).max()), operand.exp)
    assert matrix.interval(operand) == expected


@EVERY_MATRIX
@pytest.mark.parametrize(
    ("top", "dtype"),
    [
        pytest.param(100, np.int32, id="float32"),
        pytest.param(1 << 22, np.int32, id="near-2**24"),
        pytest.param(1 << 31, np.int64, id="float64"),
        pytest.param(1 << 49, np.int64, id="near-2**53"),
        pytest.param(1 << 51, np.int64, id="int64"),
    ],
)
@pytest.mark.parametrize("batch", [1, 5])
def test_apply_is_exact(matrix: Matrix, top: int, dtype: type, batch: int) -> None:
    columns = matrix.shape[1]
    x = np.random.default_rng(columns).integers(-top, top + 1, (columns, batch)).astype(dtype)
    x[:, 0] = np.where(np.array(rows(matrix)[-1]) < 0, -top, top)  # the largest sum of a row
    expected = product(matrix, x)
    for operand in (x, np.asfortranarray(x)):
        for peak in (None, top):
            result = matrix.apply(operand, peak)
            assert result.dtype == dtype
            assert result.tolist() == expected


@pytest.mark.parametrize("matrix", [hadamard(64, 1), dense(3, 64, 1)], ids=["hadamard", "dense"])
@pytest.mark.parametrize("limit", [1 << 24, 1 << 53])
def test_apply_at_the_edge_of_a_float_type(matrix: Matrix, limit: int) -> None:
    """Sums one below, at and above what a float type holds; odd ones show a lost bit."""
    for peak in (limit // 64 - 1, limit // 64, limit // 64 + 1):
        row = np.array(rows(matrix)[0])
        x = np.where(row < 0, -peak, peak)[:, None]
        x[0] -= np.sign(x[0])
        assert matrix.apply(x, peak).tolist() == product(matrix, x)


@EVERY_MATRIX
def test_apply_leaves_its_operand_alone_and_takes_any(matrix: Matrix) -> None:
    column = np.arange(matrix.shape[1])[:, None]
    shared = np.broadcast_to(column, (len(column), 3))  # read-only, stride 0
    assert matrix.apply(shared).tolist() == product(matrix, shared)
    assert matrix.apply(shared[:, :0]).shape == (matrix.shape[0], 0)
    assert column[:, 0].tolist() == list(range(matrix.shape[1]))


def test_equality_is_by_kind_and_constants() -> None:
    assert hadamard(4, 2) == hadamard(4, 2)
    assert hadamard(4, 2) != hadamard(8, 1)
    assert Hadamard(2, [1, 1]) != Hadamard(2, [1, -1])
    assert Dense([[1, 1], [1, -1]]) != Hadamard(2, [1, 1])
    assert Dense([[1, 2]]) == Dense(np.array([[1, 2]], np.int8))
    assert Dense([[1, 2]]) != Dense([[1], [2]])
    assert Hadamard(1, [1]) != "hadamard"


def test_constants_are_copies_that_nobody_changes() -> None:
    weights = np.array([[1, 2]])
    matrix = Dense(weights)
    weights[0, 0] = 7
    assert matrix.weights.tolist() == [[1, 2]]
    with pytest.raises(ValueError, match="read-only"):
        matrix.weights[0, 0] = 7


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Hadamard(3, [1, 1, 1]), "block must be a power of two, got 3"),
        (lambda: Hadamard(0, [1]), "block must be a power of two, got 0"),
        (lambda: Hadamard(-2, [1, 1]), "block must be a power of two, got -2"),
        (lambda: Hadamard(2.0, [1, 1]), "block must be an integer, got 2.0"),
        (lambda: Hadamard(True, [1, 1]), "block must be an integer, got True"),
        (lambda: Hadamard(4, [1] * 6), "6 signs are no multiple of the block 4"),
        (lambda: Hadamard(2, [1, 0]), r"signs must be \+1 or -1"),
        (lambda: Hadamard(2, [1, 2]), r"signs must be \+1 or -1"),
        (lambda: Hadamard(2, [[1, 1]]), r"signs must .* with 1 axes, got int64 of shape \(1, 2\)"),
        (lambda: Hadamard(1, []), r"signs must be a non-empty integer array .* shape \(0,\)"),
        (
            lambda: Dense([[0.5]]),
            r"weights must .* integer array .*, got float64 of",
        ),
        (lambda: Dense([[True]]), r"weights must .* integer array .*, got bool"),
        (lambda: Dense([1, 2]), r"with 2 axes, got int64 of shape \(2,\)"),
        (lambda: Dense(np.zeros((0, 3), int)), r"non-empty .* shape \(0, 3\)"),
        (lambda: Dense([[1 << 62]]), r"weights must stay below 2\*\*62, got a magnitude of 46116"),
        (lambda: Dense([[-(1 << 63)]]), r"below 2\*\*62, got a magnitude of 9223372036854775808"),
        (lambda: Dense(np.array([[(1 << 64) - 1]], np.uint64)), r"below 2\*\*62"),
        (lambda: Dense([[1 << 61, -(1 << 61)]]), "the weights of a row sum to .*, beyond 62 bits"),
    ],
)
def test_refused_matrices(make, message) -> None:
    with pytest.raises(ValueError, match=message):
        make()
