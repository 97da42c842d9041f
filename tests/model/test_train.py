"""Training runs: learned, repeatable, survivable; checkpoints that load or say why not."""

import dataclasses
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from sylvan.model.checkpoint import load_checkpoint
from sylvan.model.config import CHECKPOINT_FILE, CONFIG_FILE, Config
from sylvan.model.errors import UserError
from sylvan.model.export import export
from sylvan.model.files import write_whole
from sylvan.model.history import Epoch
from sylvan.model.presets import PRESETS, preset
from sylvan.model.scoring import evaluate_float
from sylvan.model.storage import load
from sylvan.model.tasks import load_task
from sylvan.model.train import train

QUICK = Config(
    task="copy",
    hidden=32,
    block=16,
    epochs=3,
    rate=0.03,
    task_options={"length": 24, "train": 640, "validation": 50, "test": 50},
)


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("quick") / "deep" / "run"
    train(QUICK, folder)
    return folder


@pytest.fixture
def run(quick: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(quick, tmp_path / "run"))


def test_a_run_leaves_its_four_files_and_the_metrics_are_its_own(quick: Path) -> None:
    assert sorted(p.name for p in quick.iterdir()) == [
        "checkpoint.safetensors",
        "config.json",
        "curves.png",
        "metrics.json",
    ]
    metrics = json.loads((quick / "metrics.json").read_text())
    layer, config = load_checkpoint(quick)
    assert config == QUICK
    task = load_task("copy", **QUICK.task_options)
    test = evaluate_float(layer, task, task.test)
    assert {k: metrics[k] for k in ("task", "cell", "seed", "score_name", "score", "loss")} == {
        "task": "copy",
        "cell": "hadamrnn",
        "seed": 0,
        "score_name": "recall",
        "score": test.score,
        "loss": test.loss,
    }
    assert metrics["integer"] == {} and metrics["seconds_training"] > 0
    assert (quick / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_a_network_read_at_timesteps_is_trained_exported_and_scored(tmp_path: Path) -> None:
    """Its reads are in the config, and so in the checkpoint that loads."""
    config = Config(
        task="digits", hidden=64, epochs=4, rate=0.02, cell_options={"reads": [20, 41, 63]}
    )
    metrics = train(config, tmp_path / "run")
    assert load_checkpoint(tmp_path / "run")[0].output_weights.shape == (3, 10, 64)
    result = export(tmp_path / "run", 12)
    program = load(result.folder)
    assert program.readout.timesteps == (20, 41, 63)
    assert result.float_score.score == metrics["score"] > 70
    assert abs(result.integer_score.score - metrics["score"]) < 3
    late = dataclasses.replace(config, cell_options={"reads": [20, 64]})
    with pytest.raises(UserError, match="need at least 65 timesteps, got 64"):
        train(late, tmp_path / "late")


def test_one_config_gives_one_set_of_weights_and_a_seed_another(
    quick: Path, tmp_path: Path
) -> None:
    epochs: list[Epoch] = []
    train(QUICK, tmp_path / "again", epochs.append)
    assert [epoch.number for epoch in epochs] == [1, 2, 3]
    assert epochs[-1].loss < epochs[0].loss
    first = (quick / CHECKPOINT_FILE).read_bytes()
    assert first == (tmp_path / "again" / CHECKPOINT_FILE).read_bytes()
    train(dataclasses.replace(QUICK, seed=1, epochs=1), tmp_path / "other")
    assert not torch.equal(
        load_file(quick / CHECKPOINT_FILE)["input_weights"],
        load_file(tmp_path / "other" / CHECKPOINT_FILE)["input_weights"],
    )


def test_the_presets_are_what_the_demo_and_the_papers_ask_for() -> None:
    asked = ("digits", "copy-1000", "permuted-mnist", "sequential-mnist", "har-2", "har-6", "imdb")
    assert set(asked) <= set(PRESETS)
    dense, twin = preset("digits"), preset("digits-block")
    assert dense == dataclasses.replace(twin, block=None) and dense.hidden == 256


def test_copy_at_100_steps_is_learned(tmp_path: Path) -> None:
    """Half of the preset's budget says every symbol again after 80 silent steps."""
    metrics = train(dataclasses.replace(preset("copy-100"), epochs=4), tmp_path)
    assert metrics["score"] >= 99.9 and metrics["loss"] < 0.005


def test_the_temperature_lowers_the_loss_and_changes_no_answer(tmp_path: Path) -> None:
    smooth = dataclasses.replace(preset("digits"), hidden=64, epochs=4)
    plain = train(smooth, tmp_path / "plain")
    sharp = train(dataclasses.replace(smooth, temperature=True), tmp_path / "sharp")
    assert sharp["score"] == plain["score"] and sharp["loss"] < 0.9 * plain["loss"]
    layers = [load_checkpoint(tmp_path / name)[0] for name in ("plain", "sharp")]
    weights = [layer.get_parameter("output_weights") for layer in layers]
    factor = (weights[1] / weights[0]).unique()
    assert len(factor) == 1 and factor.log2().frac() == 0 and factor > 1


def test_validation_data_that_are_trained_on_score_nothing(tmp_path: Path) -> None:
    """The last epoch is kept, whatever it scores; what is written goes on through an export."""
    config = dataclasses.replace(QUICK, refit=True, rate=1e-6)
    epochs: list[Epoch] = []
    metrics = train(config, tmp_path, epochs.append)
    assert all(epoch.best for epoch in epochs) and metrics["best_epoch"] == 3
    assert metrics["validation_score"] is None
    export(tmp_path, 10)
    written = json.loads((tmp_path / "metrics.json").read_text())
    assert written["validation_score"] is None and "10" in written["integer"]
    once = train(dataclasses.replace(config, refit=False), tmp_path / "not")
    assert once["validation_score"] is not None


def test_digits_are_learned(tmp_path: Path) -> None:
    metrics = train(dataclasses.replace(preset("digits-block"), epochs=8), tmp_path)
    assert metrics["score"] >= 94


@pytest.fixture
def optimizers(monkeypatch: pytest.MonkeyPatch) -> list[torch.optim.Adam]:
    """Every Adam that training makes, to give it a rate that no config may ask for."""
    made, adam = [], torch.optim.Adam

    def watched(*a: Any, **k: Any) -> torch.optim.Adam:
        made.append(adam(*a, **k))
        return made[-1]

    monkeypatch.setattr(torch.optim, "Adam", watched)
    return made


def explode(optimizer: torch.optim.Adam) -> None:
    """The next step makes every weight infinite or NaN."""
    for group in optimizer.param_groups:
        group["peak"] = float("inf")


def test_a_loss_that_is_no_number_stops_and_keeps_the_last_good_checkpoint(
    tmp_path: Path, optimizers: list[torch.optim.Adam]
) -> None:
    def ruin(epoch: Epoch) -> None:
        if epoch.number == 2:
            explode(optimizers[-1])

    with pytest.raises(UserError) as stopped:
        train(QUICK, tmp_path / "run", ruin)
    # 640 sequences in batches of 64: the first step of epoch 3 is the 21st, its damage the 22nd's.
    assert re.fullmatch(
        r"training diverged at step 22 \(epoch 3\): the loss is no longer finite\. Try a smaller "
        rf"rate than 0\.03; the checkpoint of epoch [12] stays in {tmp_path / 'run'}\.",
        str(stopped.value),
    )
    load_checkpoint(tmp_path / "run")
    assert not (tmp_path / "run" / "metrics.json").exists()


def test_a_killed_run_leaves_a_checkpoint_that_loads(tmp_path: Path) -> None:
    script = (
        "import sys, dataclasses, pathlib; from sylvan.model.config import Config\n"
        "from sylvan.model.train import train\n"
        "config = Config(**{**eval(sys.argv[2]), 'epochs': 10_000})\n"
        "train(config, pathlib.Path(sys.argv[1]), lambda e: print(e.number, flush=True))"
    )
    arguments = repr({k: v for k, v in QUICK.tree().items() if k != "version"})
    command = [sys.executable, "-c", script, str(tmp_path / "run"), arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if int(line) >= 2:
                os.kill(process.pid, signal.SIGKILL)
                break
    load_checkpoint(tmp_path / "run")


def test_an_earlier_run_stays_until_the_new_one_has_something(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = (run / CHECKPOINT_FILE).read_bytes()

    def hopeless(layer: torch.nn.Module, *_: Any) -> tuple[torch.Tensor, tuple[()]]:
        return next(iter(layer.parameters())).sum() * float("nan"), ()

    monkeypatch.setattr("sylvan.model.train.loss_of", hopeless)
    with pytest.raises(UserError, match=r"at step 1 \(epoch 1\).*nothing was written"):
        train(QUICK, run)
    assert (run / CHECKPOINT_FILE).read_bytes() == before
    assert load_checkpoint(run)[1] == QUICK and (run / "metrics.json").exists()


def test_a_write_that_fails_leaves_the_old_file_and_no_scraps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "file"
    write_whole(target, b"old")

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        write_whole(target, b"new")
    assert target.read_bytes() == b"old" and list(tmp_path.iterdir()) == [target]


def header(run: Path) -> Iterator[tuple[dict[str, torch.Tensor], dict[str, str]]]:
    from safetensors import safe_open

    with safe_open(run / CHECKPOINT_FILE, framework="pt") as file:
        metadata = dict(file.metadata())
    tensors = load_file(run / CHECKPOINT_FILE)
    yield tensors, metadata
    save_file(tensors, run / CHECKPOINT_FILE, metadata)


def edit_checkpoint(
    change: Callable[[dict[str, Any], dict[str, str]], Any],
) -> Callable[[Path], Any]:
    def apply(run: Path) -> None:
        for tensors, metadata in header(run):
            change(tensors, metadata)

    return apply


def edit_config(change: dict[str, Any], both: bool = False) -> Callable[[Path], Any]:
    def apply(run: Path) -> None:
        tree = json.loads((run / CONFIG_FILE).read_text()) | change
        (run / CONFIG_FILE).write_text(json.dumps(tree))
        if both:
            for _, metadata in header(run):
                entry = json.loads(metadata["sylvan"]) | {"config": tree}
                metadata["sylvan"] = json.dumps(entry)

    return apply


def edit_header(change: dict[str, Any]) -> Callable[[Path], Any]:
    def edit(_: Any, metadata: dict[str, str]) -> None:
        metadata["sylvan"] = json.dumps(json.loads(metadata["sylvan"]) | change)

    return edit_checkpoint(edit)


def cut(name: str, size: int) -> Callable[[Path], Any]:
    return lambda run: (run / name).write_bytes((run / name).read_bytes()[:size])


def poison(tensors: dict[str, torch.Tensor], value: float) -> None:
    tensors["output_weights"][1, 1] = value


BROKEN: list[tuple[str, Callable[[Path], Any], str]] = [
    ("no folder", shutil.rmtree, "is no finished training run: config.json is missing there"),
    (
        "no checkpoint",
        lambda run: (run / CHECKPOINT_FILE).unlink(),
        "is no finished training run: checkpoint.safetensors is missing there",
    ),
    ("cut short", cut(CHECKPOINT_FILE, 2000), "cannot be read, it may be cut short"),
    ("empty", cut(CHECKPOINT_FILE, 0), "cannot be read, it may be cut short"),
    ("cut config", cut(CONFIG_FILE, 20), "config.json cannot be read"),
    ("list", lambda run: (run / CONFIG_FILE).write_text("[]"), "is no config of a training run"),
    ("version", edit_config({"version": 9}), "has version 9, this Sylvan reads version 1"),
    (
        "unknown entry",
        edit_config({"epocs": 1}),
        "has an unknown entry 'epocs', did you mean 'epochs'?",
    ),
    ("kind", edit_config({"hidden": "32"}), "config: hidden must be a whole number, got '32'"),
    (
        "other run",
        edit_config({"seed": 7}),
        "config.json and checkpoint.safetensors are of different runs: seed is 7 in one and 0",
    ),
    (
        "other family",
        edit_config({"cell": "qornn"}),
        "are of different runs: cell is 'qornn' in one and 'hadamrnn' in the other",
    ),
    (
        "unknown family",
        edit_config({"cell": "hadamrn"}, both=True),
        "there is no cell 'hadamrn', did you mean 'hadamrnn'?",
    ),
    (
        "size",
        edit_config({"hidden": 64}, both=True),
        "bias should be ('torch.float32', (64,)), found ('torch.float32', (32,))",
    ),
    (
        "refused",
        edit_config({"block": 24}, both=True),
        "cell hadamrnn: block must be a power of two that divides 32, got 24",
    ),
    (
        "unknown option",
        edit_config({"cell_options": {"leak": 1}}, both=True),
        "cell hadamrnn has no option 'leak'; known: ['bias', 'block', 'dropout', 'embedding'",
    ),
    (
        "missing tensor",
        edit_checkpoint(lambda tensors, _: tensors.pop("bias")),
        "expected the tensors ['bias', 'fixed_signs'",
    ),
    (
        "kind of numbers",
        edit_checkpoint(lambda tensors, _: tensors.update(bias=tensors["bias"].double())),
        "bias should be ('torch.float32', (32,)), found ('torch.float64', (32,))",
    ),
    (
        "NaN",
        edit_checkpoint(lambda tensors, _: poison(tensors, float("nan"))),
        "output_weights holds NaN or infinite weights",
    ),
    (
        "infinite",
        edit_checkpoint(lambda tensors, _: poison(tensors, float("inf"))),
        "output_weights holds NaN or infinite weights",
    ),
    (
        "signs",
        edit_checkpoint(lambda tensors, _: tensors["fixed_signs"].fill_(0.5)),
        "fixed_signs holds values other than +1 and -1",
    ),
    (
        "stranger's",
        edit_checkpoint(lambda _, metadata: metadata.clear()),
        "is no checkpoint of Sylvan: its header has no entry 'sylvan'",
    ),
    (
        "header",
        edit_checkpoint(lambda _, metadata: metadata.update(sylvan="{")),
        "has no readable header",
    ),
    (
        "checkpoint's version",
        edit_header({"version": 2}),
        "checkpoint.safetensors has version 2, this Sylvan reads version 1",
    ),
    (
        "greedy",
        edit_header({"network": {"inputs": 10**12}}),
        "inputs times hidden must lie in 1..268435456, got 1000000000000 times 32",
    ),
]


@pytest.mark.parametrize(("ruin", "message"), [b[1:] for b in BROKEN], ids=[b[0] for b in BROKEN])
def test_broken_checkpoints(run: Path, ruin: Callable[[Path], Any], message: str) -> None:
    ruin(run)
    with pytest.raises(UserError, match=re.escape(message)):
        load_checkpoint(run)


BAD_CONFIGS: list[tuple[dict[str, Any], str]] = [
    ({"hidden": 0}, "config: hidden must lie in 1..1048576, got 0"),
    ({"epochs": -1}, "config: epochs must lie in 1..1048576, got -1"),
    ({"rate": 0.0}, "config: rate must lie in 0..1048576 (0 excluded), got 0.0"),
    ({"rate": float("nan")}, "config: rate must lie in 0..1048576 (0 excluded), got nan"),
    ({"rate": 1e300}, "config: rate must lie in 0..1048576 (0 excluded), got 1e+300"),
    ({"smoothing": 1.0}, "config: smoothing must lie in 0..1 (1 excluded), got 1.0"),
    ({"seed": -1}, "config: seed must lie in 0..2**31 - 1, got -1"),
    ({"block": 1.5}, "config: block must be a whole number or null, got 1.5"),
    ({"task_options": []}, "config: task_options must be options by name, got []"),
]


@pytest.mark.parametrize(("change", "message"), BAD_CONFIGS)
def test_bad_configs(change: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError) as refusal:
        dataclasses.replace(QUICK, **change)
    assert str(refusal.value) == message


def test_numbers_are_trained_scored_and_exported_but_have_no_index(tmp_path: Path) -> None:
    sizes = {"length": 8, "train": 200, "validation": 50, "test": 50}
    config = Config("adding", hidden=16, epochs=2, task_options=sizes)
    metrics = train(config, tmp_path)
    made = export(tmp_path, 14)
    assert made.float_score.loss == pytest.approx(metrics["loss"], rel=1e-5)
    assert made.integer_score.loss == pytest.approx(metrics["loss"], rel=0.05)
    with pytest.raises(UserError, match="an index, by which the task adding cannot be scored"):
        export(tmp_path, 14, argmax=True)


def test_a_run_is_scored_on_tasks_that_fit_it_and_remembers_its_own(tmp_path: Path) -> None:
    small = dataclasses.replace(preset("digits"), hidden=16, epochs=1)
    train(small, tmp_path)
    with pytest.raises(UserError, match="does not fit the task copy: its inputs is 1, the task's"):
        export(tmp_path, 12, task="copy")
    with pytest.raises(UserError, match="a temperature scales logits: the task adding answers num"):
        train(Config("adding", temperature=True), tmp_path / "adding")


def test_a_new_run_forgets_what_described_the_old_one(tmp_path: Path) -> None:
    small = dataclasses.replace(preset("digits"), hidden=16, epochs=1)
    train(small, tmp_path)
    export(tmp_path, 12)
    assert (tmp_path / "program" / "program.json").exists()
    train(dataclasses.replace(small, seed=1), tmp_path)
    assert not (tmp_path / "program").exists()
    assert json.loads((tmp_path / "metrics.json").read_text())["integer"] == {}
