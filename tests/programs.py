"""Programs to test with: small ones that are easy to read, and random ones.

A seed is a random program: every operation, layers, states, periods, inputs and readouts in any
mixture. Nothing here computes a result: programs are drawn blindly, and an operation that would not
fit, or could exceed the 62 bits, is dropped.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from sylvan.model.arrays import MAX_BITS, Constant
from sylvan.model.builder import Builder
from sylvan.model.cells.hadamrnn.step import HadamParameters
from sylvan.model.cells.hadamrnn.step import program as hadamrnn
from sylvan.model.matrices import Dense, Hadamard
from sylvan.model.numbers import Format, Overflow, Rounding
from sylvan.model.operations import Operation, Value
from sylvan.model.operations.arithmetic import Add, Lerp, ModRelu, Mul, Neg, Relu, Sub
from sylvan.model.operations.constants import Const, Lookup, MatVec, Scale, Table
from sylvan.model.operations.moves import ArgMax, Concat, Exponent, Narrow, Slice
from sylvan.model.operations.phased import PhasedMatVec
from sylvan.model.program import READS, NumericInput, Program, Read, SymbolInput


class Drawer:
    """Draws operations for values at hand; `grow` adds one to a body."""

    def __init__(self, rng: np.random.Generator, builder: Builder) -> None:
        self.rng, self.builder = rng, builder
        self.period = builder.period
        """Phases, or reads, of the body that is drawn."""
        self.drawn: dict[str, Callable[[list[Value]], Value | None]] = {
            "add": lambda pool: self.pair(Add(), pool),
            "sub": lambda pool: self.pair(Sub(), pool),
            "mul": lambda pool: self.pair(Mul(), pool),
            "neg": lambda pool: self.apply(Neg(), self.pick(pool)),
            "relu": lambda pool: self.apply(Relu(), self.pick(pool)),
            "modrelu": self.modrelu,
            "lerp": self.lerp,
            "matvec": self.matvec,
            "phased_matvec": self.phased_matvec,
            "lookup": self.lookup,
            "scale": self.scale,
            "const": self.const,
            "table": self.table,
            "exponent": self.exponent,
            "narrow": lambda pool: self.narrow(self.pick(pool), self.format()),
            "concat": lambda pool: self.apply(Concat(), self.pick(pool), self.pick(pool)),
            "slice": self.slice,
            "argmax": lambda pool: self.apply(ArgMax(), self.pick(pool)),
        }

    def number(self, lo: int, hi: int) -> int:
        return int(self.rng.integers(lo, hi + 1))

    def pick(self, choices: Any) -> Any:
        return choices[self.number(0, len(choices) - 1)]

    def phases(self) -> int:
        return self.pick([1, self.period])

    def format(self, widest: int = 12) -> Format:
        lo = self.number(-(1 << self.number(0, widest - 1)), 3)
        return Format(
            lo, lo + self.number(0, (1 << self.number(0, widest)) - 1), self.number(-4, 2)
        )

    def apply(self, operation: Operation, *operands: Value) -> Value | None:
        try:
            _, format = operation.infer(operands)
        except ValueError:
            return None
        if operation.magnitude(operands, format) >> MAX_BITS:
            return None
        return self.builder.apply(operation, *operands)

    def sized(self, value: Value, size: int) -> Value | None:
        if value.size == size:
            return value
        weights = self.rng.integers(-2, 3, (size, value.size))
        return self.apply(MatVec(Dense(weights)), value)

    def pair(self, operation: Operation, pool: list[Value]) -> Value | None:
        a = self.pick(pool)
        b = self.sized(self.pick(pool), a.size)
        return self.apply(operation, a, b) if b else None

    def narrow(self, a: Value, target: Format) -> Value | None:
        # Wrapping is defined for intervals of 2**k values only.
        span = target.hi - target.lo + 1
        mode = Overflow.SATURATE if span & (span - 1) else self.pick(list(Overflow))
        return self.apply(Narrow(target, self.pick(list(Rounding)), mode), a)

    def modrelu(self, pool: list[Value]) -> Value | None:
        a = self.pick(pool)
        top = a.format.magnitude + 2
        bias = [self.number(-top, top) for _ in range(self.pick([1, a.size]))]
        return self.apply(ModRelu(bias), a)  # type: ignore[arg-type]

    def lerp(self, pool: list[Value]) -> Value | None:
        a = self.pick(pool)
        b, z = self.sized(self.pick(pool), a.size), self.sized(self.pick(pool), a.size)
        bits = self.number(0, 6)
        weight = self.narrow(z, Format(0, 1 << bits, -bits)) if z else None
        return self.apply(Lerp(), weight, a, b) if weight and b else None

    def matvec(self, pool: list[Value]) -> Value | None:
        a = self.pick(pool)
        blocks = [block for block in (1, 2, 4, 8, 64) if a.size % block == 0]
        signs = self.rng.choice([-1, 1], a.size)
        weights = self.rng.integers(-8, 9, (self.number(1, 8), a.size))
        return self.apply(
            MatVec(self.pick([Dense(weights), Hadamard(self.pick(blocks), signs)])), a
        )

    def phased_matvec(self, pool: list[Value]) -> Value | None:
        a = self.pick(pool)
        shape = self.phases(), self.number(1, 6), a.size
        return self.apply(PhasedMatVec(self.rng.integers(-8, 9, shape)), a)

    def lookup(self, pool: list[Value]) -> Value | None:
        symbols = [v for v in pool if v.size == 1 and v.format.lo == v.format.exp == 0]
        if not symbols:
            return None
        symbol = self.pick(symbols)
        shape = self.phases(), min(symbol.format.hi, 99) + 1, self.number(1, 6)
        return self.apply(Lookup(self.rng.integers(-99, 100, shape), self.number(-5, 1)), symbol)

    def scale(self, pool: list[Value]) -> Value | None:
        a = self.pick(pool)
        shape = self.phases(), self.pick([1, a.size])
        return self.apply(Scale(self.rng.integers(-999, 1000, shape), self.number(-9, 0)), a)

    def const(self, pool: list[Value]) -> Value | None:
        shape = self.phases(), self.number(1, 6)
        return self.apply(Const(self.rng.integers(-99, 100, shape), self.number(-5, 1)))

    def table(self, pool: list[Value]) -> Value | None:
        a = self.narrow(self.pick(pool), self.format(5))
        if a is None:
            return None
        entries = self.rng.integers(-500, 500, a.format.hi - a.format.lo + 1)
        return self.apply(Table(entries, self.number(-6, 1)), a)

    def exponent(self, pool: list[Value]) -> Value | None:
        shifts = tuple(self.number(-4, 3) for _ in range(self.phases()))
        return self.apply(Exponent(shifts), self.pick(pool))

    def slice(self, pool: list[Value]) -> Value | None:
        a = self.pick(pool)
        start = self.number(0, a.size - 1)
        return self.apply(Slice(start, self.number(start + 1, a.size)), a)

    def grow(self, pool: list[Value], steps: int) -> None:
        for _ in range(steps):
            value = self.drawn[self.pick(list(self.drawn))](pool)
            if value is not None:
                pool.append(value)

    def states(self, names: str, most: int) -> list[Value]:
        """Up to so many states, declared."""
        states = []
        for k in range(self.number(0, most)):
            size, format = self.number(1, 8), self.format()
            initial = None if format.contains(0) else self.raw(format, size)
            if self.rng.random() < 0.5:
                initial = self.raw(format, size)
            unit = self.rng.uniform(0.5, 2.0, self.period).tolist()
            states.append(self.builder.state(f"{names}_{k}", size, format, initial, unit))
        return states

    def raw(self, format: Format, size: int) -> np.ndarray:
        return self.rng.integers(format.lo, format.hi + 1, size)

    def write(self, states: list[Value], pool: list[Value]) -> None:
        for state in states:
            value = self.sized(self.pick(pool), state.size)
            written = self.narrow(value, state.format) if value else None
            # Where nothing fits the state keeps itself, which is a program too.
            self.builder.write(state, written or state)


def random_timesteps(seed: int) -> tuple[int, ...]:
    """One to four timesteps for a readout, the last of them below 8."""
    rng = np.random.default_rng(seed)
    return tuple(sorted(rng.choice(8, rng.integers(1, 5), replace=False).tolist()))


def random_program(
    seed: int,
    *,
    layers: int | None = None,
    period: int | None = None,
    read: Read | None = None,
    steps: int = 8,
) -> Program:
    """The program of a seed; the keywords pin what is not to be drawn (and timesteps to read)."""
    rng = np.random.default_rng(seed)
    period = period or int(rng.choice([1, 1, 2, 3]))
    numeric = rng.random() < 0.7
    size = int(rng.integers(1, 5))
    lo, hi = sorted(rng.integers(-300, 300, 2).tolist())
    format = Format(lo, hi, int(rng.integers(-8, 1)))
    real = tuple(rng.uniform(0.1, 2.0, size).tolist())
    source: NumericInput | SymbolInput = NumericInput(size, format, real, real)
    if not numeric:
        source = SymbolInput(int(rng.integers(1, 12)))
    builder = Builder(source, period)
    draw = Drawer(rng, builder)
    for k in range(layers or int(rng.integers(1, 4))):
        states = draw.states(f"s{k}", 3)
        pool = [builder.input, *states]
        draw.grow(pool, steps)
        draw.write(states, pool)
        builder.layer(f"layer{k}", draw.pick(pool[-3:]))
    states = []
    if read and not isinstance(read, str):
        draw.period = len(read)
        states = draw.states("r", 2)
    pool = [builder.input, *states]
    draw.grow(pool, steps if states else steps // 2)
    draw.write(states, pool)
    unit = rng.uniform(0.5, 2.0, draw.period).tolist()
    return builder.program(
        pool[-1], read or str(rng.choice(READS)), unit, metadata={"seed": seed, "made": "randomly"}
    )


def random_inputs(program: Program, shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    """Raw inputs (*shape, size), or symbols (*shape,), with the format's ends among them."""
    rng = np.random.default_rng(seed)
    value = program.input.value
    raw = rng.integers(value.format.lo, value.format.hi + 1, (*shape, value.size))
    ends = rng.choice([value.format.lo, value.format.hi], raw.shape)
    raw = np.where(rng.random(raw.shape) < 0.2, ends, raw)
    return raw if isinstance(program.input, NumericInput) else raw[..., 0]


