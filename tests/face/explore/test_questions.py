"""Bounds, aims and fronts, beside their definitions."""

import itertools

import numpy as np
import pytest
from sylvan.model.errors import UserError

from sylvan.explore.questions import Aim, Bound, bound, front, question


@pytest.mark.parametrize(
    ("text", "least", "value"),
    [
        (">= 0.95", True, 0.95),
        (">=95%", True, 0.95),
        ("<= 5k", False, 5000),
        ("<= 2.5M", False, 2.5e6),
        (" >= 1e3 ", True, 1000),
    ],
)
def test_a_bound_is_read(text: str, least: bool, value: float) -> None:
    figure = "accuracy" if value < 1 else "luts"
    assert bound(figure, text) == Bound(figure, least, value)


def test_how_far_beyond_a_bound() -> None:
    least, most = Bound("luts", True, 200), Bound("luts", False, 200)
    assert [least.excess({"luts": n}) for n in (100, 200, 300)] == [0.5, 0, 0]
    assert [most.excess({"luts": n}) for n in (100, 200, 300)] == [0, 0, 0.5]
    assert least.excess({"luts": None}) == most.excess({}) == 1
    assert not most.holds({"luts": None}) and str(most) == "luts <= 200"


def test_a_question_in_words() -> None:
    asked = question("accuracy >= 0.95, min luts,max steps_per_s")
    assert asked.bounds == (Bound("accuracy", True, 0.95),)
    assert asked.aims == (Aim("luts", False), Aim("steps_per_s", True))
    assert asked.admits({"accuracy": 0.96}) and not asked.admits({"accuracy": 0.94})
    assert asked.costs({"luts": 7, "steps_per_s": 9}) == (7, -9)
    assert asked.costs({"luts": None}) == (float("inf"), float("inf"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("accuracy >= 0.95", "does not say what is best: add an aim, such as 'min luts'"),
        ("accuracy > 0.95, min luts", "with commas between, .* got 'accuracy > 0.95'"),
        ("min lut", "there is no figure 'lut', did you mean 'luts'"),
        ("", "with commas between"),
        ("accuracy >= 95, min luts", "it is a share of at most 1"),
        ("luts <= 1.2.3, min luts", "luts is bounded by a text such as"),
    ],
)
def test_what_is_no_question(text: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        question(text)


def test_a_front_is_what_no_other_beats() -> None:
    """Beside the definition, on random costs with many equals."""
    random = np.random.default_rng(3)
    for count, aims in itertools.product((0, 1, 5, 60), (1, 2, 3)):
        costs = [tuple(map(float, row)) for row in random.integers(0, 6, (count, aims))]
        kept = front(costs)
        for k, one in enumerate(costs):
            beaten = any(
                all(a <= b for a, b in zip(other, one, strict=True)) and (other != one or j < k)
                for j, other in enumerate(costs)
                if j != k
            )
            assert (k in kept) == (not beaten)
