"""Reports, and what they say comes next."""

import os
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest
import torch
from authors import checkpoint
from commands import Sylvan
from sylvan.hw.report import make_report
from sylvan.hw.schedule import Schedule
from sylvan.model import train
from sylvan.model.files import write_json
from sylvan.model.presets import preset

from sylvan.report import after_build, after_training, resumption


def test_a_report_names_what_comes_next(run: Path, tmp_path: Path) -> None:
    """A run before and after its export; a build before and after simulation, and placed."""
    program = run / "program"
    assert after_training(run)[0] == f"sylvan eval {run}"
    shutil.rmtree(program)
    assert after_training(run) == [f"sylvan export {run} --state-bits 12"]
    folder = tmp_path / "my build"

    def after(
        lanes: int, cycles: int | None, luts: int | None, digit: int = 0, **more: bool
    ) -> str:
        measured = {"cycles_per_step": cycles, "luts": luts}
        schedule = Schedule(lanes, digit, **more).keys(digit)
        report = {"target": "ecp5-25f", "schedule": schedule, "measured": measured}
        (command,) = after_build(folder, report)
        return command

    assert after(4, None, None).startswith(f"sylvan sim '{folder}' ")
    assert after(4, 9, None).startswith(
        f"sylvan build '{folder}/program' --target ecp5-25f --lanes 4"
    )
    assert "--lanes 4 --digit 2 --out" in after(4, 9, None, 2)
    assert after(4, 9, 100).endswith(f"--lanes 1 --out '{folder}-1-lane'    (smaller)")
    assert after(1, 9, 100).startswith(f"sylvan sim '{folder}' --waves")
    assert "--target ecp5-25f --microcode --out" in after(1, 9, None, microcode=True)
    assert after(1, 9, 100, microcode=True) == after(1, 9, 100)


def test_an_imported_run_says_what_it_is(sylvan: Sylvan, tmp_path: Path) -> None:
    """Without metrics, its task named or not, and once it has a program."""
    torch.save(checkpoint(32, 16, 1, 10), tmp_path / "theirs.pt")
    run = tmp_path / "run"
    made = sylvan("import", "hadamrnn", tmp_path / "theirs.pt", "--out", run)
    export = f"sylvan export {run} --state-bits 12"
    assert made.code == 0 and f"{export} --task NAME\n" in made.out
    told = sylvan("report", run)
    assert told.code == 0 and f"{export} --task NAME\n" in told.out
    assert (
        f"{run} holds a network without scores, imported or of a training that stopped: "
        "hadamrnn of 32 units, its task not named"
    ) in told.out
    sylvan("import", "hadamrnn", tmp_path / "theirs.pt", "--out", run, "--task", "digits")
    told = sylvan("report", run)
    assert "hadamrnn of 32 units for the task digits" in told.out and f"{export}\n" in told.out
    assert sylvan("export", run).code == 0
    assert f"sylvan eval {run}\n" in sylvan("report", run).out


def test_an_interrupted_run_says_how_it_goes_on(
    sylvan: Sylvan, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where it was to replace a run that is still there."""
    step, done = train._Run._step, list[float]()

    def interrupted(*given: Any) -> float:
        done.append(step(*given))
        if len(done) == 30:
            os.kill(os.getpid(), signal.SIGINT)
        return done[-1]

    monkeypatch.setattr(train._Run, "_step", interrupted)
    small = ["--preset", "digits", "--hidden", 16, "--epochs", 3, "--seed", 1]
    new = tmp_path / "new"
    # 19 steps an epoch: in the second one, and in the first.
    assert sylvan("train", *small, "--out", new).code == 130
    told = sylvan("report", new)
    assert told.code == 0 and f"sylvan train --resume {new}\n" in told.out
    assert (
        f"{new} holds a training that was interrupted: hadamrnn on digits, 1 of 3 epochs finished"
    ) in told.out
    done[:] = [0.0] * 27
    assert sylvan("train", *small, "--out", run).code == 130
    told = sylvan("report", run)
    assert "integer, 10-bit state" in told.out
    assert f"{run} holds a training that was interrupted" in told.out
    assert told.out.endswith(f"Next:\n  sylvan train --resume {run}\n")


def test_what_needs_data_goes_on_with_data(tmp_path: Path) -> None:
    command = resumption(tmp_path, preset("har-2"))
    assert command == f"sylvan train --resume {tmp_path} --data FOLDER"


def test_a_placed_build_names_its_bitstream(sylvan: Sylvan, run: Path, tmp_path: Path) -> None:
    out = tmp_path / "built"
    assert sylvan("build", run, "--target", "verilog", "--lanes", 1, "--out", out).code == 0
    assert "bitstream" not in sylvan("report", out).out
    (out / "core.bin").touch()
    assert f"bitstream: {out}/core.bin" in sylvan("report", out).out


@pytest.mark.parametrize(
    ("target", "told"), [("gowin-gw1n9", True), ("ecp5-25f", False), ("verilog", False)]
)
def test_figures_of_synthesis_are_called_that(
    sylvan: Sylvan, tmp_path: Path, target: str, told: bool
) -> None:
    report = make_report(target, "ab" * 32, Schedule(4).keys(8), measured={"luts": 100})
    write_json(tmp_path / "report.json", report)
    ended = sylvan("report", tmp_path)
    assert ended.code == 0 and ("synthesis only, not placed" in ended.out) == told
