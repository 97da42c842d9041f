"""The command as a user meets it: the whole way on a small network."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

from commands import Sylvan


def test_the_whole_way(sylvan: Sylvan, run: Path, tmp_path: Path) -> None:
    scored = sylvan("eval", run)
    assert scored.code == 0 and "accuracy" in scored.out and "360 test sequences" in scored.out
    built = tmp_path / "built"
    made = sylvan("build", run, "--target", "verilog", "--lanes", 4, "--out", built)
    assert made.code == 0 and f"sylvan sim {built}" in made.out
    assert {path.name for path in built.iterdir()} >= {"core.v", "ports.json", "plan.json"}
    simulated = sylvan("sim", built, "--task", "digits", "--sequences", 2, "--seed", 3)
    assert simulated.code == 0 and "equal the golden model's" in simulated.out
    report = json.loads((built / "report.json").read_text())
    plan = json.loads((built / "plan.json").read_text())
    assert report["measured"]["cycles_per_step"] == plan["cycles"]["cycles_per_step"]
    assert report["measured"]["luts"] is None
    assert "sent: 2 sequences of digits; besides them short ones" in simulated.out
    shown = sylvan("report", built)
    assert shown.code == 0 and "cycles a step" in shown.out
    assert f"sylvan build {built}/program --target ecp5-25f --lanes 4 --out" in shown.out
    told = sylvan("report", run).out
    assert "integer, 10-bit state" in told and f"sylvan build {run} --target ecp5-25f" in told
    metrics = json.loads((run / "metrics.json").read_text())
    assert f"{metrics['integer']['10']['score']:.2f} %" in scored.out


def test_every_command_teaches(sylvan: Sylvan) -> None:
    for command in ("demo", "train", "export", "eval", "build", "sim", "report"):
        told = sylvan(command, "--help")
        assert told.code == 0 and "Usage:" in told.out


def test_a_pipe_gets_whole_lines(run: Path, tmp_path: Path) -> None:
    """Paths and commands are to be copied from there, with spaces in them as well."""
    place = tmp_path / ("a long folder " * 8).strip() / "run"
    shutil.copytree(run, place)
    command = [sys.executable, "-m", "sylvan", "report", str(place)]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert f"\n  sylvan eval '{place}'\n" in told
    command[3:] = ["eval", str(place / "nowhere")]
    told = subprocess.run(command, capture_output=True, text=True, check=False).stderr
    assert told == f"error: {place}/nowhere is no program: program.json is missing there\n"
