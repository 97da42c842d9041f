"""Programs that microprograms are tried with, small enough to be simulated cycle by cycle."""

import numpy as np
from sylvan.hw.microcode.plan import EnginePlan
from sylvan.hw.plan import Plan
from sylvan.hw.schedule import Schedule
from sylvan.model.arrays import Constant
from sylvan.model.builder import Builder
from sylvan.model.cells.hadamrnn.step import HadamParameters
from sylvan.model.cells.hadamrnn.step import program as whole
from sylvan.model.matrices import Dense
from sylvan.model.numbers import Format
from sylvan.model.operations import Value
from sylvan.model.program import NumericInput, Program, SymbolInput

MICROCODE = Schedule(1, microcode=True)
BYTE = Format.signed_bits(8, -5)


def engine_of(plan: Plan) -> EnginePlan:
    """The plan's engine."""
    assert plan.engine is not None
    return plan.engine


def numbers(size: int, format: Format) -> NumericInput:
    return NumericInput(size, format, (1.0,) * size, (0.0,) * size)


def hadamrnn(units: int, argmax: bool = True) -> Program:
    """A HadamRNN on one byte a timestep, read at the last; of 2, 8, 32... units it has phases."""
    rng = np.random.default_rng(units)
    phased = units.bit_length() % 2 == 0
    state, byte, phases = Format.signed_bits(10, -6), Format(0, 255, -8), 1 + phased
    return whole(
        HadamParameters(
            input=numbers(1, byte),
            block=units,
            signs=rng.choice([-1, 1], units),
            input_weights=rng.integers(-8, 8, (1, units, 1)),
            input_exp=0,
            input_factors=Constant(np.array([[46341], [65536]]), -16) if phased else None,
            scaled_input=byte if phased else None,
            state=state,
            bias=None,
            threshold=Constant(rng.integers(-100, 100, (phases, units)), state.exp),
            output_weights=rng.integers(-8, 8, (4, units)),
            output_exp=0,
            output_bias=Constant(rng.integers(-99, 99, (phases, 4)), state.exp),
            output_unit=1.0,
            state_unit=1.0,
            read="last",
            argmax=argmax,
        )
    )


def recurrent(size: int, bits: int, period: int, read: str, layers: int = 1) -> Program:
    """Layers with a learned initial state each, on so many signed elements; answers of three."""
    rng = np.random.default_rng([size, bits, period, layers])
    b = Builder(numbers(size, Format.signed_bits(bits, -bits)), period)
    shown = b.input
    for number in range(layers):
        shown = _layer(b, rng, period, f"layer{number}")
    answer = b.matvec(Dense(rng.integers(-3, 4, (3, shown.size))), shown)
    bias = b.const(rng.integers(-99, 100, (period, 3)), -7)
    return b.program(b.add(answer, bias), read)


def _layer(b: Builder, rng: np.random.Generator, period: int, name: str) -> Value:
    units, given = 5, b.input
    h = b.state("h", units, BYTE, rng.integers(-99, 100, units))
    driven = b.phased_matvec(rng.integers(-9, 10, (period, units, given.size)), given)
    kept = b.exponent(-2, b.matvec(Dense(rng.integers(-3, 4, (units, units))), h))
    new = b.narrow(b.add(driven, kept), BYTE)
    b.write(h, new)
    return b.layer(name, new)


def gated(read: str) -> Program:
    """`h' = h + z (table(W x) - h)` of a symbol, gates by a lookup, and a product of states."""
    rng = np.random.default_rng(3)
    b = Builder(SymbolInput(6))
    h, old = b.state("h", 4, BYTE, [1, -2, 3, -128]), b.state("old", 4, BYTE)
    drive = b.lookup(rng.integers(-30, 31, (1, 6, 8)), -4, b.input)
    gate = b.narrow(b.slice(0, 4, drive), Format(0, 16, -4))
    bent = b.table(rng.integers(-60, 61, 256), -4, b.narrow(b.slice(4, 8, drive), BYTE))
    new = b.narrow(b.lerp(gate, h, bent), BYTE)
    b.write(h, new)
    b.write(old, h)
    return b.program(b.layer("gated", b.mul(b.sub(new, old), old)), read)


ALIKE, APART = ((1, 1), (1, 0), (0, 1), (1, 1)), ((1, 1), (-1, -1))


def labels(lo: int, hi: int, weights: tuple[tuple[int, ...], ...] = ALIKE) -> Program:
    """The largest of some sums: often the same and negative, or as far apart as can be."""
    b = Builder(numbers(2, Format(lo, hi)))
    h = b.layer("layer", b.neg(b.input))
    logits = b.matvec(Dense(np.array(weights)), h)
    return b.program(b.argmax(logits), "every")


def rounded(initial: int, period: int = 1) -> Program:
    """`h' = narrow(h / 2 + x + c[phase])`: ties at every other step, and a state that begins
    with something.
    """
    b = Builder(numbers(1, Format(-4, 3)), period)
    h = b.state("h", 1, Format(-32, 31), [initial])
    held = b.const([[7 * phase] for phase in range(period)], 0)
    new = b.narrow(b.add(b.exponent(-1, h), b.add(b.input, held)), Format(-32, 31))
    b.write(h, new)
    return b.program(b.layer("layer", new), "every")
