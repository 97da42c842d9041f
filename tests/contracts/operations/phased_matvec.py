from typing import Any

import numpy as np
import torch
from contracts.tables import NEGATIVE, SIGNED, UNSIGNED, Case, Fault, Formats
from sylvan.hw.operators import matvec
from sylvan.hw.operators.rom import Rom
from sylvan.model.operations import Value
from sylvan.model.operations.phased import PhasedMatVec
from torch import Tensor


def matrices(phases: int, rows: int, columns: int, lo: int, hi: int) -> PhasedMatVec:
    rng = np.random.default_rng(phases + rows + columns + hi)
    return PhasedMatVec(rng.integers(lo, hi + 1, (phases, rows, columns)))


SHAPES = [(2, 1, 1), (2, 5, 20), (1, 9, 9), (2, 20, 1), (3, 1, 17), (2, 7, 16), (2, 16, 7)]
CASES = [
    Case(matrices(*shape, lo, hi), ((shape[2], f),))
    for shape in SHAPES
    for lo, hi, f in ((-8, 7, SIGNED), (-1, 1, UNSIGNED), (-5, -1, NEGATIVE))
]


def reference(o: PhasedMatVec, phase: int, formats: Formats, a: Tensor) -> Tensor:
    weights = torch.tensor(o.weights.tolist(), dtype=torch.float64)
    return a @ weights[phase % len(weights)].T


REFUSED = [
    (lambda: PhasedMatVec([[1, 2]]), "weights must be a non-empty integer array with 3 axes"),
    (lambda: PhasedMatVec([[[1 << 61] * 3]]), "the weights of a row sum to 6.92e.18, beyond 62"),
    (
        lambda: matrices(2, 2, 3, -1, 1).infer((Value("a", 4, SIGNED),)),
        "the matrices have 3 columns, a has 4",
    ),
]


def _first_phase_only(words: Any) -> Any:
    def wrong(self: Any, given: Any, *others: Any) -> None:
        words(self, np.broadcast_to(given[:1], given.shape), *others)

    return wrong


def _of_the_first_phase(prefix: Any) -> Any:
    return lambda weights, operand: prefix(weights[:1] // 4, operand)


FAULTS = [
    Fault("weights of the first phase only", Rom, "set_words", _first_phase_only),
    Fault("sums have too few bits", matvec, "prefix_format", _of_the_first_phase),
]
