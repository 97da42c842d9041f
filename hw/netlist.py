"""Reads a mapped netlist (yosys' JSON): what it needs of each resource, in all and by module.

The design is flattened before mapping, which is worth clock rate. The figures by operator come
from what survives it: registers, adders and memories know the line of Verilog they were made of,
and the logic between them belongs to what it feeds.
"""

import json
import re
from bisect import bisect_right
from collections import Counter, deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Netlist = dict[str, Any]
Cell = dict[str, Any]

#: What one cell of a type needs, flip-flops aside. A carry cell of the iCE40 shares its logic cell
#: with a LUT, one of Xilinx its slice with four; wide multiplexers, inputs, outputs and constants
#: take nothing of their own.
COSTS: dict[str, dict[str, int]] = {
    "SB_LUT4": {"luts": 1},
    "SB_CARRY": {"carries": 1},
    "SB_RAM40_4K": {"brams": 1},
    "SB_SPRAM256KA": {"sprams": 1},
    "SB_MAC16": {"dsps": 1},
    **{f"LUT{inputs}": {"luts": 1} for inputs in range(1, 7)},
    "CCU2C": {"luts": 2, "carries": 2},
    "TRELLIS_DPR16X4": {"luts": 4},
    "DP16KD": {"brams": 1},
    "PDPW16KD": {"brams": 1},
    "MULT18X18D": {"dsps": 1},
    "ALU54B": {"dsps": 1},
    "INV": {"luts": 1},
    "CARRY4": {"carries": 4},
    "SRL16E": {"luts": 1},
    "SRLC32E": {"luts": 1},
    "RAM32M": {"luts": 4},
    "RAM64M": {"luts": 4},
    "RAM64X1S": {"luts": 1},
    "RAM128X1S": {"luts": 2},
    "RAM256X1S": {"luts": 4},
    "RAM64X1D": {"luts": 2},
    "RAM128X1D": {"luts": 4},
    "RAMB18E1": {"brams": 1},
    "RAMB36E1": {"brams": 2},
    "DSP48E1": {"dsps": 1},
    "ALU": {"luts": 1, "carries": 1},
    # As many as the vendor's own reports count for one, whatever its width.
    **{f"RAM16SDP{bits}": {"luts": 6} for bits in (1, 2, 4)},
    **{name: {"brams": 1} for name in ("SP", "SPX9", "SDPB", "SDPX9B", "DPB", "DPX9B")},
    **{f"MULT{bits}X{bits}": {"dsps": 1} for bits in (9, 18, 36)},
}
#: What the names of flip-flops begin with: "FD" those of Xilinx, "DFF" those of Gowin.
FLIP_FLOPS = ("SB_DFF", "TRELLIS_FF", "FD", "DFF")
#: What the names of memories made of LUTs begin with: "RAM" and a digit but for those of ECP5.
LUT_MEMORIES = re.compile(r"TRELLIS_DPR16X4|RAM\d")

TILE = 8
"""Logic cells of a tile of iCE40."""
#: A carry cell's carry in and out, and the bits of carry that it holds.
CHAINS = {"SB_CARRY": ("CI", "CO", 1), "CCU2C": ("CIN", "COUT", 2)}


def cost(cell_type: str) -> dict[str, int]:
    """The resources that one cell takes."""
    return {"ffs": 1} if cell_type.startswith(FLIP_FLOPS) else COSTS.get(cell_type, {})


def read(path: Path, module: str) -> Netlist:
    """The netlist of one module."""
    netlist: Netlist = json.loads(path.read_text())["modules"][module]
    return netlist


def totals(netlist: Netlist) -> dict[str, int]:
    """The whole design's needs before packing, its pins among them."""
    count: Counter[str] = Counter()
    for cell in netlist["cells"].values():
        count.update(cost(cell["type"]))
    count["pins"] = sum(len(port["bits"]) for port in netlist["ports"].values())
    return dict(count)


