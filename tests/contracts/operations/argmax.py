from typing import Any

import torch
from contracts.tables import AWKWARD, LOPSIDED, NEGATIVE, SIGNED, Case, Fault, Formats
from sylvan.hw.operators.argmax import ArgMax as Hardware
from sylvan.model.numbers import Format
from sylvan.model.operations.moves import ArgMax
from torch import Tensor

# Few values, so that the largest is often there twice.
CASES = [
    Case(ArgMax(), ((n, f),))
    for n in AWKWARD
    for f in (SIGNED, NEGATIVE, LOPSIDED, Format(0, 1), Format(-1, 0), Format(7, 7, 1))
]


def reference(o: ArgMax, phase: int, formats: Formats, a: Tensor) -> Tensor:
    largest = a == a.amax(1, keepdim=True)
    return torch.where(largest, torch.arange(a.shape[1]), a.shape[1]).amin(1, keepdim=True).double()


REFUSED: list = []


def _without_sign(signed: Any) -> Any:
    return lambda self, element: signed(self, element.as_unsigned())


FAULTS = [
    Fault("elements are compared without their sign", Hardware, "signed", _without_sign),
]
