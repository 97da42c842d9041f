"""What is estimated of a part's resources, before any tool has run."""

import pytest
from sylvan.hw.cost import block_rams, luts
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
    ],
)
def test_a_memory_takes_the_fewest_blocks(part: str, width: int, depth: int, blocks: int) -> None:
    assert block_rams(width, depth, target(part)) == blocks


@pytest.mark.parametrize(("part", "cells"), [("ice40-up5k", 25), ("ecp5-25f", 27)])
def test_a_carry_chain_of_ecp5_begins_with_a_cell_of_its_own(part: str, cells: int) -> None:
    cost = Cost(adder_bits=20, adders=2, logic_bits=5, register_bits=100)
    assert luts(cost, target(part)) == cells
