"""Adding: the construction, exact targets, what a constant answer scores, and refusals."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from sylvan.model.errors import UserError
from sylvan.model.numbers import Format
from sylvan.model.tasks import load_task

SMALL = {"train": 40, "validation": 30, "test": 20}


@pytest.mark.parametrize("length", [2, 3, 101])
@pytest.mark.parametrize("bits", [1, 8, 14])
def test_construction(length: int, bits: int) -> None:
    task = load_task("adding", length=length, fraction_bits=bits, **SMALL)
    assert (task.inputs, task.outputs, task.read, task.answers) == (2, 1, "last", "number")
    assert task.input.format == Format(0, 1 << bits, -bits)  # type: ignore[union-attr]
    for name, count in SMALL.items():
        split = getattr(task, name)
        assert split.inputs.shape == (count, length, 2) and split.targets.shape == (count,)
        numbers, markers = split.inputs[..., 0], split.inputs[..., 1]
        assert numbers.min() >= 0 and numbers.max() < 1 << bits
        assert set(np.unique(markers)) <= {0, 1 << bits}
        half = length // 2
        assert (markers[:, :half] > 0).sum(1).tolist() == [1] * count
        assert (markers[:, half:] > 0).sum(1).tolist() == [1] * count
        for row in range(count):
            marked = numbers[row][markers[row] > 0].tolist()
            assert Fraction(split.targets[row]) == Fraction(sum(marked), 1 << bits)
    assert task.values(task.train.inputs).max() == 1.0


def test_splits_stay_with_their_seed() -> None:
    first = load_task("adding", **SMALL)
    again = load_task("adding", **(SMALL | {"train": 7}))
    assert np.array_equal(first.test.inputs, again.test.inputs)
    other = load_task("adding", seed=1, **SMALL)
    assert not np.array_equal(first.test.inputs, other.test.inputs)
    assert load_task("adding", **first.options).options == first.options


def test_the_mean_is_off_by_a_sixth() -> None:
    task = load_task("adding", length=10, train=1, validation=1, test=100_000, fraction_bits=12)
    score = task.score(np.ones((100_000, 1)), task.test.targets)
    assert score.loss == pytest.approx(1 / 6, rel=0.02)
    right = task.score(task.test.targets[:, None] + 0.039, task.test.targets)
    assert (task.score_name, right.score) == ("within 0.04", 100.0)
    assert task.score(task.test.targets[:, None] - 0.041, task.test.targets).score == 0.0


REFUSALS: list[tuple[dict[str, Any], str]] = [
    ({"length": 1}, "task adding needs length in 2..1048576, got 1"),
    ({"train": 0}, "task adding needs train in 1..1048576, got 0"),
    ({"test": -1}, "task adding needs test in 1..1048576, got -1"),
    ({"fraction_bits": 15}, "task adding needs fraction_bits in 1..14, got 15"),
    ({"seed": -1}, "task adding needs seed in 0..2147483647, got -1"),
]


@pytest.mark.parametrize(("options", "message"), REFUSALS)
def test_refusals(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError) as refused:
        load_task("adding", **options)
    assert str(refused.value) == message
