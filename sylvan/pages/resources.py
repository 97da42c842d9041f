"""What each part takes: logic as bars and as a table, memories, and a share of the clock period."""

from collections import Counter

from sylvan.hw.build import MODULE
from sylvan.model.errors import UserError

from .bars import Bar, Chart
from .built import RESOURCES, Built
from .page import Cell, Html, element, joined, table
from .parts import Part

HEADINGS = ("LUTs", "flip-flops", "block RAMs", "SPRAMs", "DSP blocks")
MOST_BARS = 24
"""Parts that have a bar; the table has all."""
NO_PART = (
    "The target has no part, so nothing says what an operator takes: "
    "build it for one, such as --target ecp5-25f."
)
NO_PATH = (
    "Place and route told of no path between registers: the part is synthesized only, or another "
    "version built it, which kept none."
)
CONTROL = "control and borders"


def resources(built: Built) -> Html:
    """Bars of the largest parts, and a table of all."""
    if not built.modules:
        raise UserError(NO_PART)
    parts = [part for part in built.parts if part.figures is not None]
    rows = [(part.name, part.value, part.operator, part.figures or {}) for part in parts]
    rows.append((CONTROL, "", "sequencers, strobes, queues", built.control))
    rows.sort(key=lambda row: -row[3].get("luts", 0))
    whole = sum(figures.get("luts", 0) for *_, figures in rows) or 1
    drawn, cells = [], []
    for name, value, operator, figures in rows:
        counts = [figures.get(key, 0) for key in RESOURCES]
        luts = counts[0]
        said = f"{luts:,} LUTs, {luts / whole:.1%}"
        drawn.append(Bar(name, [(0, luts, "bar")], said, f"{name}: {operator}"))
        cells.append([Cell(name), Cell(value), Cell(operator), *map(Cell, counts)])
    told = element(
        "p",
        "Counted in the netlist, before cells are packed and placed. What several parts share "
        "counts for one of them.",
        class_="quiet",
    )
    headings = ["part", "for the value", "operator", *HEADINGS]
    largest = Chart(drawn[:MOST_BARS]).draw("LUTs by part")
    return joined(told, largest, table(headings, cells, "resources by part"))


def memories(built: Built) -> Html:
    """Every memory and every table of constants, and what it became."""
    rows = []
    for part in built.parts:
        for (width, depth), count in Counter(part.memories).items():
            rows.append(
                [
                    Cell(part.name),
                    Cell(part.value),
                    Cell(part.operator),
                    Cell(count),
                    Cell(width),
                    Cell(depth),
                    Cell(count * width * depth),
                    Cell(_kept_in(part)),
                ]
            )
    if not rows:
        raise UserError("There is no memory: everything is kept in registers.")
    headings = ["part", "for the value", "what"]
    headings += ["copies", "bits a word", "words", "bits", "kept in"]
    return table(headings, rows, "memories")


def _kept_in(part: Part) -> str | None:
    if part.figures is None:
        return None
    blocks = part.figures.get("brams", 0)
    return f"{blocks} block RAM{'s' * (blocks > 1)}" if blocks else "LUTs or registers"


def critical_path(built: Built) -> Html:
    """The path between registers that sets the clock, stretch by stretch."""
    if not built.paths:
        raise UserError(NO_PATH if built.modules else NO_PART)
    rate = built.report["measured"]["fmax_mhz"] or 0.0
    seed, reached, hops = min(built.paths, key=lambda path: abs(path[1] - rate))
    logic, routing = sum(h.logic_ns for h in hops), sum(h.routing_ns for h in hops)
    owners = [built.owner(hop.module) for hop in hops]
    modules = [hop.module.removeprefix(f"{MODULE}.") for hop in hops]
    control = " (control)" if built.parts else ""
    names = [
        owner.name if owner else f"{module}{control}"
        for owner, module in zip(owners, modules, strict=True)
    ]
    share = routing / (logic + routing) if routing else 0.0
    where = f"from {names[0]} to {names[-1]}" if len(set(names)) > 1 else f"inside {names[0]}"
    told = element(
        "p",
        f"{logic + routing:.1f} ns {where}, {share:.0%} of it in wires: "
        f"seed {seed}, which reached {reached:.1f} MHz.",
    )
    rows: list[list[Cell]] = []
    drawn, begun = [], 0.0
    for hop, owner, name, module in zip(hops, owners, names, modules, strict=True):
        wired, ended = begun + hop.routing_ns, begun + hop.routing_ns + hop.logic_ns
        said = f"{hop.routing_ns:.1f} + {hop.logic_ns:.1f} ns"
        pieces = [(begun, wired, "wires"), (wired, ended, "bar")]
        drawn.append(Bar(module, pieces, said, f"{name}: {hop.cells} cells of {hop.module}"))
        rows.append(
            [
                Cell(len(rows) + 1),
                Cell(name),
                Cell(owner.value if owner else None),
                Cell(hop.module),
                Cell(hop.cells),
                Cell(hop.routing_ns, "{:.2f}"),
                Cell(hop.logic_ns, "{:.2f}"),
            ]
        )
        begun = ended
    key = element("p", "Wires to it, then its logic.", class_="quiet")
    headings = ["", "part", "for the value", "module", "cells", "wires, ns", "logic, ns"]
    stretches = Chart(drawn).draw("critical path")
    return joined(told, key, stretches, table(headings, rows, "critical path"))
