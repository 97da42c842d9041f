"""What the page says of placed designs is what their rows say, and estimates are that good."""

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest
from marked import between
from sylvan.hw import clock

BENCH = Path(__file__).parents[2] / "bench"


@pytest.fixture(scope="module")
def placed() -> ModuleType:
    sys.path.append(str(BENCH))  # for the other file of bench/ that it imports
    try:
        spec = importlib.util.spec_from_file_location("placed", BENCH / "placed.py")
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(BENCH))
    return module


def test_the_page_holds_the_table_of_the_rows(placed: ModuleType) -> None:
    rows = json.loads(placed.OUT.read_text())
    written = between(placed.PAGE, placed.MARKS)
    assert written.strip() == "\n".join(placed.table(rows)).strip()


def test_the_delays_are_those_fitted_to_the_rows(placed: ModuleType) -> None:
    split = placed.parts(json.loads(placed.OUT.read_text()))
    assert clock.DELAYS["ecp5"] == placed.fitted(split["fitted"])
    assert split["held out"]


def test_luts_and_flip_flops_are_estimated_within_a_tenth(placed: ModuleType) -> None:
    rows = json.loads(placed.OUT.read_text())
    for figure in ("luts", "ffs"):
        assert max(map(abs, placed.errors(rows, figure))) < 0.1


def test_every_third_matrix_is_held_out_with_all_its_designs(placed: ModuleType) -> None:
    rows = [{"kind": kind, "n": 16, "levels": k} for kind in "abcd" for k in (1, 2)]
    split = placed.parts(rows)
    assert [row["kind"] for row in split["held out"]] == ["c", "c"]
    assert len(split["fitted"]) == 6
