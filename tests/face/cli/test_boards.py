"""Commands about boards: what is listed, what a build says, and what is refused before it."""

from pathlib import Path
from typing import Any

import pytest
from commands import Sylvan
from sylvan.boards.base.board import boards
from sylvan.hw import build as hw_build
from sylvan.hw.measured import Measured, SeedRun


def measured(fmax_mhz: float) -> Measured:
    counts = {"luts": 900, "ffs": 800, "brams": 5, "sprams": 0, "dsps": 0, "pins": 5}
    runs = (SeedRun(1, fmax_mhz, {}),)
    return Measured(**counts, chain=9, fmax_mhz=fmax_mhz, runs=runs, modules={}, tool_versions={})


@pytest.fixture(name="tools")
def _tools(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """In the place of the real tools: what they were given, and 31 MHz."""
    given: list[dict[str, Any]] = []

    def synthesize(verilog: Path, module: str, part: Any, out: Path, **more: Any) -> Measured:
        given.append({"verilog": verilog.name, "module": module, "part": part.name, **more})
        (out / f"{module}.bin").write_bytes(b"bits")
        return measured(31.0)

    monkeypatch.setattr(hw_build, "synthesize", synthesize)
    return given


def test_boards_are_listed_with_what_they_carry(sylvan: Sylvan) -> None:
    ended = sylvan("boards")
    assert ended.code == 0
    for name, board in boards().items():
        (line,) = (line for line in ended.out.splitlines() if f" {name} " in line)
        assert board.title in line and board.part.name in line and board.transport in line
    assert "sylvan build PROGRAM --target BOARD" in ended.out


def test_a_build_for_a_board_says_what_to_do_with_it(
    sylvan: Sylvan, run: Path, tmp_path: Path, tools: list[dict[str, Any]]
) -> None:
    out = tmp_path / "out"
    ended = sylvan("build", run, "--target", "icebreaker", "--lanes", 1, "--out", out)
    assert ended.code == 0, ended.error
    assert f"iceprog {out / 'top.bin'}" in ended.out
    assert f"sylvan host {out} --port sim --check" in ended.out
    (call,) = tools
    assert (call["verilog"], call["module"], call["part"]) == ("top.v", "top", "icebreaker")
    assert call["constraints"].name == "top.pcf" and call["clock_hz"] == 12e6
    assert call["reference_width"] is None
    reported = sylvan("report", out)
    assert reported.code == 0 and f"bitstream: {out / 'top.bin'}" in reported.out


def test_a_rate_is_sustained_at_the_clock_of_the_board(
    sylvan: Sylvan, run: Path, tmp_path: Path, tools: list[dict[str, Any]]
) -> None:
    out = tmp_path / "out"
    ended = sylvan("build", run, "--target", "icebreaker", "--rate", "100", "--out", out)
    assert ended.code == 0, ended.error
    assert "at 12 MHz, placed at 31.0 MHz" in ended.out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--rate", "99k"), "a line of 1000000 baud carries 9,091 timesteps per second of this"),
        (("--clock", "48M"), "reaches 31.0 MHz, below its clock of 48 MHz: choose a slower"),
        (("--clock", "13.3M"), "make no clock of 13.3 MHz; 12 MHz is the nearest"),
        (("--baud", "3.5M"), "a clock of 12 MHz makes no 3500000 baud: a bit takes a whole number"),
        (("--state-port",), "the link carries no images of the state: leave out the state port"),
        (("--contexts", "300"), "the link carries 256 contexts at most, got 300"),
    ],
)
def test_what_a_board_cannot_do_is_told_and_leaves_nothing(
    sylvan: Sylvan,
    run: Path,
    tmp_path: Path,
    tools: list[dict[str, Any]],
    options: tuple[str, ...],
    said: str,
) -> None:
    out = tmp_path / "out"
    ended = sylvan("build", run, "--target", "icebreaker", "--out", out, *options)
    assert ended.code == 2 and said in ended.error, ended.error
    assert not out.exists()


def test_a_baud_rate_without_a_board_is_refused(sylvan: Sylvan, run: Path, tmp_path: Path) -> None:
    ended = sylvan("build", run, "--target", "verilog", "--baud", "1M", "--out", tmp_path / "out")
    assert ended.code == 2
    assert "--baud is of a board's line to its host, and verilog is no board" in ended.error


@pytest.mark.parametrize("command", ["build", "plan"])
def test_an_unknown_target_is_told_parts_and_boards(
    sylvan: Sylvan, run: Path, tmp_path: Path, command: str
) -> None:
    ended = sylvan(command, run, "--target", "icebraker", "--out", tmp_path / "out")
    assert ended.code == 2
    assert (
        "there is no target 'icebraker'; did you mean icebreaker? Parts: verilog, " in ended.error
    )
    assert "Boards: arty-a7-35t, colorlight-i5" in ended.error


def test_the_front_of_a_board_is_at_its_clock(sylvan: Sylvan, run: Path) -> None:
    ended = sylvan("plan", run, "--target", "icebreaker")
    assert ended.code == 0, ended.error
    assert "--target icebreaker --lanes" in ended.out
