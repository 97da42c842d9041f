"""GRU: every mixture of size, input, weights, answer and state width, from random integers."""

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
from sylvan.model.cells.gru.step import GruParameters
from sylvan.model.numbers import Format
from sylvan.model.program import READS
from torch import Tensor

PAPER = "1809.11086"


def parameters(
    units: int, input: str, weights: str, read: str, argmax: bool, bits: int
) -> GruParameters:
    """Random integers."""
    rng = np.random.default_rng(units + bits)
    return GruParameters(
        **random_gates(3, units, input, weights, read, argmax, bits),
        gated=Format.signed_bits(9, -7),
        gated_offset=Constant(rng.integers(-300, 300, units), -9),
    )


MIXTURES = list(product(UNITS, INPUTS, ("ternary", "binary"), READS, (False, True)))
CASES: dict[str, GruParameters] = {
    f"{units}-{input}-{weights}-{read}-{'argmax' if argmax else 'logits'}-{bits}bits": (
        parameters(units, input, weights, read, argmax, bits)
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
        lambda: replace(GIVEN, gated_offset=Constant(np.zeros(6, np.int64), 0)),
        r"gated_offset must have shape \(7,\), got \(6,\)",
    ),
    (
        lambda: replace(GIVEN, recurrent_factors=Constant(np.zeros(7, np.int64), 0)),
        r"recurrent_factors must have shape \(21,\), got \(7,\)",
    ),
]


def fake_quantized(parameters: GruParameters, raw_inputs: npt.ArrayLike) -> Array:
    """The network in raw units, written from the README's equations alone."""
    p = parameters
    n, one = p.recurrent.shape[1], 2.0**-p.sigma.exp

    def step(x: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        a, a_exp = sums_of_state(p, h)
        b, b_exp = sums_of_input(p, x)
        sums, exp = add(a[:, : 2 * n], a_exp, b[:, : 2 * n], b_exp)
        r, z = (curve(p.sigma, part, exp) for part in sums.split(n, 1))
        inner, exp = add(a[:, 2 * n :], a_exp, exact(p.gated_offset.raw), p.gated_offset.exp)
        gated = exact(r * narrow(inner, exp, p.gated))
        total, exp = add(gated, p.sigma.exp + p.gated.exp, b[:, 2 * n :], b_exp)
        candidate = curve(p.tanh, total, exp)
        mixed, exp = add(
            exact((one - z) * candidate),
            p.sigma.exp + p.tanh.exp,
            exact(z * h),
            p.sigma.exp + p.hidden.exp,
        )
        return narrow(mixed, exp, p.hidden), c

    return answers(p, raw_inputs, step, largest)
