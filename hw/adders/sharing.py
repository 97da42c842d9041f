"""Changes of what is shared, each of which can be taken back: values given up, values made.

The pair of terms that the most rows hold becomes a node, again and again, until no pair is held
twice (Hartley 1996). Every node is used at least twice and has at least two terms: others are given
up as soon as they appear. Compiled.
"""

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from .pairs import Pairs, count_cell, no_pairs, pair_of, swept, take_best
from .sums import (
    CELLS_LEFT,
    IN_ROW,
    NO_LIMIT,
    NODE,
    NODES_LEFT,
    NONE,
    OF_NODE,
    ROW,
    SHIFT,
    SIGN,
    append,
    free_cell,
    free_node,
    link,
    set_form,
    take_node,
    unlink,
)

LINKED, UNLINKED, MADE, GIVEN_UP = range(4)
"""What was done with a cell, or with a node."""
DONE, FEW, STEP = range(3)
"""Places in `Work.size`: entries of `done` and `few`, and how often pairs were looked for."""
DIGITS = 64
"""More than one coefficient has."""


class Work(NamedTuple):
    """What a change of sums needs beside them.

    pairs: those of all rows. done: (changes, 2), what and with which, in order. few: nodes that
    may have too few uses or terms. first, second: cells of a pair, wherever it is held. taken:
    (cells,), the step that last took each. size: (3,), see `DONE`.
    """

    pairs: Pairs
    done: Any
    few: Any
    first: Any
    second: Any
    taken: Any
    size: Any


@njit(cache=True)
def counted(sums):
    """The pairs of all rows, none of them on offer, and nothing done."""
    held, cells = 0, sums.cells
    for row in range(sums.length.size):
        held += sums.length[row] * (sums.length[row] - 1) // 2
    work = Work(
        no_pairs(held),
        np.zeros((8 * len(cells), 2), np.int32),
        np.zeros(16 * len(cells), np.int32),
        np.zeros(len(cells), np.int32),
        np.zeros(len(cells), np.int32),
        np.zeros(len(cells), np.int64),
        np.zeros(3, np.int64),
    )
    for row in range(sums.length.size):
        cell = cells[row, IN_ROW]
        while cell != row:
            count_cell(sums, work.pairs, cell, 1, False)
            cell = cells[cell, IN_ROW]
    # Each pair was met from both of its ends.
    for at in range(len(work.pairs.table)):
        work.pairs.table[at, 1] //= 2
    return work


@njit(cache=True)
def note(work, what, which):
    """Remember a change."""
    at = work.size[DONE]
    work.done[at, 0], work.done[at, 1] = what, which
    work.size[DONE] = at + 1


@njit(cache=True)
def doubt(work, node):
    """Remember a node that may have too few uses or terms."""
    work.few[work.size[FEW]] = node
    work.size[FEW] += 1


@njit(cache=True)
def put_in(sums, work, row, node, shift, sign):
    """Append a term to a row."""
    cell = append(sums, row, node, shift, sign)
    count_cell(sums, work.pairs, cell, 1, True)
    note(work, LINKED, cell)


@njit(cache=True)
def take_out(sums, work, cell):
    """Take a term out of its row."""
    count_cell(sums, work.pairs, cell, -1, False)
    unlink(sums, cell)
    note(work, UNLINKED, cell)
    row, node = sums.cells[cell, ROW], sums.cells[cell, NODE]
    if node >= sums.form.shape[1] and sums.uses[node] < 2:
        doubt(work, node)
    if row < sums.lo.size and sums.length[row] < 2:
        doubt(work, row)


@njit(cache=True)
def add(sums, work, row, node, amount):
    """Add `amount * node` to a row, whatever it holds of that node already."""
    cells = sums.cells
    cell = cells[row, IN_ROW]
    while cell != row:
        if cells[cell, NODE] == node:
            amount += np.int64(cells[cell, SIGN]) << cells[cell, SHIFT]
            take_out(sums, work, cell)
        cell = cells[cell, IN_ROW]
    shift = 0
    while amount:
        if amount & 1:
            digit = 2 - (amount & 3)
            put_in(sums, work, row, node, shift, digit)
            amount -= digit
        amount >>= 1
        shift += 1


@njit(cache=True)
def fits(sums, work, row, terms):
    """Whether there is room to add so many terms to a row."""
    more = terms * DIGITS
    return (
        sums.size[CELLS_LEFT] > more
        and work.size[DONE] + 4 * more < len(work.done)
        and swept(work.pairs, terms * (sums.length[row] + terms))
    )


@njit(cache=True)
def give_up(sums, work, node):
    """Put the terms of a node wherever it is used; False where there is no room left for that."""
    cells = sums.cells
    while sums.uses[node] > 0:
        cell = cells[node, OF_NODE]
        row, shift = cells[cell, ROW], cells[cell, SHIFT]
        factor = np.int64(cells[cell, SIGN]) << shift
        if not fits(sums, work, row, sums.length[node]):
            return False
        take_out(sums, work, cell)
        part = cells[node, IN_ROW]
        while part != node:
            amount = factor * cells[part, SIGN] << cells[part, SHIFT]
            add(sums, work, row, cells[part, NODE], amount)
            part = cells[part, IN_ROW]
    while sums.length[node] > 0:
        take_out(sums, work, cells[node, IN_ROW])
    note(work, GIVEN_UP, node)
    return True


