"""The dataflow of a body: its operations as boxes, its values as edges, its states as loops.

A box says where an operation is made, when, and what it takes; an edge says the value's format.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from sylvan.model.operations import Value
from sylvan.model.operations.moves import Exponent
from sylvan.model.program import Layer, Node, Readout

from .layered import Layout, layered
from .page import Html, element, joined
from .parts import Figures, Part
from .svg import (
    FONT,
    LONGEST,
    SMALL,
    box,
    curve,
    number,
    path,
    picture,
    shortened,
    text,
    title,
    wide,
)
from .wording import interval_words, operation_words, value_words

LINE, PAD, BAR = 16.0, 10.0, 5.0
LOOP = 14.0
"""Distance of the loops of states from each other."""


@dataclass
class Box:
    """What is drawn for an operation or a value that the body is given.

    Attributes: kind, a class of drawing.css; lines, its name first; told, what the pointer is told;
    share, of the resource bar, None without one.
    """

    kind: str
    lines: list[str]
    told: str
    share: float | None = None

    @property
    def size(self) -> tuple[float, float]:
        widest = max(wide(line, FONT if k == 0 else SMALL) for k, line in enumerate(self.lines))
        bar = 0.0 if self.share is None else BAR + 5
        return widest + 2 * PAD, len(self.lines) * LINE + PAD + bar


@dataclass
class Graph:
    """Boxes and labels by key, the edges between them, and the loops of states."""

    boxes: dict[str, Box] = field(default_factory=dict)
    labels: dict[str, Value] = field(default_factory=dict)
    edges: list[tuple[str, str]] = field(default_factory=list)
    loops: list[tuple[str, str]] = field(default_factory=list)


def dataflow(
    room: Layer | Readout, comes: str, goes: str, parts: Sequence[Part], whole: int, label: str
) -> Html:
    """The drawing of a layer's step or of the readout.

    `comes` and `goes` say from where its input and to where its output; `parts` make its values and
    keep its states; `whole` are the LUTs of the core, which bars are shares of; `label` is what the
    drawing is called aloud.
    """
    graph = _graph(room, comes, goes, parts, whole)
    sizes = {key: shown.size for key, shown in graph.boxes.items()}
    for key, value in graph.labels.items():
        sizes[key] = wide(value_words(value), SMALL) + 8, LINE + 2
    layout = layered(sizes, graph.edges)
    margin = LOOP * (len(graph.loops) + 1)
    drawn = [
        *(path(curve(layout.routes[edge]), _edge_class(edge)) for edge in graph.edges),
        *_loops(graph, layout),
        *(_label(value, layout.centres[key]) for key, value in graph.labels.items()),
        *(_box(shown, layout.centres[key]) for key, shown in graph.boxes.items()),
    ]
    shift = element("g", *drawn, transform=f"translate({number(margin)} {number(margin)})")
    width, height = layout.width + 2 * margin, layout.height + 2 * margin
    return picture(width, height, label, shift)


def _graph(
    room: Layer | Readout, comes: str, goes: str, parts: Sequence[Part], whole: int
) -> Graph:
    graph = Graph()
    made: dict[str, list[Part]] = {}
    for part in parts:
        made.setdefault(part.value, []).append(part)
    used = {v.name for node in room.body for v in node.operands}
    used |= {room.output.name, *(state.next for state in room.states)}
    given = [(room.input, comes), *((state.value, "state") for state in room.states)]
    values = {value.name: value for value, _ in given if value.name in used}
    for value, where in given:
        if value.name in used:
            shown = _shown(value, where, made.get(value.name, []), whole)
            shown.kind = "given"
            graph.boxes[value.name] = shown
    for node in room.body:
        value = values[node.result.name] = node.result
        shown = _shown(value, operation_words(node.operation), made.get(value.name, []), whole)
        if value.name not in made:
            shown.lines.append(_elsewhere(node, room, made))
            shown.kind = "folded"
        graph.boxes[value.name] = shown
        graph.edges += [(f"={v.name}", value.name) for v in node.operands]
    graph.boxes[">"] = Box("leaves", [goes], interval_words(room.output))
    graph.edges.append((f"={room.output.name}", ">"))
    for name in dict.fromkeys(start[1:] for start, _ in graph.edges):
        graph.labels[f"={name}"] = values[name]
        graph.edges.append((name, f"={name}"))
    graph.loops = [(s.next, s.value.name) for s in room.states if s.value.name in used]
    return graph


def _shown(value: Value, what: str, parts: Sequence[Part], whole: int) -> Box:
    """The box of a value, made by these parts; the last of them tells its lanes."""
    shown = Box("made", [shortened(value.name, LONGEST), shortened(what, LONGEST)], "")
    told = [interval_words(value)]
    told += [f"{part.name}: {part.operator}, made from cycle {part.made:,}" for part in parts]
    shown.told = "\n".join(told)
    if parts:
        began, ended = min(part.begins for part in parts), max(part.ends for part in parts)
        lanes = max(parts, key=lambda part: part.made).lanes
        said = f"{lanes} lane{'s' * (lanes > 1)}, cycles {began:,} to {ended:,}"
        shown.lines.append(said)
    if any(part.figures is not None for part in parts):
        figures = total(parts)
        shown.lines.append(resources(figures))
        shown.share = figures["luts"] / whole if whole else 0.0
    return shown


def total(parts: Sequence[Part]) -> dict[str, int]:
    """What parts take together."""
    names = ("luts", "ffs", "brams", "dsps")
    return {name: sum((part.figures or {}).get(name, 0) for part in parts) for name in names}


def resources(figures: Figures) -> str:
    """LUTs and flip-flops, and blocks where there are any, in a line."""
    said = f"{figures['luts']:,} LUTs, {figures['ffs']:,} FFs"
    for name, word in (("brams", "RAM"), ("dsps", "DSP")):
        if count := figures[name]:
            said += f", {count} {word}{'s' * (count > 1)}"
    return said


def _elsewhere(node: Node, room: Layer | Readout, made: Collection[str]) -> str:
    """Where an operation went that has no part of its own: the nearest that is made of it."""
    if isinstance(node.operation, Exponent):
        return "another binary point, no logic"
    reached = {node.result.name}
    for later in room.body:
        if reached & {value.name for value in later.operands}:
            if later.result.name in made:
                return f"made in {shortened(later.result.name, LONGEST - len('made in '))}"
            reached.add(later.result.name)
    return "no logic of its own"


def _edge_class(edge: tuple[str, str]) -> str:
    return "edge" if edge[0].startswith("=") else "edge stem"


def _loops(graph: Graph, layout: Layout) -> list[Html]:
    """From below what a state becomes, around everything, to above the state."""
    drawn = []
    for k, (start, end) in enumerate(graph.loops, 1):
        (x0, y0), (x1, _) = layout.centres[start], layout.centres[end]
        low = layout.rows[start][1] + 4 + 4 * k
        high = layout.rows[end][0] - 4 - 4 * k
        bottom = y0 + graph.boxes[start].size[1] / 2
        top = layout.centres[end][1] - graph.boxes[end].size[1] / 2
        side = layout.width + LOOP * k
        x0, x1 = x0 + 12 * k, x1 + 12 * k
        corners = [(x0, bottom), (x0, low), (side, low), (side, high), (x1, high), (x1, top)]
        line = "M" + "L".join(f"{number(x)} {number(y)}" for x, y in corners)
        drawn.append(path(line, "edge loop"))
    return drawn


def _label(value: Value, centre: tuple[float, float]) -> Html:
    said = text(centre[0], centre[1] + 4, value_words(value), "label")
    return element("g", title(interval_words(value)), said)


def _box(shown: Box, centre: tuple[float, float]) -> Html:
    width, height = shown.size
    left, top = centre[0] - width / 2, centre[1] - height / 2
    lines = [
        text(left + PAD, top + LINE * (k + 1), line, "name" if k == 0 else "detail")
        for k, line in enumerate(shown.lines)
    ]
    bar = []
    if shown.share is not None:
        y, full = top + height - PAD - 2, width - 2 * PAD
        bar = [
            box(left + PAD, y, full, BAR, "bar-back"),
            box(left + PAD, y, full * shown.share, BAR, "bar"),
        ]
    frame = box(left, top, width, height, f"node {shown.kind}")
    return element("g", title(shown.told), frame, joined(*lines), joined(*bar))
