"""Packings, walked word by word as the hardware does: nothing missing, nothing met too early."""

from typing import Any

import numpy as np
import pytest
from sylvan.hw.packing import APART, REST, Packing, pack
from sylvan.model.arrays import Array


def ternary(size: int, zeros: float, seed: int) -> Array:
    rng = np.random.default_rng([seed, size, round(100 * zeros)])
    return rng.choice([-1, 1], (size, size)) * (rng.random((size, size)) >= zeros)


def walked(packing: Any) -> Array:
    """The matrix that the words multiply by, and that no sum is met before it is ready.

    A lane knows only its words, and counts ends: slots, and windows when all slots are through.
    """
    rows, columns = packing.matrix.shape
    found = np.zeros((packing.slots * packing.lanes, packing.windows * packing.window), np.int64)
    first_read, result = packing.leave, {}
    for lane in range(packing.lanes):
        chunk, begins, written = 0, True, {}
        for q in range(packing.cycles):
            window, slot = divmod(chunk, packing.slots)
            if window == packing.windows:
                assert not packing.weights[q, lane] and not packing.ends[q, lane]
                continue
            if begins and window:
                assert q - written[slot] >= APART, f"word {q} reads slot {slot} too early"
                assert q < first_read, f"word {q} reads while results leave"
            column = window * packing.window + packing.columns[q, lane] % packing.window
            weight = packing.weights[q, lane]
            if weight:
                assert column + 1 <= packing.wait + q, f"word {q} reads column {column} too early"
            assert not found[slot * packing.lanes + lane, column], "a nonzero passes twice"
            found[slot * packing.lanes + lane, column] += weight
            begins = packing.ends[q, lane]
            if begins:
                written[slot], chunk = q, chunk + 1
        assert chunk == packing.windows * packing.slots, f"lane {lane} ends {chunk} chunks"
        result |= {slot: max(q, result.get(slot, 0)) for slot, q in written.items()}
    assert all(first_read + slot - q >= APART for slot, q in result.items()), "read too early"
    # Where a slot turned, lane k's row is with the lane after.
    held = found.reshape(packing.slots, packing.lanes, -1)
    found = np.concatenate(
        [np.roll(slot, -turn, axis=0) for slot, turn in zip(held, packing.turns, strict=True)]
    )
    assert not found[rows:].any() and not found[:, columns:].any()
    return found[:rows, :columns]


SHAPES = [(1, 1), (1, 17), (20, 1), (5, 20), (9, 9), (16, 16), (17, 33), (33, 7), (64, 64)]


@pytest.mark.parametrize("rows, columns", SHAPES)
@pytest.mark.parametrize("lo, hi", [(-1, 1), (-8, 7), (-1, 0), (0, 0), (3, 3)])
def test_every_nonzero_passes_once(rows: int, columns: int, lo: int, hi: int) -> None:
    rng = np.random.default_rng([rows, columns, hi + 9])
    for zeros in (0.0, 0.5, 0.95):
        matrix = rng.integers(lo, hi + 1, (rows, columns))
        matrix *= rng.random((rows, columns)) >= zeros
        for lanes in {1, 2, 3, 7, 8, rows} & set(range(rows + 1)):
            packing = pack(matrix, lanes)
            assert (walked(packing) == matrix).all()
            assert packing.nonzeros == np.count_nonzero(matrix)
            turns = rng.integers(0, 2, packing.slots)
            for bits in range((columns - 1).bit_length() + 1):
                if packing.slots >= APART:
                    assert (walked(Packing(matrix, lanes, 1 << bits, turns)) == matrix).all()


@pytest.mark.parametrize("zeros", [0.33, 0.5, 0.75, 0.9])
@pytest.mark.parametrize("size", [64, 128, 256])
def test_zeros_cost_no_cycle(size: int, zeros: float) -> None:
    """At most ceil(nonzeros / P) * 1.15 + log2 n + 8 cycles, for P up to n / 8."""
    for seed in range(5):
        matrix = ternary(size, zeros, seed)
        for lanes in {4, 8, size // 8}:
            packing = pack(matrix, lanes)
            least = -(-np.count_nonzero(matrix) // lanes)
            cycles = packing.cycles + REST
            assert least <= cycles <= least * 1.15 + np.log2(size) + 8, f"seed {seed}"
            assert packing.fill == packing.nonzeros / (packing.cycles * lanes)


def test_the_index_is_a_place_in_the_window() -> None:
    """Far fewer bits than number the columns, `ends` and idle lanes included."""
    packing = pack(ternary(128, 0.5, 0), 8)
    assert packing.index_bits == packing.window.bit_length() < 7
    words = packing.cycles * 8
    assert packing.index_bits_per_nonzero == packing.index_bits * words / packing.nonzeros < 6
    assert pack(np.zeros((8, 8), np.int64), 2).index_bits_per_nonzero is None


def test_words_begin_while_the_operand_still_arrives() -> None:
    packing = pack(ternary(128, 0.5, 0), 8)
    assert packing.wait < 128 / 8
    assert Packing(packing.matrix, 8, 128, packing.turns).wait > 128 / 4


class Wrong:
    """A packing in which one attribute is another."""

    def __init__(self, packing: Packing, **wrong: Any) -> None:
        self.packing, self.wrong = packing, wrong

    def __getattr__(self, name: str) -> Any:
        return self.wrong[name] if name in self.wrong else getattr(self.packing, name)


def test_a_planted_fault_is_found() -> None:
    packing = pack(ternary(32, 0.5, 0), 4)
    right = packing.matrix
    assert packing.windows > 1 and (walked(packing) == right).all()
    turned = packing.columns[:, ::-1]
    assert (walked(Wrong(packing, columns=packing.columns ^ 1, wait=99)) != right).any()
    with pytest.raises(AssertionError, match=r"too early|twice"):
        walked(Wrong(packing, columns=turned))
    with pytest.raises(AssertionError, match="ends 0 chunks"):
        walked(Wrong(packing, ends=0 * packing.ends, weights=0 * packing.weights))
    with pytest.raises(AssertionError, match=r"column .* too early"):
        walked(Wrong(packing, wait=packing.wait - 1))
    with pytest.raises(AssertionError, match=r"read too early|while results leave"):
        walked(Wrong(packing, leave=packing.leave - 1))


@pytest.mark.parametrize(
    "window, lanes, message",
    [
        (3, 2, "a window must be a power of two, got 3 columns"),
        (0, 2, "a window must be a power of two, got 0 columns"),
        (4, 4, "several windows need 3 rows per lane or more, got 2: a sum would be read before"),
    ],
)
def test_refused(window: int, lanes: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Packing(ternary(8, 0.5, 0), lanes, window, np.zeros(-(-8 // lanes), np.int64))
