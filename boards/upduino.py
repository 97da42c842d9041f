"""UPduino 3 (tinyVision): iCE40 UP5K; its USB only programs, so the line is on header pins."""

from amaranth.build import Attrs
from amaranth_boards.resources import UARTResource
from amaranth_boards.upduino_v3 import UpduinoV3Platform

from .base.board import Board, added, part


class CrystalPlatform(UpduinoV3Platform):
    """With the crystal's clock: the oscillator inside the part is off by 10 %."""

    default_clk = "clk12"


PLATFORM = added(
    CrystalPlatform,
    UARTResource(0, rx="23", tx="25", attrs=Attrs(IO_STANDARD="SB_LVCMOS", PULLUP=1)),
)
BOARDS = [
    Board(
        name="upduino",
        title="UPduino 3",
        part=part("ice40-up5k"),
        platform=PLATFORM,
        oscillator="clk12",
        oscillator_hz=12e6,
        transport="pins 23 (receives), 25 (sends)",
        leds=[("rgb_led", 0, "g"), ("rgb_led", 0, "b")],
        program=["iceprog"],
        note="bridge jumper OSC; 3.3 V serial adapter on 23 and 25",
    )
]
