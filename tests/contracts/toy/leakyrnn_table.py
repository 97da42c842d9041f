"""The toy family's contract."""

from dataclasses import replace

import numpy as np
from sylvan.model.cells.leakyrnn.step import LeakyParameters
from sylvan.model.numbers import Format
from sylvan.model.program import SymbolInput

PAPER = "textbook"


def parameters(hidden: int, symbols: int, outputs: int) -> LeakyParameters:
    rng = np.random.default_rng(hidden)
    u, v = rng.integers(-40, 41, (hidden, symbols)), rng.integers(-9, 10, (outputs, hidden))
    return LeakyParameters(SymbolInput(symbols), u, v, Format.signed_bits(8, -4), "every")


CASES = {"1": parameters(1, 3, 1), "5": parameters(5, 10, 9)}
CI = ["5"]
REFUSED = [(lambda: replace(CASES["1"], input=SymbolInput(4)), "weights do not fit 4 symbols")]
