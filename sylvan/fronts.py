"""The front of schedules for people: a table, a picture, and the same as data."""

import io
from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table

from sylvan.hw.front import Candidate, rated
from sylvan.hw.report import quality
from sylvan.hw.schedule import passing
from sylvan.hw.targets import Target

from .report import shown

COLUMNS = (
    ("LUTs", "luts", "{:,.0f}"),
    ("block RAMs", "brams", "{:,.0f}"),
    ("fmax, MHz", "fmax_mhz", "{:.1f}"),
    ("cycles\na step", "cycles_per_step", "{:,.6g}"),
    ("of an\nanswered one", "closing_cycles", "{:,.6g}"),
    ("steps per\nsecond", "steps_per_s", "{:,.0f}"),
    ("utilisation", "utilisation", "{:.3f}"),
)
"""Heading, key of a row's figure, and form; the knobs come before."""
ROOM = (70, 15)
"""Pixels that the name of a point takes in a picture, across and upwards."""


def rows(points: Sequence[Candidate], floor_adder_bits: int | None) -> list[dict[str, Any]]:
    """Points as data: knobs, estimate, and how good that is, under a report's keys."""
    made = []
    for point in points:
        luts, cycles, fmax = (point.estimate[k] for k in ("luts", "cycles_per_step", "fmax_mhz"))
        judged = quality(luts, cycles, fmax, floor_adder_bits, None)
        kept = {key: judged[key] for key in ("utilisation", "lut_ns_per_step")}
        made.append({"schedule": dict(point.keys), "estimate": dict(point.estimate), **kept})
    return made


def front_table(front: Sequence[Mapping[str, Any]], target: Target) -> Table:
    """The rows of a front, the smallest first."""
    table = Table(title=f"estimates for {target.name}", title_justify="left")
    for title in ("lanes", "digit", "contexts", "levels", *(title for title, *_ in COLUMNS)):
        table.add_column(title, justify="right")
    for row in front:
        knobs, figures = row["schedule"], {**row["estimate"], **row}
        said = str(knobs["lanes"]), passing(knobs), str(knobs["contexts"]), str(knobs["levels"])
        table.add_row(*said, *(shown(figures[key], form) for _, key, form in COLUMNS))
    return table


def picture(front: Sequence[Candidate], points: Sequence[Candidate], target: Target) -> bytes:
    """All points and the front, LUTs against steps per second or cycles, as PNG."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogLocator, NullFormatter

    all_rated = rated(points)
    key = "steps_per_s" if all_rated else "cycles_per_step"
    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.subplots()

    def places(which: Sequence[Candidate]) -> tuple[list[float], list[float]]:
        return [p.estimate["luts"] for p in which], [p.estimate[key] for p in which]

    axes.plot(*places(points), ".", color="0.75", label="other schedules that fit")
    axes.step(*places(front), "o-", where="post", markersize=4, label="the front")
    axes.loglog()
    axes.margins(0.2, 0.1)
    axes.set_title(f"{target.name}: lanes x bits of a digit (x contexts)", loc="left")
    axes.set_xlabel(f"LUTs, estimated (the part has {target.luts:,})")
    axes.set_ylabel("steps per second, estimated" if all_rated else "cycles per step")
    if not all_rated:
        axes.invert_yaxis()
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.set_major_formatter("{x:,.0f}")
        axis.set_minor_formatter(NullFormatter())
    axes.legend(loc="lower right")
    axes.grid(alpha=0.3)
    _label(axes, front, key)
    image = io.BytesIO()
    figure.savefig(image, format="png", dpi=110)
    return image.getvalue()


def _label(axes: Any, front: Sequence[Candidate], key: str) -> None:
    """Name the points of a front, but for those so close to the last one named that names meet."""
    named = None
    for point in front:
        place = point.estimate["luts"], point.estimate[key]
        pixels = axes.transData.transform(place)
        if named is None or (abs(pixels - named) > ROOM).any():
            contexts = f" x {point.keys['contexts']}" if point.keys["contexts"] > 1 else ""
            axes.annotate(
                f"{point.keys['lanes']} x {passing(point.keys)}{contexts}",
                place,
                xytext=(-4, 4),
                textcoords="offset points",
                ha="right",
                fontsize=8,
            )
            named = pixels
