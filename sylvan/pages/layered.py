"""Places a graph without cycles in rows, so that every edge points downwards and few of them cross.

Rows by the longest path, an order in each by the mean place of neighbours, then places that keep
edges straight. An edge over several rows passes those between through a slot of its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from itertools import pairwise

Point = tuple[float, float]
Edge = tuple[str, str]
Key = str | tuple[str, str, int]
"""A node, or the slot of an edge in a row."""

SWEEPS = 24
SETTLING = 150
INWARDS = 0.1
GAP = 18.0
"""Least distance of two neighbours in a row."""
ROW_GAP = 26.0
SLOT = 6.0


@dataclass
class Layout:
    """Where everything is.

    Attributes: centres of the nodes; rows, the top and the bottom of the row of each; routes of the
    edges, from the bottom of the first node to the top of the second, a point at the top and the
    bottom of each row passed; width and height of the whole.
    """

    centres: dict[str, Point] = field(default_factory=dict)
    rows: dict[str, tuple[float, float]] = field(default_factory=dict)
    routes: dict[Edge, list[Point]] = field(default_factory=dict)
    width: float = 0.0
    height: float = 0.0


def layered(sizes: Mapping[str, tuple[float, float]], edges: Sequence[Edge]) -> Layout:
    """The layout of nodes of these widths and heights; those of a row share its middle."""
    edges = list(dict.fromkeys(edges))
    ranks = _ranks(list(sizes), edges)
    rows: list[list[Key]] = [[] for _ in range(max(ranks.values(), default=-1) + 1)]
    for name in sizes:
        rows[ranks[name]].append(name)
    above: dict[Key, list[Key]] = {name: [] for name in sizes}
    below: dict[Key, list[Key]] = {name: [] for name in sizes}
    for start, end in edges:
        slots: list[Key] = [(start, end, rank) for rank in range(ranks[start] + 1, ranks[end])]
        for rank, slot in enumerate(slots, ranks[start] + 1):
            rows[rank].append(slot)
            above[slot], below[slot] = [], []
        for upper, lower in pairwise([start, *slots, end]):
            below[upper].append(lower)
            above[lower].append(upper)
    widths = {key: sizes[key][0] if isinstance(key, str) else SLOT for row in rows for key in row}
    rows = _ordered(rows, above, below)
    return _placed(rows, _across(rows, above, below, widths), sizes, widths, edges)


def _ranks(names: Sequence[str], edges: Sequence[Edge]) -> dict[str, int]:
    """The row of each node: below all that lead to it, and near those that it leads to."""
    into: dict[str, list[str]] = {name: [] for name in names}
    out: dict[str, list[str]] = {name: [] for name in names}
    for start, end in edges:
        into[end].append(start)
        out[start].append(end)
    order = list(TopologicalSorter(into).static_order())
    ranks: dict[str, int] = {}
    for name in order:
        ranks[name] = max((ranks[start] + 1 for start in into[name]), default=0)
    for name in reversed(order):
        if out[name] and len(out[name]) >= len(into[name]):
            ranks[name] = min(ranks[end] for end in out[name]) - 1
    first = min(ranks.values(), default=0)
    return {name: rank - first for name, rank in ranks.items()}


def _ordered(
    rows: list[list[Key]], above: Mapping[Key, list[Key]], below: Mapping[Key, list[Key]]
) -> list[list[Key]]:
    """The order of the fewest crossings that sweeps down and up come by."""
    best, fewest = rows, _crossings(rows, below)
    for sweep in range(SWEEPS):
        neighbours = below if sweep % 2 else above
        rows = [list(row) for row in rows]
        order = range(len(rows) - 1, -1, -1) if sweep % 2 else range(len(rows))
        places: dict[Key, float] = {}
        for rank in order:
            own = _shares(rows[rank])
            wanted = {key: _mean(neighbours[key], places, own[key]) for key in rows[rank]}
            rows[rank].sort(key=wanted.__getitem__)
            places |= _shares(rows[rank])
        found = _crossings(rows, below)
        if found < fewest:
            best, fewest = rows, found
    return best


def _shares(row: Sequence[Key]) -> dict[Key, float]:
    return {key: k / len(row) for k, key in enumerate(row)}


def _mean(keys: Sequence[Key], places: Mapping[Key, float], otherwise: float) -> float:
    return sum(places[key] for key in keys) / len(keys) if keys else otherwise


def _crossings(rows: Sequence[Sequence[Key]], below: Mapping[Key, list[Key]]) -> int:
    total = 0
    for upper, lower in pairwise(rows):
        places = {key: k for k, key in enumerate(lower)}
        ends = [sorted(places[end] for end in below[key]) for key in upper]
        flat = [end for row in ends for end in row]
        total += sum(a > b for k, a in enumerate(flat) for b in flat[k + 1 :])
    return total


def _across(
    rows: Sequence[Sequence[Key]],
    above: Mapping[Key, list[Key]],
    below: Mapping[Key, list[Key]],
    widths: Mapping[Key, float],
) -> dict[Key, float]:
    """The middle of everything: as near as its row allows to what it is joined to.

    All are drawn a little to the middle, so that the whole stays narrow.
    """
    places: dict[Key, float] = {}
    for row in rows:
        found = _spread([0.0] * len(row), row, widths)
        places |= dict(zip(row, found, strict=True))
    for sweep in range(SETTLING):
        for row in reversed(rows) if sweep % 2 else rows:
            wanted = []
            for key in row:
                near = [places[other] for other in above[key] + below[key]]
                wanted.append(sum(near) / (len(near) + INWARDS))
            places |= dict(zip(row, _spread(wanted, row, widths), strict=True))
    return places


def _spread(
    wanted: Sequence[float], row: Sequence[Key], widths: Mapping[Key, float]
) -> list[float]:
    """Places in this order, apart by the gap, of the least squared distance from those wanted.

    Neighbours that want to be closer than they may form a group, which goes to the mean.
    """
    offsets = [0.0]
    for left, right in pairwise(row):
        offsets.append(offsets[-1] + (widths[left] + widths[right]) / 2 + GAP)
    groups: list[tuple[float, int]] = []
    for want, offset in zip(wanted, offsets, strict=False):
        total, count = want - offset, 1
        while groups and groups[-1][0] * count >= total * groups[-1][1]:
            before = groups.pop()
            total, count = before[0] + total, before[1] + count
        groups.append((total, count))
    means = [total / count for total, count in groups for _ in range(count)]
    return [mean + offset for mean, offset in zip(means, offsets, strict=False)]


def _placed(
    rows: Sequence[Sequence[Key]],
    places: Mapping[Key, float],
    sizes: Mapping[str, tuple[float, float]],
    widths: Mapping[Key, float],
    edges: Sequence[Edge],
) -> Layout:
    left = min((places[key] - widths[key] / 2 for row in rows for key in row), default=0.0)
    layout, top = Layout(), 0.0
    spans: dict[Key, tuple[float, float]] = {}
    for row in rows:
        tall = max(sizes[key][1] for key in row if isinstance(key, str))
        for key in row:
            spans[key] = top, top + tall
            if isinstance(key, str):
                layout.centres[key] = places[key] - left, top + tall / 2
                layout.rows[key] = top, top + tall
            layout.width = max(layout.width, places[key] - left + widths[key] / 2)
        layout.height = top + tall
        top += tall + ROW_GAP
    slots: dict[Edge, list[Key]] = {edge: [] for edge in edges}
    for row in rows:
        for key in row:
            if not isinstance(key, str):
                slots[key[0], key[1]].append(key)
    for start, end in edges:
        (x0, y0), (x1, y1) = layout.centres[start], layout.centres[end]
        passed = [(places[key] - left, y) for key in slots[start, end] for y in spans[key]]
        begin, finish = (x0, y0 + sizes[start][1] / 2), (x1, y1 - sizes[end][1] / 2)
        layout.routes[start, end] = [begin, *passed, finish]
    return layout
