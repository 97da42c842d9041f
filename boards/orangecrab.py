"""OrangeCrab r0.2 25F (Good Stuff Department): ECP5; its USB only programs."""

from amaranth.build import Attrs
from amaranth_boards.orangecrab_r0_2 import OrangeCrabR0_2_25FPlatform
from amaranth_boards.resources import UARTResource

from .base.board import Board, added, part
from .base.pll import Ecp5Pll

PLATFORM = added(
    OrangeCrabR0_2_25FPlatform,
    UARTResource(0, rx="0", tx="1", conn=("io", 0), attrs=Attrs(IO_TYPE="LVCMOS33", PULLMODE="UP")),
)
BOARDS = [
    Board(
        name="orangecrab",
        title="OrangeCrab r0.2 25F",
        part=part("ecp5-25f", package="CSFBGA285", speed="8"),
        platform=PLATFORM,
        oscillator="clk",
        oscillator_hz=48e6,
        pll=Ecp5Pll(),
        transport="pins 0 (receives), 1 (sends)",
        leds=[("rgb_led", 0, "g"), ("rgb_led", 0, "b")],
        program=["dfu-util", "-d", "1209:5af0", "-a", "0", "-D"],
        note="3.3 V serial adapter on 0 and 1",
    )
]
