"""docs/performance.md and its picture, from the rows of bench/hardware.json."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bars import (
    CLOCK_SHARE,
    Bar,
    Row,
    bars,
    clock_share,
    fronts,
    judged,
    luts,
    ns_per_step,
    on,
)
from marks import put_between
from sylvan.hw.schedule import passing

DOCS = Path(__file__).parent.parent / "docs"
PAGE, PICTURE = DOCS / "performance.md", DOCS / "performance.svg"
MARKS = "<!-- hardware: begin -->", "<!-- hardware: end -->"
LOOPS = {"naive loop": "s", "butterfly loop": "^", "da4ml loop": "D"}
"""References and their marks in the picture."""
COLUMNS = (
    "design", "n", "lanes", "digit", "levels", "contexts", "LUTs", "flip-flops", "block RAMs",
    "MHz", "seeds", "of bare clock", "cycles", "closing", "ns per step", "LUTs x ns", "utilisation",
    "efficiency", "front",
)  # fmt: skip


def shown(value: Any, form: str) -> str:
    """A figure; a dash for one that is not known."""
    return "-" if value is None else format(value, form)


def line(row: Row, rows: list[Row], best: list[Row]) -> str:
    """A row of a part's table."""
    schedule, found = row["schedule"], row["measured"]
    cells = [row["design"], shown(row["n"], "d")]
    cells += [shown(schedule["lanes"], "d"), passing(schedule) if schedule["lanes"] else "-"]
    cells += [shown(schedule[key], "d") for key in ("levels", "contexts")]
    if row["reason"] is not None:
        return f"| {' | '.join(cells)} | {row['reason']} |" + " |" * (len(COLUMNS) - 7)
    share = clock_share(row, rows) if found["cycles_per_step"] else None
    cells += [shown(found[key], ",") for key in ("luts", "ffs", "brams")]
    cells += [shown(found["fmax_mhz"], ".1f"), str(len(row["seeds"])), shown(share, ".2f")]
    cells += [shown(found[key], ",.0f") for key in ("cycles_per_step", "closing_cycles")]
    cells += [shown(ns_per_step(row), ",.1f"), shown(row["lut_ns_per_step"], ",.0f")]
    cells += [shown(row[key], ".3f") for key in ("utilisation", "efficiency")]
    return f"| {' | '.join([*cells, '*' if row in best else ''])} |"


def verdict(bar: Bar) -> str:
    """A bar as a row of its table."""
    relation = "at least" if bar.least else "at most"
    said = "not measured"
    if bar.by is not None:
        said = f"met by {bar.by:.0%}" if bar.met else f"**missed** by {-bar.by:.0%}"
    form = ",.0f" if bar.bound >= 100 else ".3g"
    bound, value = (shown(figure, form) for figure in (bar.bound, bar.value))
    return f"| {bar.what} | {relation} {bound} | {value} | {said} |"


def name(row: Row) -> str:
    """A core in a list."""
    schedule = row["schedule"]
    passes = passing(schedule)
    passes = f"digits of {passes}" if passes.isdigit() else passes
    return f"n {row['n']}, {row['target']}, {schedule['lanes']} lanes, {passes}, levels " + (
        f"{schedule['levels']}, {schedule['contexts']} contexts"
    )


def misses(rows: list[Row]) -> Iterator[str]:
    """The points that a bar for every point of a kind is missed by."""
    for points in fronts(rows):
        for row in points:
            if luts(row) > 2000 and row["efficiency"] is not None and row["efficiency"] < 0.15:
                yield f"- {name(row)}: efficiency {row['efficiency']:.3f} above 2,000 LUTs"
    for row in judged(rows):
        share = clock_share(row, rows)
        if share is not None and share < CLOCK_SHARE:
            yield f"- {name(row)}: {share:.2f} of the bare clock"


def tables(rows: list[Row]) -> Iterator[str]:
    """All that stands between the marks."""
    yield "| bar | wanted | measured | |"
    yield "|---|---:|---:|---|"
    yield from map(verdict, bars(rows))
    yield ""
    yield from ["Points that miss a bar that each of them should meet:", ""]
    yield from list(misses(rows)) or ["none."]
    best = [row for points in fronts(rows) for row in points]
    for part in dict.fromkeys(row["target"] for row in rows):
        yield from ["", f"### {part}", "", f"| {' | '.join(COLUMNS)} |"]
        yield "|---|" + "---:|" * (len(COLUMNS) - 1)
        here = [row for row in rows if row["target"] == part]
        yield from (line(row, rows, best) for row in sorted(here, key=order))


def order(row: Row) -> tuple[Any, ...]:
    """Networks by size and design, smallest designs first; bare ones last."""
    return row["n"] is None, row["n"] or 0, row["design"], luts(row) or 0, row["chain"] or 0


LINES = {"ecp5-25f": "-", "ecp5-45f": "--", "ecp5-85f": ":", "ice40-hx8k": "-", "ice40-up5k": "--"}


def draw(rows: list[Row]) -> None:
    """LUTs over nanoseconds per step: the fronts, and the references where they are."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    # Otherwise every run would write other bytes.
    mpl.rcParams["svg.hashsalt"] = "sylvan"
    rows = [row for row in rows if row["n"] is not None and ns_per_step(row)]
    families = [f for f in ("ecp5", "ice40") if any(row["target"].startswith(f) for row in rows)]
    sizes = sorted({row["n"] for row in rows})
    colors = {n: f"C{place}" for place, n in enumerate(sizes)}
    figure = Figure(figsize=(5.6 * max(len(families), 1), 5), layout="constrained")
    panels = figure.subplots(1, max(len(families), 1), squeeze=False)[0]
    for axes, family in zip(panels, families, strict=False):
        for points in fronts(on(rows, family)):
            n, part = points[0]["n"], points[0]["target"]
            x, y = [ns_per_step(row) for row in points], [luts(row) for row in points]
            label = f"n {n}, {part}"
            axes.plot(x, y, marker="o", linestyle=LINES[part], color=colors[n], label=label)
        for loop, mark in LOOPS.items():
            for row in on(rows, family, loop):
                label = f"{loop}, n {row['n']}"
                style = {"color": colors[row["n"]], "markerfacecolor": "none", "label": label}
                axes.plot(ns_per_step(row), luts(row), mark, linestyle="", **style)
        axes.set(xscale="log", yscale="log", xlabel="ns per step", ylabel="LUTs", title=family)
        axes.grid(which="both", alpha=0.25)
        axes.legend(fontsize=8)
    figure.savefig(PICTURE, metadata={"Date": None})


def write(rows: list[Row]) -> None:
    """The page between its marks, and the picture."""
    put_between(PAGE, MARKS, "\n".join(tables(rows)))
    draw(rows)
