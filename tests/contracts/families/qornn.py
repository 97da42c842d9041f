"""QORNN: every mixture of size, input, activation, bias, answer and width, from random integers.

PAPER, CASES, CI, REFUSED and `fake_quantized` as in the table of HadamRNN.
"""

from dataclasses import replace
from itertools import product

import numpy as np
import numpy.typing as npt
import torch
from contracts.fake import add, exact, largest, narrow
from sylvan.model.arrays import Array, Constant
from sylvan.model.cells.qornn.step import QornnParameters
from sylvan.model.numbers import Format
from sylvan.model.program import READS, NumericInput, SymbolInput
from torch import Tensor

PAPER = "2402.04012"
SIZES = (1, 3, 8, 20)
INPUTS = {"one": 1, "three": 3, "symbols": 4, "embedded": 2}
ACTIVATIONS = {
    "linear": "linear", "threshold": "linear", "looped": "linear", "relu": "relu",
    "modrelu": "modrelu",
}  # fmt: skip
"""By name: linear loops without a bias, with one at the readout, with one in the loop."""
OUTPUTS = 5


def parameters(
    hidden: int, input: str, kind: str, read: str, argmax: bool, bits: int, state_bits: int
) -> QornnParameters:
    """Random integers where training would put its own; W' of `bits` bits."""
    rng = np.random.default_rng(hidden * state_bits + len(input + kind))
    activation = ACTIVATIONS[kind]
    state = Format.signed_bits(state_bits, 3 - state_bits)
    if activation == "relu":
        state = Format.unsigned_bits(state_bits, 3 - state_bits)
    columns, symbols = INPUTS[input], input in ("symbols", "embedded")
    numeric = NumericInput(columns, Format(-100, 120, -6), (1.0,) * columns, (0.0,) * columns)
    top = (1 << (bits - 1)) - 1
    w = rng.integers(-top, top + 1, (hidden, hidden))
    if not w.any():
        w[0] = 1
    # As training scales it: the mean square of the singular values is 1.
    mantissa, exp = np.frexp(np.sqrt(hidden / (w * w).sum()))

    def constant(count: int, exp: int) -> Constant:
        top = max(1, round(2.0**-exp))
        return Constant(rng.integers(-top, top + 1, count), exp)

    modrelu = activation == "modrelu"
    return QornnParameters(
        input=SymbolInput(4) if symbols else numeric,
        embedding=rng.integers(-3, 4, (4, columns)) if input == "embedded" else None,
        recurrent_weights=w,
        factor=Constant(np.array([round(mantissa * 65536)]), int(exp) - 16),
        input_weights=rng.integers(-2, 3, (hidden, columns)),
        activation=activation,
        bias=constant(hidden, state.exp - 3) if kind in ("looped", "relu") else None,
        modrelu_bias=rng.integers(-40, 41, hidden) if modrelu else None,
        preactivation=Format.signed_bits(state_bits + 3, state.exp - 2) if modrelu else None,
        state=state,
        threshold=constant(hidden, state.exp) if kind == "threshold" else None,
        output_weights=rng.integers(-7, 8, (OUTPUTS, hidden)),
        output_bias=constant(OUTPUTS, state.exp),
        output_unit=0.25,
        state_unit=0.5,
        read=read,
        argmax=argmax,
    )


MIXTURES = list(product(SIZES, INPUTS, ACTIVATIONS, READS, (False, True)))
CASES: dict[str, QornnParameters] = {
    f"{n}-{input}-{kind}-{read}-{'argmax' if argmax else 'logits'}-{bits}of{state}bits": (
        parameters(n, input, kind, read, argmax, bits, state)
    )
    for number, (n, input, kind, read, argmax) in enumerate(MIXTURES)
    for bits, state in ((2 + number % 7, 5 + number % 9),)
}


def _case(start: str) -> str:
    return next(name for name in CASES if name.startswith(start))


