# amaranth: UnusedElaboratable=no
"""Constants that are words of a ROM: as they are, chosen by symbols or values, or lane by lane."""

from functools import cached_property

from sylvan.model.operations import arithmetic, constants

from ..beats import Pattern
from ..operators.modrelu import ModRelu
from ..operators.rom import LookupRom, pack_beats
from ..operators.table import Table
from .base import Demand, Lowered, Lowering, lowers

MOST_CYCLES = 2
"""What a single lane may take of the cycles of all."""


@lowers(constants.Const)
class _Const(Lowering):
    def natural(self, pattern: Pattern) -> Pattern:
        return pattern

    def lower(self, pattern: Pattern) -> Lowered:
        operation = self.node.operation
        assert isinstance(operation, constants.Const)
        return self.rom(operation.raw, pattern, self.result, "")


@lowers(constants.Lookup)
class _Lookup(Lowering):
    single = False

    def natural(self, pattern: Pattern) -> Pattern:
        return pattern

    def lower(self, pattern: Pattern) -> Lowered:
        operation = self.node.operation
        assert isinstance(operation, constants.Lookup)
        words = pack_beats(operation.table, pattern.lanes)
        (symbol,) = self.node.operands
        rom = LookupRom(
            words, pattern, self.result, symbol.format, self.tag, self.schedule.logic_roms
        )
        return Lowered(rom, pattern, (Demand(symbol, Pattern(1, 1, pattern.cycles)),))


@lowers(constants.Scale)
class _Scale(Lowering):
    def lower(self, pattern: Pattern) -> Lowered:
        operation = self.node.operation
        assert isinstance(operation, constants.Scale)
        rom = self.lanewise(operation.factors, operation.exp, pattern, "factors")
        factor = rom.operator.o.signature.format
        operator = self.multiply(pattern, [*self.formats, factor], self.result)
        return Lowered(operator, pattern, (*self.passed(pattern), rom))


@lowers(constants.Table)
class _Table(Lowering):
    @cached_property
    def single(self) -> bool:
        """Entries in every lane are for products that come faster than by half of one's cycles."""
        cycles = self.size * self.dwell
        return not self.schedule.digit and cycles <= MOST_CYCLES * self.outer_cycles

    def lower(self, pattern: Pattern) -> Lowered:
        operation = self.node.operation
        assert isinstance(operation, constants.Table)
        (source,) = self.formats
        operator = Table(
            pattern.lanes,
            operation.entries,
            source,
            self.result,
            self.tag,
            self.schedule.logic_roms,
        )
        return Lowered(operator, pattern, self.passed(pattern))


@lowers(arithmetic.ModRelu)
class _ModRelu(Lowering):
    def lower(self, pattern: Pattern) -> Lowered:
        operation = self.node.operation
        assert isinstance(operation, arithmetic.ModRelu)
        bias = self.lanewise(operation.bias[None], self.result.exp, pattern, "bias")
        formats = [*self.formats, bias.operator.o.signature.format]
        operator = ModRelu(pattern.lanes, formats, self.result, self.tag)
        return Lowered(operator, pattern, (*self.passed(pattern), bias))
