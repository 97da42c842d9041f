"""ULX3S (Radiona): ECP5 in four sizes, and an FTDI FT231X for serial line and programming."""

from amaranth_boards import ulx3s

from .base.board import Board, part
from .base.pll import Ecp5Pll

SIZES = {
    # Its die is that of a 25F, all of which the open tools use.
    "12f": (part("ecp5-25f", device="12k"), ulx3s.ULX3S_12F_Platform),
    "25f": (part("ecp5-25f"), ulx3s.ULX3S_25F_Platform),
    "45f": (part("ecp5-45f"), ulx3s.ULX3S_45F_Platform),
    "85f": (part("ecp5-85f"), ulx3s.ULX3S_85F_Platform),
}

BOARDS = [
    Board(
        name=f"ulx3s-{size}",
        title=f"ULX3S {size.upper()}",
        part=chip,
        platform=platform,
        oscillator="clk25",
        oscillator_hz=25e6,
        pll=Ecp5Pll(),
        transport="USB (FT231X)",
        leds=[("led", 0), ("led", 1)],
        program=["openFPGALoader", "-b", "ulx3s"],
    )
    for size, (chip, platform) in SIZES.items()
]
