import numpy as np
import torch
from contracts.tables import AWKWARD, FORMATS, SIGNED, Case, Formats
from sylvan.model.numbers import Format
from sylvan.model.operations import Value
from sylvan.model.operations.constants import Table
from torch import Tensor


def table(operand: Format, exp: int) -> Table:
    span = operand.hi - operand.lo + 1
    return Table(np.random.default_rng(span).integers(-200, 200, span), exp)


CASES = [Case(table(f, -4), ((n, f),)) for n in AWKWARD for f in FORMATS]


def reference(o: Table, phase: int, formats: Formats, a: Tensor) -> Tensor:
    (f,) = formats
    entries = torch.tensor(o.entries.tolist(), dtype=torch.float64) * 2.0**o.exp
    return entries[(a / 2.0**f.exp).long() - f.lo]


REFUSED = [
    (lambda: Table([[1]], 0), "entries must be a non-empty integer array with 1 axes"),
    (
        lambda: table(SIGNED, 0).infer((Value("a", 2, Format(0, 9)),)),
        "16 entries for the 10 values of a",
    ),
]
FAULTS = None
