"""HadamRNN: every mixture of size, input, bias, answer and state width, from random integers.

A family's table holds PAPER, what its README cites; CASES, parameters by name; CI, the names of
those that CI simulates, the first on three schedules; REFUSED, what must not be built, and why.
Program and fake-quantized torch are those of the family's room.
"""

from dataclasses import replace
from itertools import product

import numpy as np
from sylvan.model.cells.hadamrnn.step import Constant, HadamParameters
from sylvan.model.numbers import Format
from sylvan.model.program import READS, NumericInput, SymbolInput

PAPER = "2502.00047"
SIZES = ((1, 1), (20, 4), (8, 8), (32, 32), (48, 16))
"""(hidden, block): 8 and 32 are 2 * 4**j, so those have two phases."""
INPUTS = {"one": 1, "three": 3, "symbols": 0}
BIASES = ("relu", "loop", "none")
OUTPUTS = 5


def parameters(
    hidden: int, block: int, input: str, bias: str, read: str, argmax: bool, state_bits: int
) -> HadamParameters:
    """Random integers where training would put its own."""
    rng = np.random.default_rng(hidden * state_bits + len(input + bias))
    period = 1 + (block.bit_length() - 1) % 2
    state = Format.signed_bits(state_bits, 3 - state_bits)
    fine = state.exp - block.bit_length() // 2
    size = INPUTS[input]
    numeric = None
    if size:
        numeric = NumericInput(size, Format(-100, 120, -6), (1.0,) * size, (0.0,) * size)
    phased = numeric is not None and period == 2
    weights = rng.integers(-7, 8, (1, hidden, size))
    if numeric is None:
        weights = rng.integers(-50, 51, (period, hidden, 4))

    def constant(count: int, exp: int) -> Constant:
        top = max(1, round(2.0**-exp))
        return Constant(rng.integers(-top, top + 1, (period, count)), exp)

    return HadamParameters(
        input=numeric or SymbolInput(4),
        block=block,
        signs=rng.choice([-1, 1], hidden),
        input_weights=weights,
        input_exp=-3 if numeric else fine,
        input_factors=Constant(np.array([[46341], [65536]]), -16) if phased else None,
        scaled_input=numeric.format.aligned(min(fine, -6)) if numeric and phased else None,
        state=state,
        bias=constant(hidden, fine) if bias == "loop" else None,
        threshold=constant(hidden, state.exp) if bias == "relu" else None,
        output_weights=rng.integers(-7, 8, (OUTPUTS, hidden)),
        output_exp=0,
        output_bias=constant(OUTPUTS, state.exp),
        output_unit=0.25,
        state_unit=0.5,
        read=read,
        argmax=argmax,
    )


MIXTURES = list(product(SIZES, INPUTS, BIASES, READS, (False, True)))
CASES: dict[str, HadamParameters] = {
    f"{size[0]}of{size[1]}-{input}-{bias}-{read}-{'argmax' if argmax else 'logits'}-{bits}bits": (
        parameters(*size, input, bias, read, argmax, bits)
    )
    for number, (size, input, bias, read, argmax) in enumerate(MIXTURES)
    for bits in (6 + number % 7,)
}
CI = [
    "20of4-three-relu-last-logits-7bits",
    "1of1-one-loop-every-logits-10bits",
    "20of4-symbols-loop-last-argmax-10bits",
    "8of8-three-loop-every-logits-10bits",
    "32of32-one-relu-last-logits-11bits",
    "32of32-symbols-none-every-argmax-7bits",
    "48of16-three-relu-last-argmax-11bits",
]
PHASED = CASES["8of8-three-loop-every-logits-10bits"]
REFUSED = [
    (lambda: replace(PHASED, block=3), "block must be a power of two, got 3"),
    (lambda: replace(PHASED, block=16), "8 signs are no multiple of the block 16"),
    (
        lambda: replace(PHASED, input_factors=None),
        "blocks of 8 have two phases: numeric input needs input_factors and scaled_input",
    ),
    (
        lambda: replace(PHASED, input=SymbolInput(4)),
        r"input_weights must have shape \(2, 8, 4\), got \(1, 8, 3\)",
    ),
    (
        lambda: replace(PHASED, bias=Constant(np.zeros((1, 8), np.int64), 0)),
        r"bias must have shape \(2, 8\), got \(1, 8\)",
    ),
]
