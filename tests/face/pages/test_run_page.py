"""The page of a run: its scores, its curves, its settings; and sentences where it has none."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from commands import Sylvan
from markup import Markup

from sylvan.pages.run import run_page


def test_a_run_shows_its_scores_curves_and_settings(run: Path) -> None:
    metrics = json.loads((run / "metrics.json").read_text())
    metrics["integer"] |= {"6": {"score": 31.25, "loss": None}, "12": {"score": 40.5, "loss": 2.0}}
    (run / "metrics.json").write_text(json.dumps(metrics))
    shown = Markup(run_page(run))
    assert shown.titles == ["Scores by bits of the state", "Learning curves", "What was trained"]
    scores = shown.tables["scores by bits of the state"].rows
    assert [row[0].text for row in scores] == ["float", "6", "10", "12"]
    assert [row[1].text for row in scores][::3] == [f"{metrics['score']:.2f}", "40.50"]
    assert "12 bits: 40.50" in shown.texts
    (picture,) = shown.addresses
    content = base64.b64decode(picture.removeprefix("data:image/png;base64,"))
    assert content == (run / "curves.png").read_bytes()
    settings = {row[0].text: row[1].text for row in shown.tables["settings"].rows}
    assert settings["hidden"] == "16" and settings["epochs"] == "1"


def test_what_a_run_has_not_is_said(tmp_path: Path) -> None:
    shown = Markup(run_page(tmp_path))
    assert (
        f"{tmp_path} has no metrics.json: the training did not end, or was imported." in shown.text
    )
    assert f"{tmp_path} has no curves.png: `sylvan train` draws it" in shown.text
    assert "config.json cannot be read" in shown.text and shown.tables == {}
    (tmp_path / "curves.png").write_text("<svg onload=alert(1)>")
    assert "onload" not in Markup(run_page(tmp_path)).text


@pytest.mark.parametrize(
    "change",
    [
        {"score": "high"},
        {"score": 10**400},
        {"integer": {"x": {"score": 1, "loss": 1}}},
        {"integer": {"8": {"score": None, "loss": 1}}},
        {"integer": [1]},
        {"score_unit": None},
    ],
)
def test_damaged_metrics_are_said_to_be(change: dict[str, Any], run: Path) -> None:
    metrics = json.loads((run / "metrics.json").read_text())
    (run / "metrics.json").write_text(json.dumps(metrics | change))
    shown = Markup(run_page(run))
    assert "metrics.json is no metrics file: " in shown.text
    assert "Learning curves" in shown.titles


def test_a_run_that_was_not_exported_says_how(run: Path) -> None:
    metrics = json.loads((run / "metrics.json").read_text())
    (run / "metrics.json").write_text(json.dumps(metrics | {"integer": {}}))
    assert "`sylvan export RUN --state-bits auto` scores" in Markup(run_page(run)).text


def test_reports_write_pages_and_a_build_knows_its_run(
    sylvan: Sylvan, run: Path, tmp_path: Path
) -> None:
    """The run moves with the build; a run that was trained anew is another one."""
    built = tmp_path / "built"
    told = sylvan("report", run)
    assert (
        told.code == 0 and f"the same with pictures, for a browser: {run}/report.html" in told.out
    )
    assert "Learning curves" in Markup((run / "report.html").read_bytes()).titles
    assert sylvan("build", run, "--target", "verilog", "--lanes", 1, "--out", built).code == 0
    told = sylvan("report", built)
    assert told.code == 0 and f"{built}/report.html" in told.out
    shown = Markup((built / "report.html").read_bytes())
    assert shown.titles[-2:] == ["Scores by bits of the state", "Learning curves"]
    assert "On 128 test sequences of digits" in shown.text and len(shown.addresses) == 1
    metrics = json.loads((run / "metrics.json").read_text())
    (run / "metrics.json").write_text(json.dumps(metrics | {"seed": 7}))
    assert sylvan("report", built).code == 0
    shown = Markup((built / "report.html").read_bytes())
    assert "now holds another training than the program is from" in shown.text


def test_a_task_whose_data_are_elsewhere_is_a_sentence(
    sylvan: Sylvan, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SYLVAN_DATA", raising=False)
    built = tmp_path / "built"
    assert sylvan("build", run, "--target", "verilog", "--lanes", 1, "--out", built).code == 0
    told = sylvan("report", built, "--task", "mnist")
    assert told.code == 0
    shown = Markup((built / "report.html").read_bytes())
    assert "--data" in shown.text and "intervals" not in shown.tables
