from typing import Any

import numpy as np
import torch
from contracts.tables import AWKWARD, FORMATS, SIGNED, Case, Fault, Formats
from sylvan.hw.operators.table import Table as Hardware
from sylvan.model.numbers import Format
from sylvan.model.operations import Value
from sylvan.model.operations.constants import Table
from torch import Tensor


def table(operand: Format, exp: int) -> Table:
    span = operand.hi - operand.lo + 1
    return Table(np.random.default_rng(span).integers(-200, 200, span), exp)


def mirrored(operand: Format, point: int, exp: int) -> Table:
    """Symmetric up to a sum of 7, about 0 or -1/2, and constant from a third of the way on."""
    most = max(operand.hi, -operand.lo)
    half = np.random.default_rng(most).integers(-99, 100, most + 1)
    half[most // 3 :] = half[most // 3]
    values = np.arange(operand.lo, operand.hi + 1)
    turned = 7 - half[np.clip(-point - values, 0, most)]
    return Table(np.where(values < 0, turned, half[values.clip(0)]), exp)


WIDE, UNEVEN = Format(-512, 511, -3), Format(-100, 60)
CASES = [Case(table(f, -4), ((n, f),)) for n in AWKWARD for f in FORMATS] + [
    Case(mirrored(f, point, -4), ((n, f),))
    for n in AWKWARD
    for f in (WIDE, UNEVEN, SIGNED)
    for point in (0, 1)
]


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


def _never_moved(place: Any) -> Any:
    """A place beyond those with words loses its highest bits."""
    return lambda self, a: place(self, a) if self.fold.mirrored and self.fold.point else a


def _never_turned(mirrored: Any) -> Any:
    return lambda self, word, negative: word


def _a_word_late(read: Any) -> Any:
    return lambda self, m, place: read(self, m, place + 1)


FAULTS = [
    Fault("the word of the next place", Hardware, "_read", _a_word_late),
    Fault("a mirrored entry is the word", Hardware, "mirrored", _never_turned),
    Fault("a place is always the value", Hardware, "place", _never_moved),
]
