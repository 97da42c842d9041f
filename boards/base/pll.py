"""Clocks other than the oscillator's, by the phase-locked loop of a family.

Settings are the best of all legal ones; `nextpnr` derives the clock constraint from them.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from amaranth import Const, Instance, Module, Signal, Value
from sylvan.model.errors import UserError

NEAR = 0.01
"""Relative distance from what is wanted within which a clock is taken for it."""


@dataclass(frozen=True)
class Settings:
    """Dividers under the primitive's names, and the clock that they make."""

    clock_hz: float
    vco_hz: float
    dividers: dict[str, int]


def near(clock_hz: float, wanted_hz: float) -> bool:
    """Whether a clock does for the one that is wanted."""
    return abs(clock_hz / wanted_hz - 1) <= NEAR


class Pll(ABC):
    """Makes a clock of an oscillator's.

    Attributes: padded, whether the primitive takes the pad itself, in the place of an input buffer.
    """

    padded: bool = False

    def settings(self, oscillator_hz: float, wanted_hz: float) -> Settings:
        """The legal ones nearest to what is wanted, of equal ones those of the fastest VCO.

        Raises UserError where nothing comes within 1 %.
        """
        legal = self.legal(oscillator_hz)
        best = min(legal, key=lambda s: (abs(s.clock_hz - wanted_hz), -s.vco_hz))
        if not near(best.clock_hz, wanted_hz):
            closest = min(best.clock_hz, oscillator_hz, key=lambda clock: abs(clock - wanted_hz))
            raise UserError(
                f"the oscillator's {oscillator_hz / 1e6:g} MHz make no clock of "
                f"{wanted_hz / 1e6:g} MHz; {closest / 1e6:g} MHz is the nearest"
            )
        return best

    @abstractmethod
    def legal(self, oscillator_hz: float) -> Iterator[Settings]:
        """All settings within the ranges of the primitive."""

    @abstractmethod
    def place(self, m: Module, source: Any, clock: Signal, settings: Settings) -> Value:
        """Drive `clock` from the oscillator; whether it is steady."""


@dataclass(frozen=True)
class Ice40Pll(Pll):
    """SB_PLL40 with the plain feedback path: f = oscillator (DIVF + 1) / (DIVR + 1) / 2^DIVQ.

    Ranges are those of Lattice's TN-02052. With `padded` the oscillator's pin is the PLL's own.
    """

    padded: bool = False

    def legal(self, oscillator_hz: float) -> Iterator[Settings]:
        for divr in range(16):
            compared = oscillator_hz / (divr + 1)
            if not 10e6 <= compared <= 133e6:
                continue
            for divf in range(128):
                vco = compared * (divf + 1)
                for divq in range(1, 7):
                    clock = vco / 2**divq
                    if 533e6 <= vco <= 1066e6 and 16e6 <= clock <= 275e6:
                        named = {"DIVR": divr, "DIVF": divf, "DIVQ": divq}
                        yield Settings(clock, vco, named | {"FILTER_RANGE": _filter(compared)})

    def place(self, m: Module, source: Any, clock: Signal, settings: Settings) -> Value:
        locked = Signal()
        # Plain integers would be 32 bits wide, and the packer takes a width at its word.
        widths = {"DIVR": 4, "DIVF": 7, "DIVQ": 3, "FILTER_RANGE": 3}
        dividers = {
            f"p_{name}": Const(value, widths[name]) for name, value in settings.dividers.items()
        }
        kind, pin = ("PAD", "PACKAGEPIN") if self.padded else ("CORE", "REFERENCECLK")
        m.submodules.pll = Instance(
            f"SB_PLL40_{kind}",
            p_FEEDBACK_PATH="SIMPLE",
            **dividers,
            **{f"i_{pin}": source},
            i_RESETB=Const(1),
            i_BYPASS=Const(0),
            o_PLLOUTGLOBAL=clock,
            o_LOCK=locked,
        )
        return locked


