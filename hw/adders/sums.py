"""A linear map under work: values, each the sum of a few others, shared where it is used twice.

Nodes are the inputs and every shared value; a row is a sum of signed, shifted nodes, which defines
a node or an output. A row of more than two terms stands for adders that nobody shares, in whatever
order costs least; so what is searched over is only which values are shared. Compiled.

Each term is a cell in two rings, that of its row and that of the terms that hold its node. A cell
that is taken out still knows its neighbours, so that going back over what was done puts every cell
where it was (Knuth's dancing links).
"""

from typing import Any, NamedTuple

import numpy as np
from numba import njit

ROW, NODE, SHIFT, SIGN, IN_ROW, BACK_IN_ROW, OF_NODE, BACK_OF_NODE = range(8)
"""Columns of a cell: its row, its term, its neighbours in both rings."""
FREE_CELL, CELLS_LEFT, FREE_NODE, NODES_LEFT = range(4)
"""Places in `Sums.size`: the first free cell and node, of chains, and how many are free."""
NO_LIMIT = 1 << 62
"""Of a load."""
NONE = -1


class Sums(NamedTuple):
    """Arrays with room for `len(lo)` nodes; row i defines node i, row `len(lo) + r` output r.

    form: (nodes, inputs), each node as a linear form of the inputs. lo, hi: its interval.
    level: (nodes,), adders on the longest way from an input to it, or a bound of that; 0 for all
    where depth is not limited. load, most: (rows,), `sum(2**level)` over a row's terms, and what it
    may be: a row fits in a tree of depth d if it is at most `2**d`.
    length: (rows,), terms of each row; uses: (nodes,), terms that hold each node.
    cells: (rows + terms, 8); cell i is the head of row i and of the terms that hold node i.
    size: (4,), see `FREE_CELL`.
    """

    form: Any
    lo: Any
    hi: Any
    level: Any
    load: Any
    most: Any
    length: Any
    uses: Any
    cells: Any
    size: Any


def empty(lo: Any, hi: Any, outputs: int, nodes: int, terms: int) -> Sums:
    """Room for so many outputs, nodes beside the inputs, and terms; the inputs are all there is."""
    inputs, room = len(lo), len(lo) + nodes
    rows = room + outputs
    sums = Sums(
        form=np.zeros((room, inputs), np.int64),
        lo=np.zeros(room, np.int64),
        hi=np.zeros(room, np.int64),
        level=np.zeros(room, np.int64),
        load=np.zeros(rows, np.int64),
        most=np.full(rows, NO_LIMIT),
        length=np.zeros(rows, np.int32),
        uses=np.zeros(room, np.int32),
        cells=np.zeros((rows + terms, 8), np.int32),
        size=np.array([rows, terms, inputs, nodes], np.int64),
    )
    sums.form[:inputs] = np.eye(inputs, dtype=np.int64)
    sums.lo[:inputs], sums.hi[:inputs] = lo, hi
    sums.cells[:, IN_ROW:] = np.arange(rows + terms)[:, None]
    sums.cells[rows:, IN_ROW] += 1
    sums.cells[:room, ROW] = np.arange(1, room + 1)
    return sums


@njit(cache=True)
def append(sums, row, node, shift, sign):
    """A new cell with this term at the end of `row`."""
    cells, size = sums.cells, sums.size
    cell = size[FREE_CELL]
    size[FREE_CELL] = cells[cell, IN_ROW]
    size[CELLS_LEFT] -= 1
    cells[cell, ROW], cells[cell, NODE], cells[cell, SHIFT], cells[cell, SIGN] = (
        row, node, shift, sign,
    )  # fmt: skip
    cells[cell, IN_ROW], cells[cell, BACK_IN_ROW] = row, cells[row, BACK_IN_ROW]
    cells[cell, OF_NODE], cells[cell, BACK_OF_NODE] = node, cells[node, BACK_OF_NODE]
    link(sums, cell)
    return cell


@njit(cache=True)
def link(sums, cell):
    """Put a cell between its neighbours."""
    cells = sums.cells
    cells[cells[cell, BACK_IN_ROW], IN_ROW] = cells[cells[cell, IN_ROW], BACK_IN_ROW] = cell
    cells[cells[cell, BACK_OF_NODE], OF_NODE] = cells[cells[cell, OF_NODE], BACK_OF_NODE] = cell
    row, node = cells[cell, ROW], cells[cell, NODE]
    sums.length[row] += 1
    sums.uses[node] += 1
    sums.load[row] += 1 << sums.level[node]


@njit(cache=True)
def unlink(sums, cell):
    """Take a cell out from between its neighbours."""
    cells = sums.cells
    cells[cells[cell, BACK_IN_ROW], IN_ROW] = cells[cell, IN_ROW]
    cells[cells[cell, IN_ROW], BACK_IN_ROW] = cells[cell, BACK_IN_ROW]
    cells[cells[cell, BACK_OF_NODE], OF_NODE] = cells[cell, OF_NODE]
    cells[cells[cell, OF_NODE], BACK_OF_NODE] = cells[cell, BACK_OF_NODE]
    row, node = cells[cell, ROW], cells[cell, NODE]
    sums.length[row] -= 1
    sums.uses[node] -= 1
    sums.load[row] -= 1 << sums.level[node]


@njit(cache=True)
def free_cell(sums, cell):
    """A cell that is in no ring may be taken again."""
    sums.cells[cell, IN_ROW] = sums.size[FREE_CELL]
    sums.size[FREE_CELL] = cell
    sums.size[CELLS_LEFT] += 1


@njit(cache=True)
def take_node(sums):
    """A node that is free."""
    node = sums.size[FREE_NODE]
    sums.size[FREE_NODE] = sums.cells[node, ROW]
    sums.size[NODES_LEFT] -= 1
    return node


@njit(cache=True)
def free_node(sums, node):
    """A node without a row may be taken again."""
    sums.cells[node, ROW] = sums.size[FREE_NODE]
    sums.size[FREE_NODE] = node
    sums.size[NODES_LEFT] += 1


@njit(cache=True)
def append_digits(sums, row, node, coefficient):
    """Append `coefficient * node`, a term for each signed digit."""
    shift = 0
    while coefficient:
        if coefficient & 1:
            digit = 2 - (coefficient & 3)
            append(sums, row, node, shift, digit)
            coefficient -= digit
        coefficient >>= 1
        shift += 1


@njit(cache=True)
def append_form(sums, row, form):
    """Append a linear form of the inputs."""
    for i in range(form.size):
        append_digits(sums, row, i, form[i])


@njit(cache=True)
def set_form(sums, node):
    """The linear form and interval of a node from its row."""
    inputs, cells = sums.form.shape[1], sums.cells
    sums.form[node] = 0
    cell = cells[node, IN_ROW]
    while cell != node:
        factor, of = np.int64(cells[cell, SIGN]) << cells[cell, SHIFT], cells[cell, NODE]
        for i in range(inputs):
            sums.form[node, i] += factor * sums.form[of, i]
        cell = cells[cell, IN_ROW]
    lo, hi = 0, 0
    for i in range(inputs):
        c = sums.form[node, i]
        lo += c * (sums.lo[i] if c > 0 else sums.hi[i])
        hi += c * (sums.hi[i] if c > 0 else sums.lo[i])
    sums.lo[node], sums.hi[node] = lo, hi
