"""A search for people: its fronts as tables, and how to build a point."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.table import Table

from sylvan.explore.points import Point
from sylvan.hw.schedule import passing

from .console import quoted
from .report import knobs, shown

MOST_ROWS = 25
"""Points of a front that are printed; the page has all of them."""
FIGURES = (
    ("accuracy", "accuracy", "{:.4f}"),
    ("score", "score", "{:.4g}"),
    ("on test\ndata", "test_score", "{:.4f}"),
    ("LUTs", "luts", "{:,.0f}"),
    ("block RAMs", "brams", "{:,.0f}"),
    ("fmax, MHz", "fmax_mhz", "{:.1f}"),
    ("cycles\na step", "cycles_per_step", "{:,.6g}"),
    ("steps per\nsecond", "steps_per_s", "{:,.0f}"),
)


def points_table(points: Sequence[Point], axes: Sequence[str], title: str) -> Table:
    """Points with what tells one network from another, as far as they vary, and figures."""
    table = Table(title=title, title_justify="left")
    for axis in axes:
        table.add_column(axis.replace("_", "\n"), justify="right")
    for name in ("lanes", "digit", "contexts"):
        table.add_column(name, justify="right")
    known = [figures(point) for point in points]
    columns = [one for one in FIGURES if any(f[one[1]] is not None for f in known)]
    for heading, *_ in columns:
        table.add_column(heading, justify="right")
    table.add_column("figures")
    for point, told in list(zip(points, known, strict=True))[:MOST_ROWS]:
        said = point.found.network.axes
        table.add_row(
            *(str(said.get(axis, "-")) for axis in axes),
            str(point.schedule["lanes"]),
            passing(point.schedule),
            str(point.schedule["contexts"]),
            *(shown(told[key], form) for _, key, form in columns),
            "measured" if point.measured else "estimated",
        )
    return table


def figures(point: Point) -> dict[str, Any]:
    """Figures of a point; what is scored in percent is told as an accuracy, on test data too."""
    known = point.figures | {"test_score": point.test_score}
    if known["accuracy"] is not None:
        known["score"] = None
        known["test_score"] = None if point.test_score is None else point.test_score / 100
    return known


def build_command(point: Point, folder: Path, out: str) -> str:
    """The command that builds a point of the search in `folder`."""
    program, target, schedule, clock_hz = point.build_arguments
    place = quoted(folder / program.outcome["folder"])
    clock = f" --clock {clock_hz:.12g}" if clock_hz else ""
    return f"sylvan build {place} --target {target} {knobs(schedule)}{clock} --out {out}"
