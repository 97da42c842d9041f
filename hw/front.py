# amaranth: UnusedElaboratable=no
"""The front of schedules: what a program can be on a part, and which of that nothing else beats.

Schedules change no bit of a result, so the choice is of cost and speed alone, and the cost model
judges it before any tool has run. Schedules that make sense are few enough to plan all of them,
but for those that only ask for more than one that is far too large already.
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import Any

from sylvan.model.errors import UserError
from sylvan.model.program import Program

from .beats import shape_of
from .cost import estimate
from .embeddings import check_tables
from .measured import WORDS
from .plan import Plan, widest
from .report import figures
from .schedule import Schedule
from .targets import TARGETS, Target

LIMITED = ("luts", "ffs", "brams", "dsps")
"""What a plan may ask more of than a part has."""
EXCESS = 4 / 3
"""LUTs, in those of the part, from which on schedules that ask for more are not looked at: the
estimate may err, and a wider digit now and then takes a little less."""
MOST_LEVELS = 4
SURE = 0.8
"""Share of an estimated clock rate that a part should reach for certain."""
BUSY = 9 / 10
"""Share of the cycles from which on a core has no time left that more contexts are worth."""

Trying = Callable[[Schedule], None]


@dataclass(frozen=True)
class Candidate:
    """A schedule, and what it should be on a part.

    Attributes:
        keys: the knobs as reports have them.
        estimate: figures under a report's keys; `steps_per_s` over all contexts.
    """

    schedule: Schedule
    keys: Mapping[str, int]
    estimate: Mapping[str, Any]

    @property
    def size(self) -> tuple[int, int]:
        """What is to be small: LUTs, then block RAMs."""
        return self.estimate["luts"], self.estimate["brams"]

    def need(self, target: Target) -> tuple[float, str]:
        """The largest share that it needs of a resource of the part, and which that is."""
        needs = ((self.estimate[key], getattr(target, key), key) for key in LIMITED)
        return max((need / held if held else inf * need, key) for need, held, key in needs if need)


def explore(
    program: Program,
    target: Target,
    *,
    clock_hz: float | None = None,
    contexts: int | None = None,
    dsps: bool = False,
    trying: Trying | None = None,
) -> list[Candidate]:
    """Schedules that should fit the part, the smallest first; each is told to `trying` before.

    They are for so many `contexts`, or without them for as many as find time in the core. Where
    `dsps` are allowed each is looked at with products in DSP blocks, too.
    With a clock those that should not reach it are left out, and steps per second are at that
    clock, reached or not where the estimate knows no rate; else at the highest that it promises.

    Raises:
        UserError: if there is no part, a symbol's table exceeds it, or no schedule can be built,
            fits, or reaches the clock.
    """
    target.allow(dsps)
    if not target.mapped:
        raise UserError(
            f"target {target.name} has no part, so no schedule has a size or a clock rate there; "
            f"take one of {', '.join(larger(target))}"
        )
    check_tables(program, target)
    found: list[Candidate] = []
    too_large: list[Schedule] = []
    refusals: list[UserError] = []
    count = 1 if contexts is None else contexts
    plain = Schedule(1, contexts=count, turns=target.turns)
    # Blocks may be too few for all products of a schedule, which without them may fit.
    allowed = [replace(plain, dsps=True), plain] if dsps else [plain]
    left = deque(schedule for like in allowed for schedule in schedules(program, like))
    if count == 1:
        left.appendleft(Schedule(1, microcode=True))
    while left:
        schedule = left.popleft()
        if any(asks_more(schedule, than) for than in too_large):
            continue
        if trying is not None:
            trying(schedule)
        try:
            plan = Plan(program, schedule)
        except UserError as error:
            if not schedule.microcode:
                refusals.append(error)
            continue
        point = _candidate(plan, target, clock_hz)
        found.append(point)
        if point.estimate["luts"] > EXCESS * (target.luts or 0):
            too_large.append(schedule)
        else:
            left.extendleft(variants(plan, point, contexts is None))
    if not found:
        raise refusals[0]
    return sorted(_possible(found, program, target, clock_hz), key=lambda point: point.size)


def schedules(program: Program, like: Schedule) -> Iterator[Schedule]:
    """Lanes and digits that make sense: each saves cycles that no smaller one does.

    Lanes are powers of two, and what divides the widest vector. Of digits that cut the widest word
    into as many pieces the narrowest serves. What asks for more comes later.
    """
    most = widest(program)
    values = [
        value
        for layer in program.layers
        for value in (
            layer.input,
            *(s.value for s in layer.states),
            *(n.result for n in layer.body),
        )
    ]
    bits = max(shape_of(value.format).width for value in values)
    digits = sorted({-(-bits // pieces) for pieces in range(2, bits + 1)})
    for lanes in range(1, most + 1):
        if most % lanes == 0 or lanes & (lanes - 1) == 0:
            for digit in (*digits, 0):
                yield replace(like, lanes=lanes, digit=digit, turns=like.turns and not digit)


def variants(plan: Plan, point: Candidate, more_contexts: bool) -> Iterator[Schedule]:
    """Of lanes and a digit, the schedules next to a plan that spend them otherwise.

    More adders between registers always save cycles: without a clock rate that is no choice. Twice
    the contexts do as long as a part of the core rests, or as many as leave it no rest.
    """
    if plan.engine:
        return
    schedule, pace, every = plan.schedule, plan.pace, plan.program.readout.read == "every"
    alone = schedule.contexts == 1
    if more_contexts:
        parts = plan.parts if every else [p for layer in plan.layers for p in layer.step.parts]
        busy = max(part.interval for part in parts) if alone else pace.interval
        if schedule.contexts * busy < BUSY * pace.rest:
            most = 2 if alone else -(-pace.rest // busy)
            yield replace(schedule, contexts=min(2 * schedule.contexts, most))
    first = schedule.levels == 1 and (alone or not more_contexts)
    if _unrolled(plan.program, schedule) and first and point.estimate["fmax_mhz"] is not None:
        yield from (replace(schedule, levels=levels) for levels in range(2, MOST_LEVELS + 1))


def for_clock(program: Program, schedule: Schedule, target: Target, clock_hz: float) -> Schedule:
    """The schedule with as many adders between registers as should surely reach a clock.

    One, where the part's clock rate is not estimated or no plan should reach it: registers are cut
    in wherever they can be.
    """
    for levels in range(MOST_LEVELS, 1, -1) if _unrolled(program, schedule) else ():
        deeper = replace(schedule, levels=levels)
        rate = estimate(Plan(program, deeper), target).get("fmax_mhz")
        if rate is not None and rate * 1e6 * SURE >= clock_hz:
            return deeper
    return replace(schedule, levels=1)


def _unrolled(program: Program, schedule: Schedule) -> bool:
    """Whether lanes hold whole vectors of words, whose adders may stand in a row."""
    return not schedule.digit and schedule.lanes == widest(program)


def asks_more(schedule: Schedule, than: Schedule) -> bool:
    """Whether a schedule passes no fewer bits on as many lanes, for as many contexts."""
    if than.microcode:
        return False
    wider = schedule.digit == 0 or 0 < than.digit <= schedule.digit
    return schedule.lanes == than.lanes and wider and than.contexts <= schedule.contexts


def rated(points: Sequence[Candidate]) -> bool:
    """Whether the steps per second of all of them are known."""
    return all(point.estimate["steps_per_s"] for point in points)


def front(points: Sequence[Candidate]) -> list[Candidate]:
    """Those that no other beats, the smallest and slowest first.

    One beats another that is no smaller, by LUTs and then block RAMs, and no faster. Unless all
    are `rated`, faster means in fewer cycles.
    """
    all_rated = rated(points)

    def speed(point: Candidate) -> float:
        said = point.estimate
        return float(said["steps_per_s"] if all_rated else 1 / said["cycles_per_step"])

    kept: list[Candidate] = []
    for point in sorted(points, key=lambda point: (point.size, -speed(point))):
        if not kept or speed(point) > speed(kept[-1]):
            kept.append(point)
    return kept


def larger(target: Target) -> dict[str, Target]:
    """Parts with more LUTs, the smallest first."""
    parts = [part for part in TARGETS.values() if (part.luts or 0) > (target.luts or 0)]
    return {part.name: part for part in sorted(parts, key=lambda part: part.luts or 0)}


def _candidate(plan: Plan, target: Target, clock_hz: float | None) -> Candidate:
    said = figures(estimate(plan, target))
    if clock_hz is not None:
        said["steps_per_s"] = clock_hz / said["cycles_per_step"]
    return Candidate(plan.schedule, plan.schedule_keys(), said)


def _possible(
    found: list[Candidate], program: Program, target: Target, clock_hz: float | None
) -> list[Candidate]:
    """Those that should fit and, where a clock is told, reach it."""
    fitting = [point for point in found if point.need(target)[0] <= 1]
    if not fitting:
        least = min(found, key=lambda point: point.need(target))
        _, key = least.need(target)
        raise UserError(
            f"no schedule should fit {target.name}: the one that comes closest, {least.schedule}, "
            f"needs about {least.estimate[key]:,} {WORDS[key]} of its {getattr(target, key):,}. "
            + _holder(Plan(program, least.schedule), target)
        )
    if clock_hz is None:
        return fitting
    slow = [p for p in fitting if (rate := p.estimate["fmax_mhz"]) and rate * 1e6 < clock_hz]
    if len(slow) == len(fitting):
        best = max(slow, key=lambda point: point.estimate["fmax_mhz"])
        raise UserError(
            f"no schedule should reach a clock of {clock_hz / 1e6:g} MHz on {target.name}: the "
            f"fastest, {best.schedule}, reaches about {best.estimate['fmax_mhz']:.1f} MHz"
        )
    return [point for point in fitting if point not in slow]


def _holder(plan: Plan, target: Target) -> str:
    """Which larger part should hold a plan."""
    for name, part in larger(target).items():
        if _candidate(plan, part, None).need(part)[0] <= 1:
            return f"{name} should hold it."
    return "No larger part should: take fewer hidden units."
