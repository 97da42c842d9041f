"""LSTM: every mixture of size, input, weights, answer and state width, from random integers."""

from dataclasses import replace
from itertools import product

import numpy as np
import numpy.typing as npt
from contracts.fake import add, exact, largest, narrow
from contracts.gates import (
    INPUTS,
    UNITS,
    answers,
    curve,
    random_gates,
    sums_of_input,
    sums_of_state,
)
from sylvan.model.arrays import Array, Constant
from sylvan.model.cells.lstm.step import LstmParameters
from sylvan.model.numbers import Format
from sylvan.model.program import READS, SymbolInput
from torch import Tensor

PAPER = "1809.11086"


def parameters(
    units: int, input: str, weights: str, read: str, argmax: bool, normalized: bool, bits: int
) -> LstmParameters:
    """Random integers; `normalized`: c is, too, and where there are many units its lanes differ."""
    rng = np.random.default_rng(units + bits)
    uneven = normalized and units > 2
    gains = Constant(1 << rng.integers(0, 5, units), 0) if uneven else None
    factors = Constant(rng.integers(-3000, 3000, units), -11) if normalized else None
    offset = Constant(rng.integers(-300, 300, units), -9) if normalized else None
    return LstmParameters(
        **random_gates(4, units, input, weights, read, argmax, bits),
        # Small, so that c saturates.
        cell=Format.signed_bits(bits, 2 - bits),
        cell_gains=gains,
        cell_factors=factors,
        cell_offset=offset,
    )


MIXTURES = list(product(UNITS, INPUTS, ("ternary", "binary"), READS, (False, True)))
CASES: dict[str, LstmParameters] = {
    f"{units}-{input}-{weights}-{read}-{'argmax' if argmax else 'logits'}-{bits}bits": (
        parameters(units, input, weights, read, argmax, number % 3 > 0, bits)
    )
    for number, (units, input, weights, read, argmax) in enumerate(MIXTURES)
    for bits in (6 + number % 7,)
}
CI = [
    next(name for name in CASES if name.startswith(start))
    for start in (
        "7-three-ternary-last-logits",
        "1-one-binary-every-logits",
        "16-symbols-ternary-every-logits",
        "2-embedded-ternary-last-argmax",
    )
]
GIVEN = CASES[CI[0]]
REFUSED = [
    (
        lambda: replace(GIVEN, recurrent=GIVEN.recurrent[:-1]),
        r"recurrent must have shape \(28, 7\), got \(27, 7\)",
    ),
    (
        lambda: replace(
            GIVEN, cell_offset=None, cell_factors=None, cell_gains=Constant(np.ones(7, np.int64), 0)
        ),
        "cell_gains are taken back by cell_factors, which are missing",
    ),
    (
        lambda: replace(GIVEN, cell_offset=None, cell_factors=Constant(GIVEN.added.raw[0, :7], 0)),
        "cell_factors and cell_offset go together",
    ),
    (lambda: replace(GIVEN, input=SymbolInput(4)), "symbols without an embedding are looked up"),
    (lambda: replace(GIVEN, injected=None), "a vector needs injected and input_factors"),
    (
        lambda: replace(GIVEN, embedding=GIVEN.output_weights),
        "an embedding stands for symbols, this input is numeric",
    ),
    (
        lambda: replace(GIVEN, added=Constant(GIVEN.added.raw[:, 1:], 0)),
        r"added must have shape \(1, 28\), got \(1, 27\)",
    ),
]


def fake_quantized(parameters: LstmParameters, raw_inputs: npt.ArrayLike) -> Array:
    """The network in raw units, written from the README's equations alone."""
    p = parameters
    n, sigma_exp, tanh_exp = p.recurrent.shape[1], p.sigma.exp, p.tanh.exp

    def step(x: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        sums, exp = add(*sums_of_state(p, h), *sums_of_input(p, x))
        i, f, o = (curve(p.sigma, part, exp) for part in sums[:, : 3 * n].split(n, 1))
        g = curve(p.tanh, sums[:, 3 * n :], exp)
        new = exact(i * g) if p.cell_gains is None else exact(i * g * exact(p.cell_gains.raw))
        total, exp = add(exact(f * c), sigma_exp + p.cell.exp, new, sigma_exp + tanh_exp)
        c = narrow(total, exp, p.cell)
        seen, exp = c, p.cell.exp
        if p.cell_factors is not None and p.cell_offset is not None:
            scaled = exact(c * exact(p.cell_factors.raw))
            seen, exp = add(
                scaled, exp + p.cell_factors.exp, exact(p.cell_offset.raw), p.cell_offset.exp
            )
        shown = exact(o * curve(p.tanh, seen, exp))
        return narrow(shown, sigma_exp + tanh_exp, p.hidden), c

    return answers(p, raw_inputs, step, largest)
