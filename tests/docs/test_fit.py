"""The cost model's numbers are those fitted to the rows, its table says what they say."""

import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from marked import between
from sylvan.hw import fitted
from sylvan.hw.cost import estimate, weighed
from sylvan.hw.fitted import Weights

BENCH = Path(__file__).parents[2] / "bench"


@pytest.fixture(scope="module")
def bench() -> Iterator[SimpleNamespace]:
    sys.path.append(str(BENCH))
    try:
        yield SimpleNamespace(**{name: importlib.import_module(name) for name in ("builds", "fit")})
    finally:
        sys.path.remove(str(BENCH))


@pytest.fixture(scope="module")
def rows(bench: SimpleNamespace) -> list[dict[str, Any]]:
    return json.loads(bench.builds.OUT.read_text())


def test_the_numbers_are_those_fitted_to_the_rows(bench: SimpleNamespace, rows: list) -> None:
    fit = bench.fit
    found = fit.fit(fit.split(rows)["fitted"])
    assert found == {"WEIGHTS": fitted.WEIGHTS, "DELAYS": fitted.DELAYS}
    assert between(fit.CODE, fit.CODE_MARKS) == fit.code(found)


def test_the_page_holds_the_table_of_the_rows(bench: SimpleNamespace, rows: list) -> None:
    fit = bench.fit
    assert between(fit.PAGE, fit.PAGE_MARKS).strip() == "\n".join(fit.table(rows)).strip()


def test_a_row_says_what_the_estimate_of_its_plan_says(bench: SimpleNamespace, rows: list) -> None:
    """Counted anew, and but for the rounding of LUTs, which its clock rate is made of."""
    for row in [row for row in rows if row["program"] == "core 16" and row["lanes"] == 2]:
        design = bench.builds.rebuilt(row)
        said = estimate(design.plan, design.part)
        found = {"WEIGHTS": fitted.WEIGHTS, "DELAYS": fitted.DELAYS}
        for name, value in bench.fit.estimated(bench.fit.counted(row), found).items():
            assert value == said[name] or value == pytest.approx(said[name], rel=1e-3), name


def test_every_third_core_is_held_out_on_all_parts(bench: SimpleNamespace) -> None:
    keys = {"lanes": 1, "digit": 8, "words": True, "levels": 1, "contexts": 1, "microcode": False}
    rows = [{"program": name, "target": part, **keys} for name in "abcd" for part in ("x", "y")]
    split = bench.fit.split(rows)
    assert [row["program"] for row in split["held out"]] == ["c", "c"]
    assert len(split["fitted"]) == 6


def test_weights_are_found_that_made_the_figures(bench: SimpleNamespace) -> None:
    counts = [[4.0, 1, 0, 2], [9.0, 0, 3, 1], [1.0, 5, 2, 0], [2.0, 2, 9, 4], [3.0, 1, 4, 5]]
    made = [2.0, 1.0, 0.0, 3.0]
    found = [weighed(made, row) for row in counts]
    assert bench.fit.solved(counts, found, [0] * 4, [0] * 4) == pytest.approx(made)


def test_no_weight_is_negative_and_what_is_not_counted_is_as_expected(
    bench: SimpleNamespace,
) -> None:
    """Where more of the second means less, the first alone is fitted."""
    counts, found = [[1.0, 1, 0, 0], [1.0, 2, 0, 0]], [10.0, 8.0]
    weights = bench.fit.solved(counts, found, [0, 0, 2, 3], [0, 0, 1, 1])
    assert weights[1:] == [0, 2, 3] and 8 < weights[0] < 10


def test_an_error_beyond_its_bar_is_said(bench: SimpleNamespace) -> None:
    assert bench.fit.judged(0.15, 0.15) == "15.0%"
    assert bench.fit.judged(0.16, 0.15) == "16.0% (**missed**: 15%)"
    assert bench.fit.judged(0.16, None) == "16.0%"


def test_a_row_of_another_rtl_is_left_out(
    bench: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    builds = bench.builds
    design = builds.core("core 16", builds.Schedule(2), "gowin-gw2a18")
    row = builds.key(design) | dict.fromkeys(builds.FIGURES, 1) | {"given": design.given()}
    (tmp_path / "none.json").write_text("[]")
    monkeypatch.setattr(builds, "PLACED", tmp_path / "none.json")
    monkeypatch.setattr(builds, "OUT", tmp_path / "rows.json")
    for given, left in ((design.given(), [row]), ("another", [])):
        builds.OUT.write_text(json.dumps([row | {"given": given}]))
        assert builds.rows() == left


def test_weights_have_a_number_for_each_count(bench: SimpleNamespace) -> None:
    assert set(bench.fit.EXPECTED) == set(fitted.WEIGHTS)
    assert all(isinstance(weights, Weights) for weights in fitted.WEIGHTS.values())
