"""Random programs that have hardware: a seed is a program, awkward in every way that is legal.

Few vector sizes per program, so that values meet: several states (kept, swapped, never read,
written with a constant, begun anywhere), residuals whose operands must wait, dense matrices of
dense matrices, Hadamard matrices on few lanes and on many, periods, symbols, wide inputs, gates,
any value as the answer. Nothing here computes a result; what would not fit is dropped.
"""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
from sylvan.model.builder import Builder
from sylvan.model.matrices import Dense, Hadamard
from sylvan.model.numbers import Format, Overflow, Rounding
from sylvan.model.operations import Operation, Value
from sylvan.model.operations.arithmetic import Add, Lerp, ModRelu, Mul, Neg, Relu, Sub
from sylvan.model.operations.constants import Const, Lookup, MatVec, Scale, Table
from sylvan.model.operations.moves import ArgMax, Concat, Exponent, Narrow, Slice
from sylvan.model.operations.phased import PhasedMatVec
from sylvan.model.program import NumericInput, Program, SymbolInput

SIZES = (1, 1, 2, 3, 4, 5, 7, 8, 8, 9, 12, 15, 16, 16, 17, 20, 24, 32, 33, 64)
WIDEST = 56
"""Bits of a result that still grow; beyond, a value is narrowed first."""
WEIGHTS = 500
"""Entries of a dense matrix: what a simulation at one lane can still walk."""