def small(weight: int = 3, metadata: dict[str, Any] | None = None) -> Program:
    """hidden = narrow(S hidden / 2 + W input), the answer is the largest unit."""
    b = Builder(NumericInput(2, Format(-8, 7, -3), (0.5, 2.0), (0.0, -1.0)))
    kept = Format.signed_bits(8, -3)
    hidden = b.state("hidden", 4, kept, [1, 0, 0, -1], [0.25])
    mixed = b.exponent(-1, b.matvec(Hadamard(4, [1, -1, 1, 1]), hidden, name="mixed"), name="half")
    seen = b.matvec(Dense([[weight, 0], [1, 1], [0, -2], [1, 0]]), b.input, name="seen")
    new = b.narrow(b.add(mixed, seen, name="total"), kept, name="new")
    b.write(hidden, new)
    b.layer("loop", new)
    return b.program(b.argmax(b.input, name="label"), "last", metadata=metadata)


def summing(size: int, bits: int, read: Read) -> Program:
    """total = narrow(total + input): elements that fill no byte, in transfers not all full."""
    format, kept = Format.signed_bits(bits), Format.signed_bits(bits + 3)
    b = Builder(NumericInput(size, format, (1.0,) * size, (0.0,) * size))
    total = b.state("total", size, kept)
    new = b.narrow(b.add(total, b.input), kept)
    b.write(total, new)
    b.layer("sum", new)
    return b.program(b.slice(max(size - 3, 0), size, new), read)


