"""A run that was stopped goes on as if it never had been, to the bit, or says why it cannot."""

import json
import os
import re
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from sylvan.model.checkpoint import load_checkpoint
from sylvan.model.config import CHECKPOINT_FILE, TRAINING_FILE, Config
from sylvan.model.errors import UserError
from sylvan.model.history import unfinished
from sylvan.model.tasks import Score
from sylvan.model.train import train

SIZES = {"length": 24, "train": 640, "validation": 50, "test": 50}
QUICK = Config("copy", hidden=32, block=16, epochs=3, rate=0.03, task_options=SIZES)
STEPS = 30


def interrupted(folder: Path, after: int) -> None:
    """A run that Ctrl-C stops in the step after `after` of its 30."""
    told = []

    def moved(done: float) -> None:
        told.append(done)
        if len(told) == after:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        train(QUICK, folder, moved=moved)
    assert len(told) == after and told[-1] == pytest.approx(after / STEPS)


def story(folder: Path) -> object:
    metrics = json.loads((folder / "metrics.json").read_text())
    return {k: v for k, v in metrics.items() if k != "seconds_training"}


@pytest.mark.parametrize("after", [1, 9, 10, 11, 25])
def test_interrupted_and_resumed_is_never_interrupted(tmp_path: Path, after: int) -> None:
    train(QUICK, tmp_path / "whole")
    stopped = tmp_path / "stopped"
    interrupted(stopped, after)
    if after > 10:
        load_checkpoint(stopped)
    assert unfinished(stopped) == (QUICK, (after - 1) // 10)
    numbers: list[int] = []
    train(QUICK, stopped, lambda epoch: numbers.append(epoch.number), resume=True)
    assert numbers == list(range(after // 10 + (after != 10), 4)) or after == 10
    files = [folder / CHECKPOINT_FILE for folder in (tmp_path / "whole", stopped)]
    assert files[0].read_bytes() == files[1].read_bytes()
    assert story(stopped) == story(tmp_path / "whole")
    assert not (stopped / TRAINING_FILE).exists()


def edit(name: str) -> Callable[[Path], None]:
    def apply(path: Path) -> None:
        tensors = load_file(path)
        with safe_open(path, "pt") as file:
            metadata = dict(file.metadata())
        del tensors[name]
        save_file(tensors, path, metadata)

    return apply


def edit_story(change: dict[str, object]) -> Callable[[Path], None]:
    def apply(path: Path) -> None:
        tensors = load_file(path)
        with safe_open(path, "pt") as file:
            tree = json.loads(file.metadata()["sylvan"])
        save_file(tensors, path, {"sylvan": json.dumps(tree | change)})

    return apply


DAMAGE: list[tuple[Callable[[Path], object], str]] = [
    (Path.unlink, "has no interrupted training to go on with: training.safetensors is missing"),
    (lambda path: path.write_bytes(path.read_bytes()[:500]), "cannot be read, it may be cut short"),
    (edit("optimizer.0.exp_avg"), "cannot be continued: its moments are not those of the param"),
    (edit_story({"seconds": "many"}), "cannot be continued: could not convert string to float"),
    (edit_story({"losses": [float("nan")]}), "cannot be continued: its story is no story"),
    (edit_story({"epochs": [{"number": "a"}]}), "cannot be continued:"),
    (edit("layer.bias"), "cannot be continued: Error(s) in loading state_dict for HadamRNN:"),
]


@pytest.mark.parametrize(("damage", "message"), DAMAGE)
def test_what_cannot_be_resumed(
    damage: Callable[[Path], object], message: str, tmp_path: Path
) -> None:
    interrupted(tmp_path, 3)
    damage(tmp_path / TRAINING_FILE)
    with pytest.raises(UserError, match=re.escape(message)):
        train(QUICK, tmp_path, resume=True)


def test_another_config_does_not_go_on_with_it(tmp_path: Path) -> None:
    interrupted(tmp_path, 3)
    other = Config(**{**QUICK.__dict__, "rate": 0.02})
    with pytest.raises(UserError, match="is of a run with another config"):
        train(other, tmp_path, resume=True)


def test_a_fresh_run_does_not_discard_an_interrupted_one(tmp_path: Path) -> None:
    interrupted(tmp_path, 3)
    before = (tmp_path / TRAINING_FILE).read_bytes()
    with pytest.raises(UserError, match="holds a run that was interrupted: go on with it by"):
        train(QUICK, tmp_path)
    assert (tmp_path / TRAINING_FILE).read_bytes() == before


def test_patience_ends_a_resumed_run_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    patient = Config(**{**QUICK.__dict__, "epochs": 40, "patience": 2})
    worse = iter(Score(float(score), 1.0) for score in range(100, 0, -1))
    numbers: list[int] = []

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("sylvan.model.train.evaluate_float", lambda *_: next(worse))
    with monkeypatch.context() as patch:
        patch.setattr("sylvan.model.train.load_checkpoint", killed)
        with pytest.raises(KeyboardInterrupt):
            train(patient, tmp_path, lambda epoch: numbers.append(epoch.number))
    assert numbers == [1, 2, 3]
    train(patient, tmp_path, lambda epoch: numbers.append(epoch.number), resume=True)
    assert numbers == [1, 2, 3]
