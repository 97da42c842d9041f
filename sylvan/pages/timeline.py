"""The schedule of a layer as a timeline: when each part of a timestep works, in cycles."""

from collections.abc import Sequence
from itertools import count

from .bars import Bar, Chart
from .built import Built
from .page import Html, element
from .parts import LayerBuilt, Part
from .svg import SMALL, number, path, text, wide

TICKS = 8
"""At most so many cycles are numbered."""
LINE = 16.0


def timeline(built: Built, layer: LayerBuilt) -> Html:
    """The bars of a layer: while a part fills, then while its vector passes; and what follows.

    Cycle 0 is that of the step; the readout begins later in the same count.
    """
    rows = [_row(part, 0) for part in _in_order(layer.step.parts)]
    rows += [_row(part, 0, "writes") for part in (*layer.memories, *layer.hands_on)]
    if layer.readout:
        offset = layer.readout.offset
        rows += [_row(part, offset, "answers") for part in _in_order(layer.readout.parts)]
    moments = _moments(built, layer)
    reach = max(cycle for cycle, _ in moments)
    chart = Chart(rows, reach, LINE * len(moments) + 24)
    ticks = [_tick(chart, cycle) for cycle in _ticks(chart.most)]
    return chart.draw(f"timeline of layer {layer.name}", *ticks, *_marks(chart, moments))


def _in_order(parts: Sequence[Part]) -> list[Part]:
    return sorted(parts, key=lambda part: (part.begins, part.ends))


def _row(part: Part, offset: int, kind: str = "passes") -> Bar:
    begins, made, ends = (offset + cycle for cycle in (part.begins, part.made, part.ends))
    told = (
        f"{part.name} ({part.operator}) for {part.value}: begins in cycle {begins:,}, "
        f"its vector passes from {made:,} to {ends:,}"
    )
    return Bar(part.name, [(begins, made, "fills"), (made, ends, kind)], "", told)


def _moments(built: Built, layer: LayerBuilt) -> list[tuple[int, str]]:
    """Cycles that something else waits for, and what."""
    moments = [(built.rest, "next timestep")]
    if built.interval < built.rest:
        moments = [(built.interval, "another context"), (built.rest, "this context again")]
    if layer.readout:
        moments.append((layer.readout.offset, "readout"))
    if layer.announced is not None:
        moments.append((layer.announced, "told to the next layer"))
    if layer.freed is not None:
        moments.append((layer.freed, "input freed"))
    return sorted(moments)


def _ticks(most: float) -> list[int]:
    """Round numbers up to that one."""
    rounds = (base * 10**power for power in count() for base in (1, 2, 5))
    step = next(cycles for cycles in rounds if cycles * TICKS >= most)
    return list(range(0, int(most) + 1, step))


def _tick(chart: Chart, cycle: int) -> Html:
    x = chart.place(cycle)
    line = path(f"M{number(x)} {number(chart.top)}V{number(chart.height)}", "grid")
    return element("g", line, text(x, chart.top - 6, f"{cycle:,}", "label"))


def _marks(chart: Chart, moments: Sequence[tuple[int, str]]) -> list[Html]:
    """Lines at moments, each named in a line of its own above; no line hides a name."""
    lines, names = [], []
    for k, (cycle, said) in enumerate(moments):
        x, y = chart.place(cycle), 12 + k * LINE
        named = f"{said}: {cycle:,}"
        last = chart.place(chart.most) - wide(named, SMALL) / 2
        lines.append(path(f"M{number(x)} {number(y + 5)}V{number(chart.height)}", "moment"))
        names.append(text(min(x, last), y, named, "mark"))
    return lines + names
