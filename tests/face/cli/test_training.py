"""Commands that make runs."""

from pathlib import Path

from commands import Sylvan
from sylvan.model.cells import cell_names
from sylvan.model.tasks import task_names


def test_what_was_not_interrupted_does_not_go_on(sylvan: Sylvan, run: Path) -> None:
    ended = sylvan("train", "--resume", run)
    assert ended.code == 2 and "has no interrupted training to go on with" in ended.error
    changed = sylvan("train", "--resume", run, "--epochs", 3)
    assert changed.code == 2 and "nothing can be changed" in changed.error


def test_recipes_are_listed(sylvan: Sylvan) -> None:
    listed = sylvan("presets")
    assert listed.code == 0 and "digits-block" in listed.out and "copy-100" in listed.out
    told = sylvan("presets", "digits-lstm")
    assert told.code == 0 and "cell.normalization=weight" in told.out
    assert "sylvan train --preset digits-lstm --set" in told.out
    assert "--preset har-2 --data FOLDER" in sylvan("presets", "har-2").out


def test_the_help_names_tasks_and_cells(sylvan: Sylvan) -> None:
    told = " ".join(sylvan("train", "--help").out.replace("│", " ").split())
    for names in (task_names(), cell_names()):
        assert f"{', '.join(names)}." in told


def test_a_foreign_checkpoint_becomes_a_run(sylvan: Sylvan, tmp_path: Path) -> None:
    (tmp_path / "theirs.pt").write_bytes(b"not theirs")
    ended = sylvan("import", "hadamrnn", tmp_path / "theirs.pt", "--out", tmp_path / "run")
    assert ended.code == 2 and "is no file of tensors alone" in ended.error
    odd = sylvan("import", "hadamrnn", tmp_path / "x", "--out", tmp_path / "run", "--block", "half")
    assert odd.code == 2 and "--block is full or a number, got 'half'" in odd.error
