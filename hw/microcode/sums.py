"""Which sum of vectors in the memory an operation is."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from sylvan.model.errors import UserError
from sylvan.model.matrices import Hadamard
from sylvan.model.numbers import Format
from sylvan.model.operations import Operation, Value, arithmetic, constants, moves, phased
from sylvan.model.program import Node

from . import terms
from .places import aligned, index_bits
from .terms import Reads, Sum, Term

FROM_MEMORY = (
    arithmetic.Mul,
    arithmetic.Lerp,
    arithmetic.ModRelu,
    constants.MatVec,
    constants.Scale,
    constants.Lookup,
    phased.PhasedMatVec,
    moves.ArgMax,
    moves.Concat,
    moves.Slice,
)
"""Operations that read elements more than once, or not where they are: operands are in memory."""
TO_MEMORY = (
    arithmetic.ModRelu,
    arithmetic.Relu,
    constants.Lookup,
    constants.Table,
    moves.Narrow,
    moves.Slice,
)
"""Operations whose result is no sum of what they read, or a part of that: it is in memory."""
PRODUCTS = (arithmetic.Mul, arithmetic.Lerp)
"""Operations that multiply elements: bits of one say which terms of the sum count."""


def is_transform(node: Node) -> bool:
    """Whether it is a transform, which passes over the memory make."""
    operation = node.operation
    if not isinstance(operation, constants.MatVec):
        return False
    return isinstance(operation.matrix, Hadamard) and operation.matrix.block > 1


def transformed(name: str) -> str:
    """The vector of a transform before its signs."""
    return f"{name}.transform"


def signed_bits(format: Format) -> int:
    """Bits of a signed number that holds a format."""
    return format.width + (not format.signed)


def factors(node: Node) -> tuple[Value, Value]:
    """The operand of a product whose bits are walked through, and one that they multiply."""
    one, other, *_ = node.operands
    if isinstance(node.operation, arithmetic.Mul) and other.format.width < one.format.width:
        return other, one
    return one, other


@dataclass(frozen=True)
class Sums:
    """Values as sums of vectors in the memory.

    Parameters: nodes, by name of their result; stored, names of the values in the memory; spelled,
        names of constants that are spelled in bits of weights instead of elements of the memory;
        factor_bits, of every factor of a product; aligned, the vector of a value with its binary
        point so much further left.
    """

    nodes: dict[str, Node]
    stored: set[str]
    spelled: set[str]
    factor_bits: int
    aligned: Callable[[Value, int], str]

    def of(self, value: Value) -> Sum:
        """A value as a sum."""
        if value.name in self.stored:
            return Sum((Term(value.name),))
        return self.definition(self.nodes[value.name])

    def definition(self, node: Node) -> Sum:
        """What a node computes, as a sum. Raises UserError for an operation that is none."""
        operation, exp = node.operation, node.result.format.exp

        def operand(k: int) -> Sum:
            value = node.operands[k]
            return self.of(value).shifted(value.format.exp - exp)

        if isinstance(operation, arithmetic.Add):
            return operand(0) + operand(1)
        if isinstance(operation, arithmetic.Sub):
            return operand(0) + operand(1).negated
        if isinstance(operation, arithmetic.Neg):
            return operand(0).negated
        if isinstance(operation, moves.Exponent):
            given, shifts = self.of(node.operands[0]), range(operation.period)
            return terms.by_phase([given.shifted(operation.left_shift(p)) for p in shifts])
        if isinstance(operation, constants.Const):
            name = node.result.name
            spelled = name in self.spelled
            vectors = enumerate(operation.raw)
            return terms.by_phase([terms.vector(f"{name}.{p}", v, spelled) for p, v in vectors])
        if isinstance(operation, PRODUCTS):
            return self._product(node)
        return _of_memory(node)

    def _product(self, node: Node) -> Sum:
        """`a * b`; `a + z (b - a)`, a and b at one binary point."""
        factor, other = factors(node)
        if isinstance(node.operation, arithmetic.Mul):
            return terms.product(factor.name, self.factor_bits, [(other.name, False)])
        finest = min(value.format.exp for value in node.operands[1:])
        a, b = (self.aligned(value, value.format.exp - finest) for value in node.operands[1:])
        turned = terms.product(factor.name, self.factor_bits, [(b, False), (a, True)])
        return Sum((Term(a, power=-factor.format.exp),)) + turned


def _of_memory(node: Node) -> Sum:
    """Products with constants, and what is picked from vectors, as by rows of 0 and 1."""
    operation: Operation = node.operation
    if isinstance(operation, moves.Concat):
        return _joined(node)
    source = node.operands[0]
    if is_transform(node):
        assert isinstance(operation, constants.MatVec)
        assert isinstance(operation.matrix, Hadamard)
        return terms.signed(transformed(node.result.name), operation.matrix.signs)
    if isinstance(operation, constants.MatVec):
        return terms.rows(source.name, operation.matrix.dense())
    if isinstance(operation, phased.PhasedMatVec):
        return terms.by_phase([terms.rows(source.name, w) for w in operation.weights])
    if isinstance(operation, constants.Scale):
        return terms.by_phase([terms.scaled(source.name, f) for f in operation.factors])
    if isinstance(operation, moves.Slice):
        whole = np.eye(source.size, dtype=np.int64)
        return terms.rows(source.name, whole[operation.start : operation.stop])
    raise UserError(
        f"{node.result.name} is a {operation.kind}: a microprogram has no {operation.kind}; "
        "leave out --microcode"
    )


def _joined(node: Node) -> Sum:
    """Elements of one vector and then of another, each as far left as the common point asks.

    Cost: a bit of weights, and a cycle, for every element of the result and of each operand.
    """
    total, start = Sum(), 0
    for value in node.operands:
        weights = np.zeros((node.result.size, value.size), np.int64)
        weights[start : start + value.size] = np.eye(value.size, dtype=np.int64)
        start += value.size
        picked = terms.rows(value.name, weights)
        total += picked.shifted(value.format.exp - node.result.format.exp)
    return total


def rows_of_symbols(node: Node) -> tuple[Sum, np.ndarray]:
    """Where the row of a symbol begins among those of all phases, and the elements of them all.

    Each has a power of two of places.
    """
    operation, symbol = node.operation, node.operands[0]
    assert isinstance(operation, constants.Lookup)
    phases, symbols, size = operation.table.shape
    held = np.zeros((phases, symbols, aligned(size)), np.int64)
    held[:, :, :size] = operation.table
    begins = [terms.number(phase * held[0].size) for phase in range(phases)]
    first = Sum((Term(symbol.name, Reads.FIRST, power=index_bits(size)),))
    return first + terms.by_phase(begins), held.reshape(-1)