def trained(block: int, symbols: bool) -> Program:
    """A HadamRNN of 128 units with random parameters."""
    rng = np.random.default_rng(block)
    period = 1 + (block.bit_length() - 1) % 2
    numeric = NumericInput(3, Format(0, 255, -8), (1.0,) * 3, (0.0,) * 3)
    size = (period, 128, 9) if symbols else (1, 128, 3)
    phased = period == 2 and not symbols
    parameters = HadamParameters(
        input=SymbolInput(9) if symbols else numeric,
        block=block,
        signs=rng.choice([-1, 1], 128),
        input_weights=rng.integers(-8, 8, size),
        input_exp=-3,
        input_factors=Constant(np.array([[46341], [65536]]), -16) if phased else None,
        scaled_input=Format(0, 1023, -10) if phased else None,
        state=Format.signed_bits(12, -6, symmetric=True),
        bias=Constant(rng.integers(-9, 9, (period, 128)), -6),
        threshold=None,
        output_weights=rng.integers(-8, 8, (10, 128)),
        output_exp=-3,
        output_bias=Constant(rng.integers(-99, 99, (period, 10)), -8),
        output_unit=0.01,
        state_unit=0.1,
        read="every",
        argmax=symbols,
    )
    return hadamrnn(parameters, {"task": "none"})
