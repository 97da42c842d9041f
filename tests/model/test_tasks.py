"""Tasks: what their data is, that splits share nothing, how they score, and what they refuse."""

import builtins
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sylvan.model.errors import UserError
from sylvan.model.interpret import check_inputs
from sylvan.model.numbers import Format
from sylvan.model.tasks import (
    Task,
    cross_entropy,
    data_set,
    load_task,
    task_names,
    task_options,
)

FROM_FILES = ["har", "imdb", "mnist", "ptb", "sst2", "tinyshakespeare", "warpeace"]
KNOWN = sorted(["adding", "copy", "digits", *FROM_FILES])
DIGITS_FIRST = [7, 6, 3, 7, 7, 3, 2, 8, 9, 3]
"""A split that moves with a release of scikit-learn would move every published score."""


def test_names() -> None:
    assert task_names() == KNOWN


def test_digits() -> None:
    task = load_task("digits")
    assert (task.inputs, task.outputs, task.read, task.symbols) == (1, 10, "last", False)
    sizes = {"train": 1200, "validation": 237, "test": 360}
    seen: set[bytes] = set()
    for name, size in sizes.items():
        split = getattr(task, name)
        assert split.inputs.shape == (size, 64, 1) and split.targets.shape == (size,)
        # Stratified: a tenth of each split is of each class, give or take two images.
        assert np.abs(np.bincount(split.targets) - size / 10).max() < 0.02 * size + 2
        images = {image.tobytes() for image in split.inputs}
        assert not images & seen
        seen |= images
    assert task.test.inputs.min() == 0 and task.test.inputs.max() == 16
    values = task.values(task.test.inputs)
    assert values.dtype == np.float32 and values.max() == 1.0
    assert task.test.targets[:10].tolist() == DIGITS_FIRST


@pytest.mark.parametrize("length", [20, 21, 100])
def test_copy_is_the_papers_construction(length: int) -> None:
    task = load_task("copy", length=length, train=50, validation=40, test=30)
    for split, count in ((task.train, 50), (task.validation, 40), (task.test, 30)):
        x, y = split.inputs, split.targets
        assert x.shape == y.shape == (count, length)
        words = x[:, :10]
        assert words.min() == 1 and words.max() == 8
        assert not x[:, 10 : length - 10].any() and (x[:, length - 10] == 9).all()
        assert not x[:, length - 9 :].any()
        assert not y[:, : length - 10].any() and (y[:, length - 10 :] == words).all()
    assert (task.inputs, task.outputs, task.read, task.silent) == (10, 9, "every", 0)
    again = load_task("copy", length=length, train=7, validation=40, test=30)
    assert np.array_equal(task.test.inputs, again.test.inputs)
    other = load_task("copy", length=length, test=30, seed=1)
    assert not np.array_equal(task.test.inputs, other.test.inputs)
    weights = task.timestep_weights
    assert weights is not None and weights.sum() == pytest.approx(1)
    assert len(weights) == length and weights[-10:].sum() == pytest.approx(0.5)


def test_what_a_task_needs_and_may_be_told_is_known_without_its_data() -> None:
    needed = {name: data_set(name) for name in KNOWN}
    assert {name: found.folder for name, found in needed.items() if found} == {
        name: name for name in FROM_FILES
    }
    told = {name: option.default for name, option in task_options("mnist").items()}
    assert told == {"permuted": False, "pixels": 1}
    for ask in (data_set, task_options):
        with pytest.raises(UserError, match="there is no task 'mnits', did you mean 'mnist'"):
            ask("mnits")


@pytest.mark.parametrize("name", FROM_FILES)
def test_a_missing_set_is_asked_for_with_its_source(name: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=rf"needs the data set {name}: .*--data FOLDER.*https?://"):
        load_task(name)
    with pytest.raises(UserError, match=rf"{tmp_path}/{name} should hold .*, from .*https?://"):
        load_task(name, data=tmp_path)


@pytest.mark.parametrize("name", ["digits", "copy", "adding"])
def test_inputs_are_what_a_program_takes(name: str) -> None:
    class Declares:
        input = load_task(name).input

    task = load_task(name)
    for split in (task.train, task.validation, task.test):
        check_inputs(Declares(), split.inputs)  # type: ignore[arg-type]


@pytest.mark.parametrize("length", [1000, 4000])
def test_long_copies_of_the_papers_split_sizes_stay_small(length: int) -> None:
    task = load_task("copy", length=length, train=2000, validation=2000, test=2000)
    for split in (task.train, task.validation, task.test):
        assert split.inputs.nbytes == split.targets.nbytes == 2000 * length


def test_calibration_takes_no_more_than_is_enough() -> None:
    few = load_task("digits")
    assert np.array_equal(few.calibration, few.train.inputs)
    many = load_task("copy", length=1000, train=5000)
    assert np.array_equal(many.calibration, many.train.inputs[: (1 << 22) // 1000])


def test_scores_by_hand() -> None:
    logits = np.log([[0.5, 0.25, 0.25], [0.1, 0.1, 0.8]])
    score = load_task("digits").score(logits, np.array([0, 1]))
    assert score.score == 50.0
    assert score.loss == pytest.approx((math.log(2) + math.log(10)) / 2)
    assert cross_entropy(logits * 1e6, np.array([0, 2])) == pytest.approx(0, abs=1e-9)


def test_recall_looks_at_the_ten_answers_only() -> None:
    task = load_task("copy", length=30, test=4)
    assert task.score_name == "recall"
    answers = task.test.targets.copy()
    answers[:, :20] = 5
    answers[0, -5:] = 0
    assert task.hits(answers, task.test.targets) == 87.5
    # A net without memory that knows where it is: uniform over 8 symbols in 10 places of T.
    logits = np.full((4, 30, 9), -1e9)
    logits[:, :20, 0] = 0
    logits[:, 20:, 1:] = 0
    assert task.score(logits, task.test.targets).loss == pytest.approx(10 * math.log(8) / 30)


REFUSALS: list[tuple[str, dict[str, Any], str]] = [
    ("digit", {}, f"there is no task 'digit', did you mean 'digits'?; known: {KNOWN}"),
    ("os", {}, f"there is no task 'os'; known: {KNOWN}"),
    (
        "copy",
        {"lenght": 5},
        "task copy has no option 'lenght', did you mean 'length'?; "
        "known: ['length', 'train', 'validation', 'test', 'seed']",
    ),
    ("digits", {"length": 5}, "task digits has no option 'length'; known: []"),
    ("copy", {"length": "9"}, "task copy: length must be a whole number, got '9'"),
    ("copy", {"length": True}, "task copy: length must be a whole number, got True"),
    ("copy", {"length": 19}, "copy needs a length of at least 20, got 19"),
    ("copy", {"train": 0}, "copy needs at least one train sequence, got 0"),
    ("copy", {"seed": -1}, "copy needs a seed >= 0, got -1"),
]


@pytest.mark.parametrize(("name", "options", "message"), REFUSALS)
def test_refusals(name: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError) as refusal:
        load_task(name, **options)
    assert str(refusal.value) == message


def test_digits_without_scikit_learn_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name.startswith("sklearn"):
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(UserError, match=r"pip install 'sylvan\[train\]'"):
        load_task("digits")


def test_numeric_values_are_raw_times_the_binary_point() -> None:
    task: Task = load_task("digits")
    assert task.input.format == Format(0, 16, -4)  # type: ignore[union-attr]
    assert task.values(np.array([0, 1, 16])).tolist() == [0.0, 0.0625, 1.0]
