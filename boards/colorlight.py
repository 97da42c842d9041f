"""Colorlight i5 7.0 and i9 7.2 (ECP5 modules) on Muse Lab's extension board, which has the USB."""

from typing import Any, ClassVar

from amaranth.build import Attrs, Clock, Pins, Resource
from amaranth.vendor import LatticeECP5Platform
from amaranth_boards.resources import LEDResources, UARTResource

from .base.board import Board, part
from .base.pll import Ecp5Pll

LEVELS = Attrs(IO_TYPE="LVCMOS33")


def pins(led: str) -> list[Resource]:
    """What a linked core takes, as wuxx' Colorlight-FPGA-Projects has it."""
    return [
        Resource("clk25", 0, Pins("P3", dir="i"), Clock(25e6), LEVELS),
        *LEDResources(pins=led, invert=True, attrs=LEVELS),
        UARTResource(0, rx="H18", tx="J17", attrs=LEVELS),
    ]


class _Platform(LatticeECP5Platform):
    package, speed, default_clk = "BG381", "6", "clk25"
    connectors: ClassVar[list[Any]] = []


class I5Platform(_Platform):
    """Colorlight i5 7.0."""

    device = "LFE5U-25F"
    resources = pins(led="U16")


class I9Platform(_Platform):
    """Colorlight i9 7.2."""

    device = "LFE5U-45F"
    resources = pins(led="L2")


BOARDS = [
    Board(
        name=f"colorlight-{name}",
        title=f"Colorlight {name}",
        part=chip,
        platform=platform,
        oscillator="clk25",
        oscillator_hz=25e6,
        pll=Ecp5Pll(),
        transport="USB of the extension board (DAPLink)",
        leds=[("led", 0)],
        program=["openFPGALoader", "-b", f"colorlight-{name}"],
    )
    for name, chip, platform in (
        ("i5", part("ecp5-25f"), I5Platform),
        ("i9", part("ecp5-45f"), I9Platform),
    )
]
