"""What is said of boards: which there are, and what to do with a bitstream."""

import shlex
from collections.abc import Mapping
from pathlib import Path

from rich.table import Table

from sylvan.boards.base.board import Board

from .console import quoted
from .report import bitstream


def boards_table(boards: Mapping[str, Board]) -> Table:
    """What boards carry."""
    table = Table()
    for head in ("--target", "board", "part", "clock", "line to a host", "LEDs", "note"):
        table.add_column(head)
    for name, board in boards.items():
        clock = f"{board.clock(None) / 1e6:g} MHz" + (", or --clock" if board.pll else "")
        leds = str(len(board.leds))
        table.add_row(name, board.title, board.part.name, clock, board.transport, leds, board.note)
    return table


def after_board(board: Board, folder: Path) -> list[str]:
    """What to try next: load the bitstream, which for some parts the vendor's tool makes, and talk
    to the board, or to its twin where there is none."""
    packed, loads = bitstream(folder), shlex.join(board.program)
    if packed is None:
        makes = f"cd {quoted(folder)} && bash build_top.sh && {loads} top.bit    (with Vivado)"
    else:
        makes = f"{loads} {quoted(packed)}    (loads {board.title})"
    return [
        makes,
        f"sylvan host {quoted(folder)} --port PORT    (streams data to it)",
        f"sylvan host {quoted(folder)} --port sim --check    (the same without a board)",
    ]