class Drawer:
    """Draws operations for values at hand; what would not fit is dropped."""

    def __init__(self, rng: np.random.Generator, builder: Builder, sizes: list[int]) -> None:
        self.rng, self.builder, self.sizes = rng, builder, sizes
        self.widest = WIDEST if rng.random() < 0.15 else 20
        self.kinds: dict[str, tuple[int, Callable[[list[Value]], Value | None]]] = {
            "add": (3, lambda pool: self.pair(Add(), pool)),
            "sub": (2, lambda pool: self.pair(Sub(), pool)),
            "mul": (2, lambda pool: self.pair(Mul(), pool)),
            "neg": (1, lambda pool: self.apply(Neg(), self.pick(pool))),
            "relu": (2, lambda pool: self.apply(Relu(), self.pick(pool))),
            "residual": (3, self.residual),
            "hadamard": (4, lambda pool: self.hadamard(self.pick(pool))),
            "dense": (4, lambda pool: self.dense(self.pick(pool), self.pick(self.sizes))),
            "lookup": (2, self.lookup),
            "scale": (2, self.scale),
            "const": (1, lambda pool: self.const(self.pick(self.sizes))),
            "exponent": (2, self.exponent),
            "narrow": (3, lambda pool: self.narrow(self.pick(pool), self.format())),
            "argmax": (1, lambda pool: self.apply(ArgMax(), self.pick(pool))),
            "slice": (2, lambda pool: self.slice(self.pick(pool))),
            "concat": (1, lambda pool: self.concat(self.pick(pool), self.pick(pool))),
            "table": (2, lambda pool: self.table(self.pick(pool))),
            "gate": (5, self.gate),
            "lerp": (2, self.lerp),
            "modrelu": (1, lambda pool: self.modrelu(self.pick(pool))),
            "phased": (2, lambda pool: self.phased(self.pick(pool), self.pick(self.sizes))),
        }

    def number(self, lo: int, hi: int) -> int:
        return int(self.rng.integers(lo, hi + 1))

    def chance(self, probability: float) -> bool:
        return bool(self.rng.random() < probability)

    def pick(self, choices: Any) -> Any:
        return choices[self.number(0, len(choices) - 1)]

    def raw(self, format: Format, size: int) -> np.ndarray:
        return self.rng.integers(format.lo, format.hi + 1, size)

    def phases(self) -> int:
        return self.pick([1, self.builder.period])

    def format(self, widest: int = 11) -> Format:
        """Signed, unsigned, lopsided, negative only, one value, or zero alone."""
        bits, exp = self.number(1, widest), self.number(-4, 2)
        kind = self.number(0, 9)
        if kind < 4:
            return Format.signed_bits(bits, exp, symmetric=self.chance(0.3) and bits > 1)
        if kind < 6:
            return Format.unsigned_bits(bits - self.chance(0.1), exp)
        lo = self.number(-(1 << bits), 3)
        span = 0 if kind == 9 else self.number(0, (1 << bits) - 1)
        return Format(lo, min(lo + span, -1) if kind == 8 and lo < 0 else lo + span, exp)

    def apply(self, operation: Operation, *operands: Value) -> Value | None:
        try:
            _, format = operation.infer(operands)
        except ValueError:
            return None
        if max(operation.magnitude(operands, format), format.magnitude) >> WIDEST:
            return None
        return self.builder.apply(operation, *operands)

    def sized(self, value: Value, size: int) -> Value | None:
        return value if value.size == size else self.dense(value, size)

    def pair(self, operation: Operation, pool: list[Value]) -> Value | None:
        a = self.pick(pool)
        partners = [v for v in pool if v.size == a.size]
        b = self.pick(partners) if self.chance(0.8) else self.sized(self.pick(pool), a.size)
        return self.apply(operation, a, b) if b else None

    def residual(self, pool: list[Value]) -> Value | None:
        """`a + H a`, or `a + W a`: one operand has to wait for the other."""
        a = self.pick(pool)
        b = self.hadamard(a) if self.chance(0.6) else self.dense(a, a.size)
        return self.apply(self.pick([Add(), Sub(), Mul()]), a, b) if b else None

    def hadamard(self, a: Value) -> Value | None:
        blocks = [1 << k for k in range(7) if a.size % (1 << k) == 0]
        signs = self.rng.choice([-1, 1], a.size) if self.chance(0.8) else np.ones(a.size, int)
        return self.apply(MatVec(Hadamard(self.pick(blocks), signs)), a)

    def dense(self, a: Value, rows: int) -> Value | None:
        if rows * a.size > WEIGHTS:
            return None
        lo, hi = self.pick([(-1, 1), (-8, 7), (0, 3), (-5, -1), (-1, 0), (-100, 100)])
        weights = self.rng.integers(lo, hi + 1, (rows, a.size))
        if self.chance(0.3):
            weights[self.number(0, rows - 1)] = 0
        return self.apply(MatVec(Dense(weights)), a)

    def lookup(self, pool: list[Value]) -> Value | None:
        symbols = [v for v in pool if v.size == 1 and v.format.lo == v.format.exp == 0]
        symbols = [v for v in symbols if v.format.hi < 32]
        if not symbols:
            return None
        symbol = self.pick(symbols)
        shape = self.phases(), symbol.format.hi + 1, self.pick(self.sizes)
        return self.apply(Lookup(self.rng.integers(-99, 100, shape), self.number(-5, 1)), symbol)

    def scale(self, pool: list[Value]) -> Value | None:
        a = self.pick(pool)
        lo, hi = self.pick([(-99, 99), (0, 255), (-7, -2), (3, 3)])
        factors = self.rng.integers(lo, hi + 1, (self.phases(), self.pick([1, a.size])))
        return self.apply(Scale(factors, self.number(-9, 0)), a)

    def const(self, size: int) -> Value | None:
        lo, hi = self.pick([(-99, 99), (0, 255), (-7, -2), (3, 3), (0, 0)])
        raw = self.rng.integers(lo, hi + 1, (self.phases(), size))
        return self.apply(Const(raw, self.number(-5, 1)))

    def exponent(self, pool: list[Value]) -> Value | None:
        shifts = tuple(self.number(-4, 3) for _ in range(self.phases()))
        return self.apply(Exponent(shifts), self.pick(pool))

    def narrow(self, a: Value, target: Format) -> Value | None:
        # Wrapping is defined for intervals of 2**k values only.
        span = target.hi - target.lo + 1
        mode = Overflow.SATURATE if span & (span - 1) else self.pick(list(Overflow))
        return self.apply(Narrow(target, self.pick(list(Rounding)), mode), a)

    def slice(self, a: Value) -> Value | None:
        start = self.number(0, a.size - 1)
        stop = start + self.pick(self.sizes) if self.chance(0.5) else self.number(1, a.size)
        return self.apply(Slice(start, stop), a)

    def concat(self, a: Value, b: Value) -> Value | None:
        return self.apply(Concat(), a, b) if a.size + b.size <= max(SIZES) else None

    def table(self, a: Value) -> Value | None:
        """Any function, or one that is odd but for a sum, and constant from somewhere on."""
        if a.format.width > 10:
            return self.table(self.narrow(a, self.format(10)) or self.builder.input)
        values = np.arange(a.format.lo, a.format.hi + 1)
        entries = self.rng.integers(-99, 100, len(values))
        if self.chance(0.6):
            most, point = max(a.format.hi, -a.format.lo, 0), self.number(0, 1)
            half = self.rng.integers(0, 200, most + 1)
            half[self.number(0, most) :] = self.number(0, 200)
            turned = self.number(-9, 9) - half[np.clip(-point - values, 0, most)]
            entries = np.where(values < 0, turned, half[values.clip(0)])
        return self.apply(Table(entries, self.number(-7, 0)), a)

    def gate(self, pool: list[Value]) -> Value | None:
        """A table of sums of products, times something of its size."""
        sums = self.dense(self.pick(pool), self.pick(self.sizes))
        gate = self.table(sums) if sums else None
        partners = [v for v in pool if gate and v.size == gate.size]
        return self.apply(Mul(), gate, self.pick(partners)) if gate and partners else gate

    def lerp(self, pool: list[Value]) -> Value | None:
        a, bits = self.pick(pool), self.number(0, 6)
        b, z = (self.pick([v for v in pool if v.size == a.size]) for _ in range(2))
        weight = self.narrow(z, Format(0, 1 << bits, -bits))
        return self.apply(Lerp(), weight, a, b) if weight else None

    def modrelu(self, a: Value) -> Value | None:
        lo, hi = self.pick([(-9, 9), (-3, -3), (2, 5), (-90, 90)])
        return self.apply(ModRelu(self.rng.integers(lo, hi + 1, self.pick([1, a.size]))), a)

    def phased(self, a: Value, rows: int) -> Value | None:
        phases = self.phases()
        if phases * rows * a.size > WEIGHTS:
            return None
        return self.apply(PhasedMatVec(self.rng.integers(-9, 10, (phases, rows, a.size))), a)

    def grow(self, pool: list[Value], steps: int) -> None:
        weights = np.array([weight for weight, _ in self.kinds.values()], float)
        for _ in range(steps):
            kind = self.rng.choice(list(self.kinds), p=weights / weights.sum())
            value = self.kinds[kind][1](pool)
            if value is not None:
                # What is wide mostly stops growing here, so that products of products end.
                if value.format.width > self.widest:
                    value = self.narrow(value, self.format()) or value
                pool.append(value)


