"""The page on zeros says what its rows say, and bars are computed from them."""

import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from marked import between
from sylvan.hw.report import make_report
from sylvan.hw.schedule import Schedule

BENCH = Path(__file__).parents[2] / "bench"


@pytest.fixture(scope="module")
def bench() -> Iterator[SimpleNamespace]:
    sys.path.append(str(BENCH))
    try:
        names = ("published", "sparsity", "sparsity_page")
        yield SimpleNamespace(**{name: importlib.import_module(name) for name in names})
    finally:
        sys.path.remove(str(BENCH))


def row(zeros: int, lanes: int, cycles: int, part: str = "ecp5-25f") -> dict[str, Any]:
    """A row of a network of 1000 weights."""
    measured = {"luts": 900, "brams": 5, "fmax_mhz": 50.0, "cycles_per_step": cycles}
    report = make_report(part, "", Schedule(lanes).keys(10), measured=measured)
    figures = {"zeros": zeros, "score": 91.5, "nonzeros": 1000 - 10 * zeros}
    return {"design": f"LSTM, {zeros} % zeros", "n": 64, **report, "reason": None} | (
        figures | {"toggles_per_step": None, "planned": {str(lanes): cycles}}
    )


def test_the_page_holds_the_tables_of_the_rows(bench: SimpleNamespace) -> None:
    rows, page = json.loads(bench.sparsity.OUT.read_text()), bench.sparsity_page
    written = between(page.PAGE, page.MARKS)
    assert written.strip() == "\n".join(page.tables(rows)).strip()
    assert {row["zeros"] for row in rows} == set(bench.sparsity.ZEROS)


def test_rows_are_of_one_network_with_the_zeros_that_they_name(bench: SimpleNamespace) -> None:
    rows = json.loads(bench.sparsity.OUT.read_text())
    weights = 4 * bench.sparsity.HIDDEN**2
    for zeros in bench.sparsity.ZEROS:
        some = [row for row in rows if row["zeros"] == zeros]
        (nonzeros,) = {row["nonzeros"] for row in some}
        assert nonzeros == round(weights * (1 - zeros / 100))
        assert (
            len({row["score"] for row in some}) == len({row["program_sha256"] for row in some}) == 1
        )
        assert sum(row["toggles_per_step"] is not None for row in some) <= 1
        for row in (row for row in some if row["reason"] is None):
            lanes = str(row["schedule"]["lanes"])
            planned = row["planned"].get(lanes)
            assert row["measured"]["cycles_per_step"] == planned


def test_the_bar_is_met_to_the_cycle(bench: SimpleNamespace) -> None:
    """1.15 * 500 / 2 + 96 is 383.5."""
    met, missed = row(50, 2, 383), row(50, 2, 384)
    (bar,) = bench.sparsity_page.bars([met])
    assert (bar.what, bar.bound, bar.met) == ("cycles per step, 50 % zeros, lanes 2", 383.5, True)
    (bar,) = bench.sparsity_page.bars([missed])
    assert bar.met is False
    text = "\n".join(bench.sparsity_page.tables([missed]))
    assert "| cycles per step, 50 % zeros, lanes 2 | at most 384 | 384 | **missed** by 0% |" in text
    assert (
        "| 50 % | ecp5-25f | 2 | 500 | 250 | 384 | 900 | 5 | 50.0 | 130,208 | - | 91.50 |" in text
    )


def test_what_does_not_fit_has_its_reason(bench: SimpleNamespace) -> None:
    large = row(0, 16, 100) | {"reason": "too large"}
    text = "\n".join(bench.sparsity_page.tables([row(50, 16, 99), large]))
    assert text.endswith("\n\nLSTM, 0 % zeros, ecp5-25f, lanes 16: too large")
    assert "| 50 % | ecp5-25f |" in text and "| 0 % | ecp5-25f |" not in text


def test_shares_are_of_the_densest(bench: SimpleNamespace) -> None:
    rows = [row(zeros, 8, cycles) | {"toggles_per_step": t} for zeros, cycles, t in
            ((0, 400, 1000.0), (50, 200, 250.0))]  # fmt: skip
    shares = bench.sparsity_page.shares(rows)
    assert shares["cycles"] == [1, 0.5] and shares["toggles per step"] == [1, 0.25]


def test_drawn_weights_have_exactly_the_zeros_asked_for(bench: SimpleNamespace) -> None:
    drawn = bench.published.sparse(np.random.default_rng(0), (40, 10), 0.9)
    assert np.count_nonzero(drawn) == 40 and set(np.unique(drawn)) == {-1, 0, 1}
