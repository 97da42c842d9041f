"""Narrowing in hardware is exact: every value of small formats, in every mode, against fractions.

Formats of one lane sit side by side in a design, and all count through their values together.
"""

from collections.abc import Iterator
from fractions import Fraction
from itertools import product
from typing import Any

import pytest
from amaranth import Module, Signal
from clocked import run_clocked
from reference import ROUND, into, power
from sylvan.hw.beats import Tag
from sylvan.hw.operators.narrow import Narrow, Narrowing
from sylvan.model.numbers import Format, Overflow, Rounding

# Both signs, lopsided, negative only, positive only, one value, zero alone; ends that are ties and
# ends that are none, beside an even and beside an odd neighbour.
SOURCES = [
    *((-8, 7), (-7, 3), (-6, -2), (-5, 6), (-4, 9), (-3, 0), (-3, 12), (-2, -1), (-1, 0), (0, 0)),
    *((0, 1), (1, 10), (3, 3), (-12, -10)),
]
TARGETS = [(-3, 4), (-4, 3), (-2, 1), (-1, 0), (0, 3), (-5, -2), (2, 2)]
SATURATED = [(-2, 2), (-3, -1), (-8, 8), (-1, 1), (-3, 3), (-7, 7)]
SHIFTS = [(shift, rounding) for shift in (1, 2, 3) for rounding in Rounding]
# Without dropped bits there is nothing to round.
SHIFTS += [(0, Rounding.HALF_EVEN), (-2, Rounding.HALF_UP)]


def narrowings(shift: int) -> Iterator[tuple[Format, Format, Overflow]]:
    for mode in Overflow:
        targets = TARGETS + (SATURATED if mode is Overflow.SATURATE else [])
        for source, target in product(SOURCES, targets):
            yield Format(*source, -shift), Format(*target, 0), mode


def wrong(
    cases: list[tuple[Format, Format, Overflow]], rounding: Rounding, added: bool
) -> list[str]:
    """Values that the hardware of `cases` narrows otherwise than the definition says.

    With one half added before, where that is asked for.
    """
    m = Module()
    operators = [
        Narrow(1, Narrowing(source, target, rounding, mode), Tag(1), added)
        for source, target, mode in cases
    ]
    m.submodules += operators
    clock = Signal()
    m.d.sync += clock.eq(~clock)
    values = [range(source.lo, source.hi + 1) for source, _, _ in cases]
    longest = max(map(len, values))
    found: list[str] = []

    async def bench(context: Any) -> None:
        for cycle in range(longest + 2):
            for operator, raws, (source, target, mode) in zip(
                operators, values, cases, strict=True
            ):
                if cycle < len(raws):
                    narrowing = operator.narrowing
                    fine = (raws[cycle] << source.exp - narrowing.sum.exp) + narrowing.half
                    context.set(operator.a.lanes[0], fine if added else raws[cycle])
                if 0 <= cycle - operator.latency < len(raws):
                    raw = raws[cycle - operator.latency]
                    exact = Fraction(raw) * power(source.exp - target.exp)
                    expected = into(ROUND[rounding](exact), target, mode)
                    got = context.get(operator.o.lanes[0])
                    if got != expected:
                        found.append(
                            f"{source} to {target}, {mode}: {raw} is {expected}, not {got}"
                        )
            await context.tick()

    run_clocked(m, bench)
    return found


@pytest.mark.parametrize("added", [False, True])
@pytest.mark.parametrize("shift, rounding", SHIFTS)
def test_every_value_is_that_of_fractions(shift: int, rounding: Rounding, added: bool) -> None:
    cases = list(narrowings(shift))
    for start in range(0, len(cases), 60):
        found = wrong(cases[start : start + 60], rounding, added)
        assert not found, "\n".join(found[:20])
