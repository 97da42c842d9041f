"""The boards that are known: each is whole, and a new one is one file."""

import importlib
from pathlib import Path

import pytest
from sylvan.boards.base.board import Board, boards
from sylvan.boards.link.uart import clocks_per_bit
from sylvan.hw.targets import TARGETS
from sylvan.model.errors import UserError

from sylvan import boards as package

KNOWN = list(boards().values())


def test_the_names_that_users_type() -> None:
    assert list(boards()) == [
        "arty-a7-35t",
        "colorlight-i5",
        "colorlight-i9",
        "hx8k-breakout",
        "icebreaker",
        "icebreaker-bitsy",
        "orangecrab",
        "tang-nano-9k",
        "ulx3s-12f",
        "ulx3s-25f",
        "ulx3s-45f",
        "ulx3s-85f",
        "upduino",
    ]
    assert not set(boards()) & set(TARGETS)


@pytest.mark.parametrize("known", KNOWN, ids=lambda known: known.name)
def test_a_board_has_what_its_file_says(known: Board) -> None:
    platform = known.platform()
    clock = platform.request(known.oscillator, dir="-")
    assert platform.lookup(known.oscillator).clock.frequency == known.oscillator_hz
    assert len(clock) == 1
    line = platform.request("uart", dir="-")
    assert [port.direction.value for port in (line.rx, line.tx)] == ["i", "o"]
    for name, number in {led[:2] for led in known.leds}:
        lamp = platform.request(name, number, dir="-")
        for colour in {led[2] for led in known.leds if led[:2] == (name, number) and led[2:]}:
            assert getattr(lamp, colour).direction.value == "o"
    assert known.leds and known.program and known.transport


@pytest.mark.parametrize("known", KNOWN, ids=lambda known: known.name)
def test_a_board_reaches_a_megabaud_at_its_own_clock(known: Board) -> None:
    clock = known.clock(None)
    assert clock == (known.clock_hz or known.oscillator_hz)
    assert clock / clocks_per_bit(clock, 1_000_000) == 1_000_000


@pytest.mark.parametrize("known", KNOWN, ids=lambda known: known.name)
def test_the_part_is_that_of_the_platform(known: Board) -> None:
    platform = known.platform()
    named = getattr(platform, "device", None) or platform.part
    sizes = {"12k": "12F", "25k": "25F", "45k": "45F", "85k": "85F"}
    device = str(known.part.device)
    chip = {"xc7": "7a35t", "gw1n": "GW1NR-LV9"}.get(device, sizes.get(device, device))
    assert chip.lower() in named.lower()
    assert known.target.name == known.name and known.target.pins is None


def test_a_clock_without_a_loop_is_the_oscillators() -> None:
    nano = boards()["tang-nano-9k"]
    assert nano.clock(None) == nano.clock(27e6) == 27e6
    with pytest.raises(UserError) as refusal:
        nano.clock(50e6)
    assert str(refusal.value) == (
        "tang-nano-9k runs at its oscillator's 27 MHz only, got a clock of 50 MHz"
    )
    assert boards()["icebreaker"].clock(24.1e6) == 24e6


def test_a_new_board_is_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = Path(str(package.__path__[0]), "hx8k_breakout.py").read_text()
    text = text.replace("from .base", "from sylvan.boards.base").replace("hx8k-breakout", "mine")
    (tmp_path / "mine.py").write_text(text)
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path)])
    importlib.invalidate_caches()
    assert boards()["mine"].title == "iCE40-HX8K Breakout Board"