def _filter(compared_hz: float) -> int:
    """The loop filter for a frequency at the phase detector."""
    above = (17e6, 26e6, 44e6, 66e6, 101e6)
    return 1 + sum(compared_hz >= bound for bound in above)


class Ecp5Pll(Pll):
    """EHXPLLL with feedback from its only output: f = oscillator CLKFB_DIV / CLKI_DIV.

    The VCO runs at f CLKOP_DIV. Ranges are those of Lattice's FPGA-DS-02012.
    """

    def legal(self, oscillator_hz: float) -> Iterator[Settings]:
        for clki in range(1, 129):
            compared = oscillator_hz / clki
            if not 3.125e6 <= compared <= 400e6:
                continue
            for clkfb in range(1, 81):
                clock = compared * clkfb
                if not 3.125e6 <= clock <= 400e6:
                    continue
                for clkop in range(1, 129):
                    if 400e6 <= clock * clkop <= 800e6:
                        named = {"CLKI_DIV": clki, "CLKFB_DIV": clkfb, "CLKOP_DIV": clkop}
                        yield Settings(clock, clock * clkop, named)

    def place(self, m: Module, source: Any, clock: Signal, settings: Settings) -> Value:
        locked = Signal()
        m.submodules.pll = Instance(
            "EHXPLLL",
            a_ICP_CURRENT="12",
            a_LPF_RESISTOR="8",
            a_MFG_ENABLE_FILTEROPAMP="1",
            a_MFG_GMCREF_SEL="2",
            **{f"p_{name}": value for name, value in settings.dividers.items()},
            p_FEEDBK_PATH="CLKOP",
            p_CLKOP_ENABLE="ENABLED",
            p_CLKOP_CPHASE=settings.dividers["CLKOP_DIV"] - 1,
            p_CLKOP_FPHASE=0,
            i_CLKI=source,
            i_CLKFB=clock,
            i_RST=Const(0),
            i_STDBY=Const(0),
            o_CLKOP=clock,
            o_LOCK=locked,
        )
        return locked


class XilinxPll(Pll):
    """PLLE2 of Xilinx 7: f = oscillator CLKFBOUT_MULT / DIVCLK_DIVIDE / CLKOUT0_DIVIDE.

    Ranges are those of the slowest speed grade (DS181).
    """

    def legal(self, oscillator_hz: float) -> Iterator[Settings]:
        for before in range(1, 57):
            compared = oscillator_hz / before
            if not 19e6 <= compared <= 450e6:
                continue
            for times in range(2, 65):
                vco = compared * times
                if not 800e6 <= vco <= 1600e6:
                    continue
                for after in range(1, 129):
                    named = {"CLKFBOUT_MULT": times, "DIVCLK_DIVIDE": before}
                    yield Settings(vco / after, vco, named | {"CLKOUT0_DIVIDE": after})

    def place(self, m: Module, source: Any, clock: Signal, settings: Settings) -> Value:
        locked, fed_back, unbuffered = Signal(), Signal(), Signal()
        # The period that the vendor's tool checks the dividers against, in ns.
        dividers = settings.dividers
        period = 1e9 / settings.vco_hz * dividers["CLKFBOUT_MULT"] / dividers["DIVCLK_DIVIDE"]
        m.submodules.pll = Instance(
            "PLLE2_BASE",
            p_CLKIN1_PERIOD=period,
            **{f"p_{name}": value for name, value in dividers.items()},
            i_CLKIN1=source,
            i_CLKFBIN=fed_back,
            i_RST=Const(0),
            i_PWRDWN=Const(0),
            o_CLKFBOUT=fed_back,
            o_CLKOUT0=unbuffered,
            o_LOCKED=locked,
        )
        m.submodules.clock_buffer = Instance("BUFG", i_I=unbuffered, o_O=clock)
        return locked
