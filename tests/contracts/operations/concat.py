import torch
from contracts.tables import AWKWARD, LOPSIDED, NEGATIVE, SIGNED, UNSIGNED, Case, Formats
from sylvan.model.numbers import Format
from sylvan.model.operations.moves import Concat
from torch import Tensor

CASES = [
    Case(Concat(), ((n, a), (m, b)))
    for n in AWKWARD
    for m in {n, 3}
    for a, b in ((SIGNED, UNSIGNED), (NEGATIVE, LOPSIDED), (Format(0, 0), NEGATIVE))
]


def reference(o: Concat, phase: int, formats: Formats, a: Tensor, b: Tensor) -> Tensor:
    return torch.cat([a, b], 1)


REFUSED: list = []
FAULTS = None
