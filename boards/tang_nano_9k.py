"""Tang Nano 9K (Sipeed): Gowin GW1NR-9, and a BL702 for serial line and programming."""

from amaranth_boards.tang_nano_9k import TangNano9kPlatform

from .base.board import Board, part

BOARDS = [
    Board(
        name="tang-nano-9k",
        title="Tang Nano 9K",
        part=part("gowin-gw1n9", package="GW1NR-LV9QN88PC6/I5", die="GW1N-9C"),
        platform=lambda: TangNano9kPlatform(toolchain="Apicula"),
        oscillator="clk27",
        oscillator_hz=27e6,
        transport="USB (BL702)",
        leds=[("led", 0), ("led", 1)],
        program=["openFPGALoader", "-b", "tangnano9k"],
    )
]
