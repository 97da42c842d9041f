"""Programs whose states are awkward to save."""

import numpy as np
from contracts.test_families import program_of
from sylvan.model.builder import Builder
from sylvan.model.matrices import Dense, Hadamard
from sylvan.model.numbers import Format
from sylvan.model.program import NumericInput, Program

INPUT = NumericInput(1, Format(-8, 7), (1.0,), (0.0,))


def awkward(read: str = "every", size: int = 8) -> Program:
    """Phases, formats that fill no word, unlike states, one read twice and one never."""
    rng = np.random.default_rng(size)
    b = Builder(INPUT, period=3)
    h = b.state("h", size, Format(-100, 127), rng.integers(-9, 10, size))
    count = b.state("count", 3, Format(1, 18), [18, 5, 1])
    unread = b.state("unread", 3, Format(-3, 5), [3, 0, -1])
    turned = b.exponent([-2, -1, -2], b.matvec(Hadamard(size, rng.choice([-1, 1], size)), h))
    seen = b.matvec(Dense(rng.integers(-99, 99, (size, 1))), b.input)
    h_next = b.narrow(b.add(turned, seen), h.format)
    b.write(h, h_next)
    shifted = b.matvec(Dense([[0, 1, 0], [0, 0, 1], [1, 1, -1]]), count)
    mixed = b.matvec(Dense(rng.integers(-2, 3, (3, size))), h)
    b.write(count, b.narrow(b.add(shifted, mixed), count.format))
    b.write(unread, b.narrow(b.neg(count), unread.format))
    b.layer("loop", h_next)
    return b.program(b.matvec(Dense(rng.integers(-7, 8, (3, size))), b.input), read)


def stacked(read: str = "every") -> Program:
    """Layers with phases, without a state, and with two states, one of which is handed on old."""
    rng = np.random.default_rng(7)
    b = Builder(INPUT, period=2)
    h = b.state("h", 8, Format(-100, 127), rng.integers(-9, 10, 8))
    turned = b.exponent([-2, -1], b.matvec(Hadamard(8, rng.choice([-1, 1], 8)), h))
    h_next = b.narrow(
        b.add(turned, b.matvec(Dense(rng.integers(-9, 9, (8, 1))), b.input)), h.format
    )
    b.write(h, h_next)
    b.layer("turning", h_next)
    b.layer("state_port", b.neg(b.input))
    count = b.state("count", 3, Format(1, 18), [18, 5, 1])
    old = b.state("old", 8, b.input.format, range(8))
    mixed = b.matvec(Dense(rng.integers(-2, 3, (3, 8))), b.input)
    b.write(count, b.narrow(b.add(count, mixed), count.format))
    b.write(old, b.input)
    b.layer("late", b.add(old, b.matvec(Dense(rng.integers(-1, 2, (8, 3))), count)))
    return b.program(b.matvec(Dense(rng.integers(-7, 8, (3, 8))), b.input), read)


def gated(family: str) -> Program:
    """A cell with gates, of 16 units, which few lanes keep on two sides."""
    return program_of(family, "16-symbols-ternary-every-logits-6bits")
