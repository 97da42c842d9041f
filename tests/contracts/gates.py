"""What the contracts of the cells with gates share: random parameters, and their sums, in torch."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from contracts.fake import add, exact, narrow
from sylvan.model.arrays import Array, Constant
from sylvan.model.cells.gates import Curve, GatedParameters, sigmoid_curve, tanh_curve
from sylvan.model.numbers import Format
from sylvan.model.program import NumericInput, SymbolInput
from torch import Tensor

INPUTS = {"one": 1, "three": 3, "symbols": 0, "embedded": 2}
UNITS = (1, 2, 7, 16)
OUTPUTS, SYMBOLS = 5, 4


def random_gates(
    gates: int, units: int, input: str, weights: str, read: str, argmax: bool, state_bits: int
) -> dict[str, Any]:
    """Random integers where training would put its own."""
    rng = np.random.default_rng(units * state_bits + len(input + weights))
    lanes, size = gates * units, INPUTS[input]
    signs = [-1, 1] if weights == "binary" else [-1, 0, 1]
    curves = {"sigma": sigmoid_curve(6), "tanh": tanh_curve(7)}
    source: NumericInput | SymbolInput = SymbolInput(SYMBOLS)
    embedding = rng.integers(-90, 91, (SYMBOLS, size)) if input == "embedded" else None
    if size and embedding is None:
        source = NumericInput(size, Format(-100, 120, -6), (1.0,) * size, (0.0,) * size)
    rows = 1 if size else SYMBOLS
    return curves | {
        "input": source,
        "embedding": embedding,
        "recurrent": rng.choice(signs, (lanes, units)),
        "recurrent_factors": Constant(rng.integers(-4000, 4000, lanes), -11),
        "injected": rng.choice(signs, (lanes, size)) if size else None,
        "input_factors": Constant(rng.integers(-4000, 4000, lanes), -11) if size else None,
        "added": Constant(rng.integers(-600, 600, (rows, lanes)), -9),
        "hidden": Format.signed_bits(state_bits, 1 - state_bits),
        "output_weights": rng.integers(-7, 8, (OUTPUTS, units)),
        "output_bias": Constant(rng.integers(-9, 10, OUTPUTS), -4),
        "output_unit": 0.25,
        "read": read,
        "argmax": argmax,
    }


def curve(c: Curve, x: Tensor, exp: int) -> Tensor:
    """Entries for values of exponent `exp`."""
    return exact(c.entries)[(narrow(x, exp, c.operand) - c.operand.lo).long()]


def sums_of_input(p: GatedParameters, x: Tensor) -> tuple[Tensor, int]:
    """What inputs (batch, ...) add to each lane."""
    added, exp = exact(p.added.raw), p.added.exp
    if p.injected is None or p.input_factors is None:
        return added[x], exp
    number, number_exp = exact(x), 0
    if p.embedding is not None:
        number = exact(p.embedding)[x]
    elif isinstance(p.input, NumericInput):
        number_exp = p.input.format.exp
    product = exact(exact(number @ exact(p.injected).T) * exact(p.input_factors.raw))
    return add(product, number_exp + p.input_factors.exp, added, exp)


def sums_of_state(p: GatedParameters, h: Tensor) -> tuple[Tensor, int]:
    """What h adds to each lane."""
    product = exact(h @ exact(p.recurrent).T) * exact(p.recurrent_factors.raw)
    return exact(product), p.hidden.exp + p.recurrent_factors.exp


def answers(
    p: GatedParameters,
    raw_inputs: Any,
    step: Callable[[Tensor, Tensor, Tensor], tuple[Tensor, Tensor]],
    largest: Callable[[Tensor], Tensor],
) -> Array:
    """Answers of the recurrence `step(x, h, c) -> h, c`, as the network reads."""
    raw = torch.as_tensor(np.asarray(raw_inputs, np.int64))
    h = torch.zeros(len(raw), p.recurrent.shape[1], dtype=torch.float64)
    c, found = h, []
    for x in raw.unbind(1):
        h, c = step(x, h, c)
        product = exact(h @ exact(p.output_weights).T)
        logits, _ = add(product, p.hidden.exp, exact(p.output_bias.raw), p.output_bias.exp)
        found.append((largest(logits) if p.argmax else logits).numpy().astype(np.int64))
    return np.stack(found, 1) if p.read == "every" else found[-1]
