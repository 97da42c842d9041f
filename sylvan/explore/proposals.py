"""Which network to look at next: all, a seeded sample, or what Optuna makes of those before."""

import itertools
import random
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, IntDistribution

from .networks import Network, Space
from .questions import Question
from .ranges import Value
from .spec import Search

REPEATS = 50
"""Proposals of networks that were proposed before, in a row, after which the next is drawn."""
MOST_BORN = 50
"""Networks of a generation, at most."""


class Proposals:
    """Networks one after the other, until they are as many as the search allows.

    Parameters:
        known: networks of the space that are trained and exported already: they come first, and
            count.

    Attributes:
        most: networks at most.
    """

    def __init__(
        self, space: Space, search: Search, question: Question, known: Sequence[Network]
    ) -> None:
        self.most = search.networks or sum(1 for _ in space.networks())
        self._chosen = _Sampler(space, search, question) if search.method in SAMPLERS else None
        rest: Iterable[Network]
        if search.method == "grid":
            rest = space.networks()
        elif self._chosen is None:
            rest = _shuffled(space, search.seed)
        else:
            rest = self._chosen.networks()
        self._left = itertools.islice(_once(itertools.chain(known, rest)), self.most)

    def __iter__(self) -> Iterator[Network]:
        return self._left

    def tell(self, network: Network, points: Sequence[dict[str, Any]]) -> None:
        """What came of a network: the figures of its points, none where it failed."""
        if self._chosen is not None:
            self._chosen.tell(network, points)


def _once(networks: Iterable[Network]) -> Iterator[Network]:
    seen = set()
    for network in networks:
        if network.identity not in seen:
            seen.add(network.identity)
            yield network


def _shuffled(space: Space, seed: int) -> list[Network]:
    found = list(space.networks())
    random.Random(seed).shuffle(found)
    return found


def _tree(search: Search) -> optuna.samplers.BaseSampler:
    return optuna.samplers.TPESampler(seed=search.seed, multivariate=True, constant_liar=True)


def _genes(search: Search) -> optuna.samplers.BaseSampler:
    # At least two generations of what is left of the budget.
    born = min(MOST_BORN, max(2, (search.networks or MOST_BORN) // 2))
    return optuna.samplers.NSGAIISampler(seed=search.seed, population_size=born)


SAMPLERS = {"tpe": _tree, "nsga2": _genes}


class _Sampler:
    """Optuna's proposals, in a study of this process: what is kept is kept as results.

    A network has many points; what it is worth is the least cost of each aim among those that the
    question admits, and how far the nearest is beyond a bound where it admits none.
    """

    def __init__(self, space: Space, search: Search, question: Question) -> None:
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._space, self._question = space, question
        self._axes = {name: _distribution(values) for name, values in space.axes.items()}
        self._study = optuna.create_study(
            directions=["minimize"] * len(question.aims),
            sampler=SAMPLERS[search.method](search),
        )
        self._open: dict[str, optuna.trial.Trial] = {}
        self._told: dict[str, tuple[list[float], dict[str, float]] | None] = {}
        self._rest = iter(_shuffled(space, search.seed))

    def networks(self) -> Iterator[Network]:
        """Without an end, but for that of the space."""
        while True:
            repeats = 0
            while repeats < REPEATS:
                trial = self._study.ask(self._axes)
                network = self._space.network([int(trial.params[axis]) for axis in self._axes])
                identity = network.identity
                if identity not in self._told and identity not in self._open:
                    self._open[identity] = trial
                    yield network
                    continue
                # The sampler has to hear of it again, or it would wait for it.
                self._close(trial, self._told.get(identity))
                repeats += 1
            drawn = next((n for n in self._rest if not self._known(n.identity)), None)
            if drawn is None:
                return
            yield drawn

    def _known(self, identity: str) -> bool:
        return identity in self._told or identity in self._open

    def tell(self, network: Network, points: Sequence[dict[str, Any]]) -> None:
        """Close the trial of a network, or add one for a network that was not proposed."""
        worth = self._worth(points) if points else None
        self._told[network.identity] = worth
        trial = self._open.pop(network.identity, None)
        if trial is not None:
            self._close(trial, worth)
        elif worth is not None:
            values, excess = worth
            self._study.add_trial(
                optuna.trial.create_trial(
                    params=dict(zip(self._axes, network.choice, strict=True)),
                    distributions=self._axes,
                    values=values,
                    constraints=excess,
                )
            )

    def _close(
        self, trial: optuna.trial.Trial, worth: tuple[list[float], dict[str, float]] | None
    ) -> None:
        if worth is None:
            self._study.tell(trial, state=optuna.trial.TrialState.FAIL)
            return
        for name, excess in worth[1].items():
            trial.set_constraint(name, excess)
        self._study.tell(trial, worth[0])

    def _worth(self, points: Sequence[dict[str, Any]]) -> tuple[list[float], dict[str, float]]:
        question = self._question
        admitted = [point for point in points if question.admits(point)] or points
        costs = [min(costs) for costs in zip(*map(question.costs, admitted), strict=True)]
        excess = {
            str(bound): min(bound.excess(point) for point in admitted) for bound in question.bounds
        }
        # An unknown figure, such as a clock rate, is no infinite cost to a sampler.
        return [cost if cost < float("inf") else 0.0 for cost in costs], excess


def _distribution(values: Sequence[Value]) -> BaseDistribution:
    """Places of an axis' values: an order only where they are numbers."""
    if all(type(value) in (int, float) for value in values):
        return IntDistribution(0, len(values) - 1)
    return CategoricalDistribution(tuple(range(len(values))))
