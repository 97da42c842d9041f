"""Points: a network, a part and a schedule, and the best that is known of them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sylvan.hw.report import quality

from .networks import Network, digest
from .questions import Question, front
from .store import Result

MEASURED = ("luts", "ffs", "brams", "dsps", "fmax_mhz")
"""What a build measures; cycles are those of the plan, which the testbench holds a core to."""


@dataclass
class Found:
    """What came of a network, as far as it went.

    Attributes:
        plans: results of planning by part, one for each number of contexts.
        failure: of the network as a whole: the stage and why.
    """

    network: Network
    run: Result | None = None
    program: Result | None = None
    plans: dict[str, list[Result]] = field(default_factory=dict)
    failure: tuple[str, str] | None = None


@dataclass
class Point:
    """One core of one network.

    Attributes:
        schedule: knobs as reports have them. estimate: figures under a report's keys.
        build: what came of building it. test_score: of the program, where it was looked at.
    """

    found: Found
    target: str
    schedule: Mapping[str, Any]
    estimate: Mapping[str, Any]
    clock_hz: float | None
    build: Result | None = None
    test_score: float | None = None
    front: bool = False

    @property
    def identity(self) -> str:
        """Equal where program, part and schedule are."""
        assert self.found.program is not None
        sha = self.found.program.outcome["sha256"]
        return digest([sha, self.target, dict(self.schedule)])

    @property
    def build_arguments(self) -> tuple[Result, str, dict[str, Any], float | None]:
        """What `work.build` is told of it."""
        assert self.found.program is not None
        return self.found.program, self.target, dict(self.schedule), self.clock_hz

    @property
    def measured(self) -> dict[str, Any] | None:
        """What the tools found, if it was built."""
        if self.build is None or self.build.failure is not None:
            return None
        return {key: self.build.outcome["measured"][key] for key in MEASURED}

    @property
    def figures(self) -> dict[str, Any]:
        """The best known of every figure: measured before estimated."""
        known = dict(self.estimate)
        known |= {key: v for key, v in (self.measured or {}).items() if v is not None}
        fmax, cycles = known["fmax_mhz"], known["cycles_per_step"]
        clock = self.clock_hz or (fmax and fmax * 1e6)
        known["steps_per_s"] = clock / cycles if clock and cycles else None
        judged = quality(known["luts"], cycles, fmax, None, None)
        known["lut_ns_per_step"] = judged["lut_ns_per_step"]
        return network_figures(self.found) | known

    def told(self, question: Question) -> dict[str, Any]:
        """The point as data for a page and for other tools."""
        run, program = self.found.run, self.found.program
        assert run is not None and program is not None
        built = self.build is not None and self.build.failure is None
        return {
            "network": shown(self.found.network),
            "target": self.target,
            "schedule": dict(self.schedule),
            "figures": self.figures | {"test_score": self.test_score},
            "estimate": dict(self.estimate),
            "measured": self.measured,
            "meets": question.admits(self.figures) and self.possible,
            "front": self.front,
            "run": run.outcome["folder"],
            "program": program.outcome["folder"],
            "build": self.build.outcome["folder"] if built and self.build else None,
        }

    @property
    def possible(self) -> bool:
        """Whether nothing has shown that it cannot be."""
        return self.refusal is None

    @property
    def refusal(self) -> str | None:
        """Why it cannot be: it was not built, or is slower than the clock of the board."""
        if self.build is not None and self.build.failure is not None:
            return self.build.failure
        fmax = (self.measured or {}).get("fmax_mhz")
        if fmax and self.clock_hz and fmax * 1e6 < self.clock_hz:
            return f"placed at {fmax:.1f} MHz, below {self.clock_hz / 1e6:g} MHz"
        return None


def network_figures(found: Found) -> dict[str, Any]:
    """Figures that no schedule changes; `accuracy` only where the task is scored in percent."""
    assert found.program is not None
    outcome = found.program.outcome
    figures = {key: outcome[key] for key in ("score", "storage_bits", "additions_per_step")}
    figures |= {"state_bits": found.network.state_bits, "hidden": found.network.config.hidden}
    figures["accuracy"] = outcome["score"] / 100 if outcome["unit"] == "%" else None
    return figures


def shown(network: Network) -> dict[str, Any]:
    """A network by its axes and what always tells one from another."""
    config = network.config
    said = {key: getattr(config, key) for key in ("cell", "hidden", "block", "weight_bits", "seed")}
    told = dict(network.axes) | said | {"state_bits": network.state_bits}
    return {key: value for key, value in told.items() if value is not None}


def points_of(
    founds: Iterable[Found],
    admits: Callable[[Mapping[str, Any]], bool],
    clock_hz: float | None,
    builds: Mapping[str, Result],
    tests: Mapping[str, Result],
) -> list[Point]:
    """Every point of the networks whose schedule is one that is looked at."""
    made: dict[str, Point] = {}
    for found in founds:
        for target, plans in found.plans.items():
            for result in plans:
                for keys, estimate in result.outcome or ():
                    if not admits(keys):
                        continue
                    assert found.program is not None
                    point = Point(found, target, keys, estimate, clock_hz)
                    point.build = builds.get(point.identity)
                    test = tests.get(found.program.key)
                    point.test_score = test.outcome["score"] if test and test.outcome else None
                    made.setdefault(point.identity, point)
    return list(made.values())


def mark_fronts(points: Sequence[Point], question: Question) -> dict[str, list[Point]]:
    """The front of each part: of the points that are within all bounds, those that none beats."""
    fronts: dict[str, list[Point]] = {}
    for point in points:
        point.front = False
    for target in dict.fromkeys(point.target for point in points):
        here = [point for point in points if point.target == target and point.possible]
        figures = [(point, point.figures) for point in here]
        admitted = [(point, known) for point, known in figures if question.admits(known)]
        places = front([question.costs(known) for _, known in admitted])
        fronts[target] = [admitted[place][0] for place in places]
        for point in fronts[target]:
            point.front = True
    return fronts


def to_build(points: Sequence[Point], question: Question, wanted: int) -> list[Point]:
    """Points of a front that are only estimated, so that `wanted` of it will be measured.

    Each is the one farthest along the front from those that are; of an untouched front, its ends
    come first.
    """
    along = sorted(points, key=lambda point: question.costs(point.figures))
    taken = [k for k, point in enumerate(along) if point.build is not None]
    left = [k for k in range(len(along)) if k not in taken]
    chosen = []
    while left and len(taken) < wanted:
        place = max(left, key=lambda k: min((abs(k - other) for other in taken), default=-k))
        left.remove(place)
        taken.append(place)
        chosen.append(along[place])
    return chosen
