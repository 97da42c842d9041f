"""iCEBreaker bitsy (1BitSquared): iCE40 UP5K; its USB only programs, so the line is on the edge."""

from amaranth.build import Attrs
from amaranth_boards.icebreaker_bitsy import ICEBreakerBitsyPlatform
from amaranth_boards.resources import UARTResource

from .base.board import Board, added, part
from .base.pll import Ice40Pll

PLATFORM = added(
    ICEBreakerBitsyPlatform,
    UARTResource(
        0, rx="0", tx="1", conn=("edge", 0), attrs=Attrs(IO_STANDARD="SB_LVCMOS", PULLUP=1)
    ),
)
BOARDS = [
    Board(
        name="icebreaker-bitsy",
        title="iCEBreaker bitsy",
        part=part("ice40-up5k"),
        platform=PLATFORM,
        oscillator="clk12",
        oscillator_hz=12e6,
        pll=Ice40Pll(padded=True),
        transport="edge P0 (receives), P1 (sends)",
        leds=[("led_g", 0), ("led_r", 0)],
        program=["dfu-util", "-d", "1d50:6146", "-a", "0", "-R", "-D"],
        note="3.3 V serial adapter on P0 and P1",
    )
]
