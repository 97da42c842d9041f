"""Registers behind the block RAMs of ECP5, moved into the RAM, which has one for each output.

A read that goes straight to the fabric takes most of six nanoseconds before anything is done with
it; from the RAM's own output register it comes as fast as from any other. Yosys leaves that
register unused, so the netlist is changed after it: a flip-flop that takes nothing but an output of
a RAM, in each cycle of the same clock, is that register. Of a side of a RAM all outputs have one or
none. What can be reset stays where it is: a RAM's reset does more than to its output register.

Source: Lattice, ECP5 memory usage guide (REGMODE: OUTREG; OCE, its enable).
"""

from collections import defaultdict
from typing import Any


def move_registers(module: dict[str, Any]) -> int:
    """Move what can be moved in a netlist of ECP5 cells; how many flip-flops are gone."""
    cells = module["cells"]
    users: dict[int | str, list[str]] = defaultdict(list)
    for port in module["ports"].values():
        for bit in port["bits"]:
            users[bit].append("")
    for name, cell in cells.items():
        for port, bits in cell["connections"].items():
            if cell["port_directions"][port] != "output":
                for bit in bits:
                    users[bit].append(name)
    moved = 0
    for ram in [cell for cell in cells.values() if cell["type"] == "DP16KD"]:
        # Words of 36 bits take the outputs of both sides, on the clock of one.
        wide = int(ram["parameters"]["DATA_WIDTH_B"], 2) == 36
        for sides in ["AB"] if wide else ["A", "B"]:
            side = sides[-1]
            clock, reset = (ram["connections"][f"{pin}{side}"] for pin in ("CLK", "RST"))
            edge = ram["parameters"].get(f"CLK{side}MUX", f"CLK{side}")
            if reset != ["0"] or edge != f"CLK{side}":
                continue
            read = {
                port: bits[0]
                for port, bits in ram["connections"].items()
                if port.startswith(tuple(f"DO{side}" for side in sides)) and users[bits[0]]
            }
            found = {port: _register(cells, users[bit], bit, clock) for port, bit in read.items()}
            names = [name for name in found.values() if name is not None]
            if not names or len(names) < len(found):
                continue
            for port, name in zip(found, names, strict=True):
                ram["connections"][port] = cells.pop(name)["connections"]["Q"]
            for side in sides:
                ram["parameters"][f"REGMODE_{side}"] = "OUTREG"
                ram["connections"][f"OCE{side}"] = ["1"]
            moved += len(found)
    return moved


def _register(
    cells: dict[str, Any], users: list[str], bit: int | str, clock: list[int | str]
) -> str | None:
    """The flip-flop that is all that takes a bit, if it does nothing but hold it for a cycle."""
    cell = cells.get(users[0]) if len(users) == 1 else None
    if cell is None or cell["type"] != "TRELLIS_FF":
        return None
    settings, taken = cell["parameters"], cell["connections"]
    enabled = settings.get("CEMUX", "CE").strip() == "1" or taken.get("CE") == ["1"]
    clocked = taken["CLK"] == clock and settings.get("CLKMUX", "CLK").strip() == "CLK"
    never_reset = taken.get("LSR", ["0"]) == ["0"] and settings.get("REGSET", "RESET") == "RESET"
    plain = taken.get("DI") == [bit] and enabled and clocked and never_reset
    return users[0] if plain else None
