"""Networks of the sizes that others published hardware for, with drawn weights.

What hardware costs does not depend on what was learnt, so nothing is trained; formats and factors
are of the widths that exports have, and scaled so that gates neither stay shut nor saturate.
"""

import numpy as np
from sylvan.model.arrays import Array, Constant, rounded
from sylvan.model.builder import Builder
from sylvan.model.cells.gates import curved, sigmoid_curve, tanh_curve
from sylvan.model.cells.lstm.step import LstmParameters
from sylvan.model.cells.lstm.step import program as whole
from sylvan.model.matrices import Dense
from sylvan.model.numbers import Format
from sylvan.model.operations.constants import MatVec
from sylvan.model.program import NumericInput, Program

BITS = 8
UNIT = Format.signed_bits(BITS, 1 - BITS)
"""Of inputs and of what the units show: from -1 to below 1."""
CELL = Format.signed_bits(BITS, 4 - BITS)
FINE = -12
"""Binary point of what is added to the arguments of the gates."""


def sparse(random: np.random.Generator, shape: tuple[int, int], zeros: float) -> Array:
    """Ternary weights with exactly that share of zeros."""
    signs = random.choice([-1, 1], shape)
    order = random.permutation(signs.size).reshape(shape)
    return signs * (order >= round(zeros * signs.size))


def gain(weights: Array) -> float:
    """The factor with which sums of so many terms are of the size that gates work on."""
    return float(2 / np.sqrt((weights**2).sum(axis=1).mean()))


def factors(random: np.random.Generator, weights: Array, same: bool) -> Constant:
    """Of each lane 12 bits; or of all lanes the same power of two, as with one scale for all."""
    middle = gain(weights)
    if same:
        return Constant(np.ones(len(weights), np.int64), round(np.log2(middle)))
    exp = int(np.floor(np.log2(middle))) - 10
    return rounded(middle * random.uniform(0.5, 1.5, len(weights)), exp)


def lstm(units: int, zeros: float | None, *, one_scale: bool = False, classes: int = 0) -> Program:
    """One layer on one channel, read at the last step: ternary weights, or without `zeros` 8 bits.

    The answer is a number, or the label where there are classes.
    A matrix has a factor for each lane, or one scale, a power of two.
    """
    outputs = classes or 1
    random = np.random.default_rng([units, 0 if zeros is None else round(100 * zeros)])
    lanes, input = 4 * units, NumericInput(1, UNIT, (1.0,), (0.0,))
    if zeros is None:
        w, u = (random.integers(-128, 128, (lanes, n)) for n in (units, 1))
    else:
        w, u = sparse(random, (lanes, units), zeros), random.choice([-1, 1], (lanes, 1))
    return whole(
        LstmParameters(
            input=input,
            embedding=None,
            recurrent=w,
            recurrent_factors=factors(random, w, one_scale),
            injected=u,
            input_factors=factors(random, u, one_scale),
            added=Constant(random.integers(-1 << -FINE, 1 << -FINE, (1, lanes)), FINE),
            sigma=sigmoid_curve(BITS),
            tanh=tanh_curve(BITS),
            hidden=UNIT,
            cell=CELL,
            cell_gains=None,
            cell_factors=None,
            cell_offset=None,
            output_weights=random.integers(-128, 128, (outputs, units)),
            output_bias=Constant(random.integers(-99, 99, outputs), UNIT.exp),
            output_unit=1.0,
            read="last",
            argmax=classes > 0,
        )
    )


def recurrent(program: Program) -> Array:
    """The matrix that the state of an LSTM is multiplied by."""
    (node,) = (n for n in program.nodes() if n.result.name == "recurrent_product")
    assert isinstance(node.operation, MatVec)
    return node.operation.matrix.dense()


def rnn(layers: int, units: int, channels: int = 3, classes: int = 4) -> Program:
    """A stack of `h' = tanh(W h + U x + b)`, all weights of 8 bits; the label at the last step."""
    random = np.random.default_rng([layers, units])
    b = Builder(NumericInput(channels, UNIT, (1.0,) * channels, (0.0,) * channels))
    tanh, x = tanh_curve(BITS), b.input
    for layer in range(layers):
        h = b.state(f"hidden{layer}", units, UNIT)
        w, u = (random.integers(-128, 128, (units, n)) for n in (units, x.size))
        scale = round(np.log2(gain(w)))
        sums = b.add(b.matvec(Dense(w), h), b.matvec(Dense(u), x))
        bias = b.const(random.integers(-99, 99, (1, units)), UNIT.exp)
        new = b.narrow(curved(b, tanh, b.exponent([scale], b.add(sums, bias)), f"new{layer}"), UNIT)
        b.write(h, new)
        x = b.layer(f"rnn{layer}", new)
    logits = b.matvec(Dense(random.integers(-128, 128, (classes, units))), x)
    return b.program(b.argmax(logits), "last", [1.0])