def random_source(draw: Callable[[int, int], int], rng: np.random.Generator) -> Any:
    """An input: symbols; or numbers, at times so wide that they take several transfers."""
    if rng.random() < 0.25:
        return SymbolInput(draw(1, 20))
    size = int(rng.choice([1, 1, 2, 3, 5, 8, 17, 20]))
    bits = draw(1, 9) if rng.random() < 0.7 else draw(10, 20)
    lo = -draw(0, 1 << bits)
    real = (1.0,) * size
    return NumericInput(size, Format(lo, lo + draw(0, (1 << bits) - 1), draw(-6, 0)), real, real)


def random_core(seed: int, layers: int = 1) -> Program:
    """The program of a seed and a number of layers."""
    rng = np.random.default_rng(seed)
    period = int(rng.choice([1, 1, 1, 2, 2, 2, 3, 5]))

    def number(lo: int, hi: int) -> int:
        return int(rng.integers(lo, hi + 1))

    builder = Builder(random_source(number, rng), period)
    sizes = [int(rng.choice(SIZES)) for _ in range(number(1, 3))]
    draw = Drawer(rng, builder, sizes)
    for layer in range(layers):
        after = f"_of_{layer}" if layer else ""
        states = draw_states(draw, after)
        pool = [builder.input, *states]
        draw.grow(pool, number(1, 9))
        write_states(draw, states, pool)
        handed_on = draw.pick(pool) if draw.chance(0.3) else draw.pick(pool[-3:])
        builder.layer(f"layer{after}", handed_on)
    pool = [builder.input]
    draw.grow(pool, number(0, 5))
    answer = draw.pick(pool[-2:])
    if draw.chance(0.7):
        # A few rows over many columns: the answer's elements stay for several cycles each.
        widest = max(pool, key=lambda value: value.size)
        answer = draw.dense(widest, draw.number(1, 6)) or answer
        answer = draw.narrow(answer, draw.format()) or answer if draw.chance(0.3) else answer
    if draw.chance(0.2):
        answer = builder.argmax(answer)
    return builder.program(answer, draw.pick(["every", "last"]), metadata={"seed": seed})


def draw_states(draw: Drawer, after: str) -> list[Value]:
    """Up to four states, `after` behind their names; some are the twin of the one before, so that
    they can swap.
    """
    states: list[Value] = []
    for k in range(draw.number(0, 4)):
        twin = draw.chance(0.4) and k > 0
        size = states[-1].size if twin else draw.pick(draw.sizes)
        format = states[-1].format if twin else draw.format()
        initial = None if format.contains(0) else draw.raw(format, size)
        if draw.chance(0.5):
            initial = draw.raw(format, size)
        states.append(draw.builder.state(f"s{k}{after}", size, format, initial))
    return states


def write_states(draw: Drawer, states: list[Value], pool: list[Value]) -> None:
    """Each state becomes itself, its twin, any value that fits, or a value narrowed to fit."""
    twins = {a: b for a, b in pairwise(states) if alike(a, b)}
    if twins and draw.chance(0.4):
        a, b = draw.pick(list(twins.items()))
        draw.builder.write(a, b)
        draw.builder.write(b, a)
        states = [state for state in states if state not in (a, b)]
    for state in states:
        same = [v for v in pool if alike(v, state)]
        if same and draw.chance(0.3):
            draw.builder.write(state, draw.pick(same))
            continue
        fitting = [v for v in pool if v.size == state.size and v not in states]
        value = draw.pick(fitting) if fitting else draw.sized(draw.pick(pool), state.size)
        written = draw.narrow(value, state.format) if value else None
        draw.builder.write(state, written or state)


def alike(a: Value, b: Value) -> bool:
    return (a.size, a.format) == (b.size, b.format)
