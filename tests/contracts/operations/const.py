from typing import Any

import numpy as np
import torch
from contracts.tables import AWKWARD, Case, Fault, Formats
from sylvan.hw.operators.rom import Rom
from sylvan.model.operations.constants import Const
from torch import Tensor


def const(phases: int, size: int, lo: int, hi: int, exp: int) -> Const:
    rng = np.random.default_rng(phases + size + hi)
    return Const(rng.integers(lo, hi + 1, (phases, size)), exp)


CASES = [
    Case(const(phases, n, lo, hi, exp), ())
    for phases in (2, 1)
    for n in AWKWARD
    for lo, hi, exp in ((-99, 99, -3), (0, 255, 2), (-9, -2, 0), (5, 5, -1), (0, 0, 0))
]


def reference(o: Const, phase: int, formats: Formats) -> Tensor:
    return torch.tensor(o.raw[phase % len(o.raw)].tolist(), dtype=torch.float64) * 2.0**o.exp


REFUSED = [
    (lambda: Const([1, 2], 0), r"raw must be a non-empty integer array with 2 axes, got int64 of"),
    (lambda: Const(np.zeros((1, 0), int), 0), r"raw must be a non-empty .* of shape \(1, 0\)"),
    (lambda: Const([[1 << 62]], 0), r"raw must stay below 2\*\*62, got a magnitude of"),
    (lambda: Const([[1]], "0"), "exp must be an integer, got '0'"),
]


def _phases_exchanged(words: Any) -> Any:
    return lambda self, given, *others: words(self, given[::-1], *others)


def _announced_late(words: Any) -> Any:
    def wrong(self: Any, *given: Any) -> None:
        words(self, *given)
        self.latency += 1

    return wrong


FAULTS = [
    Fault("phases are exchanged", Rom, "set_words", _phases_exchanged),
    Fault("words come a cycle before they are announced", Rom, "set_words", _announced_late),
]
