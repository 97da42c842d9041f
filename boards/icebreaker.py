"""iCEBreaker (1BitSquared): iCE40 UP5K, and an FTDI FT2232H for serial line and programming."""

from amaranth_boards.icebreaker import ICEBreakerPlatform

from .base.board import Board, part
from .base.pll import Ice40Pll

BOARDS = [
    Board(
        name="icebreaker",
        title="iCEBreaker",
        part=part("ice40-up5k"),
        platform=ICEBreakerPlatform,
        oscillator="clk12",
        oscillator_hz=12e6,
        pll=Ice40Pll(padded=True),
        transport="USB (FT2232H, second port)",
        leds=[("led_g", 0), ("led_r", 0)],
        program=["iceprog"],
    )
]
