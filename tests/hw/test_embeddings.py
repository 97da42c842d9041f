"""A symbol's table that no schedule could fit is refused before any tool runs, with its size."""

import re
from pathlib import Path

import numpy as np
import pytest
from sylvan.hw.build import build
from sylvan.hw.embeddings import check_tables
from sylvan.hw.front import explore
from sylvan.hw.schedule import Schedule
from sylvan.hw.targets import TARGETS, target
from sylvan.model.builder import Builder
from sylvan.model.errors import UserError
from sylvan.model.numbers import Format
from sylvan.model.program import Program, SymbolInput

UP5K_BITS = 30 * 4096


def looked_up(symbols: int, size: int) -> Program:
    """A sum of the 8-bit vectors of symbols."""
    random = np.random.default_rng(symbols)
    b = Builder(SymbolInput(symbols))
    h = b.state("hidden", size, Format(-512, 511, 0))
    table = random.integers(-127, 127, (1, symbols, size))
    table[0, 0, 0] = -128
    vector = b.lookup(table, 0, b.input, name="embedded")
    b.write(h, b.narrow(b.add(h, vector), h.format))
    return b.program(b.layer("sums", vector), "last", [1.0])


def test_a_table_beyond_the_block_ram_is_refused(tmp_path: Path) -> None:
    program = looked_up(3841, 4)
    message = (
        "embedded: a table of 3,841 symbols with vectors of 4 takes 122,912 bits, the block RAM of "
        "ice40-up5k holds 122,880. Look up on the host, so that the stream carries the vector (a "
        "numeric input), or make the table smaller: fewer symbols or a shorter vector."
    )
    part = target("ice40-up5k")
    with pytest.raises(UserError, match=f"^{re.escape(message)}$"):
        build(program, Schedule(1), part, tmp_path / "core")
    assert not (tmp_path / "core").exists()
    with pytest.raises(UserError, match=f"^{re.escape(message)}$"):
        explore(program, part)


def test_a_table_that_just_fits_a_larger_part_and_no_part_are_not_refused(tmp_path: Path) -> None:
    assert UP5K_BITS == 3840 * 4 * 8
    check_tables(looked_up(3840, 4), target("ice40-up5k"))
    program = looked_up(3841, 4)
    check_tables(program, target("ice40-hx8k"))
    build(program, Schedule(1), target("verilog"), tmp_path / "core")
    assert (tmp_path / "core" / "core.v").is_file()


def test_no_part_has_more_room_in_look_up_tables_than_in_block_ram() -> None:
    """What is said of a table holds wherever it would be kept."""
    inputs = {"ice40": 4, "ecp5": 4, "xilinx": 6, "gowin": 4}
    for part in TARGETS.values():
        if part.family is not None:
            assert part.luts and part.brams and part.bram_bits
            assert part.luts << inputs[part.family] <= part.brams * part.bram_bits, part.name
