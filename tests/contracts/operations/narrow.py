from itertools import product
from typing import Any

import torch
from amaranth import Cat, Const
from contracts.tables import AWKWARD, LOPSIDED, NEGATIVE, SIGNED, UNSIGNED, Case, Fault, Formats
from sylvan.hw.operators.narrow import Narrowing
from sylvan.hw.operators.serial_narrow import SerialNarrow
from sylvan.model.numbers import Format, Overflow, Rounding
from sylvan.model.operations.moves import Narrow
from torch import Tensor

MODES = list(product(Rounding, Overflow))
# source, target: fraction bits dropped 3, 1, 0 (only the interval shrinks), -2 (a finer point), and
# a target wider than the source that wraps what is negative.
DROPPED = [
    (Format(-100, 100, -3), Format(-8, 7)),
    (Format(0, 200, -1), UNSIGNED),
    (Format(-100, 100), Format(-4, 3)),
    (Format(-20, 20), Format(-16, 15, -2)),
    (SIGNED, Format(0, 255, -4)),
]
OTHERS = [
    (Format(-90, 60, -2), LOPSIDED),
    (Format(-200, -3, -2), NEGATIVE),
    (Format(-30, 30, -2), Format(5, 5)),
    (Format(-7, 7, -4), Format(-1, 0, 2)),
    (SIGNED, Format(-8, 7, -2)),
    (Format(3, 99), Format(-2, 1, 3)),
]
CASES = [
    Case(Narrow(target, *mode), ((n, source),))
    for n in AWKWARD
    for source, target in DROPPED
    for mode in MODES
] + [
    Case(Narrow(target, rounding), ((n, source),))
    for n in (1, 9)
    for source, target in OTHERS
    for rounding in Rounding
]


def reference(o: Narrow, phase: int, formats: Formats, a: Tensor) -> Tensor:
    lsb = 2.0**o.target.exp
    rounded = {
        Rounding.HALF_EVEN: torch.round,
        Rounding.HALF_UP: lambda x: torch.floor(x + 0.5),
        Rounding.FLOOR: torch.floor,
    }[o.rounding](a / lsb)
    lo, hi = o.target.lo, o.target.hi
    if o.overflow is Overflow.SATURATE:
        return rounded.clamp(lo, hi) * lsb
    return (torch.remainder(rounded - lo, hi - lo + 1) + lo) * lsb


REFUSED = [
    (
        lambda: Narrow(Format(0, 9), Rounding.FLOOR, Overflow.WRAP),
        r"wrapping needs an interval of 2\*\*k values, got 10",
    ),
    (
        lambda: Narrow(Format(0, 9), "half_even"),
        "narrow needs a Rounding and an Overflow, got 'half_even'",
    ),
]


def _ties_up(rounded: Any) -> Any:
    return lambda self, total: total >> self.dropped


def _ties_down(rounded: Any) -> Any:
    def wrong(self: Any, total: Any) -> Any:
        kept = total >> self.dropped
        if self.half:
            kept = kept - (total[: self.dropped] == 0)
        return kept

    return wrong


def _odd_ties(rounded: Any) -> Any:
    def wrong(self: Any, total: Any) -> Any:
        right = rounded(self, total)
        if not self.half:
            return right
        odd = Cat(right[0] | (total[: self.dropped] == 0), right[1:])
        return odd.as_signed() if self.sum.signed else odd

    return wrong


def _never_clamped(in_range: Any) -> Any:
    return lambda self, value, *beyond: value


def _one_less(in_range: Any) -> Any:
    def wrong(self: Any, *given: Any) -> Any:
        result = in_range(self, *given)
        return result - (result == self.target.hi)

    return wrong


def _never_beyond(beyond: Any) -> Any:
    return lambda *given: Const(0, 1)


def _whole_ties(rounded: Any) -> Any:
    """What is dropped counts as a tie whatever its digits before the last were."""

    def wrong(self: Any, clock: Any, lane: int, total: Any, before: Any, at: Any) -> Any:
        return rounded(self, clock, lane, total, Const(0, 1), at)

    return wrong


FAULTS = [
    Fault("ties go up, not to the even neighbour", Narrowing, "rounded_of", _ties_up),
    Fault("ties go down", Narrowing, "rounded_of", _ties_down),
    Fault("ties go to the odd neighbour", Narrowing, "rounded_of", _odd_ties),
    Fault("nothing is clamped in digits", SerialNarrow, "_beyond", _never_beyond),
    Fault("digits tie too often", SerialNarrow, "_rounded", _whole_ties),
    Fault("nothing is clamped", Narrowing, "in_range", _never_clamped),
    Fault("the largest value is never reached", Narrowing, "in_range", _one_less),
]
