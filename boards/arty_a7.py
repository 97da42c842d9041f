"""Arty A7-35T (Digilent): Xilinx Artix-7, whose bitstream the vendor's tool makes."""

from amaranth_boards.arty_a7 import ArtyA7_35Platform

from .base.board import Board, part
from .base.pll import XilinxPll

BOARDS = [
    Board(
        name="arty-a7-35t",
        title="Arty A7-35T",
        part=part("xilinx-7a35t"),
        platform=ArtyA7_35Platform,
        oscillator="clk100",
        oscillator_hz=100e6,
        clock_hz=50e6,
        pll=XilinxPll(),
        transport="USB (FT2232H, second port)",
        leds=[("led", 0), ("led", 1)],
        program=["openFPGALoader", "-b", "arty_a7_35t"],
    )
]
