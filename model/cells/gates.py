"""What cells with gates share on integers: their constants, the tables of their curves, the sums.

    sums = factors * (W h) + input_factors * (U x) + added

by lane, W and U of +-1 and 0. For symbols everything about the input is one look-up. The tables are
stored integers, which are the definition of sigmoid and tanh for whoever runs the program.
"""

from dataclasses import dataclass

import numpy as np

from ..arrays import Array, Constant, check_shape, integers
from ..builder import Builder
from ..matrices import Dense
from ..numbers import Format
from ..operations import Value
from ..program import NumericInput, SymbolInput

SIGMOID_RANGE, TANH_RANGE = 3, 2
"""Arguments from `-2**range` to below `2**range`; what lies beyond saturates."""


@dataclass(frozen=True)
class Curve:
    """A function of one value: `entries[raw - operand.lo] * 2**exp`."""

    operand: Format
    entries: Array
    exp: int


def sigmoid_curve(bits: int) -> Curve:
    """`1 / (1 + exp(-x))` of arguments of `bits` bits within +-8, in units of `2**-bits`.

    0 and 1 are among the entries: a gate can be wholly shut, and a memory kept for ever.
    """
    operand = Format.signed_bits(bits, SIGMOID_RANGE + 1 - bits)
    return Curve(operand, _entries(1 / (1 + np.exp(-_arguments(operand))), -bits), -bits)


def tanh_curve(bits: int) -> Curve:
    """`tanh(x)` of arguments of `bits` bits within +-4, in units of `2**(1-bits)`."""
    operand = Format.signed_bits(bits, TANH_RANGE + 1 - bits)
    return Curve(operand, _entries(np.tanh(_arguments(operand)), 1 - bits), 1 - bits)


def _arguments(operand: Format) -> Array:
    return np.ldexp(np.arange(operand.lo, operand.hi + 1, dtype=np.float64), operand.exp)


def _entries(values: Array, exp: int) -> Array:
    return np.rint(np.ldexp(values, -exp)).astype(np.int64)


@dataclass(frozen=True, kw_only=True)
class GatedParameters:
    """What every cell with gates is on integers; gates are groups of `units` lanes.

    Parameters:
        input: numeric vector, or symbols.
        embedding: symbols only: the integer vectors that stand for them, (symbols, d_in), or None.
        recurrent: W, (gates * units, units) of +-1 and 0. recurrent_factors: one for each lane.
        injected, input_factors: U and its factors; None where symbols are looked up in `added`.
        added: to each lane, (1, lanes); for symbols without an embedding (symbols, lanes).
        sigma, tanh: the curves.
        hidden: format of h.
        output_weights: V, integers (d_out, units). output_bias: c, in units of the product.
        output_unit: real logits per unit of the answer.
        read: "last" or "every".
        argmax: answer the index of the largest output instead of the outputs.

    Raises ValueError for constants of shapes that do not fit together.
    """

    gates = 0
    state_unit = 1.0

    input: NumericInput | SymbolInput
    embedding: Array | None
    recurrent: Array
    recurrent_factors: Constant
    injected: Array | None
    input_factors: Constant | None
    added: Constant
    sigma: Curve
    tanh: Curve
    hidden: Format
    output_weights: Array
    output_bias: Constant
    output_unit: float
    read: str
    argmax: bool = False

    def __post_init__(self) -> None:
        lanes, outputs = self.gates * self.units, len(self.output_weights)
        check_shape("recurrent", self.recurrent, (lanes, self.units))
        check_shape("recurrent_factors", self.recurrent_factors.raw, (lanes,))
        check_shape("output_weights", self.output_weights, (outputs, self.units))
        check_shape("output_bias", self.output_bias.raw, (outputs,))
        size = self.input.size if isinstance(self.input, NumericInput) else self.input.symbols
        if self.embedding is not None:
            if not isinstance(self.input, SymbolInput):
                raise ValueError("an embedding stands for symbols, this input is numeric")
            check_shape("embedding", self.embedding, (size, np.shape(self.embedding)[-1]))
            size = np.shape(self.embedding)[-1]
        elif isinstance(self.input, SymbolInput):
            if self.injected is not None or self.input_factors is not None:
                raise ValueError("symbols without an embedding are looked up: injected is None")
            check_shape("added", self.added.raw, (size, lanes))
            return
        if self.injected is None or self.input_factors is None:
            raise ValueError("a vector needs injected and input_factors")
        check_shape("injected", self.injected, (lanes, size))
        check_shape("input_factors", self.input_factors.raw, (lanes,))
        check_shape("added", self.added.raw, (1, lanes))

    @property
    def units(self) -> int:
        """Number of units."""
        return np.shape(self.recurrent)[1]


def from_state(b: Builder, p: GatedParameters, h: Value) -> Value:
    """`factors * (W h)`, exactly."""
    product = b.matvec(Dense(p.recurrent), h, name="recurrent_product")
    return scaled(b, p.recurrent_factors, product, "recurrent")


def from_input(b: Builder, p: GatedParameters, x: Value) -> Value:
    """`input_factors * (U x) + added`, exactly; for one-hot symbols a row of a table."""
    if p.injected is None or p.input_factors is None:
        return b.lookup(integers("added", p.added.raw, 2)[None], p.added.exp, x, name="injected")
    if p.embedding is not None:
        x = b.lookup(p.embedding[None], 0, x, name="embedded")
    product = b.matvec(Dense(p.injected), x, name="input_product")
    own = scaled(b, p.input_factors, product, "scaled_input")
    return b.add(own, b.const(p.added.raw, p.added.exp, name="bias"), name="injected")


def scaled(b: Builder, factors: Constant, a: Value, name: str) -> Value:
    """`factors * a` by lane."""
    return b.scale(factors.raw[None], factors.exp, a, name=name)


def curved(b: Builder, curve: Curve, a: Value, name: str) -> Value:
    """The curve of `a`, narrowed to the arguments it has entries for."""
    argument = b.narrow(a, curve.operand, name=f"{name}_argument")
    return b.table(curve.entries, curve.exp, argument, name=name)


def readout(b: Builder, p: GatedParameters, h: Value) -> Value:
    """`V h + c`, or the index of the largest."""
    product = b.matvec(Dense(p.output_weights), h, name="product")
    bias = b.const(p.output_bias.raw[None], p.output_bias.exp, name="output_bias")
    logits = b.add(product, bias, name="logits")
    return b.argmax(logits, name="label") if p.argmax else logits
