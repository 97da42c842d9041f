"""Candidates of a front with the figures that a test gives them."""

from sylvan.hw.front import Candidate
from sylvan.hw.report import figures
from sylvan.hw.schedule import Schedule


def candidate(
    luts: int,
    brams: int = 0,
    *,
    cycles: int = 10,
    closing: int | None = None,
    mhz: float | None = None,
    contexts: int = 1,
    lanes: int = 1,
) -> Candidate:
    """One of so many lanes in whole words; it closes in as many cycles as it steps by default."""
    schedule = Schedule(lanes, contexts=contexts)
    said = figures(
        luts=luts,
        ffs=luts,
        brams=brams,
        fmax_mhz=mhz,
        cycles_per_step=cycles,
        closing_cycles=closing or cycles,
    )
    return Candidate(schedule, schedule.keys(12), said)
