"""Block RAMs of a memory: in the shape that takes the fewest, none where logic is smaller."""

import pytest
from sylvan.hw.cost import block_rams
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
