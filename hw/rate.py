# amaranth: UnusedElaboratable=no
"""The smallest schedule that sustains a rate: chosen by the estimate, verified by the real tools.

An estimate may err, so what it chose is built; where that falls short, the next one is, and how far
off the last estimate was corrects what is expected of the rest.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sylvan.model.errors import UserError
from sylvan.model.program import Program

from .front import LIMITED, Candidate, Trying, explore, larger, rated
from .measured import DoesNotFit, TooSlow
from .plan import Plan
from .report import Report
from .schedule import Schedule
from .synthesis import reference_fmax
from .targets import TARGETS, Target

OF_FMAX = 0.9
"""Share of its placed clock rate that a design is run at where no clock is given: the rate is for
nominal conditions, and a user's own seeds and pins move it."""
MOST_BUILDS = 6
"""Schedules that are built before it is said that none serves; each takes a minute or several."""


@dataclass(frozen=True)
class Rate:
    """Timesteps that each context is to take in a second, one after the other without a pause.

    Parameters:
        steps_per_s: R, above 0.
        clock_hz: of the board; without it a design runs at `OF_FMAX` of its placed clock rate.
        timesteps: of a sequence. A program that is read at the last timestep takes longer there;
            with them this counts by the mean over a sequence, without them ordinary ones count.
        contexts: sequences at once.
        dsps: whether products may be made by DSP blocks.
    """

    steps_per_s: float
    clock_hz: float | None = None
    timesteps: int | None = None
    contexts: int = 1
    dsps: bool = False

    def __post_init__(self) -> None:
        for name, given in (("rate", self.steps_per_s), ("clock", self.clock_hz)):
            if given is not None and not 0 < given < float("inf"):
                raise UserError(f"the {name} must be above 0 in Hz, got {given}")
        if self.timesteps is not None and self.timesteps < 1:
            raise UserError(f"a sequence has at least 1 timestep, got {self.timesteps}")

    def cycles(self, point: Candidate) -> float:
        """Mean distance of two timesteps of a context, all contexts taking turns."""
        ordinary, closing = (point.estimate[k] for k in ("cycles_per_step", "closing_cycles"))
        closings = 1 / self.timesteps if self.timesteps else 0
        mean = ordinary + (closing - ordinary) * closings
        return float(mean * point.keys["contexts"])

    def sustained(self, point: Candidate, fmax_mhz: float) -> float:
        """Timesteps per second of each context, if the point reaches that clock rate."""
        return (self.clock_hz or OF_FMAX * fmax_mhz * 1e6) / self.cycles(point)

    def margin(self, point: Candidate, fmax_mhz: float) -> float:
        """How many times over the point does what is asked; below 1 it falls short."""
        margin = self.sustained(point, fmax_mhz) / self.steps_per_s
        return min(margin, fmax_mhz / (self.clock_hz / 1e6)) if self.clock_hz else margin


@dataclass(frozen=True)
class Choice:
    """What was chosen and built, and timesteps per second of each context: as it was expected (None
    where the estimate knew no clock rate) and as placed."""

    point: Candidate
    report: Report
    expected: float | None
    sustained: float


