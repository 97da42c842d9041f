from typing import Any

import numpy as np
import torch
from amaranth import Signal
from contracts.tables import NEGATIVE, SIGNED, UNSIGNED, Case, Fault, Formats
from sylvan.hw.operators import graph, matvec, serial
from sylvan.hw.packing import Packing
from sylvan.model.matrices import Dense
from sylvan.model.operations import Value
from sylvan.model.operations.constants import MatVec
from torch import Tensor


def dense(rows: int, columns: int, lo: int, hi: int) -> MatVec:
    rng = np.random.default_rng(rows + columns + hi)
    weights = rng.integers(lo, hi + 1, (rows, columns))
    if lo < 0 < hi:
        weights[rows // 2] = 0  # an output that nothing reaches
    return MatVec(Dense(weights))


def sparse(rows: int, columns: int, lo: int, hi: int, zeros: float) -> MatVec:
    """With a share of zeros, a row of them, and a column."""
    rng = np.random.default_rng(rows + columns + hi)
    weights = rng.integers(lo, hi + 1, (rows, columns)) * (rng.random((rows, columns)) >= zeros)
    weights[0] = weights[:, -1] = 0
    return MatVec(Dense(weights))


SHAPES = [(1, 1), (5, 20), (9, 9), (20, 1), (1, 17), (7, 16), (16, 7), (2, 3)]
CASES = [
    Case(dense(rows, columns, lo, hi), ((columns, f),))
    for rows, columns in SHAPES
    for lo, hi, f in (
        (-8, 7, SIGNED),
        (-1, 1, UNSIGNED),
        (-5, -1, NEGATIVE),
        (0, 3, SIGNED),
    )
]
SPARSE = [(9, 9), (24, 24), (20, 33), (33, 20), (7, 16), (20, 1)]
CASES += [
    Case(sparse(rows, columns, lo, hi, zeros), ((columns, f),))
    for rows, columns in SPARSE
    for lo, hi, zeros, f in (
        (-1, 1, 0.5, SIGNED),
        (-1, 1, 0.9, UNSIGNED),
        (-8, 7, 0.5, NEGATIVE),
        (0, 1, 0.3, SIGNED),
        (-1, 0, 0.7, UNSIGNED),
        (0, 0, 0.0, SIGNED),
    )
]


def reference(o: MatVec, phase: int, formats: Formats, a: Tensor) -> Tensor:
    assert isinstance(o.matrix, Dense)
    return a @ torch.tensor(o.matrix.weights.tolist(), dtype=torch.float64).T


REFUSED = [
    (lambda: Dense([1, 2]), "weights must be a non-empty integer array with 2 axes"),
    (lambda: Dense([[0.5]]), "weights must be a non-empty integer array .* got float64"),
    (lambda: Dense([[1 << 61] * 3]), "the weights of a row sum to 6.92e.18, beyond 62 bits"),
    (
        lambda: dense(2, 3, -1, 1).infer((Value("a", 4, SIGNED),)),
        "the matrix has 3 columns, a has 4",
    ),
]


def _narrow_sums(prefix: Any) -> Any:
    def wrong(weights: Any, operand: Any) -> Any:
        right = prefix(weights, operand)
        return type(right)(right.lo // 2, right.hi // 2, right.exp)

    return wrong


def _never_cleared(circulate: Any) -> Any:
    def wrong(self: Any, m: Any, terms: Any, start: Any) -> Any:
        return circulate(self, m, terms, 0)

    return wrong


def _columns_turned(init: Any) -> Any:
    """Weights of the next column: the operand and the weights are not aligned."""

    def wrong(self: Any, weights: Any, *rest: Any) -> None:
        init(self, weights, *rest)
        self.latency += 1

    return wrong


def _always_added(sums: Any) -> Any:
    def wrong(a: Any, b: Any, shift_a: int, shift_b: int, subtracts: bool) -> Any:
        return sums(a, b, shift_a, shift_b, False)

    return wrong


def _kept_too_short(stage: Any) -> Any:
    """Inputs seem to come a cycle later than they do."""

    def wrong(self: Any, node: int) -> Any:
        return stage(self, node) + (node < self.graph.inputs and self.latency > 1)

    return wrong


def _never_fresh(carried: Any) -> Any:
    """Carries and bits that move up go on into the next word."""

    def wrong(self: Any, name: str, value: Any, cycles: int, fresh: int = 0) -> Any:
        kept = Signal(len(value), name=name, init=fresh)
        self.m.d.sync += kept.eq(value)
        return kept

    return wrong


def _read_too_early(leave: Any) -> Any:
    return property(lambda self: leave.fget(self) - 1)


FAULTS = [
    Fault("nothing is subtracted", graph, "_sum", _always_added),
    Fault("a level does not wait for the other", graph.GraphMatVec, "stage", _kept_too_short),
    Fault("digits of the word before remain", serial.WordClock, "carried", _never_fresh),
    Fault("sums have a bit too few", matvec, "prefix_format", _narrow_sums),
    Fault("sums of the timestep before remain", matvec.OuterMatVec, "_circulate", _never_cleared),
    Fault("inner products a cycle late", matvec.InnerMatVec, "__init__", _columns_turned),
    Fault("packed sums are read too early", Packing, "leave", _read_too_early),
]
