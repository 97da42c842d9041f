from typing import Any

from amaranth import Mux
from contracts.tables import (
    AWKWARD,
    LOPSIDED,
    NEGATIVE,
    SIGNED,
    UNSIGNED,
    Case,
    Fault,
    Formats,
    unary,
)
from sylvan.hw.operators.elementwise import PhaseShift
from sylvan.model.operations.moves import Exponent
from torch import Tensor

SHIFTS = ((-3,), (-1, 0), (3, -1, -1), (2, 2))
PHASED = [
    Case(Exponent(shifts), ((n, f),))
    for n in AWKWARD
    for shifts in ((-1, 0), (0, -3))
    for f in (SIGNED, UNSIGNED, NEGATIVE)
]
CASES = PHASED + [
    case
    for shifts in ((-3,), (2, 2), (3, -1, -1))
    for case in unary(Exponent(shifts), (1, 9), (SIGNED, LOPSIDED, NEGATIVE))
]


def reference(o: Exponent, phase: int, formats: Formats, a: Tensor) -> Tensor:
    return a * 2.0 ** o.shifts[phase % len(o.shifts)]


REFUSED = [
    (lambda: Exponent(()), "exponent needs at least one shift"),
    (lambda: Exponent((0.5,)), "shifts of exponent must be an integer, got 0.5"),
    (lambda: Exponent((True,)), "shifts of exponent must be an integer, got True"),
]


def _always_the_first(lane: Any) -> Any:
    return lambda self, a: a << self.shifts[0]


def _phase_behind(lane: Any) -> Any:
    def wrong(self: Any, a: Any) -> Any:
        return Mux(self.a.tag.phase == 0, a << self.shifts[-1], a << self.shifts[0])

    return wrong


FAULTS = [
    Fault("the phase is not looked at", PhaseShift, "lane", _always_the_first),
    Fault("shifts of another phase", PhaseShift, "lane", _phase_behind),
]
