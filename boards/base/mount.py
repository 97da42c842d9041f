"""A program on a board: what a build writes besides the core, and what is synthesized of it."""

import re
from dataclasses import dataclass
from pathlib import Path

from sylvan.hw.build import Sources
from sylvan.hw.plan import Plan
from sylvan.hw.targets import Target
from sylvan.model.errors import UserError
from sylvan.model.program import Program

from ..link.described import write_link
from ..link.plan import LinkPlan
from ..link.vectors import Identity
from .board import STANDARD_BAUD, Board
from .prepared import MODULE, write_top
from .top import Top

NEWER = re.compile(r"#\(\s*\.SIM_DEVICE\([^)]*\)\s*\) ")
"""A parameter that the vendor's library has and the one of yosys has not; it means nothing here."""


@dataclass(frozen=True)
class Mount:
    """How a core sits on a board: at `clock_hz`, on a line of `baud` bits per second."""

    board: Board
    clock_hz: float
    baud: int

    @staticmethod
    def on(board: Board, clock_hz: float | None = None, baud: int | None = None) -> "Mount":
        """At the usual clock and baud rate unless others are given.

        Raises UserError where the board makes no such clock.
        """
        return Mount(board, board.clock(clock_hz), STANDARD_BAUD if baud is None else baud)

    @property
    def target(self) -> Target:
        """What is built for."""
        return self.board.target

    def check(self, program: Program, contexts: int, steps_per_s: float | None) -> None:
        """Raise UserError where the line cannot carry so many timesteps of every context."""
        carried = self.carried(program)
        asked = (steps_per_s or 0) * contexts
        if asked > carried:
            raise UserError(
                f"a line of {self.baud} baud carries {carried:,.0f} timesteps per second of this "
                f"program, asked are {asked:,.0f}: lower --rate, or raise --baud"
            )

    def carried(self, program: Program) -> float:
        """Timesteps per second that the line carries, of all contexts together."""
        answered = program.readout.read == "every"
        return Identity.of(program).highest_rate(self.baud, answered)

    def write(self, plan: Plan, folder: Path) -> Sources:
        """Write what the board's tools take; what of it is synthesized."""
        link = LinkPlan(plan, self.clock_hz, self.baud)
        write_link(link, folder)
        top = Top(self.board, self.clock_hz, link)
        verilog, constraints = write_top(self.board.platform(), top, folder)
        if self.target.placed:
            return Sources(verilog, MODULE, constraints, self.clock_hz)
        mapped = folder / "mapped.v"
        mapped.write_text(NEWER.sub("", verilog.read_text()))
        return Sources(mapped, MODULE)
