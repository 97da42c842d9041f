"""The smallest schedule that sustains a rate, where estimates hold and where they do not."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from candidates import candidate
from programs import small
from sylvan.hw import rate as hw_rate
from sylvan.hw.front import Candidate
from sylvan.hw.measured import DoesNotFit
from sylvan.hw.rate import MOST_BUILDS, OF_FMAX, Choice, Rate, build_for_rate
from sylvan.hw.schedule import Schedule
from sylvan.hw.targets import Target, target
from sylvan.model.errors import UserError

PART = target("ecp5-25f")
Choosing = Callable[..., Choice]


class Workshop:
    """Builds nothing: a schedule of so many lanes is placed at `mhz` of them."""

    def __init__(self, mhz: dict[int, float]) -> None:
        self.mhz, self.built, self.said = mhz, list[int](), list[str]()

    def make(self, schedule: Schedule) -> dict[str, Any]:
        self.built.append(schedule.lanes)
        return {"measured": {"fmax_mhz": self.mhz[schedule.lanes]}}


@pytest.fixture(name="choose")
def _choose(monkeypatch: pytest.MonkeyPatch) -> Choosing:
    """Chooses among given points for ecp5-25f; larger parts have `elsewhere`."""

    def choose(
        points: list[Candidate],
        shop: Workshop,
        rate: Rate,
        elsewhere: dict[str, list[Candidate]] | None = None,
        bare: float = 0.0,
    ) -> Choice:
        there = {PART.name: points, **(elsewhere or {})}

        def explored(program: Any, part: Target, **named: Any) -> list[Candidate]:
            if part.name not in there:
                raise UserError("nothing fits")
            return there[part.name]

        monkeypatch.setattr(hw_rate, "explore", explored)
        return build_for_rate(
            small(), PART, rate, shop.make, say=shop.said.append, reference=lambda width, part: bare
        )

    return choose


# Of 10 cycles a step: at 0.9 of 100 MHz, 9 million steps per second.
POINTS = [candidate(100 * k, cycles=60 // k, mhz=100, lanes=k) for k in (1, 2, 3, 4, 5, 6)]
PROMISED = dict.fromkeys(range(1, 7), 100.0)


@pytest.mark.parametrize(
    ("steps", "lanes"), [(1.0, 1), (1.5e6, 1), (1.6e6, 2), (6e6, 4), (6.01e6, 5), (9e6, 6)]
)
def test_the_smallest_that_sustains_it_is_built(choose: Choosing, steps: float, lanes: int) -> None:
    shop = Workshop(PROMISED)
    chosen = choose(POINTS, shop, Rate(steps))
    assert shop.built == [lanes] == [chosen.point.schedule.lanes]
    assert chosen.expected == chosen.sustained == OF_FMAX * 100e6 / (60 // lanes) >= steps
    assert shop.said == [f"builds {chosen.point.schedule}: about {100 * lanes} LUTs"]


def test_an_estimate_that_lies_makes_it_move_on(choose: Choosing) -> None:
    """Two lanes come out at 60 of 100 MHz: three and four would then not do either, five would."""
    shop = Workshop(PROMISED | {2: 60.0})
    chosen = choose(POINTS, shop, Rate(3e6))
    assert shop.built == [2, 4] and chosen.expected == chosen.sustained == 6e6
    assert shop.said[1] == (
        "falls short: 2 lanes, whole words: placed at 60.0 MHz, sustains 1,800,000"
    )


def test_what_a_lie_leaves_is_tried_to_the_last(choose: Choosing) -> None:
    """Nothing is expected to do it any more: what comes closest is built, and does."""
    shop = Workshop(PROMISED | {5: 20.0})
    assert choose(POINTS, shop, Rate(7e6)).point.schedule.lanes == 6
    assert shop.built == [5, 6]


def test_what_does_not_fit_makes_it_move_on(choose: Choosing) -> None:
    """To what takes less of what is missing: here fewer block RAMs, in more LUTs."""
    points = [candidate(100 * k, b, mhz=100, lanes=k) for k, b in ((1, 9), (2, 9), (3, 12), (4, 5))]

    class Full(Workshop):
        resource = "brams"

        def make(self, schedule: Schedule) -> dict[str, Any]:
            made = super().make(schedule)
            if schedule.lanes < 4:
                raise DoesNotFit("core", PART, self.resource, 60, 56)
            return made

    shop = Full(PROMISED)
    assert choose(points, shop, Rate(1e6)).point.schedule.lanes == 4
    assert shop.built == [1, 4] and "1 lane, whole words: needs 60 brams" in shop.said[1]
    shop.resource = "pins"
    with pytest.raises(DoesNotFit, match="60 pins"):
        choose(points, shop, Rate(1e6))


def test_it_gives_up_and_says_what_was_tried(choose: Choosing) -> None:
    slow = [candidate(100 * k, mhz=100, lanes=k) for k in range(1, MOST_BUILDS + 3)]
    shop = Workshop(dict.fromkeys(range(1, MOST_BUILDS + 3), 11.0))
    with pytest.raises(UserError) as told:
        choose(slow, shop, Rate(1e6))
    assert shop.built == [*range(1, MOST_BUILDS + 1)]
    assert str(told.value).startswith(
        "nothing that was placed on ecp5-25f sustains 1,000,000 timesteps per second: "
        "1 lane, whole words: placed at 11.0 MHz, sustains 990,000; 2 lanes"
    )
    assert str(told.value).endswith("; 2 more were not tried")


def test_a_clock_has_to_be_reached(choose: Choosing) -> None:
    """Steps are counted at the clock, however much more is reached."""
    points = [candidate(100, cycles=20, lanes=1), candidate(200, lanes=2), candidate(300, lanes=3)]
    shop = Workshop({1: 90.0, 2: 49.9, 3: 90.0})
    chosen = choose(points, shop, Rate(5e6, clock_hz=50e6))
    assert shop.built == [2, 3] and chosen.sustained == 5e6 and chosen.expected is None
    assert shop.said[1] == "falls short: 2 lanes, whole words: placed at 49.9 MHz, below 50 MHz"


@pytest.mark.parametrize("clock", [12e6, 12.1e6, 33.3333e6, 1e6 / 3])
def test_a_clock_that_no_estimate_judges_is_taken_to_be_reached(
    choose: Choosing, clock: float
) -> None:
    shop = Workshop({1: 99.0})
    assert choose([candidate(100, lanes=1)], shop, Rate(clock / 10, clock)).sustained == clock / 10


def test_without_any_clock_rate_a_bare_adder_is_the_first_guess(choose: Choosing) -> None:
    """After the first placement the others are expected at its clock rate."""
    points = [candidate(100 * k, cycles=60 // k, lanes=k) for k in (1, 2, 3, 4, 5, 6)]
    shop = Workshop(dict.fromkeys(range(1, 7), 50.0))
    chosen = choose(points, shop, Rate(2e6), bare=100.0)
    assert shop.built == [2, 3] and chosen.expected is None and chosen.sustained == 2.25e6


def test_answered_timesteps_count_by_the_length_of_a_sequence(choose: Choosing) -> None:
    """10 cycles, 40 the answered one: 3 million, or at 10 timesteps 90 MHz / 13."""
    points = [candidate(100, cycles=10, closing=40, mhz=100, lanes=1)]

    def sustained(timesteps: int | None) -> float:
        return choose(points, Workshop(PROMISED), Rate(1, timesteps=timesteps)).sustained

    assert sustained(None) == 9e6 and sustained(1) == 90e6 / 40
    assert sustained(10) == pytest.approx(90e6 / 13)


def test_the_rate_is_of_each_context(choose: Choosing) -> None:
    points = [candidate(100, mhz=100, contexts=4, lanes=1), candidate(200, mhz=100, lanes=2)]
    assert choose(points, Workshop(PROMISED), Rate(2e6)).sustained == 90e6 / 40
    assert choose(points, Workshop(PROMISED), Rate(3e6)).point.schedule.lanes == 2


def test_a_rate_out_of_reach_names_the_fastest_and_a_part_that_would(choose: Choosing) -> None:
    elsewhere = {"ecp5-85f": [candidate(900, cycles=5, mhz=100, lanes=64)]}
    shop = Workshop(PROMISED)
    text = (
        "no schedule should sustain 10,000,000 timesteps per second on ecp5-25f; the fastest, "
        "6 lanes, whole words, should reach 9,000,000 at 0.9 of 100.0 MHz. "
    )
    with pytest.raises(UserError, match=re.escape(text + "ecp5-85f should sustain it with 64")):
        choose(POINTS, shop, Rate(10e6), elsewhere)
    with pytest.raises(UserError, match=r"1e\+30 timesteps .* 10,000 at 0.1 MHz. No larger part"):
        choose(POINTS, shop, Rate(1e30, clock_hz=1e5), elsewhere)
    assert not shop.built


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ((0.0,), "the rate must be above 0 in Hz, got 0.0"),
        ((float("nan"),), "the rate must be above 0 in Hz, got nan"),
        ((1.0, -5.0), "the clock must be above 0 in Hz, got -5.0"),
        ((1.0, None, 0), "a sequence has at least 1 timestep, got 0"),
    ],
)
def test_rates_that_make_no_sense_are_refused(given: tuple[Any, ...], sentence: str) -> None:
    with pytest.raises(UserError, match=re.escape(sentence)):
        Rate(*given)


def test_a_part_that_is_not_placed_has_no_rate() -> None:
    shop = Workshop({})
    with pytest.raises(UserError, match=r"gowin-gw1n9 is synthesized only, .* one of ice40-up5k, "):
        build_for_rate(small(), target("gowin-gw1n9"), Rate(1.0), shop.make)
