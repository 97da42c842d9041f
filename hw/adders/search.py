"""Better and better sharing: give up a few shared values, choose anew, keep what is cheaper.

Iterated greedy search (Ruiz and Stuetzle 2007) in neighbourhoods: the values that a round gives up
lie near each other, and only what it changed is counted anew, or taken back. What is worse is kept
with the chance that simulated annealing gives it. Compiled.
"""

import numpy as np
from numba import njit

from .chance import begin, below, fraction
from .cost import row_cost
from .pairs import NOISE, SALT, offer_all, offer_none
from .sharing import (
    DONE,
    LINKED,
    UNLINKED,
    commit,
    counted,
    give_up,
    settle,
    share,
    take_back,
)
from .sums import IN_ROW, NODE, NODES_LEFT, OF_NODE, ROW

MOST_NOISE = 400
"""What chance may add to the gain of a pair, 64 for each use: without it a round would mostly make
again what it gave up."""
STRIDE = 32
"""Places in a ring among which a walk chooses."""


@njit(cache=True)
def all_pairs(sums, seed):
    """All pairs on offer, and the chance by which the first choice among them is made."""
    chance = np.zeros(1, np.int64)
    begin(chance, seed)
    work = counted(sums)
    offer_all(sums, work.pairs)
    return work, chance


@njit(cache=True)
def near(sums, node, chance):
    """A node that is in a row with `node`."""
    cells = sums.cells
    cell = cells[node, OF_NODE]
    for _ in range(below(chance, min(STRIDE, sums.uses[node]))):
        cell = cells[cell, OF_NODE]
    row = cells[cell, ROW]
    cell = cells[row, IN_ROW]
    for _ in range(below(chance, min(STRIDE, sums.length[row]))):
        cell = cells[cell, IN_ROW]
    return cells[cell, NODE]


@njit(cache=True)
def ruin(sums, work, count, chance):
    """Give up about so many values near each other; False where there is none, or no room."""
    inputs, room = sums.form.shape[1], sums.lo.size
    nodes = room - inputs - sums.size[NODES_LEFT]
    if nodes == 0:
        return False
    count = min(count, 1 + nodes // 4)
    node = inputs + below(chance, room - inputs)
    while sums.length[node] == 0:
        node = inputs + below(chance, room - inputs)
    given = np.zeros(count, np.int32)
    made = 0
    for _ in range(4 * count):
        if node >= inputs:
            fresh = True
            for at in range(made):
                fresh &= given[at] != node
            if fresh:
                given[made] = node
                made += 1
                if made == count:
                    break
        node = near(sums, node, chance)
    for at in range(made):
        if not give_up(sums, work, given[at]):
            return False
    return settle(sums, work)


@njit(cache=True)
def improve(sums, least, most, rounds, slack, seed):
    """Search for so many rounds: cells after them.

    A round gives up from `least` to `most` values. What is `slack` cells worse is kept with a
    chance of 1/e.
    """
    rows, inputs = sums.length.size, sums.form.shape[1]
    costs, before = np.zeros(rows, np.int64), np.zeros(rows, np.int64)
    changed, seen = np.zeros(rows, np.int64), np.zeros(rows, np.int64)
    chance = np.zeros(1, np.int64)
    cells = 0
    for row in range(inputs, rows):
        costs[row] = row_cost(sums, row)
        cells += costs[row]
    if rounds == 0:
        return cells
    work = counted(sums)
    for number in range(rounds):
        begin(chance, seed + number)
        work.pairs.size[SALT], work.pairs.size[NOISE] = chance[0], MOST_NOISE
        count = int(least * (most / least) ** fraction(chance))
        whole = ruin(sums, work, count, chance) and share(sums, work, chance)
        new_cells, altered = cells, 0
        for at in range(work.size[DONE]):
            if work.done[at, 0] not in (LINKED, UNLINKED):
                continue
            row = sums.cells[work.done[at, 1], ROW]
            if seen[row] <= number:
                seen[row] = number + 1
                changed[altered], before[altered] = row, costs[row]
                altered += 1
                costs[row] = row_cost(sums, row)
                new_cells += costs[row] - before[altered - 1]
        if whole and new_cells <= cells - slack * np.log(1 - fraction(chance)):
            cells = new_cells
            commit(sums, work)
        else:
            take_back(sums, work)
            offer_none(work.pairs)
            for at in range(altered):
                costs[changed[at]] = before[at]
    return cells
