"""A program on a board: what a build writes besides the core, and what is synthesized of it."""

import re
from dataclasses import dataclass, replace
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
from .top import Top

MODULE = "top"
CONSTRAINTS = (".pcf", ".lpf", ".cst", ".xdc")
ORIGIN = re.compile(r'[ \t]*\(\* (?:src|generator) = "[^"]*" \*\)\s*')
"""Where a piece of Verilog came from: a path of this machine, which tools would take for theirs."""
NEWER = re.compile(r"#\(\s*\.SIM_DEVICE\([^)]*\)\s*\) ")
"""A parameter that the vendor's library has and the one of yosys has not; it means nothing here."""


@dataclass(frozen=True)
class Mount:
    """How a core sits on a board.

    Parameters: clock_hz that is wanted, None for the board's usual one; baud, of the line.
    Raises UserError where the board makes no such clock.
    """

    board: Board
    clock_hz: float
    baud: int

    @staticmethod
    def on(board: Board, clock_hz: float | None = None, baud: int | None = None) -> "Mount":
        """At the clock that comes nearest, and the usual baud rate unless another is given."""
        return Mount(board, board.clock(clock_hz), STANDARD_BAUD if baud is None else baud)

    @property
    def target(self) -> Target:
        """What is built for."""
        return self.board.target

    def check(self, program: Program, contexts: int, steps_per_s: float | None) -> None:
        """Raise UserError where the line cannot carry so many timesteps of every context."""
        answered = program.readout.read == "every"
        carried = Identity.of(program, contexts).highest_rate(self.baud, answered)
        asked = (steps_per_s or 0) * contexts
        if asked > carried:
            raise UserError(
                f"a line of {self.baud} baud carries {carried:,.0f} timesteps per second of this "
                f"program, asked are {asked:,.0f}: lower --rate, or raise --baud"
            )

    def link(self, plan: Plan) -> LinkPlan:
        """The link of a core."""
        return LinkPlan(plan, self.clock_hz, self.baud)

    def write(self, plan: Plan, folder: Path) -> Sources:
        """Write what the board's tools take; what of it is synthesized."""
        write_link(self.link(plan), folder)
        files = self._prepared(plan)
        verilog = folder / f"{MODULE}.v"
        verilog.write_text(files[verilog.name])
        constraints = next(name for name in files if name.endswith(CONSTRAINTS))
        (folder / constraints).write_text(files[constraints])
        sources = Sources(verilog, MODULE, clock_hz=self.clock_hz)
        if self.target.placed:
            return replace(sources, constraints=folder / constraints)
        for name in (f"{MODULE}.tcl", f"build_{MODULE}.sh"):
            (folder / name).write_text(files[name])
        mapped = folder / "mapped.v"
        mapped.write_text(NEWER.sub("", files[verilog.name]))
        return replace(sources, verilog=mapped)

    def _prepared(self, plan: Plan) -> dict[str, str]:
        """The files that Amaranth makes for the platform, by their names."""
        top = Top(self.board, self.clock_hz, self.link(plan))
        made = self.board.platform().prepare(top, MODULE, debug_verilog=True)
        files = {
            name: text if isinstance(text, str) else text.decode()
            for name, text in made.files.items()
        }
        debug = files.pop(f"{MODULE}.debug.v")
        files[f"{MODULE}.v"] = ORIGIN.sub("", files.get(f"{MODULE}.v", debug))
        return files
