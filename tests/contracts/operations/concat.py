from typing import Any

import torch
from amaranth import Const
from contracts.tables import AWKWARD, LOPSIDED, NEGATIVE, SIGNED, UNSIGNED, Case, Fault, Formats
from sylvan.hw.operators import concat as hardware
from sylvan.model.numbers import Format
from sylvan.model.operations.moves import Concat
from torch import Tensor

CASES = [
    Case(Concat(), ((n, a), (m, b)))
    for n, m in [(1, 3), (5, 9), *((n, m) for n in AWKWARD for m in {n, 3})]
    for a, b in ((SIGNED, UNSIGNED), (NEGATIVE, LOPSIDED), (Format(0, 0), NEGATIVE))
]


def reference(o: Concat, phase: int, formats: Formats, a: Tensor, b: Tensor) -> Tensor:
    return torch.cat([a, b], 1)


REFUSED: list = []


def _b_at_once(since: Any) -> Any:
    return lambda self, m, name, strobe: Const(1, 1)


def _not_kept(delayed: Any) -> Any:
    return lambda m, name, value, cycles: value


FAULTS = [
    Fault("elements of b a beat early", hardware, "delayed", _not_kept),
    Fault("b is all there is", hardware.Concat, "_since", _b_at_once),
]
