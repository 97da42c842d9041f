from typing import Any

import numpy as np
import torch
from contracts.tables import Case, Fault, Formats
from sylvan.hw.operators.rom import LookupRom
from sylvan.model.numbers import Format
from sylvan.model.operations import Value
from sylvan.model.operations.constants import Lookup
from torch import Tensor


def table(phases: int, symbols: int, size: int, lo: int = -99, hi: int = 99) -> Lookup:
    rng = np.random.default_rng(phases + symbols + size + hi)
    return Lookup(rng.integers(lo, hi + 1, (phases, symbols, size)), -3)


CASES = [
    Case(table(phases, symbols, size, lo, hi), ((1, Format(0, symbols - 1)),))
    for phases, symbols, size in (
        (2, 5, 1),
        (2, 8, 20),
        (1, 9, 9),
        (2, 16, 16),
        (1, 1, 7),
        (2, 1, 8),
        (1, 17, 17),
        (1, 2, 1),
    )
    for lo, hi in ((-99, 99), (-9, -2), (0, 300))
]


def reference(o: Lookup, phase: int, formats: Formats, a: Tensor) -> Tensor:
    rows = torch.tensor(o.table[phase % len(o.table)].tolist(), dtype=torch.float64)
    one_hot = torch.nn.functional.one_hot(a[:, 0].long(), len(rows)).double()
    return one_hot @ rows * 2.0**o.exp


SYMBOLS = table(1, 5, 4)
REFUSED = [
    (lambda: Lookup([[1]], 0), r"table must be a non-empty integer array with 3 axes"),
    (lambda: SYMBOLS.infer((Value("a", 1, Format(0, 5)),)), "the table has 5 symbols, a is 1 of"),
    (lambda: SYMBOLS.infer((Value("a", 2, Format(0, 4)),)), "the table has 5 symbols, a is 2 of"),
    (lambda: SYMBOLS.infer((Value("a", 1, Format(0, 4, 1)),)), "the table has 5 symbols, a is"),
]


def _symbols_turned(words: Any) -> Any:
    return lambda self, given, *others: words(self, np.roll(given, 1, axis=1), *others)


FAULTS = [
    Fault("each symbol reads its neighbour's row", LookupRom, "set_words", _symbols_turned),
]
