from typing import Any

import numpy as np
import torch
from contracts.tables import AWKWARD, FORMATS, SIGNED, Case, Fault, Formats
from sylvan.hw.operators.modrelu import ModRelu as Hardware
from sylvan.model.operations import Value
from sylvan.model.operations.arithmetic import ModRelu
from torch import Tensor


def biases(count: int, lo: int, hi: int) -> np.ndarray:
    return np.random.default_rng(count).integers(lo, hi + 1, count)


CASES = [
    Case(ModRelu(biases(count, lo, hi)), ((n, f),))
    for n in AWKWARD
    for f in FORMATS
    for count, lo, hi in ((n, -5, 5), (1, -3, -3), (1, 2, 2))
]


def reference(o: ModRelu, phase: int, formats: Formats, a: Tensor) -> Tensor:
    bias = torch.tensor(o.bias.tolist(), dtype=torch.float64) * 2.0 ** formats[0].exp
    return a.sign() * (a.abs() + bias).relu()


A = Value("a", 4, SIGNED)
REFUSED = [
    (lambda: ModRelu([0.5]), "bias must be a non-empty integer array with 1 axes, got float64"),
    (lambda: ModRelu([1, 2]).infer((A,)), "bias has 2 elements, a has 4"),
]


def _always_added(lane: Any) -> Any:
    return lambda self, a, b, negative: a + b


def _zero_moves(beyond: Any) -> Any:
    return lambda self, moved, negative, zero: moved[-1] != negative


def _passes_zero(beyond: Any) -> Any:
    return lambda self, moved, negative, zero: zero


FAULTS = [
    Fault("zero is moved, too", Hardware, "beyond", _zero_moves),
    Fault("a bias has no sign", Hardware, "lane", _always_added),
    Fault("values pass zero", Hardware, "beyond", _passes_zero),
]
