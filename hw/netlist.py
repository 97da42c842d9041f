"""Reads a mapped netlist (yosys' JSON): what it needs of each resource, in all and per instance.

The design is flattened before mapping, which is worth clock rate; the figures per operator come
from the names, which keep the path of the instance they were flattened from.
"""

import json
from collections import Counter
from pathlib import Path
from typing import Any

#: What one cell of a type needs. A carry cell of the iCE40 shares its logic cell with a LUT.
COSTS: dict[str, dict[str, int]] = {
    "SB_LUT4": {"luts": 1},
    "SB_CARRY": {"carries": 1},
    "SB_RAM40_4K": {"brams": 1},
    "SB_SPRAM256KA": {"sprams": 1},
    "SB_MAC16": {"dsps": 1},
    "LUT4": {"luts": 1},
    "CCU2C": {"luts": 2, "carries": 2},
    "TRELLIS_DPR16X4": {"luts": 4},
    "TRELLIS_FF": {"ffs": 1},
    "DP16KD": {"brams": 1},
    "PDPW16KD": {"brams": 1},
    "MULT18X18D": {"dsps": 1},
    "ALU54B": {"dsps": 1},
}


def cost(cell_type: str) -> dict[str, int]:
    """The resources that one cell takes; wide-LUT muxes and constants take none of their own."""
    if cell_type.startswith("SB_DFF"):
        return {"ffs": 1}
    return COSTS.get(cell_type, {})


def read(path: Path, module: str) -> dict[str, Any]:
    """The netlist of one module."""
    modules = json.loads(path.read_text())["modules"]
    netlist: dict[str, Any] = modules[module]
    return netlist


def totals(netlist: dict[str, Any]) -> dict[str, int]:
    """The whole design's needs before packing, its pins among them."""
    count: Counter[str] = Counter()
    for cell in netlist["cells"].values():
        count.update(cost(cell["type"]))
    count["pins"] = sum(len(port["bits"]) for port in netlist["ports"].values())
    return dict(count)


def instance_paths(netlist: dict[str, Any]) -> set[str]:
    """The dotted paths of all instances that were flattened away, "" (the top) among them."""
    paths = {""}
    for net in netlist["netnames"].values():
        # `hdlname` keeps the levels apart by spaces, which dots in the flat name do not.
        levels = net.get("attributes", {}).get("hdlname", "").split(" ")[:-1]
        paths.update(".".join(levels[:depth]) for depth in range(1, len(levels) + 1))
    return paths


def by_instance(netlist: dict[str, Any]) -> dict[str, dict[str, int]]:
    """Needs before packing of each instance, all it contains included, by path; "" is the top.

    A LUT that mapping made of the logic of two instances counts for the one whose net named it.
    """
    paths = instance_paths(netlist)
    figures: dict[str, Counter[str]] = {path: Counter() for path in sorted(paths)}
    for name, cell in netlist["cells"].items():
        needs = cost(cell["type"])
        if not needs:
            continue
        pieces = name.split(".")
        for depth in range(len(pieces)):
            path = ".".join(pieces[:depth])
            if path in figures:
                figures[path].update(needs)
    return {path: dict(sorted(count.items())) for path, count in figures.items() if count}
