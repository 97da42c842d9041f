"""HadamRNN and Block-HadamRNN on integers: the parameters, the step, the readout.

    s' = diag(u) (I (x) S_m) s / sqrt(m) + U' x (+ b)      linear, orthogonal recurrence
    y  = V' relu(s (+ g)) + c, or sum_r V'_r relu(s_(t_r) (+ g_r)) + c over a list of timesteps t_r

in units of alpha_U, the scale of U: s = h / alpha_U. Foucault, Mamalet, Malgouyres, ICLR 2025,
arXiv 2502.00047; the README beside this file has the variants. For blocks m = 4**j, `1/sqrt(m)` is
a shift. For m = 2 * 4**j the state's unit alternates between 1 and sqrt(2) (period 2), so that the
shift is j + 1 on odd steps, j on even ones.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...arrays import Array, Constant, check_shape, integers
from ...builder import Builder
from ...matrices import Dense, Hadamard
from ...numbers import Format
from ...operations import Value
from ...program import NumericInput, Program, Read, SymbolInput

STEP_UNITS = {1: (1.0,), 2: (2.0**0.5, 1.0)}
"""Unit of the state *after* a step, by the step's phase: steps of phase 0 of 2 leave sqrt(2)."""


@dataclass(frozen=True)
class HadamParameters:
    """Everything that a trained HadamRNN is on integers.

    Parameters:
        input: numeric vector, or symbols.
        embedding: symbols only: the integer vectors that stand for them, (symbols, d_in), or None.
            With it, everything below is as for a numeric input.
        block: m, a power of two; the hidden size is `len(signs)`, a multiple of m.
        signs: u, +-1 per unit.
        input_weights: numeric input: U', integers (1, hidden, d_in), the same in each phase.
            Symbols: rows of the look-up (period, hidden, symbols), in the unit of each phase.
        input_exp: their binary point.
        input_factors: numeric input with period 2 only: what x is multiplied by before U' in each
            phase (1/sqrt(2), then 1, as integers); raw of shape (2, 1).
        scaled_input: with `input_factors`, the format the scaled input is narrowed to.
        state: the state's format.
        bias: added in the loop, of shape (period, hidden), or None.
        threshold: g, added before the ReLU, of shape (period, hidden), or None.
        output_weights: V', integers (d_out, hidden).
        output_exp: their binary point.
        output_bias: c, of shape (period, d_out).
        output_unit: real logits per unit of y, for a state in unit 1: `alpha_U * alpha_V`.
        state_unit: alpha_U.
        read: "last", "every", or increasing timesteps. With R of these, V' has shape
            (R, d_out, hidden) and takes up the unit of the state that it meets, so that all
            products are in one unit; the threshold has shape (R, hidden), in the unit of the state
            of each read, and c has shape (1, d_out). V' of shape (d_out, hidden) serves all reads,
            then so does a threshold (1, hidden); their states must be in one unit.
        argmax: answer the index of the largest output instead of the outputs.

    Raises ValueError for a block that is no power of two, and for constants whose phases or units
    are not those of the block and the signs.
    """

    input: NumericInput | SymbolInput
    block: int
    signs: Array
    input_weights: Array
    input_exp: int
    input_factors: Constant | None
    scaled_input: Format | None
    state: Format
    bias: Constant | None
    threshold: Constant | None
    output_weights: Array
    output_exp: int
    output_bias: Constant
    output_unit: float
    state_unit: float
    read: Read
    argmax: bool = False
    embedding: Array | None = None

    def __post_init__(self) -> None:
        if self.block < 1 or self.block & (self.block - 1):
            raise ValueError(f"block must be a power of two, got {self.block}")
        if self.hidden % self.block:
            raise ValueError(f"{self.hidden} signs are no multiple of the block {self.block}")
        phased = self.input_factors is not None and self.scaled_input is not None
        if self.numbers and self.period == 2 and not phased:
            raise ValueError(
                f"blocks of {self.block} have two phases: numeric input needs input_factors and "
                "scaled_input"
            )
        period, hidden, outputs = self.period, self.hidden, np.shape(self.output_weights)[-2]
        if self.embedding is not None:
            size = np.shape(self.embedding)[-1]
            if not isinstance(self.input, SymbolInput):
                raise ValueError("an embedding stands for symbols, this input is numeric")
            check_shape("embedding", self.embedding, (self.input.symbols, size))
            check_shape("input_weights", self.input_weights, (1, hidden, size))
        elif isinstance(self.input, NumericInput):
            check_shape("input_weights", self.input_weights, (1, hidden, self.input.size))
        else:
            rows = (period, hidden, self.input.symbols)
            check_shape("input_weights", self.input_weights, rows)
        reads = len(self.timesteps)
        if self.tied and len({timestep % period for timestep in self.timesteps}) > 1:
            raise ValueError(f"reads that share V' must be of one phase, got {self.timesteps}")
        tables = 1 if self.tied else reads
        weights = (reads, outputs, hidden) if reads and not self.tied else (outputs, hidden)
        check_shape("output_weights", self.output_weights, weights)
        check_shape("output_bias", self.output_bias.raw, (1 if reads else period, outputs))
        if self.bias is not None:
            check_shape("bias", self.bias.raw, (period, hidden))
        if self.threshold is not None:
            check_shape("threshold", self.threshold.raw, (tables or period, hidden))

    @property
    def numbers(self) -> bool:
        """Whether U' multiplies a vector, and is no look-up by symbol."""
        return isinstance(self.input, NumericInput) or self.embedding is not None

    @property
    def timesteps(self) -> tuple[int, ...]:
        """The timesteps that are read, where they are a list."""
        return () if isinstance(self.read, str) else self.read

    @property
    def tied(self) -> bool:
        """Whether all reads share V'."""
        return bool(self.timesteps) and np.ndim(self.output_weights) == 2

    @property
    def hidden(self) -> int:
        """Number of units."""
        return len(self.signs)

    @property
    def period(self) -> int:
        """2 where `1/sqrt(block)` is no power of two."""
        return 1 + (self.block.bit_length() - 1) % 2

    @property
    def shifts(self) -> tuple[int, ...]:
        """Exponent of the transformed state by phase of the step."""
        stages = self.block.bit_length() - 1
        return (-((stages + 1) // 2), -(stages // 2))[: self.period]


def step(b: Builder, p: HadamParameters, x: Value, h: Value) -> Value:
    """The state after the step. One narrow, at the end, is the only place information is lost."""
    transformed = b.matvec(Hadamard(p.block, p.signs), h, name="transformed")
    recurrent = b.exponent(p.shifts, transformed, name="recurrent")
    total = b.add(recurrent, inject(b, p, x), name="total")
    if p.bias is not None:
        total = b.add(total, b.const(p.bias.raw, p.bias.exp, name="bias"), name="biased")
    return b.narrow(total, p.state, name="hidden_next")


def inject(b: Builder, p: HadamParameters, x: Value) -> Value:
    """`U' x` in the unit of the phase."""
    if p.embedding is not None:
        x = b.lookup(p.embedding[None], 0, x, name="embedded")
    elif isinstance(p.input, SymbolInput):
        table = integers("input_weights", p.input_weights, 3).transpose(0, 2, 1)
        return b.lookup(table, p.input_exp, x, name="injected")
    if p.input_factors is not None and p.scaled_input is not None:
        x = b.scale(p.input_factors.raw, p.input_factors.exp, x, name="phased_input")
        x = b.narrow(x, p.scaled_input, name="scaled_input")
    scaled = b.exponent(p.input_exp, x, name="unit_input")
    return b.matvec(Dense(p.input_weights[0]), scaled, name="injected")


def seen(b: Builder, p: HadamParameters, h: Value) -> Value:
    """What a readout multiplies, and a layer above reads: `relu(s (+ g))`."""
    if p.threshold is not None:
        threshold = b.const(p.threshold.raw, p.threshold.exp, name="threshold")
        h = b.add(h, threshold, name="shifted")
    return b.relu(h, name="features")


def readout(b: Builder, p: HadamParameters, h: Value) -> Value:
    """Logits of a state (the sum over the reads until then), or their largest index."""
    features = b.exponent(p.output_exp, seen(b, p, h), name="weighted")
    if p.timesteps:
        logits = accumulate(b, p, features)
    else:
        product = b.matvec(Dense(p.output_weights), features, name="product")
        bias = b.const(p.output_bias.raw, p.output_bias.exp, name="output_bias")
        logits = b.add(product, bias, name="logits")
    return b.argmax(logits, name="label") if p.argmax else logits


def accumulate(b: Builder, p: HadamParameters, features: Value) -> Value:
    """`V'_r features` (or `V' features`) added to the sum of the reads before, which starts as c.

    The sum's format holds every sum that there can be after each read, so nothing saturates.
    """
    if p.tied:
        product = b.matvec(Dense(p.output_weights), features, name="product")
        v = np.repeat(integers("output_weights", p.output_weights, 2)[None], len(p.timesteps), 0)
    else:
        v = integers("output_weights", p.output_weights, 3)
        product = b.phased_matvec(v, features, name="product")
    exp = min(p.output_bias.exp, features.format.exp)
    c = p.output_bias.raw[0] << (p.output_bias.exp - exp)
    operand = features.format.aligned(exp)
    positive, negative = np.maximum(v, 0).sum(2), np.minimum(v, 0).sum(2)
    least = c + (positive * operand.lo + negative * operand.hi).cumsum(0)
    most = c + (positive * operand.hi + negative * operand.lo).cumsum(0)
    format = Format(int(min(c.min(), least.min())), int(max(c.max(), most.max())), exp)
    sums = b.state("sums", len(c), format, c, (p.output_unit,) * len(v))
    logits = b.narrow(b.add(sums, product, name="total_sums"), format, name="logits")
    b.write(sums, logits)
    return logits


def recurrence(b: Builder, p: HadamParameters) -> Value:
    """The state of a layer, written and returned."""
    after = STEP_UNITS[p.period]
    before = [p.state_unit * after[phase - 1] for phase in range(p.period)]
    h = b.state("hidden", p.hidden, p.state, unit=before)
    new = step(b, p, b.input, h)
    b.write(h, new)
    return new


def hand_on(b: Builder, p: HadamParameters) -> Value:
    """A whole layer below another."""
    if p.period > 1:
        raise ValueError(f"a layer hands on in one unit: its block must be 4**j, got {p.block}")
    return b.layer("recurrence", seen(b, p, recurrence(b, p)))


def program(
    p: HadamParameters,
    metadata: Mapping[str, Any] | None = None,
    below: Sequence[HadamParameters] = (),
) -> Program:
    """The whole network as a program; `below` are the layers that come before."""
    after = STEP_UNITS[p.period]
    b = Builder([*below, p][0].input, p.period)
    for lower in below:
        hand_on(b, lower)
    output = readout(b, p, b.layer("recurrence", recurrence(b, p)))
    unit = [p.output_unit] * len(p.timesteps) or [p.output_unit * u for u in after]
    unit = [1.0] * len(unit) if p.argmax else unit
    return b.program(output, p.read, unit=unit, metadata=dict(metadata or {}))
