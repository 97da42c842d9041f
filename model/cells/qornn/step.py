"""QORNN on integers: the parameters, the step, the readout.

    s' = phi(alpha W' s + U' x (+ b))     W' of k bits, alpha one fixed-point constant
    y  = V' s + c                         V' relu(s (+ g)) + c where the loop is linear

in units of alpha_U, the scale of U: s = h / alpha_U. phi is the identity, ReLU or modReLU.
Foucault, Mamalet, Malgouyres, 2024, arXiv 2402.04012; the README beside this file has the variants.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...arrays import Array, Constant, check_shape, integers
from ...builder import Builder
from ...matrices import Dense
from ...numbers import Format
from ...operations import Value
from ...program import NumericInput, Program, SymbolInput

ACTIVATIONS = ("linear", "relu", "modrelu")


@dataclass(frozen=True)
class QornnParameters:
    """Everything that a trained QORNN is on integers.

    Parameters:
        input: numeric vector, or symbols.
        embedding: symbols only: the integer vectors that stand for them, (symbols, d_in), or None.
            With it, `input_weights` are as for a numeric input.
        recurrent_weights: W', integers (hidden, hidden).
        factor: alpha, of shape (1,).
        input_weights: U', integers (hidden, d_in), or (hidden, symbols).
        activation: phi, one of `ACTIVATIONS`.
        bias: b, added before a linear phi or a ReLU, of shape (hidden,), or None.
        modrelu_bias: modReLU only: integers (hidden,) in units of preactivation's last place.
        preactivation: modReLU only: the format in which it works.
        state: the state's format.
        threshold: linear loops only: g, added before the readout's ReLU, (hidden,), or None.
        output_weights: V', integers (d_out, hidden).
        output_bias: c, of shape (d_out,).
        output_unit: real logits per unit of y: `alpha_U * alpha_V`.
        state_unit: alpha_U.
        read: "last" or "every".
        argmax: answer the index of the largest output instead of the outputs.

    Raises ValueError for an unknown activation, for parts that belong to another one, and for
    constants that do not fit the units.
    """

    input: NumericInput | SymbolInput
    recurrent_weights: Array
    factor: Constant
    input_weights: Array
    activation: str
    bias: Constant | None
    modrelu_bias: Array | None
    preactivation: Format | None
    state: Format
    threshold: Constant | None
    output_weights: Array
    output_bias: Constant
    output_unit: float
    state_unit: float
    read: str
    argmax: bool = False
    embedding: Array | None = None

    def __post_init__(self) -> None:
        if self.activation not in ACTIVATIONS:
            raise ValueError(f"activation must be one of {ACTIVATIONS}, got {self.activation!r}")
        modrelu = self.activation == "modrelu"
        for name, given in (
            ("modrelu_bias", self.modrelu_bias),
            ("preactivation", self.preactivation),
        ):
            if (given is not None) != modrelu:
                raise ValueError(f"a modReLU has a {name}, nothing else has")
        if self.bias is not None and modrelu:
            raise ValueError("the bias of a modReLU is its modrelu_bias, it has no other")
        if self.threshold is not None and self.activation != "linear":
            raise ValueError("only a linear loop is read through a ReLU and has a threshold")
        columns = self.input.symbols if isinstance(self.input, SymbolInput) else self.input.size
        if self.embedding is not None:
            if not isinstance(self.input, SymbolInput):
                raise ValueError("an embedding stands for symbols, this input is numeric")
            rows, columns = columns, np.shape(self.embedding)[-1]
            check_shape("embedding", self.embedding, (rows, columns))
        hidden, outputs = self.hidden, len(self.output_weights)
        check_shape("recurrent_weights", self.recurrent_weights, (hidden, hidden))
        check_shape("factor", self.factor.raw, (1,))
        check_shape("input_weights", self.input_weights, (hidden, columns))
        check_shape("output_weights", self.output_weights, (outputs, hidden))
        check_shape("output_bias", self.output_bias.raw, (outputs,))
        for name, constant in (("bias", self.bias), ("threshold", self.threshold)):
            if constant is not None:
                check_shape(name, constant.raw, (hidden,))
        if self.modrelu_bias is not None:
            check_shape("modrelu_bias", self.modrelu_bias, (hidden,))

    @property
    def hidden(self) -> int:
        """Number of units."""
        return len(self.recurrent_weights)


def step(b: Builder, p: QornnParameters, x: Value, h: Value) -> Value:
    """The state after the step: `phi(alpha W' s + U' x (+ b))`."""
    turned = b.matvec(Dense(p.recurrent_weights), h, name="turned")
    recurrent = b.scale(p.factor.raw[None], p.factor.exp, turned, name="recurrent")
    total = b.add(recurrent, inject(b, p, x), name="total")
    if p.bias is not None:
        total = b.add(total, b.const(p.bias.raw[None], p.bias.exp, name="bias"), name="biased")
    if p.activation == "relu":
        total = b.relu(total, name="rectified")
    if p.modrelu_bias is not None and p.preactivation is not None:
        near = b.narrow(total, p.preactivation, name="preactivation")
        total = b.modrelu(p.modrelu_bias, near, name="rectified")
    return b.narrow(total, p.state, name="hidden_next")


def inject(b: Builder, p: QornnParameters, x: Value) -> Value:
    """`U' x`."""
    if p.embedding is not None:
        x = b.lookup(p.embedding[None], 0, x, name="embedded")
    elif isinstance(p.input, SymbolInput):
        table = integers("input_weights", p.input_weights, 2).T[None]
        return b.lookup(table, 0, x, name="injected")
    return b.matvec(Dense(p.input_weights), x, name="injected")


def seen(b: Builder, p: QornnParameters, h: Value) -> Value:
    """What a readout multiplies, and a layer above reads: s, or `relu(s (+ g))`."""
    if p.threshold is not None:
        threshold = b.const(p.threshold.raw[None], p.threshold.exp, name="threshold")
        h = b.add(h, threshold, name="shifted")
    return b.relu(h, name="features") if p.activation == "linear" else h


def readout(b: Builder, p: QornnParameters, h: Value) -> Value:
    """Logits of a state, or their largest index."""
    product = b.matvec(Dense(p.output_weights), seen(b, p, h), name="product")
    bias = b.const(p.output_bias.raw[None], p.output_bias.exp, name="output_bias")
    logits = b.add(product, bias, name="logits")
    return b.argmax(logits, name="label") if p.argmax else logits


def recurrence(b: Builder, p: QornnParameters) -> Value:
    """The state of a layer, written and returned."""
    h = b.state("hidden", p.hidden, p.state, unit=[p.state_unit])
    new = step(b, p, b.input, h)
    b.write(h, new)
    return new


def hand_on(b: Builder, p: QornnParameters) -> Value:
    """A whole layer below another."""
    return b.layer("recurrence", seen(b, p, recurrence(b, p)))


def program(
    p: QornnParameters,
    metadata: Mapping[str, Any] | None = None,
    below: Sequence[QornnParameters] = (),
) -> Program:
    """The whole network as a program; `below` are the layers that come before."""
    b = Builder([*below, p][0].input)
    for lower in below:
        hand_on(b, lower)
    output = readout(b, p, b.layer("recurrence", recurrence(b, p)))
    unit = [1.0 if p.argmax else p.output_unit]
    return b.program(output, p.read, unit=unit, metadata=dict(metadata or {}))
