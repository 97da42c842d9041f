"""The charts of an exploration: what their reader may choose, and what the scripts draw from."""

from collections.abc import Iterator, Sequence
from statistics import median

from .page import Html, Section, element, joined
from .points import GROUPS, Columns, Quantity, Tree, column_of, standing

MOST_LINES = 1000
"""Lines of the parallel coordinates: more are a carpet."""
MINOR = (
    "schedule.words",
    "figures.ffs",
    "figures.closing_cycles",
    "figures.latency_cycles",
    "figures.additions_per_step",
)
"""What has no axis there unless it is asked for: others say nearly the same."""
MOST_KINDS = 6
"""Lines in a chart of networks, as many as there are colours and marks to tell them apart."""
ALONG = ("state_bits", "hidden")
"""What the networks' scores are drawn against."""
COMPARED = ("luts", "fmax_mhz")
"""Figures of which the estimate is drawn against the measurement."""


def views(data: Tree, points: Sequence[Tree], columns: Columns) -> Iterator[Section]:
    """The sections that hold a chart; one without anything to draw is left out."""
    numeric = [column for column in columns.values() if column.numeric]
    if numeric:
        yield Section("The front", _front(data, points, columns))
    if sum(column.varies for column in numeric) > 1:
        yield Section("All axes and figures at once", _parallel(points))
    if _score(columns) and _along(columns):
        yield Section("What the networks reach", _networks(data, columns))
    yield Section("Estimate and measurement", _compared(points, columns))


def drawn(data: Tree, points: Sequence[Tree], columns: Columns) -> Tree:
    """What the scripts read: columns, and of each point what it is and where it lies."""
    targets = sorted({point["target"] for point in points})
    score = _score(columns)
    asked = {*data["objectives"], *data["constraints"]}
    networks: dict[str, int] = {}
    for k, point in enumerate(points):
        networks.setdefault(repr(sorted(point["network"].items())), k)
    return {
        "quantities": [column.tree() for column in columns.values()],
        "senses": {
            column.key: sense
            for name, sense in data["objectives"].items()
            if (column := column_of(name, columns))
        },
        "standing": [standing(point) for point in points],
        "targets": targets,
        "target": [targets.index(point["target"]) for point in points],
        "measured": [int(point["measured"] is not None) for point in points],
        "paths": [[point[key] for key in ("run", "program", "build")] for point in points],
        "networks": list(networks.values()),
        "score": score and score.key,
        "lower": data["task"]["lower_is_better"],
        "along": [column.key for column in _along(columns)],
        "lines": MOST_LINES,
        "minor": [key for key in MINOR if key.partition(".")[2] not in asked],
        "compared": {f"figures.{key}": _pairs(points, key) for key in COMPARED},
    }


def _score(columns: Columns) -> Quantity | None:
    """The figure that tells how good a network is."""
    found = (column_of(name, columns) for name in ("accuracy", "score"))
    return next((column for column in found if column and column.numeric), None)


def _along(columns: Columns) -> list[Quantity]:
    found = (column_of(name, columns) for name in ALONG)
    return [column for column in found if column and column.numeric and column.varies]


def _select(name: str, label: str, options: Sequence[Html]) -> Html:
    return element("label", label, element("select", *options, id=name))


def _option(value: str, shown: str, chosen: bool) -> Html:
    return element("option", shown, value=value, selected=chosen)


def _axis(name: str, label: str, columns: Columns, chosen: Quantity) -> Html:
    """A choice among all that is numeric, figures first."""
    groups = []
    for group in reversed(GROUPS):
        own = [c for c in columns.values() if c.numeric and c.key.startswith(f"{group}.")]
        options = (_option(c.key, c.title, c is chosen) for c in own)
        if own:
            groups.append(element("optgroup", *options, label=group))
    return _select(name, label, groups)


def _front(data: Tree, points: Sequence[Tree], columns: Columns) -> Html:
    goals = (column_of(name, columns) for name in data["objectives"])
    offered = (*goals, *reversed([*columns.values()]))
    y, x = ([*dict.fromkeys(c for c in offered if c and c.numeric)] * 2)[:2]
    targets = sorted({point["target"] for point in points})
    chosen = points[0]["target"]
    return joined(
        element(
            "p",
            "Filled points were placed and measured, hollow ones are estimates. The line joins "
            "what is best in the two objectives shown. Hover for a point's whole configuration; "
            "click to keep it below the chart, with links. Drag to zoom, double-click to go back.",
        ),
        element(
            "div",
            _axis("front-y", "upwards", columns, y),
            _axis("front-x", "across", columns, x),
            _select("front-target", "target", [_option(t, t, t == chosen) for t in targets]),
            class_="controls",
        ),
        element("div", id="front", class_="chart"),
        element("div", id="kept", class_="kept", aria_live="polite"),
    )


def _parallel(points: Sequence[Tree]) -> Html:
    only = f"The best {MOST_LINES:,} of {len(points):,} points are drawn. "
    return joined(
        element(
            "p",
            f"{only if len(points) > MOST_LINES else ''}A line is a point: orange on the front, "
            "blue where it meets the constraints, grey where it does not. Drag along an axis to "
            "keep the lines that pass there, click on it to keep all again; drag a title to move "
            "its axis. What some points lack has no axis.",
        ),
        element("div", element("div", id="parallel", class_="chart"), class_="scroll-wide"),
    )


def _networks(data: Tree, columns: Columns) -> Html:
    axes = (column_of(axis, columns) for axis in data["axes"])
    few = [axis for axis in axes if axis and axis.varies and len(set(axis.values)) <= MOST_KINDS]
    options = [_option(c.key, c.title, c.key == "network.weight_bits") for c in few]
    charts = (element("div", id=f"along-{c.key}", class_="chart") for c in _along(columns))
    return joined(
        element("p", "A mark is a network; a line joins the best network at each size."),
        element("div", _select("kinds", "a line for each", options), class_="controls")
        if options
        else "",
        element("div", *charts, class_="pair"),
    )


def _compared(points: Sequence[Tree], columns: Columns) -> Html:
    pairs = {key: found for key in COMPARED if (found := _pairs(points, key))}
    if not pairs:
        return element("p", "Nothing was placed: every figure of the hardware is an estimate.")
    said = []
    for key, found in pairs.items():
        errors = [abs(estimate / measured - 1) for _, estimate, measured in found if measured]
        if errors:
            title = columns[f"figures.{key}"].title
            said.append(f"{title}: {median(errors):.1%} (at most {max(errors):.1%})")
    charts = (element("div", id=f"compared-figures.{key}", class_="chart") for key in pairs)
    return joined(
        element("p", f"How far estimates are off, in the median. {'; '.join(said)}."),
        element("div", *charts, class_="pair"),
    )


def _pairs(points: Sequence[Tree], key: str) -> list[tuple[int, float, float]]:
    """Point, estimate and measurement, where both are known."""
    found = (
        (k, point["estimate"].get(key), (point["measured"] or {}).get(key))
        for k, point in enumerate(points)
    )
    return [(k, e, m) for k, e, m in found if e is not None and m is not None]
