"""Where vectors lie: apart while both are in use, at multiples of powers of two."""

from itertools import combinations

import numpy as np
import pytest
from contracts.random_cores import random_core
from sylvan.hw.microcode.places import aligned, find_places
from sylvan.hw.microcode.tasks import Initialise
from sylvan.hw.microcode.work import Work
from sylvan.model.errors import UserError

SEEDS = range(100)
Spans = list[tuple[str, int, int]]


def check(sizes: dict[str, int], spans: Spans, places: dict[str, int]) -> None:
    """Every two vectors lie or live apart, and base | index is base + index."""
    assert set(places) == {name for name, _, _ in spans}
    for name, place in places.items():
        assert all(place | index == place + index for index in range(sizes[name]))
    for (a, *lives), (b, *others) in combinations(spans, 2):
        together = lives[0] <= others[1] and others[0] <= lives[1]
        elements = [set(range(places[n], places[n] + sizes[n])) for n in (a, b)]
        assert not together or elements[0].isdisjoint(elements[1]), (a, b)


def drawn(seed: int) -> tuple[dict[str, int], Spans]:
    rng = np.random.default_rng(seed)
    names = [f"v{k}" for k in range(rng.integers(1, 20))]
    sizes = {name: int(rng.choice([1, 1, 2, 3, 4, 5, 7, 8, 16, 17, 33])) for name in names}
    moments = np.sort(rng.integers(0, 12, (len(names), 2))).tolist()
    return sizes, [(name, *ends) for name, ends in zip(names, moments, strict=True)]


def test_vectors_lie_apart_while_they_live() -> None:
    for seed in range(200):
        sizes, spans = drawn(seed)
        check(sizes, spans, find_places(sizes, spans))


def test_the_size_that_holds_a_vector() -> None:
    found = [aligned(size) for size in range(1, 18)]
    assert found == [1, 2, 4, 4, 8, 8, 8, 8, *[16] * 8, 32]


def test_two_whose_times_do_not_meet_share_a_place() -> None:
    sizes = {"long": 8, "early": 5, "late": 3, "last": 1}
    spans: Spans = [("long", 0, 9), ("early", 0, 3), ("late", 4, 9), ("last", 6, 9)]
    places = find_places(sizes, spans)
    assert places == {"long": 0, "early": 8, "late": 8, "last": 12}
    meeting: Spans = [("early", 0, 4), *[span for span in spans if span[0] != "early"]]
    assert find_places(sizes, meeting) == {"long": 0, "early": 8, "late": 16, "last": 8}


def test_vectors_on_top_of_each_other_are_seen() -> None:
    sizes, spans = {"a": 3, "b": 2}, [("a", 0, 2), ("b", 2, 3)]
    check(sizes, spans, {"a": 0, "b": 4})
    for wrong in ({"a": 0, "b": 2}, {"a": 1, "b": 6}):
        with pytest.raises(AssertionError):
            check(sizes, spans, wrong)


def owned(work: Work, name: str) -> str:
    """The vector that a name is a part of, but for the state that it becomes."""
    while name in work.homes and work.homes[name][0] not in work.states:
        name, _ = work.homes[name]
    return name


def walk(work: Work, places: dict[str, int]) -> None:
    """Two timesteps, of which the second keeps the state: whoever reads finds what was meant."""
    sizes = work.sizes | {name: node.result.size for name, node in work.nodes.items()}

    def lies(name: str) -> range:
        home, start = work.home(name)
        return range(places[home] + start, places[home] + start + sizes[name])

    owner = {place: name for name in work.constants for place in lies(name)}
    made = {name: home for name, (home, _) in work.homes.items() if home in work.states}
    for begun in (True, False):
        for task in work.tasks:
            for name in task.read:
                seen = {owner.get(place) for place in lies(name)}
                assert seen == {owned(work, name)}, (task, name, seen)
            if begun or not isinstance(task, Initialise):
                owner |= {place: name for name in task.written for place in lies(name)}
        # What was made in the place of a state is that state from now on.
        owner = {place: made.get(name, name) for place, name in owner.items()}


def test_what_is_read_is_what_was_written_last() -> None:
    """In random programs, element by element, whoever shares a place."""
    walked = 0
    for seed in SEEDS:
        try:
            work = Work(random_core(seed, 1 + seed % 3))
        except UserError:
            continue
        spans = list(work.spans())
        places = find_places(work.sizes, spans)
        check(work.sizes, spans, places)
        walk(work, places)
        walked += 1
    assert walked > 40


def test_a_state_that_is_overwritten_too_early_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Work, "_fits_in_place", lambda work, state, made, begun: True)
    with pytest.raises(AssertionError):
        test_what_is_read_is_what_was_written_last()