CI = [
    _case("20-three-threshold-last-logits"),
    _case("1-one-looped-every-logits"),
    _case("8-symbols-relu-every-argmax"),
    _case("3-embedded-linear-last-logits"),
    _case("8-one-relu-last-logits"),
    _case("20-symbols-modrelu-every-logits"),
]
LINEAR = CASES[_case("20-three-threshold-last-logits")]
MODRELU = CASES[_case("20-symbols-modrelu-every-logits")]
REFUSED = [
    (lambda: replace(LINEAR, activation="tanh"), r"activation must be one of \('linear', .*'tanh'"),
    (lambda: replace(LINEAR, activation="modrelu"), "a modReLU has a modrelu_bias, nothing else"),
    (lambda: replace(MODRELU, preactivation=None), "a modReLU has a preactivation, nothing else"),
    (lambda: replace(MODRELU, bias=LINEAR.threshold), "the bias of a modReLU is its modrelu_bias"),
    (lambda: replace(LINEAR, activation="relu"), "only a linear loop .* has a threshold"),
    (
        lambda: replace(LINEAR, recurrent_weights=LINEAR.input_weights),
        r"recurrent_weights must have shape \(20, 20\), got \(20, 3\)",
    ),
    (
        lambda: replace(LINEAR, input=SymbolInput(4)),
        r"input_weights must have shape \(20, 4\), got \(20, 3\)",
    ),
    (
        lambda: replace(LINEAR, embedding=np.zeros((4, 3), np.int64)),
        "an embedding stands for symbols, this input is numeric",
    ),
    (
        lambda: replace(LINEAR, factor=Constant(np.array([1, 2]), 0)),
        r"factor must have shape \(1,\), got \(2,\)",
    ),
]


def fake_quantized(parameters: QornnParameters, raw_inputs: npt.ArrayLike) -> Array:
    """The network in raw units, written from the README's equations alone.

    Returns int64 raw answers, (batch, d_out) or (batch, T, d_out) as the network reads.
    """
    p = parameters
    raw = torch.as_tensor(np.asarray(raw_inputs, np.int64))
    w, u, v = (exact(m) for m in (p.recurrent_weights, p.input_weights, p.output_weights))
    linear = p.activation == "linear"

    def biased(a: Tensor, a_exp: int, c: Constant | None) -> tuple[Tensor, int]:
        return (a, a_exp) if c is None else add(a, a_exp, exact(c.raw), c.exp)

    def inject(x: Tensor) -> tuple[Tensor, int]:
        if p.embedding is not None:
            return exact(exact(p.embedding)[x] @ u.T), 0
        if isinstance(p.input, SymbolInput):
            return u.T[x], 0
        return exact(exact(x) @ u.T), p.input.format.exp

    def phi(a: Tensor, exp: int) -> Tensor:
        if p.modrelu_bias is not None and p.preactivation is not None:
            a, exp = narrow(a, exp, p.preactivation), p.preactivation.exp
            a = a.sign() * (a.abs() + exact(p.modrelu_bias)).clamp(min=0)
        elif p.activation == "relu":
            a = a.clamp(min=0)
        return narrow(a, exp, p.state)

    def answer(s: Tensor) -> Tensor:
        shifted, exp = biased(s, p.state.exp, p.threshold)
        features = shifted.clamp(min=0) if linear else shifted
        logits, _ = biased(exact(features @ v.T), exp, p.output_bias)
        return largest(logits) if p.argmax else logits

    s, answers = torch.zeros(len(raw), len(w), dtype=torch.float64), []
    for t in range(raw.shape[1]):
        turned = exact(exact(s @ w.T) * exact(p.factor.raw))
        total, exp = add(turned, p.state.exp + p.factor.exp, *inject(raw[:, t]))
        s = phi(*biased(total, exp, p.bias))
        if p.read == "every" or t == raw.shape[1] - 1:
            answers.append(answer(s).numpy().astype(np.int64))
    return np.stack(answers, 1) if p.read == "every" else answers[0]
