"""The page beside what was published says what its rows say, and its bars are computed."""

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
from sylvan.model.interpret import run_stream

BENCH = Path(__file__).parents[2] / "bench"


@pytest.fixture(scope="module")
def bench() -> Iterator[SimpleNamespace]:
    sys.path.append(str(BENCH))
    try:
        names = ("published", "state_of_the_art")
        yield SimpleNamespace(**{name: importlib.import_module(name) for name in names})
    finally:
        sys.path.remove(str(BENCH))


def row(design: str, part: str, cycles: int, closing: int) -> dict[str, Any]:
    """A core of 1,000 LUTs at 50 MHz."""
    measured = {"luts": 1000, "brams": 5, "dsps": 0, "fmax_mhz": 50.0}
    measured |= {"cycles_per_step": cycles, "closing_cycles": closing}
    return {"design": design, "n": 20, "reason": None} | make_report(
        part, "", Schedule(8).keys(8), measured=measured
    )


def test_the_page_holds_the_tables_of_the_rows(bench: SimpleNamespace) -> None:
    page = bench.state_of_the_art
    rows = json.loads(page.OUT.read_text())
    written = between(page.PAGE, page.MARKS)
    assert written.strip() == "\n".join(page.tables(rows)).strip()
    points = {(name, part, schedule.lanes) for name, part, schedule in page.POINTS}
    found = [(row["design"], row["target"], row["schedule"]["lanes"]) for row in rows]
    assert found and set(found) <= points and len(set(found)) == len(found)
    assert all(row["measured"]["dsps"] == 0 for row in rows if row["reason"] is None)


def test_a_sequence_is_five_steps_and_a_closing_one(bench: SimpleNamespace) -> None:
    page = bench.state_of_the_art
    assert page.sequences_per_s(row(page.EIGHT, page.LARGE, 100, 150)) == 50e6 / 650


def test_bars_are_by_the_best_row_of_the_part(bench: SimpleNamespace) -> None:
    page = bench.state_of_the_art
    rows = [
        row(page.EIGHT, page.LARGE, 300, 300),
        row(page.EIGHT, page.LARGE, 250, 250),
        row(page.EIGHT, page.SMALL, 253, 253),
        row(page.STACK, page.SMALL, 585, 600),
    ]
    bars = {bar.what: bar for bar in page.bars(rows)}
    eight = bars[f"{page.EIGHT}, {page.LARGE}: sequences of 6 per second"]
    assert eight.value == pytest.approx(50e6 / 1500) and eight.met
    steps = bars[f"{page.EIGHT}, {page.SMALL}: steps per second"]
    assert steps.value == pytest.approx(50e6 / 253) and steps.bound == 32_873 and steps.met
    stack = bars[f"{page.STACK}, {page.SMALL}: cycles per step"]
    assert (stack.value, stack.bound, stack.met) == (585, 584, False)
    unknown = bars[f"{page.TERNARY}, {page.SMALL}: steps per second"]
    assert unknown.met is None


def test_what_does_not_fit_has_its_reason_and_is_no_bar(bench: SimpleNamespace) -> None:
    page = bench.state_of_the_art
    large = row(page.WIDE, page.SMALL, 9000, 9999) | {"reason": "too large"}
    large["measured"] = dict.fromkeys(large["measured"])
    assert [bar.met for bar in page.bars([large])] == [None] * 6
    text = "\n".join(page.tables([large]))
    assert text.count("**missed**: does not fit |") == 1 and text.count("not measured") == 5
    assert page.line(large).startswith(f"| {page.WIDE} | {page.SMALL} | 8 | 1 | too large |")
    assert page.line(large).count("|") == len(page.COLUMNS) + 1


def test_the_ways_to_keep_the_wide_matrix(bench: SimpleNamespace) -> None:
    """Of 65,536 weights: at two bits each, five in a byte, and the nonzeros alone."""
    ways = list(bench.state_of_the_art.ways())
    assert [bits for _, bits, _ in ways[:3]] == [131_072, 104_864, 131_072]
    assert [cycles for _, _, cycles in ways[:3]] == [65_536, 13_108, 8_192]
    assert all(bits < 122_880 and cycles >= 6_554 for _, bits, cycles in ways[3:])
    assert sum("as built" in said for said, _, _ in ways) == 1


@pytest.mark.parametrize("name", ["EIGHT", "TERNARY", "STACK", "WIDE"])
def test_drawn_networks_neither_stay_shut_nor_saturate(bench: SimpleNamespace, name: str) -> None:
    page = bench.state_of_the_art
    program = page.program(getattr(page, name))
    random = np.random.default_rng(0)
    x = random.integers(-128, 128, (60, program.input.size))
    first, last = np.arange(60) == 0, np.ones(60, bool)
    answers = {tuple(answer.tolist()) for _, answer in run_stream(program, x, first, last)}
    labels = program.output.size == 1 and program.output.format.hi < 8
    assert len(answers) >= (3 if labels else 50)
