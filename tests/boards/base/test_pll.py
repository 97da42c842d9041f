"""Clocks of phase-locked loops: legal, nearest, and those of the tools that others wrote."""

import re
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest
from sylvan.boards.base.pll import Ecp5Pll, Ice40Pll, Pll, Settings, XilinxPll
from sylvan.model.errors import UserError

ICE40, ECP5, XILINX = Ice40Pll(padded=True), Ecp5Pll(), XilinxPll()


def clock_of(pll: Pll, oscillator: int, found: Settings) -> tuple[Fraction, Fraction, Fraction]:
    """Phase detector, VCO and output by the data sheets, from the dividers alone."""
    d = found.dividers
    if isinstance(pll, Ice40Pll):
        compared = Fraction(oscillator, d["DIVR"] + 1)
        vco = compared * (d["DIVF"] + 1)
        return compared, vco, vco / 2 ** d["DIVQ"]
    if isinstance(pll, Ecp5Pll):
        compared = Fraction(oscillator, d["CLKI_DIV"])
        clock = compared * d["CLKFB_DIV"]
        return compared, clock * d["CLKOP_DIV"], clock
    compared = Fraction(oscillator, d["DIVCLK_DIVIDE"])
    vco = compared * d["CLKFBOUT_MULT"]
    return compared, vco, vco / d["CLKOUT0_DIVIDE"]


@pytest.mark.parametrize(
    ("pll", "oscillator", "wanted", "vco"),
    [
        (ICE40, 12_000_000, 48_000_000, (533, 1066)),
        (ICE40, 12_000_000, 30_000_000, (533, 1066)),
        (ICE40, 100_000_000, 33_000_000, (533, 1066)),
        (ECP5, 25_000_000, 60_000_000, (400, 800)),
        (ECP5, 48_000_000, 100_000_000, (400, 800)),
        (XILINX, 100_000_000, 50_000_000, (800, 1600)),
        (XILINX, 100_000_000, 72_000_000, (800, 1600)),
    ],
)
def test_a_clock_follows_from_its_dividers(
    pll: Pll, oscillator: int, wanted: int, vco: tuple[int, int]
) -> None:
    found = pll.settings(oscillator, wanted)
    _, inner, clock = clock_of(pll, oscillator, found)
    assert float(clock) == pytest.approx(found.clock_hz, rel=1e-12)
    assert float(inner) == pytest.approx(found.vco_hz, rel=1e-12)
    assert vco[0] * 10**6 <= inner <= vco[1] * 10**6
    assert abs(clock / wanted - 1) <= Fraction(1, 100)


def test_a_clock_that_is_far_from_all_is_refused() -> None:
    with pytest.raises(UserError) as refusal:
        ICE40.settings(12e6, 13.3e6)
    assert str(refusal.value) == (
        "the oscillator's 12 MHz make no clock of 13.3 MHz; 12 MHz is the nearest"
    )
    with pytest.raises(UserError, match=r"make no clock of 900 MHz; 400 MHz is the nearest"):
        ECP5.settings(25e6, 900e6)


def run(tool: str, *arguments: object) -> str:
    program = Path(sys.executable).with_name(f"yowasp-{tool}")
    command = [str(program), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.mark.full
@pytest.mark.parametrize("wanted", [16, 20, 24, 30, 39, 48, 60, 100, 275])
def test_ice40_settings_are_those_of_icepll(wanted: int) -> None:
    said = run("icepll", "-i", 12, "-o", wanted)
    found = ICE40.settings(12e6, wanted * 1e6)
    theirs = {name: int(value) for name, value in re.findall(r"^(\w+):\s+(\d+) \(\d", said, re.M)}
    reached = re.search(r"F_PLLOUT:\s+([\d.]+) MHz \(achieved\)", said)
    assert reached and float(reached[1]) == pytest.approx(found.clock_hz / 1e6, abs=5e-4)
    if float(Fraction(12 * (theirs["DIVF"] + 1), theirs["DIVR"] + 1)) == found.vco_hz / 1e6:
        assert theirs == found.dividers


@pytest.mark.full
@pytest.mark.parametrize("wanted", [10, 33, 60, 100, 150])
def test_ecp5_reaches_what_ecppll_does(wanted: int) -> None:
    said = run("ecppll", "-i", 25, "-o", wanted)
    reached = re.search(r"clkout0 frequency: ([\d.]+)", said)
    found = ECP5.settings(25e6, wanted * 1e6)
    assert reached
    assert abs(found.clock_hz / 1e6 - wanted) <= abs(float(reached[1]) - wanted) + 1e-6
