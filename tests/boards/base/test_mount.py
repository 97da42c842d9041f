"""A program on a board, as files; through the real tools to a bitstream; and what is refused."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from programs import small
from sylvan.boards.base.board import Board, boards
from sylvan.boards.base.mount import Mount
from sylvan.hw.build import build
from sylvan.hw.measured import TooSlow
from sylvan.hw.plan import Plan, schedule_for
from sylvan.model.errors import UserError

PROGRAM = small()
SCHEDULE = schedule_for(PROGRAM, 1, None)
PLAN = Plan(PROGRAM, SCHEDULE)
PINS = {
    "arty-a7-35t": ("LOC A9", "LOC D10"),
    "colorlight-i5": ('SITE "H18"', 'SITE "J17"'),
    "colorlight-i9": ('SITE "H18"', 'SITE "J17"'),
    "hx8k-breakout": ("rx__io B10", "tx__io B12"),
    "icebreaker": ("rx__io 6", "tx__io 9"),
    "icebreaker-bitsy": ("rx__io 47", "tx__io 44"),
    "orangecrab": ('SITE "N17"', 'SITE "M18"'),
    "tang-nano-9k": ('rx__io" 18', 'tx__io" 17'),
    **{f"ulx3s-{size}": ('SITE "M1"', 'SITE "L4"') for size in ("12f", "25f", "45f", "85f")},
    "upduino": ("rx__io 23", "tx__io 25"),
}
"""Of the boards' schematics: where the host's bytes come in, and the board's go out."""


@pytest.mark.parametrize("known", boards().values(), ids=lambda known: known.name)
def test_what_a_board_is_built_from(tmp_path: Path, known: Board) -> None:
    mount = Mount.on(known)
    sources = mount.write(PLAN, tmp_path)
    text = (tmp_path / "top.v").read_text()
    assert "module top(" in text and "src =" not in text
    (constraints,) = (p for p in tmp_path.iterdir() if p.suffix in (".pcf", ".lpf", ".cst", ".xdc"))
    for pin in PINS[known.name]:
        assert re.search(re.escape(pin) + r"(\s|;)", constraints.read_text()), pin
    placed = known.target.placed
    assert sources.clock_hz == (mount.clock_hz if placed else None)
    assert sources.constraints == (constraints if placed else None)
    if not known.target.placed:
        assert {"top.tcl", "build_top.sh"} <= {path.name for path in tmp_path.iterdir()}
        assert "vivado" in (tmp_path / "build_top.sh").read_text()


def test_what_yosys_has_no_parameter_for_is_kept_from_it(tmp_path: Path) -> None:
    sources = Mount.on(boards()["arty-a7-35t"], 100e6).write(PLAN, tmp_path)
    assert "SIM_DEVICE" in (tmp_path / "top.v").read_text()
    assert "SIM_DEVICE" not in sources.verilog.read_text()


def built(out: Path, name: str, clock_hz: float | None = None, seeds: Sequence[int] = (1,)) -> None:
    mount = Mount.on(boards()[name], clock_hz)
    build(
        PROGRAM,
        SCHEDULE,
        mount.target,
        out,
        clock_hz=mount.clock_hz,
        around=mount.write,
        seeds=seeds,
    )


def test_the_way_to_a_bitstream(tmp_path: Path) -> None:
    built(tmp_path / "out", "icebreaker")
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"core.v", "top.v", "top.pcf", "top.bin", "report.json", "synthesis.json"} <= names
    # The first bytes of a bitstream that icepack made for any iCE40.
    assert (tmp_path / "out" / "top.bin").read_bytes()[:8] == bytes.fromhex("ff0000ff7eaa997e")


@pytest.mark.full
@pytest.mark.parametrize(
    ("name", "clock_hz", "bitstream"),
    [
        ("icebreaker", 24e6, "top.bin"),
        ("hx8k-breakout", 48e6, "top.bin"),
        ("ulx3s-12f", 60e6, "top.bit"),
        ("orangecrab", None, "top.bit"),
        ("colorlight-i9", None, "top.bit"),
        ("tang-nano-9k", None, "top.fs"),
        ("arty-a7-35t", None, None),
        ("arty-a7-35t", 100e6, None),
    ],
)
def test_the_way_to_other_bitstreams(
    tmp_path: Path, name: str, clock_hz: float | None, bitstream: str | None
) -> None:
    built(tmp_path / "out", name, clock_hz)
    found = {path.name for path in (tmp_path / "out").glob("top.[bf]*")}
    assert found == ({bitstream} if bitstream else set())


@pytest.mark.full
def test_a_clock_that_no_placement_reaches_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(TooSlow) as refusal:
        built(tmp_path / "out", "icebreaker", 96e6)
    assert re.fullmatch(
        r"the best placement for icebreaker reaches [\d.]+ MHz, below its clock of 96 MHz: choose "
        "a slower --clock, or another schedule",
        str(refusal.value),
    )
    assert not (tmp_path / "out").exists()


def test_a_line_that_cannot_carry_a_rate_is_told_before_a_build() -> None:
    mount = Mount.on(boards()["icebreaker"], baud=115_200)
    # A timestep of one byte takes 11 on the line, a byte 10 bits; answers are rare.
    mount.check(PROGRAM, 1, 115_200 / 110)
    with pytest.raises(UserError) as refusal:
        mount.check(PROGRAM, 2, 600)
    assert str(refusal.value) == (
        "a line of 115200 baud carries 1,047 timesteps per second of this program, asked are "
        "1,200: lower --rate, or raise --baud"
    )


def test_what_the_link_takes_is_part_of_the_estimate() -> None:
    from sylvan.hw.cost import estimate

    part = boards()["icebreaker"].target
    alone = estimate(PLAN, replace(part, around=type(part.around)()))
    mounted = estimate(PLAN, part)
    assert mounted["luts"] - alone["luts"] == part.around.luts > 0
    assert mounted["ffs"] - alone["ffs"] == part.around.ffs > 0
    assert mounted["brams"] - alone["brams"] == part.around.brams > 0
