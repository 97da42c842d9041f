"""Bits and additions of programs, counted by hand."""

import numpy as np
from sylvan.model.arrays import signed_digits
from sylvan.model.builder import Builder
from sylvan.model.census import (
    additions_per_step,
    readout_additions,
    storage_bits,
)
from sylvan.model.matrices import Dense, Hadamard
from sylvan.model.numbers import Format
from sylvan.model.program import NumericInput, Program, SymbolInput

BYTE = Format.signed_bits(8)


def naf(x: int) -> int:
    """Nonzero digits of the non-adjacent form, digit by digit from the lowest."""
    digits, x = 0, abs(x)
    while x:
        if x & 1:
            x -= 2 - (x & 3)
            digits += 1
        x >>= 1
    return digits


def test_signed_digits_are_those_of_the_non_adjacent_form() -> None:
    numbers = np.arange(-1000, 1001)
    assert signed_digits(numbers).tolist() == [naf(int(x)) for x in numbers]


def network(weights: np.ndarray) -> Program:
    b = Builder(NumericInput(1, BYTE, (1.0,), (0.0,)))
    h = b.state("h", 8, BYTE, initial=np.arange(8))
    turned = b.matvec(Hadamard(4, [1, -1] * 4), h)
    total = b.add(turned, b.matvec(Dense(np.arange(8)[:, None] - 3), b.input))
    b.write(h, b.narrow(total, BYTE))
    features = b.relu(b.layer("rnn", total))
    return b.program(b.add(b.matvec(Dense(weights), features), b.const([[5, -9]], 0)), "last")


def test_a_hadamard_network() -> None:
    binary = np.array([[1, -1] * 4] * 2)
    # State 8 x 8 and its start in 0..7; signs; U in -3..4 (4 bits); V in +-1; c in -9..5 (5 bits).
    rest = 8 * 8 + 8 * 3 + 8 + 8 * 4
    assert storage_bits(network(binary)) == rest + 16 + 2 * 5
    # Two stages, the sum; of U's column -3 and 3 have two digits, all others one or none.
    assert additions_per_step(network(binary)) == 8 * 2 + 8 + 2
    assert readout_additions(network(binary)) == 2 * 7 + 2
    ternary = np.array([[0, 0, 0, 0, 1, -1, 0, 7], [0] * 8])
    assert storage_bits(network(ternary)) == rest + 16 * 4 + 2 * 5
    # 1, -1 and 7 = 8 - 1 are four digits: three additions; a row of zeros none.
    assert readout_additions(network(ternary)) == 3 + 2


def test_a_readout_at_timesteps() -> None:
    """All matrices and both sums are stored; one answer adds what its own matrix takes."""
    b = Builder(NumericInput(4, BYTE, (1.0,) * 4, (0.0,) * 4))
    b.layer("passing", b.input)
    total = b.state("sum", 2, Format.signed_bits(16), [1, -1])
    weights = [[[1, 0, 0, 7], [0, 0, 0, 0]], [[3, 5, 1, 0], [1, 1, 1, 1]], [[1, 0, 0, 0]] * 2]
    added = b.add(total, b.phased_matvec(weights, b.input))
    new = b.narrow(added, Format.signed_bits(16))
    b.write(total, new)
    program = b.program(new, (1, 2, 5))
    # Weights of 0..7 in 3 bits; the sums in 16 bits, their start in one.
    assert storage_bits(program) == 24 * 3 + 2 * 16 + 2
    # The second: 3 = 4 - 1, 5 = 4 + 1 and 1 are five digits, the other row four; then two sums.
    assert (additions_per_step(program), readout_additions(program)) == (0, 4 + 3 + 2)


def test_gates_and_scales() -> None:
    b = Builder(SymbolInput(3), period=2)
    h = b.state("h", 4, BYTE)
    x = b.lookup(np.arange(-12, 12).reshape(2, 3, 4), -2, b.input)
    scaled = b.scale([[3, 5, 1, 0], [1, 1, 1, 7]], -3, h)
    gate = b.narrow(x, Format(0, 16, -4))
    mixed = b.lerp(gate, h, b.narrow(scaled, BYTE))
    b.write(h, b.narrow(b.mul(mixed, gate), BYTE))
    program = b.program(b.layer("rnn", h), "every")
    # State, look-up of -12..11, factors of 0..7.
    assert storage_bits(program) == 4 * 8 + 24 * 5 + 8 * 3
    # scale: 3 and 5 of the first phase; lerp: 2 sums and a product by 5 bits; mul: by 5 bits.
    assert additions_per_step(program) == 2 + 4 * (2 + 4) + 4 * 4
    assert readout_additions(program) == 0
