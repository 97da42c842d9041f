"""docs/sparsity.md and its picture, from the rows of bench/sparsity.json."""

from collections.abc import Iterator
from pathlib import Path

from bars import Bar, rate
from marks import put_between
from performance import shown, verdict
from rows import Row

DOCS = Path(__file__).parent.parent / "docs"
PAGE, PICTURE = DOCS / "sparsity.md", DOCS / "sparsity.svg"
MARKS = "<!-- rows: begin -->", "<!-- rows: end -->"
SLACK, CONSTANT = 1.15, 96
"""Cycles of a step should be at most so many times the nonzeros of a lane, and so many more: what
rows weigh unequally, and the arrival of 64 elements of the state with 32 cycles of registers."""
COLUMNS = (
    "zeros", "part", "lanes", "nonzeros", "nonzeros / lanes", "cycles", "LUTs", "block RAMs", "MHz",
    "steps per second", "toggles per step", "accuracy, %",
)  # fmt: skip


def cycles(row: Row) -> float | None:
    """As simulation measured them."""
    return row["measured"]["cycles_per_step"]


def bound(nonzeros: int, lanes: int) -> float:
    """The most cycles that a step should take."""
    return SLACK * nonzeros / lanes + CONSTANT


def networks(rows: list[Row]) -> list[Row]:
    """Of every network one row, the densest first."""
    return sorted({row["zeros"]: row for row in rows}.values(), key=lambda row: row["zeros"])


def built(rows: list[Row]) -> list[Row]:
    """Those that fit, by part and lanes, and of these the densest first."""
    found = [row for row in rows if row["reason"] is None]
    return sorted(found, key=lambda row: (row["target"], row["schedule"]["lanes"], row["zeros"]))


def bars(rows: list[Row]) -> Iterator[Bar]:
    """Of every network on so many lanes one."""
    for row in networks(rows):
        for lanes, planned in row["planned"].items():
            said = f"cycles per step, {row['zeros']} % zeros, lanes {lanes}"
            yield Bar(said, planned, bound(row["nonzeros"], int(lanes)), least=False)


def line(row: Row) -> str:
    """A row of the table of cores."""
    lanes, found = row["schedule"]["lanes"], row["measured"]
    cells = [f"{row['zeros']} %", row["target"], str(lanes), f"{row['nonzeros']:,}"]
    cells += [f"{row['nonzeros'] / lanes:,.0f}", shown(cycles(row), ",")]
    cells += [
        shown(found["luts"], ","),
        shown(found["brams"], ","),
        shown(found["fmax_mhz"], ".1f"),
    ]
    cells += [shown(rate(row), ",.0f"), shown(row["toggles_per_step"], ",.0f")]
    return f"| {' | '.join([*cells, shown(row['score'], '.2f')])} |"


def tables(rows: list[Row]) -> Iterator[str]:
    """All that stands between the marks."""
    yield "| bar | wanted | measured | |"
    yield "|---|---:|---:|---|"
    yield from map(verdict, bars(rows))
    yield from ["", f"| {' | '.join(COLUMNS)} |", "|---:|---|" + "---:|" * (len(COLUMNS) - 2)]
    yield from map(line, built(rows))
    for row in rows:
        if row["reason"] is not None:
            lanes = row["schedule"]["lanes"]
            yield from ["", f"{row['design']}, {row['target']}, lanes {lanes}: {row['reason']}"]


def draw(rows: list[Row]) -> None:
    """Cycles over nonzeros of a lane beside the bound, and what else zeros save."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    # Otherwise every run would write other bytes.
    mpl.rcParams["svg.hashsalt"] = "sylvan"
    figure = Figure(figsize=(10, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    ends: list[float] = []
    for number, row in enumerate(networks(rows)):
        x = [row["nonzeros"] / int(lanes) for lanes in row["planned"]]
        left.plot(
            x, list(row["planned"].values()), "o", color=f"C{number}", label=f"{row['zeros']} %"
        )
        ends = [min([*ends, *x]), max([*ends, *x])]
    curve = [ends[0] * (ends[1] / ends[0]) ** (k / 50) for k in range(51)]
    left.plot(curve, [SLACK * x + CONSTANT for x in curve], "k:", label="bound")
    left.set(xscale="log", yscale="log", xlabel="nonzeros / lanes", ylabel="cycles per step")
    found = built(rows)
    watched = [row for row in found if row["toggles_per_step"]]
    zeros = [row["zeros"] for row in watched]
    for mark, (name, figures) in zip("o^sD", shares(watched).items(), strict=False):
        right.plot(zeros, figures, f"{mark}-", label=name)
    right.set(xlabel="zeros, %", ylabel="share of the core without zeros", ylim=(0, None))
    for axes in (left, right):
        axes.grid(which="both", alpha=0.25)
        axes.legend(fontsize=8)
    figure.savefig(PICTURE, metadata={"Date": None})


def shares(rows: list[Row]) -> dict[str, list[float]]:
    """What the first row has, by the figures of all."""
    figures = {
        "cycles": [row["measured"]["cycles_per_step"] for row in rows],
        "toggles per step": [row["toggles_per_step"] for row in rows],
        "LUTs": [row["measured"]["luts"] for row in rows],
        "block RAMs": [row["measured"]["brams"] for row in rows],
    }
    return {name: [value / values[0] for value in values] for name, values in figures.items()}


def write(rows: list[Row]) -> None:
    """The page between its marks, and the picture."""
    put_between(PAGE, MARKS, "\n".join(tables(rows)))
    draw(rows)
