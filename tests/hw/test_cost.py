"""What is estimated of a part's resources, before any tool has run."""

import pytest
from sylvan.hw.cost import block_rams, in_luts, luts
from sylvan.hw.operators.base import Cost
from sylvan.hw.targets import target


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
        ("ice40-up5k", 4, 4, 4),
    ],
)
def test_a_memory_in_luts(part: str, width: int, depth: int, cells: float) -> None:
    assert in_luts(width, depth, target(part))[1] == cells


@pytest.mark.parametrize(
    ("part", "cells"),
    [("ice40-up5k", 25), ("ecp5-25f", 27), ("xilinx-7a35t", 25), ("gowin-gw1n9", 25)],
)
def test_a_carry_chain_of_ecp5_begins_with_a_cell_of_its_own(part: str, cells: int) -> None:
    cost = Cost(adder_bits=20, adders=2, logic_bits=5, register_bits=100)
    assert luts(cost, target(part)) == cells
