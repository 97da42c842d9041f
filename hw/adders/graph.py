"""An adder graph: a constant matrix as shifts, additions and subtractions, and what it costs."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from sylvan.model.arrays import Array
from sylvan.model.numbers import Format

from .cost import full_adders

ZERO = -1
"""The node of an output that is always 0."""


@dataclass(frozen=True, eq=False)
class AdderGraph:
    """`y = M x` by nodes `(a << shift_a) +- (b << shift_b)`, each an adder.

    Nodes are numbered from the inputs on, operands before what is made of them.

    Parameters:
        lo, hi: intervals of the inputs, int64 (inputs,).
        a, b, shift_a, shift_b: operands of each adder and by how much they are shifted, (adders,).
        subtracts: whether the second operand is subtracted, bool (adders,).
        outputs, output_shift, output_sign: the node that each output is, `ZERO` for none, shifted
            left, +1 or -1, (outputs,).

    Cost: `adders`; `adder_bits`, full-adder cells; `depth`, adders one after the other.
    """

    lo: Array
    hi: Array
    a: Array
    b: Array
    shift_a: Array
    shift_b: Array
    subtracts: Array
    outputs: Array
    output_shift: Array
    output_sign: Array

    @property
    def inputs(self) -> int:
        """Number of inputs."""
        return len(self.lo)

    @property
    def adders(self) -> int:
        """Number of adders."""
        return len(self.a)

    @cached_property
    def levels(self) -> Array:
        """Adders on the longest way from an input to each node, (inputs + adders,)."""
        levels = [0] * self.inputs
        for a, b in zip(self.a.tolist(), self.b.tolist(), strict=True):
            levels.append(1 + max(levels[a], levels[b]))
        return np.array(levels, np.int64)

    @property
    def depth(self) -> int:
        """Adders on the longest way from an input to an output."""
        used = self.outputs[self.outputs != ZERO]
        return int(self.levels[used].max(initial=0))

    @cached_property
    def forms(self) -> Array:
        """Every node as a linear form of the inputs, (inputs + adders, inputs)."""
        return self._values(np.eye(self.inputs, dtype=np.int64)).T

    @cached_property
    def formats(self) -> list[Format]:
        """The exact interval of every node: nothing that the inputs can be makes it wider."""
        positive, negative = np.maximum(self.forms, 0), np.minimum(self.forms, 0)
        los = positive @ self.lo + negative @ self.hi
        his = positive @ self.hi + negative @ self.lo
        return [Format(lo, hi) for lo, hi in zip(los.tolist(), his.tolist(), strict=True)]

    @cached_property
    def cells(self) -> Array:
        """Full-adder cells of each adder, (adders,)."""
        ends = [(format.lo, format.hi) for format in self.formats]
        columns = (self.a, self.b, self.shift_a, self.shift_b, self.subtracts)
        cells = []
        for a, b, shift_a, shift_b, minus in zip(*(c.tolist() for c in columns), strict=True):
            (lo_a, hi_a), (lo_b, hi_b) = ends[a], ends[b]
            cells.append(full_adders(lo_a, hi_a, lo_b, hi_b, shift_a, shift_b, minus))
        return np.array(cells, np.int64)

    @property
    def adder_bits(self) -> int:
        """Full-adder cells of all adders."""
        return int(self.cells.sum())

    def matrix(self) -> Array:
        """M, (outputs, inputs): the graph on unit vectors."""
        return self.evaluate(np.eye(self.inputs, dtype=np.int64)).T

    def evaluate(self, batch: npt.ArrayLike) -> Array:
        """`M x` for each row x of `batch`, (batch, inputs) to (batch, outputs).

        Raises ValueError for another shape, or values that are no integers.
        """
        x = np.asarray(batch)
        if x.ndim != 2 or x.shape[1] != self.inputs or x.dtype.kind not in "iu":
            raise ValueError(
                f"a batch is integers of shape (batch, {self.inputs}), got {x.dtype} of shape "
                f"{x.shape}"
            )
        values = self._values(x.astype(np.int64))
        taken = values[:, np.maximum(self.outputs, 0)] * (self.output_sign << self.output_shift)
        return np.where(self.outputs == ZERO, 0, taken)

    def _values(self, x: Array) -> Array:
        """Every node for each row of x, (batch, inputs + adders), a level at a time."""
        values = np.zeros((len(x), self.inputs + self.adders), np.int64)
        values[:, : self.inputs] = x
        levels = self.levels[self.inputs :]
        order = np.argsort(levels, kind="stable")
        ends = np.searchsorted(levels[order], np.arange(1, levels.max(initial=0) + 2))
        for start, end in pairwise(ends.tolist()):
            at = order[start:end]
            signs = np.where(self.subtracts[at], -1, 1)
            first = values[:, self.a[at]] << self.shift_a[at]
            values[:, self.inputs + at] = (
                first + (values[:, self.b[at]] << self.shift_b[at]) * signs
            )
        return values

    def check(self, matrix: npt.ArrayLike) -> None:
        """Raises ValueError unless this graph is `matrix`, exactly."""
        wanted, found = np.asarray(matrix), self.matrix()
        if wanted.shape != found.shape:
            raise ValueError(f"the graph is a matrix of shape {found.shape}, not {wanted.shape}")
        wrong = np.argwhere(wanted != found)
        if len(wrong):
            row, column = wrong[0]
            raise ValueError(
                f"the graph is not its matrix: entry ({row}, {column}) is {found[row, column]}, "
                f"should be {wanted[row, column]}"
            )


@dataclass(frozen=True)
class Term:
    """A node of a builder, shifted left and signed."""

    node: int
    shift: int = 0
    sign: int = 1

    def __neg__(self) -> "Term":
        return Term(self.node, self.shift, -self.sign)

    def __lshift__(self, places: int) -> "Term":
        return Term(self.node, self.shift + places, self.sign)


class GraphBuilder:
    """Writes an adder graph, adder by adder.

    Parameters: the intervals (lo, hi) of the inputs.
    """

    def __init__(self, intervals: Sequence[tuple[int, int]]) -> None:
        self.intervals = list(intervals)
        self.levels = [0] * len(self.intervals)
        self._inputs = len(self.intervals)
        self._adders: list[tuple[int, int, int, int, bool]] = []

    def inputs(self) -> list[Term]:
        """The inputs as terms."""
        return [Term(node) for node in range(self._inputs)]

    def add(self, p: Term, q: Term) -> Term:
        """`p + q` by one adder. What both are shifted by, and a common sign, is left to the sum."""
        if p.sign < 0 < q.sign:
            p, q = q, p
        low = min(p.shift, q.shift)
        shift_p, shift_q, minus = p.shift - low, q.shift - low, p.sign != q.sign
        (lo_p, hi_p), (lo_q, hi_q) = self.intervals[p.node], self.intervals[q.node]
        lo_p, hi_p, lo_q, hi_q = lo_p << shift_p, hi_p << shift_p, lo_q << shift_q, hi_q << shift_q
        self.intervals.append((lo_p - hi_q, hi_p - lo_q) if minus else (lo_p + lo_q, hi_p + hi_q))
        self.levels.append(1 + max(self.levels[p.node], self.levels[q.node]))
        self._adders.append((p.node, q.node, shift_p, shift_q, minus))
        return Term(self._inputs + len(self._adders) - 1, low, p.sign)

    def add_all(self, terms: Sequence[Term]) -> Term | None:
        """Their sum, the two of least depth and then of least span first; None of no terms."""
        left = list(terms)
        while len(left) > 1:
            left.sort(key=lambda term: (self.levels[term.node], self._span(term)))
            left = [self.add(left[0], left[1]), *left[2:]]
        return left[0] if left else None

    def _span(self, term: Term) -> int:
        lo, hi = self.intervals[term.node]
        return (hi - lo) << term.shift

    def graph(self, outputs: Sequence[Term | None]) -> AdderGraph:
        """The graph of these outputs; None is 0."""
        ends = np.array(self.intervals[: self._inputs], np.int64).reshape(-1, 2)
        table = np.array(self._adders, np.int64).reshape(-1, 5)
        given = [term or Term(ZERO) for term in outputs]
        return AdderGraph(
            lo=ends[:, 0],
            hi=ends[:, 1],
            a=table[:, 0],
            b=table[:, 1],
            shift_a=table[:, 2],
            shift_b=table[:, 3],
            subtracts=table[:, 4].astype(bool),
            outputs=np.array([term.node for term in given], np.int64),
            output_shift=np.array([term.shift for term in given], np.int64),
            output_sign=np.array([term.sign for term in given], np.int64),
        )


def widest(matrix: Array, intervals: Sequence[tuple[int, int]]) -> int:
    """Bits of the widest sum of a row, sign included, in Python's integers."""
    peaks = [max(abs(lo), abs(hi) + 1) for lo, hi in intervals]
    rows = (zip(row, peaks, strict=True) for row in matrix.tolist())
    return max(sum(abs(w) * peak for w, peak in row) for row in rows).bit_length() + 1
