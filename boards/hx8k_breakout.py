"""iCE40-HX8K Breakout Board (Lattice), with an FTDI FT2232H for serial line and programming."""

from amaranth_boards.ice40_hx8k_b_evn import ICE40HX8KBEVNPlatform

from .base.board import Board, part
from .base.pll import Ice40Pll

BOARDS = [
    Board(
        name="hx8k-breakout",
        title="iCE40-HX8K Breakout Board",
        part=part("ice40-hx8k"),
        platform=ICE40HX8KBEVNPlatform,
        oscillator="clk12",
        oscillator_hz=12e6,
        pll=Ice40Pll(padded=False),
        transport="USB (FT2232H, second port)",
        leds=[("led", 0), ("led", 1)],
        program=["iceprog"],
    )
]
