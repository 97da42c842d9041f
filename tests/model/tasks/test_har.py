"""HAR: both forms give the same windows, persons are never shared, and refusals."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Data
from sylvan.model.errors import UserError
from sylvan.model.program import NumericInput
from sylvan.model.tasks import load_task
from sylvan.model.tasks.har import CHANNELS, COMPACT

Arrays = dict[str, Any]

HELD = [3, 15, 19, 22, 30]
TEST_PERSONS = {2, 4, 9, 10, 12, 13, 18, 20, 24}
"""As published."""


def small() -> Arrays:
    """Each activity twice for each of 8 and 2 persons."""
    random = np.random.default_rng(0)
    arrays: Arrays = {"scale": np.array([2**-14, 2**-13, 2**-12] * 3, np.float32)}
    for part, persons in (("train", range(1, 9)), ("test", (20, 30))):
        rows = [(p, a) for p in persons for a in range(1, 7) for _ in range(2)]
        subject, activity = np.array(rows, np.uint8).T
        noise = random.normal(0, 3000, (len(rows), 128, 9)) + 100 * activity[:, None, None]
        arrays |= {f"x_{part}": noise.clip(-32768, 32767).astype(np.int16)}
        arrays |= {f"y_{part}": activity, f"subject_{part}": subject}
    return arrays


def compact(data: Path, arrays: Arrays) -> Path:
    path = data / "har" / COMPACT
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path, **arrays)
    return path


def published(data: Path, arrays: Arrays) -> Path:
    """As the archive unpacks: a sample in 16 columns, with the exponent of three digits."""
    root = data / "har" / "UCI HAR Dataset"
    for part in ("train", "test"):
        (root / part / "Inertial Signals").mkdir(parents=True)
        for name, key in (("y", "y"), ("subject", "subject")):
            text = "\n".join(map(str, arrays[f"{key}_{part}"])) + "\n"
            (root / part / f"{name}_{part}.txt").write_text(text)
        real = arrays[f"x_{part}"] * arrays["scale"]
        for channel, name in enumerate(CHANNELS):
            lines = (
                "".join(f" {v: .7e}".replace("e-0", "e-00").replace("e+0", "e+00") for v in row)
                for row in real[..., channel].tolist()
            )
            path = root / part / "Inertial Signals" / f"{name}_{part}.txt"
            path.write_text("\n".join(lines) + "\n")
    return root


@pytest.mark.parametrize("classes", [6, 2])
def test_both_forms_give_the_same_windows(tmp_path: Path, classes: int) -> None:
    arrays = small()
    compact(tmp_path / "a", arrays)
    published(tmp_path / "b", arrays)
    tasks = [load_task("har", data=tmp_path / form, classes=classes) for form in "ab"]
    assert tasks[0].input == tasks[1].input
    for name in ("train", "validation", "test"):
        one, other = (getattr(task, name) for task in tasks)
        assert np.array_equal(one.inputs, other.inputs)
        assert np.array_equal(one.targets, other.targets)
        assert one.inputs.shape[1:] == (128, 9) and len(np.unique(one.targets)) == classes
    # A quarter of the 8 persons validates, with 12 windows each.
    assert [len(s.targets) for s in (tasks[0].train, tasks[0].validation)] == [72, 24]
    activity = arrays["y_test"]
    wanted = activity - 1 if classes == 6 else np.isin(activity, [2, 4, 6])
    assert np.array_equal(tasks[0].test.targets, wanted)


@pytest.mark.parametrize("bits", [4, 8, 16])
def test_raw_inputs_are_what_a_sensor_sends(tmp_path: Path, bits: int) -> None:
    arrays = small()
    compact(tmp_path, arrays)
    task = load_task("har", data=tmp_path, input_bits=bits)
    sent = task.input
    real = arrays["x_test"] * arrays["scale"].astype(float)
    ideal = (real - sent.offset) / sent.scale * 2.0**-sent.format.exp  # type: ignore[union-attr]
    lo, hi = -(1 << (bits - 1)), (1 << (bits - 1)) - 1
    assert (sent.format.lo, sent.format.hi) == (lo, hi)  # type: ignore[union-attr]
    raw = task.test.inputs
    assert raw.min() >= lo and raw.max() <= hi
    assert np.abs(raw - ideal.clip(lo, hi)).max() <= 0.5 + 1e-6
    # 4 deviations reach the ends, and what trains has mean 0 and deviation 1 but for rounding.
    assert task.values(np.array([lo]))[0] == -4.0
    values = task.values(task.train.inputs)
    assert np.abs(values.mean((0, 1))).max() < 0.3 and np.abs(values.std((0, 1)) - 1).max() < 0.05


def test_channels_that_a_sensor_measures(tmp_path: Path) -> None:
    compact(tmp_path, small())
    every = load_task("har", data=tmp_path)
    for channels, chosen in (("motion", [6, 7, 8, 3, 4, 5]), ("acceleration", [6, 7, 8])):
        task = load_task("har", data=tmp_path, channels=channels)
        assert task.options["channels"] == channels
        assert isinstance(task.input, NumericInput) and isinstance(every.input, NumericInput)
        assert task.input.size == len(chosen) and task.input.format == every.input.format
        for name in ("scale", "offset"):
            told, whole = getattr(task.input, name), getattr(every.input, name)
            assert list(told) == [whole[c] for c in chosen]
        for name in ("train", "validation", "test"):
            one, other = getattr(task, name), getattr(every, name)
            assert np.array_equal(one.inputs, other.inputs[..., chosen])
            assert np.array_equal(one.targets, other.targets)


def test_statistics_are_of_the_persons_who_train(tmp_path: Path) -> None:
    arrays = small()
    compact(tmp_path, arrays)
    before = load_task("har", data=tmp_path)
    arrays["x_test"] = arrays["x_test"] // 2
    held = set()
    for person in range(1, 9):
        changed = dict(arrays, x_train=arrays["x_train"].copy())
        changed["x_train"][arrays["subject_train"] == person] //= 3
        compact(tmp_path, changed)
        if load_task("har", data=tmp_path).input == before.input:
            held.add(person)
    assert len(held) == 2


def replaced(**arrays: Callable[[Any], Any]) -> Callable[[Arrays], None]:
    def spoil(given: Arrays) -> None:
        for name, change in arrays.items():
            given[name] = change(given[name])

    return spoil


def put(value: Any) -> Callable[[Any], Any]:
    def change(array: Any) -> Any:
        copy = np.array(array)
        copy.flat[0] = value
        return copy

    return change


SPOILT: list[tuple[Callable[[Arrays], Any], str]] = [
    (lambda a: a.pop("y_test"), "There is no item named 'y_test.npy'"),
    (replaced(x_train=lambda x: x[:, :127]), ": x_train should be nx128x9 signed integers, got 96"),
    (replaced(x_test=lambda x: x.astype(float)), ": x_test should be nx128x9 signed integers"),
    (replaced(y_train=lambda y: y[1:]), "(train): the signals should be 95x128x9 real numbers"),
    (replaced(y_train=put(0)), "(train): the activities should lie in 1..6, got 0"),
    (replaced(subject_test=put(31)), "(test): the persons should lie in 1..30, got 31"),
    (replaced(subject_test=put(3)), "(test): person 3 is in the training set, too"),
    (replaced(scale=put(np.nan)), ": scale should lie in 1e-09..1.0, got nan"),
    (replaced(scale=lambda s: s[:8]), ": scale should be 9 real numbers, got 8 of float32"),
    (replaced(x_train=np.zeros_like), "has a channel that never changes"),
    (replaced(subject_train=lambda s: s * 0 + 1), "needs at least 2 persons: one validates"),
    (
        replaced(y_test=lambda y: y.clip(1, 5)),
        ": an activity is missing among the test windows",
    ),
]


@pytest.mark.parametrize(("spoil", "message"), SPOILT)
def test_spoilt_compact_form(tmp_path: Path, spoil: Callable[[Arrays], Any], message: str) -> None:
    arrays = small()
    spoil(arrays)
    path = compact(tmp_path, arrays)
    with pytest.raises(UserError) as refused:
        load_task("har", data=tmp_path)
    assert str(refused.value).startswith(str(path)) and message in str(refused.value)


def test_spoilt_published_form(tmp_path: Path) -> None:
    root = published(tmp_path, small())
    path = root / "test" / "Inertial Signals" / "total_acc_z_test.txt"
    lines = path.read_text().splitlines()
    for content, message in [
        ("", "is empty"),
        ("\n".join(lines[:-1]), "should be 24x128 real numbers, got 23x128 of float64"),
        ("\n".join([*lines[:-1], "1 2 3"]), ":24 should hold 128 numbers, got b'1 2 3'..."),
        ("\n".join([*lines[:-1], "x " * 128]), "should hold numbers: could not convert"),
        ("\n".join([*lines[:-1], "nan " * 128]), "should lie in -1000.0..1000.0, got nan"),
    ]:
        path.write_text(content)
        with pytest.raises(UserError) as refused:
            load_task("har", data=tmp_path)
        assert str(refused.value).startswith(str(path)) and message in str(refused.value)
    path.unlink()
    with pytest.raises(UserError, match=r"lacks test/Inertial Signals/total_acc_z_test.txt \(from"):
        load_task("har", data=tmp_path)


def test_refusals(tmp_path: Path) -> None:
    for options, message in [
        ({"classes": 3}, "task har needs classes 6 or 2, got 3"),
        ({"input_bits": 17}, "task har needs input_bits in 4..16, got 17"),
        ({"channels": "motions"}, "has no channels 'motions', did you mean 'motion'\\?; known: "),
        ({}, r"should hold uci_har.npz or train/y_train.txt, .* \(22 files\), from Human Activity"),
    ]:
        with pytest.raises(UserError, match=message):
            load_task("har", data=tmp_path, **options)


def test_the_published_set(data: Data) -> None:
    six, two = (load_task("har", data=data("har"), classes=classes) for classes in (6, 2))
    learned = np.bincount(six.train.targets) + np.bincount(six.validation.targets)
    assert learned.tolist() == [1226, 1073, 986, 1286, 1374, 1407]
    assert np.bincount(six.test.targets).tolist() == [496, 471, 420, 491, 532, 537]
    assert np.bincount(two.test.targets).tolist() == [496 + 420 + 532, 471 + 491 + 537]
    with np.load(data("har") / "har" / COMPACT) as file:
        persons, activities = file["subject_train"], file["y_train"]
        assert set(file["subject_test"]) == TEST_PERSONS
    # By person: whoever validates does not train, and no window is lost.
    validates = np.isin(persons, HELD)
    assert np.array_equal(six.validation.targets, activities[validates] - 1)
    assert np.array_equal(six.train.targets, activities[~validates] - 1)
    assert not set(HELD) & TEST_PERSONS and len(set(persons) - set(HELD)) == 16
    for split in (six.train, six.validation, six.test):
        assert split.inputs.shape[1:] == (128, 9) and len(np.unique(split.targets)) == 6
        assert split.inputs.min() == -128 and split.inputs.max() == 127
        clamped = np.isin(split.inputs, (-128, 127)).mean()
        assert clamped < 0.01
