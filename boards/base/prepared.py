"""A design on a platform of Amaranth, as files for the tools."""

from pathlib import Path
from typing import Any

from amaranth import Elaboratable

MODULE = "top"
CONSTRAINTS = (".pcf", ".lpf", ".cst", ".xdc")
VENDOR = (f"{MODULE}.tcl", f"build_{MODULE}.sh")


def write_top(platform: Any, top: Elaboratable, folder: Path) -> tuple[Path, Path]:
    """Write top.v, the file of its pins, and the script for a vendor's tool where one is needed.

    Returns the paths of the first two.
    """
    # Where a line of Verilog came from is a path of this machine, and tools take it for theirs.
    made = platform.prepare(top, MODULE, emit_src=False, debug_verilog=True).files
    files = {name: t if isinstance(t, str) else t.decode() for name, t in made.items()}
    verilog = folder / f"{MODULE}.v"
    verilog.write_text(files.get(verilog.name, files[f"{MODULE}.debug.v"]))
    constraints = next(folder / name for name in files if name.endswith(CONSTRAINTS))
    wanted = [constraints.name, *(VENDOR if VENDOR[0] in files else ())]
    for name in wanted:
        (folder / name).write_text(files[name])
    return verilog, constraints