@njit(cache=True)
def settle(sums, work):
    """Give up the nodes that have too few uses or terms; False where there is no room."""
    while work.size[FEW] > 0:
        work.size[FEW] -= 1
        node = work.few[work.size[FEW]]
        needless = sums.length[node] > 0 and (sums.uses[node] < 2 or sums.length[node] < 2)
        if needless and not give_up(sums, work, node):
            return False
    return True


@njit(cache=True)
def find(sums, work, a, b, d, subtracts):
    """Where the pair is held by rows that may be as deep as it makes them: how often."""
    cells, taken, found = sums.cells, work.taken, 0
    work.size[STEP] += 1
    step = work.size[STEP]
    low, high = sums.level[a], sums.level[b]
    more = (2 << max(low, high)) - (1 << low) - (1 << high)
    # From the one that is used less to the other.
    near, far, between = (a, b, d) if sums.uses[a] <= sums.uses[b] else (b, a, -d)
    cell = cells[near, OF_NODE]
    while cell != near:
        row = cells[cell, ROW]
        if taken[cell] != step and sums.load[row] + more <= sums.most[row]:
            shift, sign = cells[cell, SHIFT] + between, cells[cell, SIGN]
            other = cells[row, IN_ROW]
            while other != row:
                if (
                    cells[other, NODE] == far
                    and cells[other, SHIFT] == shift
                    and (cells[other, SIGN] != sign) == subtracts
                    and taken[other] != step
                ):
                    taken[cell] = taken[other] = step
                    work.first[found], work.second[found] = cell, other
                    if near != a:
                        work.first[found], work.second[found] = other, cell
                    found += 1
                    break
                other = cells[other, IN_ROW]
        cell = cells[cell, OF_NODE]
    return found


@njit(cache=True)
def make(sums, work, a, b, d, subtracts):
    """The node `a +- (b << d)`, or `(a << -d) +- b`."""
    node = take_node(sums)
    note(work, MADE, node)
    if sums.most[-1] < NO_LIMIT:
        sums.level[node] = max(sums.level[a], sums.level[b]) + 1
        sums.most[node] = 1 << sums.level[node]
    put_in(sums, work, node, a, max(-d, 0), 1)
    put_in(sums, work, node, b, max(d, 0), -1 if subtracts else 1)
    set_form(sums, node)
    return node


@njit(cache=True)
def share_pair(sums, work, key):
    """Make the pair a node where it is held twice; False where there is no room for that."""
    cells = sums.cells
    a, b, d, subtracts = pair_of(key)
    found = find(sums, work, a, b, d, subtracts)
    if found < 2:
        return True
    if sums.size[NODES_LEFT] == 0 or not fits(sums, work, a, 2):
        return False
    node = make(sums, work, a, b, d, subtracts)
    doubt(work, node)
    level = np.int64(1) << sums.level[node]
    for at in range(found):
        i, j = work.first[at], work.second[at]
        row, shift, sign = cells[i, ROW], min(cells[i, SHIFT], cells[j, SHIFT]), cells[i, SIGN]
        if not fits(sums, work, row, 1):
            return False
        more = level - (1 << sums.level[a]) - (1 << sums.level[b])
        if sums.load[row] + more <= sums.most[row]:
            take_out(sums, work, i)
            take_out(sums, work, j)
            put_in(sums, work, row, node, shift, sign)
    return True


@njit(cache=True)
def share(sums, work, chance):
    """Make nodes of pairs until none is held twice; False where there was no room for more."""
    while True:
        key = take_best(sums, work.pairs, chance)
        if key == NONE:
            return True
        if not (share_pair(sums, work, key) and settle(sums, work)):
            return False


@njit(cache=True)
def share_some(sums, work, chance, most):
    """Make nodes of so many pairs, for good; whether there may be more."""
    for _ in range(most):
        key = take_best(sums, work.pairs, chance)
        if key == NONE or not (share_pair(sums, work, key) and settle(sums, work)):
            return False
        commit(sums, work)
    return True


@njit(cache=True)
def commit(sums, work):
    """What was done stays done."""
    for at in range(work.size[DONE]):
        if work.done[at, 0] == UNLINKED:
            free_cell(sums, work.done[at, 1])
        elif work.done[at, 0] == GIVEN_UP:
            free_node(sums, work.done[at, 1])
    work.size[DONE] = 0


@njit(cache=True)
def take_back(sums, work):
    """Undo all that was done, the last first: every cell returns to its place."""
    for at in range(work.size[DONE] - 1, -1, -1):
        what, which = work.done[at, 0], work.done[at, 1]
        if what == UNLINKED:
            swept(work.pairs, sums.length[sums.cells[which, ROW]])
            link(sums, which)
            count_cell(sums, work.pairs, which, 1, False)
        elif what == LINKED:
            count_cell(sums, work.pairs, which, -1, False)
            unlink(sums, which)
            free_cell(sums, which)
        elif what == MADE:
            free_node(sums, which)
    work.size[DONE] = work.size[FEW] = 0
