"""A linear map under work: values, each the sum of a few others, shared where it is used twice.

Nodes are the inputs and every shared value; a row is a sum of signed, shifted nodes, which defines
a node or an output. A row of more than two terms stands for adders that nobody shares, in whatever
order costs least; so what is searched over is only which values are shared. Compiled.
"""

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from .cost import DIGITS

NODES, TERMS = range(2)
"""Places in `Sums.size`: how many nodes and how many terms there are."""


class Sums(NamedTuple):
    """Arrays with room for `len(lo)` nodes; row i defines node i, row `len(lo) + r` output r.

    form: (nodes, inputs), each node as a linear form of the inputs. lo, hi: its interval.
    level: (rows,), adders on the longest way from an input to it, or a bound of that.
    start, length: (rows,), where a row's terms lie in node, shift and sign. size: (2,), see
    `NODES`.
    """

    form: Any
    lo: Any
    hi: Any
    level: Any
    start: Any
    length: Any
    node: Any
    shift: Any
    sign: Any
    size: Any


def empty(lo: Any, hi: Any, outputs: int, nodes: int, terms: int) -> Sums:
    """Room for so many nodes, outputs and terms; the inputs are the only nodes."""
    inputs, rows = len(lo), nodes + outputs
    sums = Sums(
        form=np.zeros((nodes, inputs), np.int64),
        lo=np.zeros(nodes, np.int64),
        hi=np.zeros(nodes, np.int64),
        level=np.zeros(rows, np.int32),
        start=np.zeros(rows, np.int64),
        length=np.zeros(rows, np.int32),
        node=np.zeros(terms, np.int32),
        shift=np.zeros(terms, np.int32),
        sign=np.zeros(terms, np.int32),
        size=np.array([inputs, 0], np.int64),
    )
    sums.form[:inputs] = np.eye(inputs, dtype=np.int64)
    sums.lo[:inputs], sums.hi[:inputs] = lo, hi
    return sums


@njit(cache=True)
def open_row(sums, row):
    """Begin `row` at the end of the terms."""
    sums.start[row] = sums.size[TERMS]
    sums.length[row] = 0


@njit(cache=True)
def add_digits(sums, row, node, coefficient):
    """Append `coefficient * node` to the row opened last, a term for each signed digit."""
    shift = 0
    while coefficient:
        if coefficient & 1:
            digit = 2 - (coefficient & 3)
            at = sums.size[TERMS]
            sums.node[at], sums.shift[at], sums.sign[at] = node, shift, digit
            sums.size[TERMS] = at + 1
            sums.length[row] += 1
            coefficient -= digit
        coefficient >>= 1
        shift += 1


@njit(cache=True)
def set_form(sums, node):
    """The linear form and interval of a node from its row."""
    inputs = sums.form.shape[1]
    start = sums.start[node]
    sums.form[node] = 0
    for at in range(start, start + sums.length[node]):
        factor = sums.sign[at] << sums.shift[at]
        for i in range(inputs):
            sums.form[node, i] += factor * sums.form[sums.node[at], i]
    lo, hi = 0, 0
    for i in range(inputs):
        c = sums.form[node, i]
        lo += c * (sums.lo[i] if c > 0 else sums.hi[i])
        hi += c * (sums.hi[i] if c > 0 else sums.lo[i])
    sums.lo[node], sums.hi[node] = lo, hi


@njit(cache=True)
def load_of(sums, row):
    """`sum(2**level)` over the terms: the row fits in a tree of depth d if it is at most `2**d`."""
    total = 0
    for at in range(sums.start[row], sums.start[row] + sums.length[row]):
        total += 1 << min(sums.level[sums.node[at]], DIGITS - 4)
    return total
