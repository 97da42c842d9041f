"""The simulated twin of a board: the same Verilog behind a port of the same kind."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sylvan.boards.link.described import VERILOG_FILE, load_link
from sylvan.sim.ports import load_planned_cycles
from sylvan.sim.twin import twin as simulate

CYCLES_OF_A_BYTE = 32
"""In which a byte of a frame is taken or made, at most."""


@contextmanager
def twin(build: Path | str, simulator: str = "icarus") -> Iterator[str]:
    """Simulates the board of a build directory: gives the port where a `Link` finds it.

    It ends with the `with` statement.

    Raises:
        UserError: if the directory is no build for a board or was changed, or the simulator,
            "icarus" or "verilator", is missing.
        CheckError: if the simulator fails.
    """
    folder = Path(build)
    link = load_link(folder)
    frames = link.longest + link.step.frame_bytes
    rest = 2 * load_planned_cycles(folder).total + CYCLES_OF_A_BYTE * frames
    with simulate((folder / VERILOG_FILE).resolve(), link.clocks, rest, simulator) as port:
        yield port