def control_tiles(netlist: Netlist) -> int:
    """Tiles that an iCE40's flip-flops fill at least: eight of them share an edge of the clock, an
    enable and a reset."""
    sets: Counter[tuple[Any, ...]] = Counter()
    for cell in netlist["cells"].values():
        if cell["type"].startswith("SB_DFF"):
            pins = (cell["connections"].get(pin) for pin in "CERS")
            sets[cell["type"].startswith("SB_DFFN"), *(pin and pin[0] for pin in pins)] += 1
    return sum(-(-count // TILE) for count in sets.values())


def longest_chain(netlist: Netlist) -> int:
    """Bits of the longest carry chain, as an adder of so many bits would have them; 0 without any.

    The last sum of a chain on iCE40 takes a carry and makes none.
    """
    cells = [cell for cell in netlist["cells"].values() if cell["type"] in CHAINS]
    before: dict[Any, Cell] = {}
    for cell in cells:
        _, out, _ = CHAINS[cell["type"]]
        before.update((bit, cell) for bit in cell["connections"][out] if isinstance(bit, int))
    longest = 0
    for cell in cells:
        at: Cell | None = cell
        bits = int(cell["type"] == "SB_CARRY")
        while at is not None:
            carried, _, held = CHAINS[at["type"]]
            bits += held
            at = before.get(at["connections"][carried][0])
        longest = max(longest, bits)
    return longest


def by_module(netlist: Netlist, modules: "Modules") -> dict[str, dict[str, int]]:
    """Needs before packing by module of the Verilog, which yosys read as design.v.

    A module holds those whose names continue its own after a dot, and the top holds all: in
    Amaranth's Verilog a module is one instance, and `core.memory.timing` a part of `core.memory`.
    """
    figures: dict[str, Counter[str]] = {}
    for name, owner in owners(netlist, modules).items():
        needs = cost(netlist["cells"][name]["type"])
        for holder in {modules.top, *modules.around(owner)} if needs else ():
            figures.setdefault(holder, Counter()).update(needs)
    return {name: dict(sorted(figures[name].items())) for name in sorted(figures)}


class Modules:
    """Where each module of a Verilog file begins, and which dotted names are modules."""

    def __init__(self, verilog: str, top: str) -> None:
        self.top = top
        self.starts: list[int] = []
        self.names: list[str] = []
        for number, line in enumerate(verilog.splitlines(), 1):
            if match := re.match(r"\s*module\s+\\?([^\s(;#]+)", line):
                self.starts.append(number)
                self.names.append(match[1])

    def at(self, line: int) -> str:
        """The module that a line is in."""
        return self.names[max(bisect_right(self.starts, line) - 1, 0)]

    def around(self, name: str) -> list[str]:
        """The modules that a dotted name lies in, outermost first."""
        pieces = name.split(".")
        paths = [".".join(pieces[: depth + 1]) for depth in range(len(pieces))]
        return [path for path in paths if path in self.names]


def owners(netlist: Netlist, modules: Modules) -> dict[str, str]:
    """The module of each cell: from its line, or a memory's name, else that of what it feeds."""
    cells: dict[str, Cell] = netlist["cells"]
    owners: dict[str, str] = {}
    drivers: dict[Any, str] = {}
    for name, cell in cells.items():
        drivers.update((bit, name) for bit in _bits(cell, "output"))
        line = re.search(r"design\.v:(\d+)", cell["attributes"].get("src", ""))
        if line:
            owners[name] = modules.at(int(line[1]))
        elif {"brams", "sprams"} & cost(cell["type"]).keys() or LUT_MEMORIES.match(cell["type"]):
            owners[name] = (modules.around(f"{modules.top}.{name}") or [modules.top])[-1]
    waiting = deque(owners)
    while waiting:
        name = waiting.popleft()
        for driver in (drivers.get(bit) for bit in _bits(cells[name], "input")):
            if driver is not None and driver not in owners:
                owners[driver] = owners[name]
                waiting.append(driver)
    return {name: owners.get(name, modules.top) for name in cells}


def _bits(cell: Cell, direction: str) -> Iterator[Any]:
    for port, bits in cell["connections"].items():
        if cell["port_directions"].get(port) == direction:
            yield from bits
