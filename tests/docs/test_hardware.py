"""The page on performance says what its rows say, bars are computed, and references are checked."""

import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from marked import between
from sylvan.hw.measured import DoesNotFit
from sylvan.hw.report import KEYS, make_report
from sylvan.hw.schedule import Schedule
from sylvan.hw.targets import target
from sylvan.hw.tools import TooLong
from sylvan.model.errors import CheckError, UserError

BENCH = Path(__file__).parents[2] / "bench"
MODULES = (
    "agreement", "bars", "clocks", "designs", "networks", "performance", "references", "rows"
)  # fmt: skip


@pytest.fixture(scope="module")
def bench() -> Iterator[SimpleNamespace]:
    sys.path.append(str(BENCH))
    try:
        yield SimpleNamespace(**{name: importlib.import_module(name) for name in MODULES})
    finally:
        sys.path.remove(str(BENCH))


@pytest.fixture(scope="module")
def rows() -> list[dict]:
    return json.loads((BENCH / "hardware.json").read_text())


def test_the_page_holds_the_tables_of_the_rows(bench: SimpleNamespace, rows: list[dict]) -> None:
    page = bench.performance
    written = between(page.PAGE, page.MARKS)
    assert written.strip() == "\n".join(page.tables(rows)).strip()


def test_rows_have_the_keys_of_a_report_and_figures_or_a_reason(rows: list[dict]) -> None:
    more = {"design", "n", "chain", "seeds", "reason", "given"}
    for row in rows:
        assert set(row) == {*KEYS, *more}
        assert (row["reason"] is None) == (row["measured"]["luts"] is not None)


def row(design: str, n: int | None, luts: int, cycles: int | None, mhz: float, **more) -> dict:
    """A row on ecp5-25f with an adder-bit floor of 1,000."""
    drawn = Schedule(n or 1, contexts=more.pop("contexts", 1))
    schedule = drawn.keys(12) | {"lanes": n}
    measured = {"luts": luts, "fmax_mhz": mhz, "cycles_per_step": cycles, "closing_cycles": cycles}
    report = make_report(
        "ecp5-25f", "", schedule, measured=measured, floor_adder_bits=1000, reference_fmax_mhz=200
    )
    return {"design": design, "n": n, **report, "reason": None, "chain": 12, **more}


def bar(bench: SimpleNamespace, rows: list[dict], what: str):
    (found,) = [bar for bar in bench.bars.bars(rows) if bar.what == what]
    return found


def test_a_bar_is_met_missed_or_not_measured(bench: SimpleNamespace) -> None:
    own, peer = row("core", 64, 1000, 10, 100.0), row("da4ml loop", 64, 5000, 1, 25.0)
    what = "LUTs x ns of the da4ml loop over those of the core, ecp5-25f, n 64, one context"
    found = bar(bench, [own, peer], what)
    assert (found.value, found.met) == (pytest.approx(2.0), False)
    assert bench.performance.verdict(found).endswith("at least 2.3 | 2 | **missed** by 13% |")
    assert bar(bench, [row("core", 64, 500, 10, 100.0), peer], what).met
    assert bar(bench, [own], what).met is None
    assert bench.performance.verdict(bar(bench, [own], what)).endswith("| - | not measured |")
    several = row("core", 64, 1000, 10, 100.0, contexts=4)
    assert bar(bench, [several, peer], what).value is None
    assert bar(bench, [several, peer], what.replace("one context", "contexts")).value == 2.0


def test_a_clock_is_judged_by_the_slower_of_adder_and_memory(bench: SimpleNamespace) -> None:
    own = row("core", 64, 1000, 10, 100.0)
    adder = row("12-bit adder", None, 30, None, 200.0)
    memory = row("block RAM read", None, 9, None, 125.0)
    assert bench.bars.clock_share(own, [own, adder, memory]) == pytest.approx(0.8)
    assert bench.bars.clock_share(own, [own, memory]) is None
    slow = row("core", 64, 900, 10, 99.0)
    found = [own, slow, adder, memory]
    assert list(bench.performance.misses(found)) == [
        "- n 64, ecp5-25f, 64 lanes, words, levels 1, 1 contexts: 0.79 of the bare clock"
    ]


def test_a_front_has_no_point_that_another_beats(bench: SimpleNamespace) -> None:
    points = [row("core", 64, *figures, 100.0) for figures in ((100, 50), (200, 50), (300, 10))]
    (found,) = bench.bars.fronts(points)
    assert found == [points[0], points[2]]


