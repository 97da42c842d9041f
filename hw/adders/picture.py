"""A small adder graph as a picture: SVG, inputs on the left, outputs on the right."""

from html import escape

from .graph import ZERO, AdderGraph

MOST_ADDERS = 200
COLUMN, ROW, MARGIN = 132, 34, 16
BOX = (84, 24)
FONT = "-apple-system, 'Segoe UI', 'Noto Sans', Helvetica, Arial, sans-serif"
COLOURS = {"input": "#2b7a4b", "adder": "#9a5b13", "output": "#5b56b0"}
PLUS, MINUS = "#75808b", "#c0392b"
"""Colours of operands that are added and subtracted; they read on light and on dark."""


def svg(graph: AdderGraph) -> str:
    """The graph as SVG text.

    A box is an input, an adder with its interval, or an output; a red dashed line is subtracted, a
    number beside a line says how far to the left its value is shifted.

    Raises ValueError beyond 200 adders: nobody could read them.
    """
    if graph.adders > MOST_ADDERS:
        raise ValueError(
            f"a picture shows at most {MOST_ADDERS} adders, this graph has {graph.adders}"
        )
    places, height = _places(graph)
    columns = graph.depth + 2
    width = 2 * MARGIN + (columns - 1) * COLUMN + BOX[0]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" font-family="{escape(FONT)}" font-size="11">'
    ]
    for node in range(graph.inputs, graph.inputs + graph.adders):
        at = node - graph.inputs
        parts.append(_line(places[int(graph.a[at])], places[node], int(graph.shift_a[at]), False))
        minus = bool(graph.subtracts[at])
        parts.append(_line(places[int(graph.b[at])], places[node], int(graph.shift_b[at]), minus))
    for number, node in enumerate(graph.outputs.tolist()):
        if node != ZERO:
            minus = bool(graph.output_sign[number] < 0)
            place = places[-1 - number]
            parts.append(_line(places[node], place, int(graph.output_shift[number]), minus))
    for node, format in enumerate(graph.formats):
        if node < graph.inputs:
            parts.append(_box(places[node], f"x{node}", "input"))
        else:
            parts.append(_box(places[node], f"{format.lo}..{format.hi}", "adder"))
    for number, node in enumerate(graph.outputs.tolist()):
        parts.append(_box(places[-1 - number], f"y{number}" + " = 0" * (node == ZERO), "output"))
    return "\n".join([*parts, "</svg>", ""])


def _places(graph: AdderGraph) -> tuple[dict[int, tuple[float, float]], int]:
    """Left end and middle of each box, by node (outputs from -1 down), and the picture's height.

    Columns are levels; in a column boxes stand in the order of what they are made of.
    """
    heights: dict[int, float] = {node: node for node in range(graph.inputs)}
    columns: list[list[int]] = [list(range(graph.inputs))]
    levels = graph.levels.tolist()
    for level in range(1, graph.depth + 1):
        column = [node for node in range(graph.inputs, len(levels)) if levels[node] == level]
        middle = {}
        for node in column:
            at = node - graph.inputs
            middle[node] = (heights[int(graph.a[at])] + heights[int(graph.b[at])]) / 2
        column.sort(key=lambda node: middle[node])
        for row, node in enumerate(column):
            heights[node] = (row + 0.5) * graph.inputs / len(column)
        columns.append(column)
    columns.append([-1 - number for number in range(len(graph.outputs))])
    most = max(len(column) for column in columns)
    places: dict[int, tuple[float, float]] = {}
    for number, column in enumerate(columns):
        for row, node in enumerate(column):
            middle_of_row = MARGIN + (row + 0.5) * ROW * most / max(1, len(column))
            places[node] = (MARGIN + number * COLUMN, middle_of_row)
    return places, round(2 * MARGIN + most * ROW)


def _line(start: tuple[float, float], end: tuple[float, float], shift: int, minus: bool) -> str:
    x, y = start[0] + BOX[0], start[1]
    half = (end[0] - x) / 2
    style = f'stroke="{MINUS}" stroke-dasharray="4 3"' if minus else f'stroke="{PLUS}"'
    curve = f"M{x:.0f},{y:.1f} C{x + half:.0f},{y:.1f} {end[0] - half:.0f},{end[1]:.1f}"
    line = f'<path d="{curve} {end[0]:.0f},{end[1]:.1f}" fill="none" {style}/>'
    if not shift:
        return line
    text_y = end[1] + (y - end[1]) * 0.12 - 2
    label = f'<text x="{end[0] - 18:.0f}" y="{text_y:.1f}" fill="{PLUS}">&lt;&lt;{shift}</text>'
    return line + label


def _box(place: tuple[float, float], text: str, kind: str) -> str:
    x, y = place[0], place[1] - BOX[1] / 2
    return (
        f'<rect x="{x:.0f}" y="{y:.1f}" width="{BOX[0]}" height="{BOX[1]}" rx="5" '
        f'fill="{COLOURS[kind]}"/><text x="{x + BOX[0] / 2:.0f}" y="{place[1] + 4:.1f}" '
        f'text-anchor="middle" fill="#fff">{escape(text)}</text>'
    )