def build_for_rate(
    program: Program,
    target: Target,
    rate: Rate,
    make: Callable[[Schedule], Report],
    *,
    trying: Trying | None = None,
    say: Callable[[str], None] = lambda text: None,
    reference: Callable[[int, Target], float] = reference_fmax,
) -> Choice:
    """Build the schedule of the fewest LUTs, then block RAMs, that sustains the rate on the part.

    Parameters:
        make: builds a schedule; raises DoesNotFit, or returns the report of the placed design.
        trying: is told each schedule that is estimated. say: what is built, and what fell short.
        reference: MHz of a bare adder of so many bits. Where neither the estimate knows a clock
            rate nor a clock is given, that is expected until a schedule is placed.

    Raises:
        UserError: if no schedule can be built or fits; if none should sustain the rate, naming the
            fastest and a larger part that would; if those that should fall short when placed.
    """
    if target.mapped and not target.placed:
        raise UserError(
            f"{target.name} is synthesized only, so no clock rate is measured that a rate could be "
            f"verified by; take one of {', '.join(_placed(TARGETS))}"
        )
    points = _explored(program, target, rate, trying)
    unknown = (rate.clock_hz or 0) / 1e6
    if not unknown and not rated(points):
        unknown = reference(Plan(program, points[0].schedule).state_width, target)

    def promised(point: Candidate) -> float:
        return float(point.estimate["fmax_mhz"] or unknown)

    left = [point for point in points if rate.margin(point, promised(point)) >= 1]
    if not left:
        best = max(points, key=lambda point: rate.margin(point, promised(point)))
        raise UserError(
            f"no schedule should sustain {shown(rate.steps_per_s)} timesteps per second on "
            f"{target.name}; the fastest, {best.schedule}, should reach "
            f"{shown(rate.sustained(best, promised(best)))} at {_clock(rate, promised(best))}. "
            + _faster(program, target, rate, promised, trying)
        )
    correction = 1.0
    short: list[str] = []
    while left and len(short) < MOST_BUILDS:
        margins = [rate.margin(point, promised(point) * correction) for point in left]
        likely = next((k for k, margin in enumerate(margins) if margin >= 1), None)
        point = left.pop(margins.index(max(margins)) if likely is None else likely)
        say(f"builds {point.schedule}: about {point.estimate['luts']:,} LUTs")
        try:
            report = make(point.schedule)
        except TooSlow as error:
            placed = error.fmax_mhz
        except DoesNotFit as error:
            if error.resource not in LIMITED:
                raise
            short.append(f"{point.schedule}: needs {error.needed:,} {error.resource}")
            most = point.estimate[error.resource]
            left = [other for other in left if other.estimate[error.resource] < most]
            say(f"falls short: {short[-1]}")
            continue
        else:
            placed = report["measured"]["fmax_mhz"]
            if rate.margin(point, placed) >= 1:
                known = point.estimate["fmax_mhz"]
                expected = known and rate.sustained(point, known)
                return Choice(point, report, expected, rate.sustained(point, placed))
        correction = placed / promised(point)
        short.append(f"{point.schedule}: {_reached(rate, point, placed)}")
        say(f"falls short: {short[-1]}")
    raise UserError(
        f"nothing that was placed on {target.name} sustains {shown(rate.steps_per_s)} timesteps "
        f"per second: {'; '.join(short)}" + (f"; {len(left)} more were not tried" if left else "")
    )


def _explored(
    program: Program, target: Target, rate: Rate, trying: Trying | None
) -> list[Candidate]:
    return explore(
        program,
        target,
        clock_hz=rate.clock_hz,
        contexts=rate.contexts,
        dsps=rate.dsps,
        trying=trying,
    )


def _placed(parts: Mapping[str, Target]) -> dict[str, Target]:
    """Those of the parts that designs are placed on."""
    return {name: part for name, part in parts.items() if part.placed}


def shown(rate: float) -> str:
    """A rate for a sentence."""
    return f"{rate:,.0f}" if 100 <= rate < 1e9 else f"{rate:.3g}"


def _clock(rate: Rate, fmax_mhz: float) -> str:
    """The clock that a design of so many MHz runs at."""
    return f"{rate.clock_hz / 1e6:g} MHz" if rate.clock_hz else f"{OF_FMAX:g} of {fmax_mhz:.1f} MHz"


def _reached(rate: Rate, point: Candidate, fmax_mhz: float) -> str:
    if rate.clock_hz is not None:
        return f"placed at {fmax_mhz:.1f} MHz, below {rate.clock_hz / 1e6:g} MHz"
    return f"placed at {fmax_mhz:.1f} MHz, sustains {shown(rate.sustained(point, fmax_mhz))}"


def _faster(
    program: Program,
    target: Target,
    rate: Rate,
    promised: Callable[[Candidate], float],
    trying: Trying | None,
) -> str:
    """The smallest part that should do it, at the clock rates that are promised here."""
    for name, part in _placed(larger(target)).items():
        try:
            points = _explored(program, part, rate, trying)
        except UserError:
            continue
        for point in points:
            if rate.margin(point, promised(point)) >= 1:
                return f"{name} should sustain it with {point.schedule}."
    return "No larger part should."
