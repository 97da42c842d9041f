# amaranth: UnusedElaboratable=no
"""Constants that pass as words of a ROM: as they are, chosen by a symbol, or as factors."""

import numpy as np
from sylvan.model.numbers import Format
from sylvan.model.operations import constants

from ..beats import Pattern
from ..operators.elementwise import Multiply
from ..operators.rom import LookupRom, pack_beats
from .base import Demand, Lowered, Lowering, lowers


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
        raw = operation.factors
        factor = Format(int(raw.min()), int(raw.max()), operation.exp)
        vectors = np.broadcast_to(raw, (len(raw), self.size))
        if raw.shape[1] == 1:
            # One word serves every beat: it stays for the whole passage.
            held = Pattern(pattern.lanes, pattern.lanes, pattern.cycles)
            rom = self.rom(vectors[:, : pattern.lanes], held, factor, "factors")
        else:
            rom = self.rom(vectors, pattern, factor, "factors")
        formats, dsps = [*self.formats, factor], self.schedule.dsps
        operator = Multiply(pattern.lanes, formats, self.result, self.tag, dsps)
        return Lowered(operator, pattern, (*self.passed(pattern), rom))
