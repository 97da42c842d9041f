"""The command that searches: tables, a page, data, and the answer to a question."""

import json
import re
from pathlib import Path

import explored
import pytest
from commands import Sylvan
from sylvan.hw.report import load_report


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("exploring")


def test_a_search_is_printed_written_and_asked(sylvan: Sylvan, folder: Path) -> None:
    spec, out = explored.spec(folder), folder / "out"
    told = sylvan("explore", spec, "--out", out)
    assert told.code == 0, told.error
    data = json.loads((out / "exploration.json").read_text())
    front = [point for point in data["points"] if point["front"]]
    assert "the front on ice40-up5k" in told.out and "4 networks: 2 trained now" in told.out
    for point in front:
        luts, accuracy = point["figures"]["luts"], point["figures"]["accuracy"]
        assert re.search(rf"{accuracy:.4f} .* {luts:,} .* estimated", told.out)
    page = (out / "index.html").read_text()
    assert "small" in page and "plotly" in page
    assert f"sylvan explore {spec} --out {out} --best 'min luts'" in told.out

    asked = sylvan("explore", spec, "--out", out, "--best", "hidden >= 8, min luts")
    assert asked.code == 0 and "0 trained now" in asked.out
    large = [point for point in data["points"] if point["network"]["hidden"] == 8]
    best = min(point["figures"]["luts"] for point in large)
    answer = asked.out.split("the best on ice40-up5k")[1]
    assert f" {best:,} " in answer
    command = answer.split("Next:")[1].split()
    assert command[:2] == ["sylvan", "build"] and "--microcode" in command
    assert " microcode " in answer
    assert sylvan(*command[1:-1], folder / "best").code == 0
    report = load_report(folder / "best" / "report.json")
    assert report["estimate"]["luts"] == best

    none = sylvan("explore", spec, "--out", out, "--best", "luts <= 10, min brams")
    assert none.code == 2 and "no point of the search is within all bounds" in none.error
    assert re.search(r"luts <= 10 \([\d,]+\)", none.error)
    other = sylvan("explore", spec, "--out", out, "--best", "min luts", "--target", "ecp5-25f")
    assert other.code == 2 and "no point on ecp5-25f; it has them on: ice40-up5k" in other.error


@pytest.mark.full
def test_the_best_is_built(sylvan: Sylvan, folder: Path) -> None:
    spec, out, built = explored.spec(folder), folder / "out", folder / "built"
    asked = "--best", "min luts", "--target", "ice40-up5k", "--build", built
    told = sylvan("explore", spec, "--out", out, *asked)
    assert told.code == 0, told.error
    report = load_report(built / "report.json")
    assert report["target"] == "ice40-up5k" and report["measured"]["luts"]
    assert f"{report['estimate']['luts']:,}" in told.out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--target", "ecp5-25f"), "--target and --build are for the answer to --best"),
        (("--best", "luts"), "a question is bounds and aims"),
        (("--best", "min luts", "--target", "ecp"), "there is no target 'ecp'"),
        (("--scheduler", "tcp://127.0.0.1:1", "--workers", "2"), "leave out --workers"),
        (("--scheduler", "foo"), "a scheduler's address is such as tcp://host:8786, got 'foo'"),
        (("--scheduler", "tcp://127.0.0.1:1"), "no scheduler answers at tcp://127.0.0.1:1"),
        (("--storage", "nowhere"), "the storage is named by an URL"),
    ],
)
def test_a_mistake_is_a_sentence(
    options: tuple[str, ...], said: str, sylvan: Sylvan, tmp_path: Path
) -> None:
    ended = sylvan("explore", explored.spec(tmp_path), "--out", tmp_path / "out", *options)
    assert ended.code == 2 and said in ended.error


def test_a_spec_that_is_wrong_is_told_with_its_line(sylvan: Sylvan, tmp_path: Path) -> None:
    spec = explored.spec(tmp_path, ("hidden = ", "hiden = "))
    ended = sylvan("explore", spec, "--out", tmp_path / "out")
    assert ended.code == 2 and ended.error.startswith(f"error: {spec}, line 5: ")
    assert "did you mean 'hidden'?" in ended.error
    assert not (tmp_path / "out").exists()
