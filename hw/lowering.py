# amaranth: UnusedElaboratable=no
"""Which operator realises which operation, in which pattern of beats.

One class per operation. A consumer demands a value in a pattern; the lowering answers with an
operator and with the patterns it demands of its operands in turn. What an operator cannot produce
in a demanded pattern, it produces in its natural one, and a buffer turns the order.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from sylvan.model import matrices
from sylvan.model.arrays import Array
from sylvan.model.errors import UserError
from sylvan.model.numbers import Format
from sylvan.model.operations import Operation, Value, arithmetic, constants, moves
from sylvan.model.program import Node

from .beats import Pattern
from .operators.argmax import ArgMax
from .operators.base import Operator
from .operators.elementwise import AddSub, Multiply, Neg, PhaseShift, Relu, SignFlip
from .operators.hadamard import Hadamard
from .operators.matvec import InnerMatVec, OuterMatVec
from .operators.narrow import Narrow
from .operators.rom import LookupRom, Rom, pack_beats
from .schedule import Schedule


@dataclass(frozen=True)
class Demand:
    """A value wanted in a pattern."""

    value: Value
    pattern: Pattern


@dataclass(frozen=True)
class Lowered:
    """An operator, the pattern of its result, and where its operands come from.

    `role` tells operators of one node apart: its own result has none.
    """

    operator: Operator
    pattern: Pattern
    operands: tuple["Demand | Lowered", ...] = ()
    role: str = ""


class Lowering:
    """How one operation becomes hardware, for one node under one schedule.

    `dwell_of` tells how many cycles an element of a value takes on a single lane.
    """

    registry: ClassVar[dict[type[Operation], type["Lowering"]]] = {}

    def __init__(
        self, node: Node, schedule: Schedule, period: int, dwell_of: Callable[[Value], int]
    ) -> None:
        self.node = node
        self.dwell_of = dwell_of
        self.schedule = schedule
        self.period = period
        self.size = node.result.size
        self.result = node.result.format
        self.formats = [v.format for v in node.operands]

    @property
    def dwell(self) -> int:
        """Cycles per element that this operation needs on a single lane."""
        return max((self.dwell_of(v) for v in self.node.operands), default=1)

    def natural(self, pattern: Pattern) -> Pattern:
        """The pattern closest to the one demanded that the operator produces by itself."""
        return pattern

    def lower(self, pattern: Pattern) -> "Lowered | Demand":
        """The operator for a natural pattern; a Demand where the value merely has a new name."""
        raise NotImplementedError

    def passed(self, pattern: Pattern) -> tuple[Demand, ...]:
        """All operands in the pattern of the result."""
        return tuple(Demand(v, pattern) for v in self.node.operands)

    def rom(self, vectors: Array, pattern: Pattern, format: Format, role: str) -> Lowered:
        """Constant vectors (phases, size) passing in `pattern`."""
        words = pack_beats(vectors, pattern.lanes)
        return Lowered(Rom(words, pattern, format, self.period), pattern, role=role)


def lowers(*kinds: type[Operation]) -> Callable[[type[Lowering]], type[Lowering]]:
    """Register a lowering for operations of `kinds`."""

    def register(lowering: type[Lowering]) -> type[Lowering]:
        Lowering.registry |= dict.fromkeys(kinds, lowering)
        return lowering

    return register


def lowering(
    node: Node, schedule: Schedule, period: int, dwell_of: Callable[[Value], int]
) -> Lowering:
    """The lowering of a node. Raises UserError, naming the operation, if it has no hardware."""
    kind = type(node.operation)
    if kind not in Lowering.registry:
        known = sorted(k.kind for k in Lowering.registry)
        raise UserError(
            f"{node.result.name}: the operation {kind.kind!r} has no hardware yet; "
            f"there is hardware for {', '.join(known)}"
        )
    return Lowering.registry[kind](node, schedule, period, dwell_of)


@lowers(arithmetic.Add, arithmetic.Sub)
class _AddSub(Lowering):
    def lower(self, pattern: Pattern) -> Lowered:
        subtract = isinstance(self.node.operation, arithmetic.Sub)
        operator = AddSub(pattern.lanes, self.formats, self.result, self.period, subtract)
        return Lowered(operator, pattern, self.passed(pattern))


@lowers(arithmetic.Neg)
class _Neg(Lowering):
    def lower(self, pattern: Pattern) -> Lowered:
        operator = Neg(pattern.lanes, self.formats, self.result, self.period)
        return Lowered(operator, pattern, self.passed(pattern))


@lowers(arithmetic.Relu)
class _Relu(Lowering):
    def lower(self, pattern: Pattern) -> Lowered:
        operator = Relu(pattern.lanes, self.formats, self.result, self.period)
        return Lowered(operator, pattern, self.passed(pattern))


@lowers(arithmetic.Mul)
class _Mul(Lowering):
    def lower(self, pattern: Pattern) -> Lowered:
        operator = Multiply(pattern.lanes, self.formats, self.result, self.period)
        return Lowered(operator, pattern, self.passed(pattern))


@lowers(constants.Scale)
class _Scale(Lowering):
    def lower(self, pattern: Pattern) -> Lowered:
        operation = self.node.operation
        assert isinstance(operation, constants.Scale)
        raw = operation.factors
        factor = Format(int(raw.min()), int(raw.max()), operation.exp)
        vectors = np.broadcast_to(raw, (len(raw), self.size))
        if raw.shape[1] == 1:
            # One word serves every beat: it stays for the whole passage.
            held = Pattern(pattern.lanes, pattern.lanes, pattern.cycles)
            rom = self.rom(vectors[:, : pattern.lanes], held, factor, "factors")
        else:
            rom = self.rom(vectors, pattern, factor, "factors")
        operator = Multiply(pattern.lanes, [*self.formats, factor], self.result, self.period)
        return Lowered(operator, pattern, (*self.passed(pattern), rom))


@lowers(constants.Const)
class _Const(Lowering):
    def lower(self, pattern: Pattern) -> Lowered:
        operation = self.node.operation
        assert isinstance(operation, constants.Const)
        return self.rom(operation.raw, pattern, self.result, "")


@lowers(constants.Lookup)
class _Lookup(Lowering):
    def lower(self, pattern: Pattern) -> Lowered:
        operation = self.node.operation
        assert isinstance(operation, constants.Lookup)
        words = pack_beats(operation.table, pattern.lanes)
        (symbol,) = self.node.operands
        rom = LookupRom(words, pattern, self.result, symbol.format, self.period)
        return Lowered(rom, pattern, (Demand(symbol, Pattern(1, 1, pattern.cycles)),))


@lowers(moves.Exponent)
class _Exponent(Lowering):
    def lower(self, pattern: Pattern) -> Lowered | Demand:
        operation = self.node.operation
        assert isinstance(operation, moves.Exponent)
        shifts = [operation.left_shift(phase) for phase in range(operation.period)]
        if not any(shifts):
            return Demand(self.node.operands[0], pattern)
        operator = PhaseShift(pattern.lanes, self.formats, self.result, self.period, shifts)
        return Lowered(operator, pattern, self.passed(pattern))


@lowers(moves.Narrow)
class _Narrow(Lowering):
    def lower(self, pattern: Pattern) -> Lowered:
        operation = self.node.operation
        assert isinstance(operation, moves.Narrow)
        operator = Narrow(
            pattern.lanes,
            self.formats[0],
            operation.target,
            operation.rounding,
            operation.overflow,
            self.period,
        )
        return Lowered(operator, pattern, self.passed(pattern))


@lowers(moves.ArgMax)
class _ArgMax(Lowering):
    dwell = 1

    def natural(self, pattern: Pattern) -> Pattern:
        return Pattern(1, 1)

    def lower(self, pattern: Pattern) -> Lowered:
        (a,) = self.node.operands
        elements = Pattern(a.size, 1, self.dwell_of(a))
        operator = ArgMax(elements, a.format, self.result, self.period)
        return Lowered(operator, pattern, (Demand(a, elements),))


@lowers(constants.MatVec)
class _MatVec(Lowering):
    """Hadamard matrices by the transform; dense ones by inner or outer products.

    Inner products where single elements with the right dwell are demanded (few rows, a readout),
    outer products where the result must come in beats (few columns, an input).
    """

    def __init__(
        self, node: Node, schedule: Schedule, period: int, dwell_of: Callable[[Value], int]
    ) -> None:
        super().__init__(node, schedule, period, dwell_of)
        assert isinstance(node.operation, constants.MatVec)
        self.matrix = node.operation.matrix
        self.columns = self.matrix.shape[1]
        self.column_lanes = schedule.over(self.columns)
        self.row_dwell = Pattern(self.columns, self.column_lanes).beats

    @property
    def dwell(self) -> int:
        return 1 if isinstance(self.matrix, matrices.Hadamard) else self.row_dwell

    def natural(self, pattern: Pattern) -> Pattern:
        if isinstance(self.matrix, matrices.Hadamard):
            if pattern.dwell == 1:
                return pattern
        elif pattern.lanes == 1 and pattern.dwell >= self.row_dwell:
            return Pattern(self.size, 1, self.row_dwell)
        elif pattern.dwell == 1 and pattern.repeats == 1:
            return pattern
        return Pattern(self.size, self.schedule.over(self.size))

    def lower(self, pattern: Pattern) -> Lowered:
        if isinstance(self.matrix, matrices.Hadamard):
            return self._transform(self.matrix, pattern)
        if pattern.lanes == 1 and pattern.dwell == self.row_dwell:
            return self._inner(self.matrix.dense())
        return self._outer(self.matrix.dense(), pattern)

    def _transform(self, matrix: matrices.Hadamard, pattern: Pattern) -> Lowered:
        source = self.formats[0]
        plain = matrices.Hadamard(matrix.block, np.ones_like(matrix.signs)).interval(source)
        try:
            operator = Hadamard(pattern.lanes, matrix.block, self.size, source, plain, self.period)
        except ValueError as error:
            raise UserError(f"{self.node.result.name}: {error}") from None
        transformed = Lowered(operator, pattern, self.passed(pattern), "transform")
        if (matrix.signs > 0).all():
            return Lowered(operator, pattern, self.passed(pattern))
        negative = (matrix.signs < 0).astype(np.int64)[None]
        signs = self.rom(negative, pattern, Format(0, 1), "signs")
        flip = SignFlip(pattern.lanes, [plain, Format(0, 1)], self.result, self.period)
        return Lowered(flip, pattern, (transformed, signs))

    def _inner(self, weights: Array) -> Lowered:
        pattern = Pattern(self.size, 1, self.row_dwell)
        taken = Pattern(self.columns, self.column_lanes, 1, self.size)
        words = pack_beats(weights, taken.lanes).reshape(1, -1)
        order = Pattern(words.size, taken.lanes)
        format = Format(int(weights.min()), int(weights.max()))
        operator = InnerMatVec(
            weights, taken.lanes, self.formats[0], format, self.result, self.period
        )
        operands = (
            Demand(self.node.operands[0], taken),
            self.rom(words, order, format, "weights"),
        )
        return Lowered(operator, pattern, operands)

    def _outer(self, weights: Array, pattern: Pattern) -> Lowered:
        taken = Pattern(self.columns, 1, pattern.beats)
        words = pack_beats(weights.T, pattern.lanes).reshape(1, -1)
        order = Pattern(words.size, pattern.lanes)
        format = Format(int(weights.min()), int(weights.max()))
        operator = OuterMatVec(
            weights, pattern.lanes, self.formats[0], format, self.result, self.period
        )
        operands = (
            Demand(self.node.operands[0], taken),
            self.rom(words, order, format, "weights"),
        )
        return Lowered(operator, pattern, operands)
