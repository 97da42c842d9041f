"""What a program asks of any machine, whatever the schedule: bits to store, additions to make."""

from collections.abc import Iterable
from dataclasses import fields

import numpy as np

from .arrays import Array, signed_digits
from .matrices import Dense, Hadamard, Matrix
from .numbers import Format
from .operations import Operation
from .operations.arithmetic import Add, Lerp, ModRelu, Mul, Neg, Sub
from .operations.constants import MatVec, Scale
from .operations.moves import ArgMax
from .operations.phased import PhasedMatVec
from .program import Node, Program


def storage_bits(program: Program) -> int:
    """Bits of all constants, each array as wide as its largest entry needs, and of the states.

    Hadamard matrices store their signs, one bit a row; matrices of +1 and -1 one bit an entry. What
    is the same in each phase, or at each read, counts once; initial states of zero count nothing.
    """
    total = sum(_constant_bits(node.operation) for node in program.nodes())
    for state in program.states:
        total += state.value.size * state.value.format.width
        total += _array_bits(state.initial) if state.initial.any() else 0
    return total


def additions_per_step(program: Program) -> int:
    """Additions of words in one timestep that is not read: the bodies of all layers.

    A product counts as the additions of its shift-and-add form: by a constant one fewer than its
    canonical signed digits, of two values one fewer than the bits of the narrower. A sum of k
    terms counts k - 1, a Hadamard block of m counts `m log2 m`. Negations, shifts, look-ups,
    comparisons with constants and selections count nothing.
    """
    return sum(_additions(node) for layer in program.layers for node in layer.body)


def readout_additions(program: Program) -> int:
    """Additions of words that one answer takes on top of its timestep, at the costliest read."""
    return sum(_additions(node) for node in program.readout.body)


def _constant_bits(operation: Operation) -> int:
    total = 0
    for field in fields(operation):  # type: ignore[arg-type]
        constant = getattr(operation, field.name)
        if isinstance(constant, Matrix):
            total += _matrix_bits(constant)
        elif isinstance(constant, np.ndarray):
            total += _array_bits(constant)
    return total


def _matrix_bits(matrix: Matrix) -> int:
    return len(matrix.signs) if isinstance(matrix, Hadamard) else _array_bits(matrix.dense())


def _array_bits(raw: Array) -> int:
    signs = np.abs(raw).min() == 1 == np.abs(raw).max()
    width = 1 if signs else Format(int(raw.min()), int(raw.max())).width
    return int(raw.size) * width


def _additions(node: Node) -> int:
    operation, size = node.operation, node.result.size
    match operation:
        case Add() | Sub() | ModRelu():
            return size
        case Neg():
            return 0
        case ArgMax():
            return node.operands[0].size - 1
        case Mul():
            return size * _product(v.format for v in node.operands)
        case Lerp():
            # The difference, its product with z, and the sum.
            return size * (2 + max(node.operands[0].format.width - 1, 0))
        case Scale():
            digits = signed_digits(
                np.broadcast_to(operation.factors, (len(operation.factors), size))
            )
            return int(np.maximum(digits - 1, 0).sum(1).max())
        case MatVec(matrix=Hadamard() as matrix):
            return size * matrix.stages
        case MatVec(matrix=Dense() as matrix):
            return _row_additions(matrix.weights)
        case PhasedMatVec():
            return max(_row_additions(weights) for weights in operation.weights)
        case _:
            return 0


def _row_additions(weights: Array) -> int:
    return int(np.maximum(signed_digits(weights).sum(1) - 1, 0).sum())


def _product(formats: Iterable[Format]) -> int:
    """Rows beyond the first of a product of two values."""
    return max(min(format.width for format in formats) - 1, 0)
