"""The critical path by module, from what nextpnr reports of it."""

import json
from pathlib import Path
from typing import Any

import pytest
from sylvan.hw.critical import Hop, critical_path

OWNERS = {
    "rom.word_SB_RAM40_4K": "core.rom",
    "a__lanes__0$7_TRELLIS_FF_Q": "core.sum",
    "sum.o_CCU2C": "core.sum",
    "sum.timing.left_SB_LUT4_O": "core.sum.timing",
    "valid_SB_LUT4_O": "core",
}
CLOCK = "posedge clk"


def arc(kind: str, delay: float, to: str) -> dict[str, Any]:
    return {"type": kind, "delay": delay, "to": {"cell": to}}


def report(*paths: tuple[str, str, list[dict[str, Any]]]) -> dict[str, Any]:
    keys = ("from", "to", "path")
    return {"critical_paths": [dict(zip(keys, path, strict=True)) for path in paths]}


def test_a_path_is_told_by_the_modules_that_it_passes() -> None:
    """Cells that nextpnr made belong to the one before; what lies between parts is the top's."""
    passed = [
        arc("clk-to-q", 1.25, "rom.word_SB_RAM40_4K_RAM"),
        arc("routing", 0.5, "sum.timing.left_SB_LUT4_O_LC"),
        arc("logic", 0.25, "sum.timing.left_SB_LUT4_O_LC"),
        arc("routing", 0.125, "$nextpnr_1"),
        arc("logic", 0.25, "$nextpnr_1"),
        arc("routing", 1.0, "sum.o_CCU2C$CCU2_COMB0"),
        arc("logic", 0.5, "sum.o_CCU2C$CCU2_COMB0"),
        arc("setup", 0.25, "a__lanes__0$7_TRELLIS_FF_Q"),
        arc("routing", 2.0, "valid_SB_LUT4_O_DFFLC"),
        arc("setup", 0.125, "valid_SB_LUT4_O_DFFLC"),
    ]
    outside = ("<async>", CLOCK, [arc("source", 0.0, "rst")])
    assert critical_path(report(outside, (CLOCK, CLOCK, passed)), OWNERS) == (
        Hop("core.rom", 1, 1.25, 0.0),
        Hop("core.sum.timing", 2, 0.5, 0.625),
        Hop("core.sum", 2, 0.75, 1.0),
        Hop("core", 1, 0.125, 2.0),
    )
    between_pins = ("<async>", "<async>", passed)
    assert critical_path(report(outside, between_pins), OWNERS) == ()
    assert critical_path({}, OWNERS) == ()


def test_the_path_that_nextpnr_told_takes_a_clock_period() -> None:
    found = json.loads((Path(__file__).parent / "data/nextpnr-ecp5.json").read_text())
    (rate,) = (domain["achieved"] for domain in found["fmax"].values())
    path = critical_path(found, {})
    taken = sum(hop.logic_ns + hop.routing_ns for hop in path)
    assert taken == pytest.approx(1000 / rate, rel=0.001)
