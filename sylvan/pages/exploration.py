"""The page of an exploration: its answer, its points in charts and as a table, and what failed."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .page import Cell, Html, Section, element, joined, page, table
from .points import FRONT, Columns, Tree, column_of, quantities, standing
from .views import drawn, views

MOST_ROWS = 300
"""Rows of a table: more would not be read, and a browser takes long to lay them out."""
SCRIPTS = ("points.js", "front.js", "views.js")
STANDINGS = ("misses a constraint", "meets the constraints", "on the front")


def exploration_page(data: Tree) -> bytes:
    """The page of what an exploration found: points, failures, and the question that it answers."""
    points = sorted(data["points"], key=lambda point: _rank(data["objectives"], point))
    columns = quantities(data, points)
    after = [*_failures(data["failures"]), Section("The question", element("pre", data["spec"]))]
    if not points:
        return page(data["title"], _lead(data, columns), after)
    sections = [
        Section("Target by target", _targets(data["objectives"], points, columns)),
        *views(data, points, columns),
        Section("The points", _points(points, columns)),
        *after,
    ]
    tree = drawn(data, points, columns)
    return page(data["title"], _lead(data, columns), sections, tree, SCRIPTS, charts=True)


def _rank(objectives: Mapping[str, str], point: Tree) -> tuple[Any, ...]:
    """The best standing first; then by target, and by the first objective."""
    key, sense = next(iter(objectives.items()))
    value = point["figures"].get(key)
    worth = 0 if value is None else -value if sense == "max" else value
    return -standing(point), point["target"], value is None, worth


def _lead(data: Tree, columns: Columns) -> Iterator[str]:
    spent, points = data["spent"], data["points"]
    yield (
        f"For the task {data['task']['name']}, {_count(spent['trained'], 'network')} trained in "
        f"{_duration(spent['seconds_training'])} and {spent['reused']:,} taken from earlier runs; "
        f"{_count(spent['planned'], 'schedule')} planned; {_count(spent['built'], 'build')} placed "
        f"in {_duration(spent['seconds_building'])}."
    )
    if not points:
        yield "Nothing came of it."
        return
    titles = {name: column_of(name, columns) for name in data["constraints"]}
    rules = "; ".join(
        f"{column.title if (column := titles[name]) else name} {text}"
        for name, text in data["constraints"].items()
    )
    fronts = Counter(point["target"] for point in points if point["front"])
    each = ", ".join(f"{number:,} for {target}" for target, number in sorted(fronts.items()))
    yield (
        f"Of {_count(len(points), 'point')}, {sum(p['meets'] for p in points):,} meet the "
        f"constraints ({rules or 'there are none'}). On the front: {each or 'none'}."
    )


def _targets(objectives: Mapping[str, str], points: Sequence[Tree], columns: Columns) -> Html:
    """A row for each target: how many points it has, and the best of each objective."""
    goals = {c: sense for name, sense in objectives.items() if (c := column_of(name, columns))}
    rows = []
    for target in sorted({point["target"] for point in points}):
        own = [k for k, point in enumerate(points) if point["target"] == target]
        front = [k for k in own if points[k]["front"]]
        meeting = sum(points[k]["meets"] for k in own)
        placed = sum(points[k]["measured"] is not None for k in own)
        row = [Cell(target), *map(Cell, (len(own), placed, meeting, len(front)))]
        for column, sense in goals.items():
            best = column.best(front, sense)
            row.append(Cell(None) if best is None else column.cell(best))
        rows.append(row)
    bests = [f"{'most' if s == 'max' else 'least'} {column.title}" for column, s in goals.items()]
    heads = ["target", "points", "placed", "meet the constraints", "on the front", *bests]
    return joined(
        element("p", "The last columns tell how far the front reaches. \u2248 marks an estimate."),
        table(heads, rows, "targets"),
    )


def _points(points: Sequence[Tree], columns: Columns) -> Html:
    """What varies of the points, and where they lie."""
    varying = [column for column in columns.values() if column.varies]
    constant = [column for column in columns.values() if not column.varies]
    rows = [
        [
            Cell(STANDINGS[standing(point)], kind="front" * (standing(point) == FRONT)),
            Cell(point["target"]),
            *(column.cell(k) for column in varying),
            *(Cell(point[key], path=point[key]) for key in ("run", "build")),
        ]
        for k, point in enumerate(points[:MOST_ROWS])
    ]
    heads = ["standing", "target", *(column.title for column in varying), "run", "build"]
    known = [column for column in constant if column.values[0] is not None]
    same = ", ".join(f"{column.title} {column.cell(0).shown}" for column in known)
    return joined(
        element(
            "p", f"{_first(rows, len(points))}The front comes first. \u2248 marks an estimate."
        ),
        element("p", f"The same for every point: {same}.", class_="quiet") if same else "",
        table(heads, rows, "points"),
    )


def _failures(failures: Sequence[Tree]) -> Iterator[Section]:
    if not failures:
        return
    stages = Counter(failure["stage"] for failure in failures)
    said = ", ".join(f"{number:,} at the stage {stage}" for stage, number in stages.items())
    rows = [
        [
            Cell(failure["stage"]),
            Cell(
                ", ".join(f"{key} {value}" for key, value in failure["network"].items()),
                kind="text",
            ),
            Cell(failure["target"]),
            Cell(failure["reason"], kind="text"),
        ]
        for failure in failures[:MOST_ROWS]
    ]
    body = joined(
        element("p", f"{_first(rows, len(failures))}Failed or pruned: {said}."),
        table(["stage", "network", "target", "reason"], rows, "failures"),
    )
    yield Section("What came to nothing", body)


def _first(rows: Sequence[object], number: int) -> str:
    return f"The first {len(rows):,} of {number:,}. " if len(rows) < number else ""


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'s' * (number != 1)}"


def _duration(seconds: float) -> str:
    """Such as 9.5 s, 2 min 1 s or 3 h 20 min."""
    minutes, rest = divmod(round(seconds), 60)
    if not minutes:
        return f"{seconds:.1f} s"
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
