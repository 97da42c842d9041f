# amaranth: UnusedElaboratable=no
"""Constant matrices: which form of a product, by structure and by the pattern demanded."""

from dataclasses import replace
from functools import cached_property

import numpy as np
from sylvan.model import matrices
from sylvan.model.arrays import Array
from sylvan.model.errors import UserError
from sylvan.model.numbers import Format
from sylvan.model.operations import constants
from sylvan.model.program import Node

from ..adders import optimize
from ..beats import Pattern, digits, shape_of
from ..operators.elementwise import SignFlip
from ..operators.graph import GraphMatVec
from ..operators.hadamard import Hadamard
from ..operators.multiples import Pick
from ..operators.packed import PackedMatVec
from ..operators.serial import SerialGraph, SerialSignFlip
from ..operators.serial_transform import SerialTransform, between_beats
from ..packing import pack, promised
from .base import Body, Demand, Lowered, Unsigned, lowers
from .linear import Linear, shifted
from .products import Products


@lowers(constants.MatVec)
class _MatVec(Products, Linear):
    """By their adder graph where both vectors pass in one beat.

    Otherwise Hadamard matrices by the transform, dense ones by products: outer products of the
    nonzeros alone where that saves a quarter of the cycles, for memories that zeros would not need.
    Results of packed nonzeros leave one by one where single elements are demanded.
    """

    def __init__(self, node: Node, body: Body) -> None:
        super().__init__(node, body)
        assert isinstance(node.operation, constants.MatVec)
        self.matrix = node.operation.matrix
        whole = self.column_lanes == self.columns and self.schedule.over(self.size) == self.size
        self.linear = whole
        self.serial = whole or isinstance(self.matrix, matrices.Hadamard)

    @property
    def dwell(self) -> int:
        plain = not isinstance(self.matrix, matrices.Hadamard) and self.packed_cycles is None
        return super().dwell if plain else 1

    @cached_property
    def outer_cycles(self) -> int:
        products = not (self.linear or isinstance(self.matrix, matrices.Hadamard))
        return self.packed_cycles or super().outer_cycles if products else 0

    @cached_property
    def packed_cycles(self) -> int | None:
        """Cycles of the nonzeros of sums for a table, where zeros save some.

        Few rows are better taken whole.
        """
        if isinstance(self.matrix, matrices.Hadamard) or self.linear or self.size < self.columns:
            return None
        if not self.body.leads_to(self.node.result, constants.Table):
            return None
        weights, lanes = self.matrix.dense(), self.schedule.over(self.size)
        saves = promised(weights, lanes) < super().outer_cycles
        return pack(weights, lanes).cycles if saves else None

    def _passes_alone(self, pattern: Pattern) -> bool:
        """Whether packed results leave one by one, being computed on more lanes."""
        alone = pattern.lanes == pattern.repeats == 1 and not pattern.digit
        slower = pattern.dwell > 1 or self.schedule.over(self.size) > 1
        return alone and slower and self.packed_cycles is not None

    def least_digits(self, digit: int) -> int:
        least = super().least_digits(digit)
        if isinstance(self.matrix, matrices.Hadamard):
            # Before its sign is turned a result can take a bit more.
            least = max(least, digits(self._plain(self.matrix), digit))
        return least

    def natural(self, pattern: Pattern) -> Pattern:
        if self.schedule.digit and self.serial:
            return self.body.order(self.node.result)
        if self.at_once(pattern):
            return pattern
        if isinstance(self.matrix, matrices.Hadamard):
            whole = Pattern(self.size, self.schedule.over(self.size))
            return pattern if pattern.dwell == 1 else whole
        if self._passes_alone(pattern):
            return pattern
        return self.order_of_products(pattern)

    def lower(self, pattern: Pattern) -> Lowered | Demand:
        if self.at_once(pattern):
            return self.unrolled(pattern)
        if isinstance(self.matrix, matrices.Hadamard):
            if pattern.digit:
                return self._serial_transform(self.matrix, pattern)
            return self._transform(self.matrix, pattern)
        if self._passes_alone(pattern):
            return self._packed(self.matrix.dense(), pattern, pattern.dwell)
        if self.is_inner(pattern):
            return self.inner(self.matrix.dense()[None], pattern)
        if self._shares(pattern):
            return self._multiples(pattern, self.result)
        packed = self._packed(self.matrix.dense(), pattern)
        outer = self.outer(self.matrix.dense()[None], pattern)
        assert isinstance(packed.operator, PackedMatVec)
        # Zeros may take cycles where those are few, or where the packed words take as long.
        enough = outer.operator.interval <= packed.operator.packing.promise
        faster = packed.operator.latency < outer.operator.latency
        return packed if faster and not enough else outer

    def biased(self, pattern: Pattern, bias: int) -> Lowered | None:
        """A bias is added to multiples, too."""
        if self.at_once(pattern) or not self._shares(pattern):
            return super().biased(pattern, bias)
        return self.named(self._multiples(pattern, shifted(self.result, bias), bias))

    def _shares(self, pattern: Pattern) -> bool:
        """Whether multiples of a single element take less than a product in every lane."""
        beats_of_words = not pattern.digit and pattern.dwell == pattern.repeats == 1
        if isinstance(self.matrix, matrices.Hadamard) or self.columns > 1 or not beats_of_words:
            return False
        weights = self.matrix.dense()[:, 0]
        width, most = shape_of(self.result).width, len(np.unique(weights))
        weight_bits = shape_of(Format(int(weights.min()), int(weights.max()))).width
        products = pattern.lanes * shape_of(self.formats[0]).width * weight_bits
        picked = pattern.lanes * min(pattern.beats, most) / 2 + most
        return width * picked < products

    def _multiples(self, pattern: Pattern, result: Format, bias: int = 0) -> Lowered:
        """Each weight's multiple, made once, and picked by lanes and beats."""
        values, index = np.unique(self.matrix.dense()[:, 0], return_inverse=True)
        (source,), constants = self.formats, (bias,) if bias else ()
        column = np.stack([values, *(np.ones_like(values) for _ in constants)], axis=1)
        ends = [(source.lo, source.hi), *((constant, constant) for constant in constants)]
        graph = optimize(column, intervals=ends, interruptible=False)
        operands, levels = [(1, source)], self.schedule.levels
        made = GraphMatVec(graph, operands, result, self.tag, levels, constants)
        held = Pattern(len(values), len(values), pattern.beats)
        taken = Demand(self.node.operands[0], Pattern(1, 1, pattern.beats))
        multiples = Lowered(made, held, (taken,), "multiples")
        pick = Pick(index.reshape(-1), pattern, result, len(values), self.tag)
        return Lowered(pick, pattern, (multiples,))

    def unsigned(self, pattern: Pattern) -> Unsigned | None:
        """The transform alone, of words that are not at once."""
        matrix = self.matrix
        if not isinstance(matrix, matrices.Hadamard) or pattern.dwell > 1 or pattern.digit:
            return None
        if self.at_once(pattern) or (matrix.signs > 0).all():
            return None
        plain = self.named(self._plain_transform(matrix, pattern))
        signs = replace(self._signs(matrix, pattern), name=self.node.result.name)
        return Unsigned(plain, self._plain(matrix), signs)

    def _plain(self, matrix: matrices.Hadamard) -> Format:
        """The format of the transform alone, without signs."""
        plain = matrices.Hadamard(matrix.block, np.ones_like(matrix.signs))
        return plain.interval(self.formats[0])

    def _transform(self, matrix: matrices.Hadamard, pattern: Pattern) -> Lowered:
        transformed, plain = self._plain_transform(matrix, pattern), self._plain(matrix)
        if (matrix.signs > 0).all():
            return replace(transformed, role="")
        signs = self._signs(matrix, pattern)
        flip = SignFlip(pattern.lanes, [plain, Format(0, 1)], self.result, self.tag)
        return Lowered(flip, pattern, (transformed, signs))

    def _signs(self, matrix: matrices.Hadamard, pattern: Pattern) -> Lowered:
        """Which lanes are to be turned."""
        negative = (matrix.signs < 0).astype(np.int64)[None]
        return self.rom(negative, pattern, Format(0, 1), "signs")

    def _plain_transform(self, matrix: matrices.Hadamard, pattern: Pattern) -> Lowered:
        source, plain = self.formats[0], self._plain(matrix)
        try:
            shape = pattern.lanes, matrix.block, self.size
            operator = Hadamard(*shape, source, plain, self.tag, self.schedule.turns)
        except ValueError as error:
            raise UserError(f"{self.node.result.name}: {error}") from None
        return Lowered(operator, pattern, self.passed(pattern), "transform")

    def _serial_transform(self, matrix: matrices.Hadamard, pattern: Pattern) -> Lowered | Demand:
        """Stages between beats, then those between lanes as a graph, then the signs."""
        (source,), lanes, block = self.formats, pattern.lanes, matrix.block
        if block % lanes and lanes % block:
            raise UserError(
                f"{self.node.result.name}: blocks of {block} cannot pass on {lanes} lanes: one "
                "must divide the other"
            )
        made: Lowered | Demand = Demand(self.node.operands[0], pattern)
        if block > lanes:
            between = SerialTransform(pattern, block, source, self.tag)
            made = Lowered(between, pattern, (made,), "beats")
            source = between_beats(source, block // lanes)
        plain = self._plain(matrix)
        if (within := min(block, lanes)) > 1:
            matrix_of_lanes = np.kron(
                np.eye(lanes // within, dtype=np.int64), matrices.sylvester(within)
            )
            ends = [(source.lo, source.hi)] * lanes
            graph = optimize(matrix_of_lanes, intervals=ends, interruptible=False)
            operator = SerialGraph(graph, [(pattern, source)], (pattern, plain), self.tag)
            made = Lowered(operator, pattern, (made,), "lanes")
        if (matrix.signs < 0).any():
            signs = self._signs(matrix, pattern.words)
            flip = SerialSignFlip(pattern, plain, self.result, self.tag)
            made = Lowered(flip, pattern, (made, signs), "flip")
        return made

    def _packed(self, weights: Array, pattern: Pattern, dwell: int = 0) -> Lowered:
        packing = pack(weights, self.schedule.over(self.size) if dwell else pattern.lanes, dwell)
        operator = PackedMatVec(packing, self.formats[0], self.result, self.tag)
        taken = Demand(self.node.operands[0], Pattern(self.columns, 1))
        return Lowered(operator, pattern, (taken,))
