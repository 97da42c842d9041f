from typing import Any

import numpy as np
import torch
from contracts.tables import (
    AWKWARD,
    LOPSIDED,
    NEGATIVE,
    SIGNED,
    UNSIGNED,
    Case,
    Fault,
    Formats,
    factor,
)
from sylvan.hw.operators.product import Product
from sylvan.hw.operators.rom import Rom
from sylvan.model.operations import Value
from sylvan.model.operations.constants import Scale
from torch import Tensor


def factors(phases: int, count: int, lo: int, hi: int, exp: int) -> Scale:
    rng = np.random.default_rng(phases + count + hi)
    return Scale(rng.integers(lo, hi + 1, (phases, count)), exp)


CASES = [
    Case(factors(phases, count, lo, hi, exp), ((n, f),))
    for phases in (2, 1)
    for n in AWKWARD
    for count, lo, hi, exp, f in (
        (n, -99, 99, -6, SIGNED),
        (1, -7, -2, 0, UNSIGNED),
        (n, 0, 50, 1, NEGATIVE),
        (1, 5, 5, -3, LOPSIDED),
    )
]


def reference(o: Scale, phase: int, formats: Formats, a: Tensor) -> Tensor:
    raw = o.factors[phase % len(o.factors)]
    return a * torch.tensor(raw.tolist(), dtype=torch.float64) * 2.0**o.exp


A = Value("a", 4, SIGNED)
REFUSED = [
    (
        lambda: Scale([[0.5]], 0),
        "factors must be a non-empty integer array with 2 axes, got float64",
    ),
    (lambda: Scale([1], 0), r"factors must be .* with 2 axes, got int64 of shape \(1,\)"),
    (lambda: Scale([[1]], None), "exp must be an integer, got None"),
    (lambda: Scale([[1, 2]], 0).infer((A,)), "2 factors for the 4 lanes of a"),
]


def _first_phase_only(words: Any) -> Any:
    def wrong(self: Any, given: Any, *others: Any) -> None:
        words(self, np.broadcast_to(given[:1], given.shape), *others)

    return wrong


FAULTS = [
    Fault("factors of the first phase only", Rom, "set_words", _first_phase_only),
    Fault("nothing is multiplied", Product, "of", factor(0)),
]