def stand_in(bench: SimpleNamespace, text: str, said: Exception | None = None):
    """A design that takes no tools: its report is made at once, or it cannot be placed."""

    class StandIn(bench.designs.Design):
        placed = 0
        verilog = text

        def report(self, folder: Path, workers: object) -> dict:
            type(self).placed += 1
            if said is not None:
                raise said
            folder.mkdir()
            details = {"runs": [{"seed": 1, "fmax_mhz": 50.0}], "chain": 12}
            (folder / "synthesis.json").write_text(json.dumps(details))
            measured = {"luts": 10, "fmax_mhz": 50.0}
            return make_report("ecp5-25f", "", self.keys, measured=measured)

    return StandIn("thing", target("ecp5-25f"), 8, "loop")


def test_a_row_is_measured_once_until_its_design_changes(
    bench: SimpleNamespace, tmp_path: Path
) -> None:
    path = tmp_path / "rows.json"
    design, changed = stand_in(bench, "one"), stand_in(bench, "other")
    first = bench.rows.Rows(path, "", 3, None).row(design)
    assert (first["seeds"], first["chain"], first["reason"]) == ({"1": 50.0}, 12, None)
    assert bench.rows.Rows(path, "thing", 3, None).row(design) == first
    assert design.placed == 1
    assert bench.rows.Rows(path, "another", 3, None).row(changed) is None
    assert bench.rows.Rows(path, "", 3, None).row(changed)["given"] != first["given"]
    assert len(json.loads(path.read_text())) == changed.placed == 1


def test_what_does_not_fit_has_a_row_and_other_mistakes_none(
    bench: SimpleNamespace, tmp_path: Path
) -> None:
    path = tmp_path / "rows.json"
    large = DoesNotFit("loop", target("ecp5-25f"), "luts", 30_000, 24_288)
    found = bench.rows.Rows(path, "", 3, None).row(stand_in(bench, "one", large))
    assert found["measured"]["luts"] is None
    assert found["reason"].startswith("loop does not fit ecp5-25f: it needs 30000 logic cells")
    assert found["reason"] in bench.performance.line(found, [found], [])
    with pytest.raises(UserError, match="no tool"):
        bench.rows.Rows(path, "", 3, None).row(stand_in(bench, "other", UserError("no tool")))


def test_what_takes_too_long_has_a_row_that_says_so(bench: SimpleNamespace, tmp_path: Path) -> None:
    late = TooLong("it was ended after 5 seconds")
    found = bench.rows.Rows(tmp_path / "rows.json", "", 3, None).row(stand_in(bench, "one", late))
    assert found["measured"]["luts"] is None
    assert found["reason"] == "not placed: it was ended after 5 seconds"


# A text of the design and what it is changed to: each a way to be nearly right.
FAULTS = [
    ("{shifted3[11:1], shifted3[0] & ~tie3}", "shifted3[11:0]"),
    ("fits5 ? even5 :", "1 ? even5 :"),
    ("sum1[0:0], minus_1_lost}", "sum1[0:0], 1'b0}"),
    ("b2_0 - b2_4", "b2_4 - b2_0"),
]


@pytest.mark.parametrize("kind", ["naive", "butterfly"])
def test_references_agree_with_golden(bench: SimpleNamespace, kind: str) -> None:
    for n in (8, 16):
        text = bench.references.verilog(kind, bench.networks.parameters(n))
        bench.agreement.check(text, bench.networks.recurrence(n), "icarus")


@pytest.mark.parametrize(("right", "wrong"), FAULTS)
def test_a_faulty_reference_is_caught(bench: SimpleNamespace, right: str, wrong: str) -> None:
    text = bench.references.verilog("butterfly", bench.networks.parameters(8))
    assert right in text
    with pytest.raises(CheckError, match=r"the state differs from golden after cycle \d+ of \d+"):
        bench.agreement.check(text.replace(right, wrong), bench.networks.recurrence(8), "icarus")


@pytest.mark.parametrize(
    ("part", "width", "words"), [("ice40-up5k", 16, 256), ("ecp5-25f", 36, 512)]
)
def test_the_bare_read_is_of_one_whole_block(
    bench: SimpleNamespace, part: str, width: int, words: int
) -> None:
    text = bench.clocks.read_verilog(target(part))
    assert f"reg [{width - 1}:0] memory [0:{words - 1}];" in text
