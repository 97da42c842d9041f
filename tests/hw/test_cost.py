"""What is estimated of a part's resources, before any tool has run."""

from pathlib import Path

import pytest
from sylvan.hw import fitted
from sylvan.hw.cost import (
    block_rams,
    brams,
    delay_terms,
    estimate,
    flip_flops,
    in_luts,
    luts,
    period_ns,
    terms,
)
from sylvan.hw.fitted import CoreDelays, Weights
from sylvan.hw.operators.base import Cost
from sylvan.hw.plan import Plan
from sylvan.hw.schedule import Schedule
from sylvan.hw.targets import target
from sylvan.model.storage import load

DIGITS = Path(__file__).parents[2] / "gallery" / "digits"


@pytest.mark.parametrize(
    ("part", "width", "depth", "blocks"),
    [
        ("ice40-up5k", 16, 256, 1),
        ("ice40-up5k", 4, 1024, 1),
        ("ice40-up5k", 4, 4096, 4),
        ("ice40-up5k", 1, 4096, 2),
        ("ice40-up5k", 17, 256, 2),
        ("ice40-up5k", 12, 512, 2),
        ("ice40-up5k", 12, 257, 2),
        ("ice40-up5k", 8, 8, 0),
        ("ecp5-25f", 36, 512, 1),
        ("ecp5-25f", 9, 2048, 1),
        ("ecp5-25f", 12, 2048, 2),
        ("ecp5-25f", 4, 4096, 1),
        ("ecp5-25f", 72, 32, 0),
        ("ecp5-25f", 72, 33, 2),
        ("gowin-gw1n9", 104, 32, 0),
        ("gowin-gw1n9", 16, 96, 1),
        ("xilinx-7a35t", 16, 128, 0),
        ("xilinx-7a35t", 16, 129, 1),
        ("xilinx-7a35t", 36, 1024, 2),
    ],
)
def test_a_memory_takes_the_fewest_blocks(part: str, width: int, depth: int, blocks: int) -> None:
    assert block_rams(width, depth, target(part)) == blocks


@pytest.mark.parametrize(
    ("part", "width", "depth", "cells"),
    [
        ("ecp5-25f", 8, 16, 2 * 4),
        ("ecp5-25f", 8, 17, 4 * 4 + 8 / 2),
        ("gowin-gw1n9", 9, 16, 3 * 6),
        ("xilinx-7a35t", 12, 32, 2 * 4),
        ("xilinx-7a35t", 12, 33, 4 * 4),
        ("xilinx-7a35t", 12, 128, 8 * 4 + 12 / 2),
        ("ice40-up5k", 4, 4, 16),
    ],
)
def test_a_memory_in_luts(part: str, width: int, depth: int, cells: float) -> None:
    assert in_luts(width, depth, target(part))[1] == cells


def test_what_is_counted_is_weighed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memories of 16 words of 8 bits are LUTs; constants are not."""
    cost = Cost(20, 2, 5, 100, ((8, 16),), ((2, 64),), waiting_bits=7, inverted_bits=3)
    cost += Cost(product_bits=11)
    part = target("ecp5-25f")
    assert terms(cost, part) == (20, 2, 3, 11, 5, 7, 8, 1)
    assert brams(cost, part) == 1
    weights = Weights(*(10.0**place for place in range(-4, 4)))
    monkeypatch.setitem(fitted.WEIGHTS, "ecp5", weights)
    assert luts(cost, part) == pytest.approx(1876.134)
    assert flip_flops(cost, part) == 100 + 8


def test_a_clock_period_is_of_adders_in_a_row_or_of_the_rest() -> None:
    """4 + 20 * 0.1 + sqrt(2500) * 0.02 ns, a block RAM 1 more; or 3 ns for each adder."""
    delays = CoreDelays(3.0, (4.0, 0.1, 0.02, 1.0), 20.0)
    plain, block = delay_terms(20, 2500, 0), delay_terms(20, 2500, 3)
    assert period_ns(delays, 1, plain) == period_ns(delays, 2, plain) == pytest.approx(7)
    assert period_ns(delays, 2, block) == pytest.approx(8)
    assert period_ns(delays, 3, block) == pytest.approx(9)
    assert period_ns(delays, 0, plain) == pytest.approx(20), "that of a microprogram"


def test_a_part_that_is_not_placed_has_no_clock_rate() -> None:
    plan = Plan(load(DIGITS), Schedule(1))
    rates = [estimate(plan, target(name))["fmax_mhz"] for name in ("ecp5-25f", "gowin-gw1n9")]
    assert rates[0] > 50 and rates[1] is None
