"""The front of schedules as it is printed and written, and builds for a rate."""

import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from commands import Sylvan
from sylvan.hw import build as hw_build
from sylvan.hw import fitted, synthesis

from sylvan.cli.shared import hertz


def measured(mhz: float) -> SimpleNamespace:
    """What the tools find."""
    used = {"luts": 900, "ffs": 400, "brams": 3, "sprams": 0, "dsps": 0}
    return SimpleNamespace(**used, fmax_mhz=mhz, tool_versions={})


def test_a_front_is_a_table_a_picture_and_data(sylvan: Sylvan, run: Path, tmp_path: Path) -> None:
    out = tmp_path / "front"
    told = sylvan("plan", run, "--target", "ice40-hx8k", "--clock", "12M", "--out", out)
    assert told.code == 0, told.error
    front = json.loads((out / "front.json").read_text())
    assert front["target"] == "ice40-hx8k" and front["clock_hz"] == 12e6
    points = front["points"]
    sizes = [(p["estimate"]["luts"], p["estimate"]["brams"]) for p in points]
    speeds = [p["estimate"]["steps_per_s"] for p in points]
    assert len(points) > 1 and sizes == sorted(set(sizes)) and speeds == sorted(set(speeds))
    for point in points:
        cycles, luts = point["estimate"]["cycles_per_step"], point["estimate"]["luts"]
        assert point["estimate"]["steps_per_s"] == 12e6 / cycles
        assert point["utilisation"] == front["floor_adder_bits"] / (luts * cycles)
        assert f" {luts:,} " in told.out and f" {12e6 / cycles:,.0f} " in told.out
    assert points[0]["schedule"]["microcode"] is True
    assert [line.split()[1:4:2] for line in told.out.splitlines() if "microcode" in line] == [
        ["1", "microcode"]
    ]
    assert (out / "front.png").read_bytes().startswith(b"\x89PNG")
    command = told.out.split("Next:")[1].split()
    knobs = points[len(points) // 2]["schedule"]
    assert command[:5] == ["sylvan", "build", str(run / "program"), "--target", "ice40-hx8k"]
    assert command[5:7] == ["--lanes", str(knobs["lanes"])]


def test_a_front_without_clock_rates_says_so(sylvan: Sylvan, run: Path, tmp_path: Path) -> None:
    told = sylvan("plan", run, "--target", "gowin-gw2a18")
    assert told.code == 0 and "ranked by cycles, because the clock rate is not" in told.out
    for known in (("gowin-gw2a18", "--clock", 1), ("ice40-hx8k",)):
        assert "ranked by cycles" not in sylvan("plan", run, "--target", *known).out


def test_a_build_for_a_rate_moves_on_until_it_is_sustained(
    sylvan: Sylvan, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first that is placed is slower than the board's clock; the second is what is kept."""
    rates = iter([9.0, 30.0])

    def placed(*given: Any, **named: Any) -> SimpleNamespace:
        return measured(next(rates))

    monkeypatch.setattr(hw_build, "synthesize", placed)
    out = tmp_path / "out"
    told = sylvan(
        "build", run, "--target", "ice40-up5k", "--rate", "20k", "--clock", "10M", "--out", out
    )
    assert told.code == 0, told.error
    assert told.out.count("builds ") == 2
    assert "placed at 9.0 MHz, below 10 MHz" in told.out
    assert re.search(r"at 10 MHz, placed at 30\.0 MHz \(estimate [\d,]+, asked 20,000\)", told.out)
    assert "the rate is of the others: --timesteps counts both" in told.out
    report = json.loads((out / "report.json").read_text())
    assert report["measured"]["fmax_mhz"] == 30.0
    assert 10e6 / report["estimate"]["cycles_per_step"] >= 20e3


def test_without_a_clock_it_is_0_9_of_what_is_placed(
    sylvan: Sylvan, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def placed(*given: Any, **named: Any) -> SimpleNamespace:
        return measured(40.0)

    monkeypatch.setattr(hw_build, "synthesize", placed)
    monkeypatch.setattr(synthesis, "reference_fmax", lambda width, part, progress: 80.0)
    build = ("build", run, "--target", "ice40-up5k", "--timesteps", 64, "--out", tmp_path / "out")
    told = sylvan(*build, "--rate", "1k")
    assert told.code == 0 and "at 0.9 of the placed 40.0 MHz" in told.out
    assert "--timesteps counts both" not in told.out
    monkeypatch.delitem(fitted.DELAYS, "up5k")
    told = sylvan(*build, "--rate", "100M")
    assert told.code == 2 and "at 0.9 of 80.0 MHz. " in told.error


@pytest.mark.parametrize(
    ("text", "rate"), [("16000", 16e3), ("16k", 16e3), ("2M", 2e6), ("1.5k", 1.5e3), ("2e3", 2e3)]
)
def test_rates_may_be_short(text: str, rate: float) -> None:
    assert hertz(text) == rate
