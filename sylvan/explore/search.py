"""The search: networks are trained and planned, then what is near the front is built."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from distributed import Client, Future, as_completed

from . import work
from .crew import outcome, submit
from .networks import Network
from .outlook import Asked
from .placing import Builds
from .points import Found, Point, mark_fronts, points_of, shown
from .proposals import Proposals
from .spec import Spec
from .store import Result, key_of
from .work import Place

AHEAD = 2
"""Networks under way for each worker, so that none waits."""

Say = Callable[[str, float | None], None]
"""Is told what goes on, and the share that is done where it is known."""


@dataclass
class Search:
    """A spec at work, and what came of it so far.

    Attributes:
        founds: networks that are done. points: of these. fronts: of these, by part.
        trained, reused: runs that were trained now, and before. seconds: of training now.
    """

    spec: Spec
    place: Place
    say: Say = lambda text, done: None
    founds: list[Found] = field(default_factory=list)
    points: list[Point] = field(default_factory=list)
    fronts: dict[str, list[Point]] = field(default_factory=dict)
    trained: int = 0
    reused: int = 0
    seconds: float = 0.0

    def __post_init__(self) -> None:
        spec = self.spec
        self.asked = Asked.of(spec.targets, spec.schedules, spec.clock_hz, spec.question)
        self.builds = Builds(self.place, spec.search.builds)
        self.tests: dict[str, Result] = {}
        self._runs: set[str] = set()

    def run(self, client: Client) -> None:
        """Everything; what is known is not done again."""
        self._networks(client)
        # They end in any order: what is told of them is in that of the axes.
        self.founds.sort(key=lambda found: found.network.choice)
        self.points = self._points(self.founds)
        self.builds.take_up(self.points)
        self.builds.build(client, self.spec.question, self._look, self.say)
        self._test(client)
        self._look()

    def _networks(self, client: Client) -> None:
        spec = self.spec
        proposals = Proposals(spec.space, spec.search, spec.question, self._known())
        queue = iter(proposals)
        under_way: dict[str, Network] = {}
        finished = as_completed()

        def follow(future: Future, network: Network) -> None:
            under_way[str(future.key)] = network
            finished.add(future)

        def fill() -> None:
            room = AHEAD * max(1, len(client.nthreads())) - len(under_way)
            first = self._outlook if self.asked.bounds else self._trained
            for network in islice(queue, max(0, room)):
                follow(first(client, network), network)

        fill()
        for future in finished:
            network, result = under_way.pop(str(future.key)), outcome(future)
            if isinstance(result, Result) and result.failure is None:
                follow(self._trained(client, network), network)
                continue
            found = self._taken(network, result)
            self.founds.append(found)
            proposals.tell(network, [point.figures for point in self._points([found])])
            self.say(
                f"{len(self.founds)} of {proposals.most} networks done",
                len(self.founds) / proposals.most,
            )
            fill()

    def _known(self) -> list[Network]:
        """Networks of the space that an earlier search trained and exported."""
        if self.spec.search.method == "grid":
            return []
        keys = {}
        for network in self.spec.space.networks():
            run = key_of("run", work.run_of(network.config.tree()))
            keys[key_of("program", work.program_of(run, network.state_bits))] = network
        known = self.place.store.among(keys)
        return [network for key, network in keys.items() if key in known and known[key].outcome]

    def _outlook(self, client: Client, network: Network) -> Future:
        given = self.place, network.config.tree(), network.state_bits, self.asked
        return submit(client, f"outlook-{network.identity}", work.outlook, *given)

    def _trained(self, client: Client, network: Network) -> Future:
        """Trains, exports and plans; networks that differ in their state alone share a run."""
        tree, place, name = network.config.tree(), self.place, network.identity
        run_name = f"run-{key_of('run', work.run_of(tree))}"
        run = submit(client, run_name, work.train, place, tree)
        program = submit(client, f"program-{name}", work.export, place, run, network.state_bits)
        plans = []
        for part, contexts in self.asked.plans:
            given = place, program, part.name, contexts, self.asked.schedules.dsps
            key = f"plans-{name}-{part.name}-{contexts}"
            plans.append(submit(client, key, work.plan, *given, self.asked.clock_hz))
        return submit(client, f"network-{name}", _together, run, program, *plans)

    def _taken(self, network: Network, result: Any) -> Found:
        """What came of a network: one failed result, or those of all its stages."""
        found = Found(network)
        if isinstance(result, Result):
            found.failure = result.kind, str(result.failure)
            return found
        run, program, *plans = result
        if run.key not in self._runs and run.failure is None:
            self._runs.add(run.key)
            self.trained += run.fresh
            self.reused += not run.fresh
            self.seconds += run.seconds if run.fresh else 0
        for stage in (run, program):
            if stage.failure is not None:
                found.failure = stage.kind, stage.failure
                return found
        found.run, found.program = run, program
        for (part, _), plan in zip(self.asked.plans, plans, strict=True):
            found.plans.setdefault(part.name, []).append(plan)
        return found

    def _points(self, founds: Sequence[Found]) -> list[Point]:
        spec = self.spec
        admits = spec.schedules.admits
        return points_of(founds, admits, spec.clock_hz, self.builds.known, self.tests)

    def _look(self) -> dict[str, list[Point]]:
        """Points and fronts by what is known now."""
        self.points = self._points(self.founds)
        self.fronts = mark_fronts(self.points, self.spec.question)
        return self.fronts

    def _test(self, client: Client) -> None:
        """Score the programs of the fronts on test data."""
        on_fronts = [point for points in self.fronts.values() for point in points]
        programs = {p.found.program.key: p.found.program for p in on_fronts if p.found.program}
        futures = {
            key: submit(client, f"test-{key}", work.test, self.place, program)
            for key, program in programs.items()
        }
        self.say(f"scoring {len(futures)} programs of the fronts on test data", None)
        self.tests = {key: outcome(future) for key, future in futures.items()}

    @property
    def failures(self) -> Iterator[dict[str, Any]]:
        """What failed, and why, as data."""
        for found in self.founds:
            network = shown(found.network)
            if found.failure is not None:
                stage, reason = found.failure
                yield {"network": network, "stage": stage, "target": None, "reason": reason}
            for target, plans in found.plans.items():
                for plan in plans:
                    if plan.failure is not None:
                        told = {"stage": "plan", "target": target, "reason": plan.failure}
                        yield {"network": network} | told
        for point in self.points:
            if point.refusal is not None:
                told = {"stage": "build", "target": point.target, "reason": point.refusal}
                yield {"network": shown(point.found.network)} | told

    @property
    def spent(self) -> dict[str, float]:
        """What was done, as data."""
        return {
            "trained": self.trained,
            "reused": self.reused,
            "seconds_training": self.seconds,
            "planned": len(self.points),
            "built": self.builds.count,
            "seconds_building": self.builds.seconds,
        }


def _together(*results: Result) -> tuple[Result, ...]:
    return results
