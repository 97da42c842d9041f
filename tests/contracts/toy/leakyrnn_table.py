"""The toy family's contract."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import torch
from sylvan.model.arrays import Array
from sylvan.model.cells.leakyrnn.step import WEIGHT_EXP, LeakyParameters
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


def fake_quantized(p: LeakyParameters, raw_inputs: npt.ArrayLike) -> Array:
    """The integer network in float64 torch, in raw units."""
    x = torch.as_tensor(np.asarray(raw_inputs))
    u, v = (
        torch.tensor(w.tolist(), dtype=torch.float64) for w in (p.input_weights, p.output_weights)
    )
    lsb = 2.0**p.state.exp
    h, answers = torch.zeros(len(x), len(u), dtype=torch.float64), []
    for symbols in x.unbind(1):
        real = h * lsb / 2 + u.T[symbols] * 2.0**WEIGHT_EXP
        h = (real / lsb).round().clamp(p.state.lo, p.state.hi)
        answers.append((h @ v.T).numpy().astype(np.int64))
    return np.stack(answers, 1)
