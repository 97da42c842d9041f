"""Changes of sums: exact, counted as if anew, and undone cell by cell."""

import numpy as np
import pytest
from sylvan.hw.adders import subexpressions
from sylvan.hw.adders.chance import begin
from sylvan.hw.adders.pairs import COUNT, KEY, Pairs
from sylvan.hw.adders.search import all_pairs, ruin
from sylvan.hw.adders.sharing import DONE, commit, counted, share, share_some, take_back
from sylvan.hw.adders.sums import IN_ROW, NODE, SHIFT, SIGN, Sums, append_form, empty
from sylvan.model.arrays import Array

KINDS = {"ternary": (-1, 2), "4 bits": (-8, 8)}


def begun(matrix: Array, limit: int | None) -> Sums:
    rows, columns = matrix.shape
    ends = np.array([(-128, 127)] * columns)
    given = ends, np.zeros(columns, np.int32), limit
    sums = subexpressions._begun(matrix, [(row, -1, 1) for row in range(rows)], *given)
    subexpressions._share_greedily(sums, 0, subexpressions.Effort())
    return sums


def held(pairs: Pairs) -> dict[int, int]:
    """How often each pair is held."""
    return {int(row[KEY]): int(row[COUNT]) for row in pairs.table if row[COUNT]}


def terms(sums: Sums, row: int) -> list[tuple[int, int, int]]:
    found, cell = [], int(sums.cells[row, IN_ROW])
    while cell != row:
        found.append(tuple(sums.cells[cell, [NODE, SHIFT, SIGN]].tolist()))
        cell = int(sums.cells[cell, IN_ROW])
    return found


def state(sums: Sums) -> list[object]:
    """All rows, in order, and what is kept beside them."""
    rows = [terms(sums, row) for row in range(len(sums.length))]
    return [rows, sums.length.tolist(), sums.uses.tolist(), sums.load.tolist()]


def check(sums: Sums, matrix: Array) -> None:
    """Rows are their values; what is shared is used twice, within the load of its row."""
    room, inputs = len(sums.lo), sums.form.shape[1]
    for row in range(inputs, len(sums.length)):
        held_terms = terms(sums, row)
        total = sum(
            (sign * (sums.form[node] << shift) for node, shift, sign in held_terms),
            np.zeros(inputs, np.int64),
        )
        if row >= room:
            assert (total == matrix[row - room]).all()
        elif held_terms:
            assert (total == sums.form[row]).all()
            assert len(held_terms) >= 2
            assert sums.uses[row] >= 2
        assert sums.load[row] == sum(1 << int(sums.level[node]) for node, _, _ in held_terms)
        assert sums.load[row] <= sums.most[row]


@pytest.mark.parametrize("limit", [None, 7])
@pytest.mark.parametrize("kind", KINDS)
def test_a_round_is_exact_and_can_be_taken_back(kind: str, limit: int | None) -> None:
    matrix = np.random.default_rng(len(kind)).integers(*KINDS[kind], (24, 17))
    sums, chance = begun(matrix, limit), np.zeros(1, np.int64)
    check(sums, matrix)
    work = counted(sums)
    for seed in range(20):
        before, pairs = state(sums), held(work.pairs)
        begin(chance, seed)
        assert ruin(sums, work, 8, chance)
        assert share(sums, work, chance)
        assert work.size[DONE] > 0
        if seed % 2:
            commit(sums, work)
            check(sums, matrix)
        else:
            take_back(sums, work)
            assert state(sums) == before
            assert held(work.pairs) == pairs
        assert held(work.pairs) == held(counted(sums).pairs)


def test_a_pair_that_two_rows_hold_is_made_once() -> None:
    """x0 + 2 x1 twice, once shifted and negated; x0 + x2 only once."""
    sums = empty(np.full(3, -8), np.full(3, 7), 2, 8, 1 << 13)
    for row, form in enumerate(([1, 2, 1], [-4, -8, 0])):
        append_form(sums, len(sums.lo) + row, np.array(form))
    assert not share_some(sums, *all_pairs(sums, 0), 9)
    assert terms(sums, 3) == [(0, 0, 1), (1, 1, 1)]
    assert (sums.lo[3], sums.hi[3], sums.uses[3]) == (-24, 21, 2)
    assert sorted(terms(sums, len(sums.lo))) == [(2, 0, 1), (3, 0, 1)]
    assert terms(sums, len(sums.lo) + 1) == [(3, 2, -1)]
