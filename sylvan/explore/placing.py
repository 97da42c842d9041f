"""Cores that are built: along the fronts, until enough of each is measured."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from distributed import Client, as_completed

from . import work
from .crew import outcome, submit
from .points import Point, to_build
from .questions import Question
from .store import Result, key_of
from .work import Place

FALLS = 2
"""Builds of a part, for each one that is wanted, before the rest of its front stays estimated: what
is built may turn out to be off the front."""


@dataclass
class Builds:
    """What was built of a search, by the identity of points.

    Parameters:
        place: of the search. wanted: points of each front that are to be measured.
    """

    place: Place
    wanted: int
    known: dict[str, Result] = field(default_factory=dict)
    count: int = 0
    seconds: float = 0.0

    def take_up(self, points: Sequence[Point]) -> None:
        """Note what an earlier search built of these points."""
        keys = {
            key_of("build", work.build_of(*point.build_arguments)): point.identity
            for point in points
        }
        for key, result in self.place.store.among(keys).items():
            if result.failure is not None or self.place.holds_build(result.outcome):
                self.known[keys[key]] = result

    def build(
        self,
        client: Client,
        question: Question,
        fronts: Callable[[], dict[str, list[Point]]],
        say: Callable[[str, float | None], None],
    ) -> None:
        """Build points of the `fronts` that are only estimated, until nothing is left to try."""
        tries = dict.fromkeys(fronts(), FALLS * self.wanted)
        while chosen := [
            point
            for target, points in fronts().items()
            for point in to_build(points, question, self.wanted)[: tries[target]]
        ]:
            for point in chosen:
                tries[point.target] -= 1
            self._build(client, chosen, say)

    def _build(
        self, client: Client, chosen: Sequence[Point], say: Callable[[str, float | None], None]
    ) -> None:
        points = {f"build-{point.identity}": point for point in chosen}
        futures = [
            submit(client, name, work.build, self.place, *point.build_arguments)
            for name, point in points.items()
        ]
        say(f"building {len(chosen)} cores", 0.0)
        for done, future in enumerate(as_completed(futures), 1):
            result = outcome(future)
            self.known[points[str(future.key)].identity] = result
            self.count += result.fresh
            self.seconds += result.seconds if result.fresh else 0
            say(f"{done} of {len(chosen)} cores built", done / len(chosen))
