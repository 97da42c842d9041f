"""The critical path of a placed design by module of its Verilog: which operators set the clock.

A cell has the module that it has in the netlist; one that nextpnr made for itself, that of the cell
before.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

PACKED = ("_LC", "_DFFLC", "_RAM", "_DSP")
"""What nextpnr adds to a cell's name on iCE40; on ECP5 it begins with $."""


@dataclass(frozen=True)
class Hop:
    """A stretch of a path inside one module.

    Attributes:
        module: full name.
        cells: that the path passes there.
        logic_ns: what these take, clock-to-output and setup of registers included.
        routing_ns: what the wires to them take, that from the module before included.
    """

    module: str
    cells: int
    logic_ns: float
    routing_ns: float


def critical_path(report: Mapping[str, Any], owners: Mapping[str, str]) -> tuple[Hop, ...]:
    """The slowest path between registers in one of nextpnr's reports; empty where there is none.

    `owners` are the modules of the netlist's cells.
    """
    hops: list[Hop] = []
    for path in report.get("critical_paths", []):
        if path["from"] == path["to"] != "<async>":
            reached = None
            for arc in path["path"]:
                cell = arc["to"]["cell"]
                before = hops[-1].module if hops else ""
                module = _module(cell, owners) or before
                if not hops or module != before:
                    hops.append(Hop(module, 0, 0.0, 0.0))
                hops[-1] = _passed(hops[-1], cell != reached, arc)
                reached = cell
            break
    return tuple(hops)


def _passed(hop: Hop, new: bool, arc: Mapping[str, Any]) -> Hop:
    """The stretch with one more piece of the path, which may reach a new cell."""
    routing = arc["type"] == "routing"
    logic_ns = hop.logic_ns + (0.0 if routing else arc["delay"])
    routing_ns = hop.routing_ns + (arc["delay"] if routing else 0.0)
    return Hop(hop.module, hop.cells + new, round(logic_ns, 3), round(routing_ns, 3))


def _module(cell: str, owners: Mapping[str, str]) -> str | None:
    """The module of a cell after packing; None for those that nextpnr made for itself."""
    names = [cell, cell.rpartition("$")[0], *(cell.removesuffix(packed) for packed in PACKED)]
    return next((owners[name] for name in names if name in owners), None)
