"""docs/exploration.md and its pictures, from what bench/exploration.json keeps."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import mean
from typing import Any

from marks import put_between
from sylvan.hw.schedule import passing

DOCS = Path(__file__).parent.parent / "docs"
PAGE = DOCS / "exploration.md"
FRONT_PICTURE, BITS_PICTURE = DOCS / "exploration-front.svg", DOCS / "exploration-bits.svg"
MARKS = "<!-- exploration: begin -->", "<!-- exploration: end -->"
WANTED = 1.6
"""Times the points per hour that a second worker should bring on two cores."""
SHOWN = 20
"""Points of a front in its table, about: those that are measured, and others evenly along it."""
AXES = "hidden", "block", "weight_bits", "state_bits"
KINDS = (
    ("run", "networks trained"),
    ("program", "integer programs exported and scored"),
    ("plans", "programs planned on a part"),
    ("build", "cores placed"),
    ("test", "programs scored on test data"),
)
Point = dict[str, Any]


def best(networks: Sequence[Point], **wanted: Any) -> float:
    """The highest accuracy of the networks whose axes are so."""
    return max(n["accuracy"] for n in networks if all(n[k] == v for k, v in wanted.items()))


def cost_of(networks: Sequence[Point], axis: str, less: int, more: int) -> float:
    """Mean accuracy that the smaller of two values of an axis costs, all else equal."""
    others = [name for name in AXES if name != axis]
    by = {tuple(n[name] for name in AXES): n["accuracy"] for n in networks}
    pairs = []
    for network in networks:
        if network[axis] == more:
            rest = {name: network[name] for name in others} | {axis: less}
            twin = by.get(tuple(rest[name] for name in AXES))
            if twin is not None:
                pairs.append(network["accuracy"] - twin)
    return mean(pairs)


def lessons(search: dict[str, Any]) -> Iterator[str]:
    """Five sentences."""
    networks, fronts = search["networks"], search["fronts"]
    sizes = sorted({n["hidden"] for n in networks})
    reach = ", ".join(f"{best(networks, hidden=n):.1%} with {n}" for n in sizes)
    yield f"Hidden units buy accuracy: at best {reach} units."
    bits = sorted({n["state_bits"] for n in networks})
    costs = " and ".join(
        f"{cost_of(networks, 'state_bits', few, bits[-1]):.2%} with {few}" for few in bits[:-1]
    )
    yield f"Beside a state of {bits[-1]} bits, all else equal, accuracy is lower by {costs} bits."
    weights = sorted({n["weight_bits"] for n in networks})
    costs = " and ".join(
        f"{cost_of(networks, 'weight_bits', few, weights[-1]):.2%} with {few}"
        for few in weights[:-1]
    )
    yield f"Beside weights of {weights[-1]} bits it is lower by {costs} bits."
    points = [point for front in fronts.values() for point in front]
    full = sum(p["network"]["block"] == p["network"]["hidden"] for p in points) / len(points)
    yield (
        f"{full:.0%} of the points on the fronts have a Hadamard matrix over all units; the others "
        "have blocks, which take fewer additions and cycles and mix less."
    )
    told = []
    for target, front in fronts.items():
        measured = [p for p in front if p["measured"]] or front
        most = max(measured, key=lambda p: p["figures"]["accuracy"])
        fast = max(measured, key=lambda p: p["figures"]["steps_per_s"])
        test, luts = most["figures"]["test_score"], most["figures"]["luts"]
        million = fast["figures"]["steps_per_s"] / 1e6
        told.append(
            f"on {target} the most accurate placed core reads {test:.1f} % of the test images "
            f"right in {luts:,} LUTs, and the fastest takes {million:.2f} million pixels a second"
        )
    sentence = "; ".join(told) + "."
    yield sentence[0].upper() + sentence[1:]


def tables(kept: dict[str, Any]) -> Iterator[str]:
    """All that stands between the marks."""
    search = kept["search"]
    yield from ["What one learns from it:", ""]
    yield from (f"{number}. {text}" for number, text in enumerate(lessons(search), 1))
    yield from [
        "",
        "## What it took",
        "",
        "| | how many | seconds, summed |",
        "|---|---:|---:|",
    ]
    for kind, name in KINDS:
        if kind in search["spent"]:
            took = search["spent"][kind]
            yield f"| {name} | {took['count']:,} | {took['seconds']:,} |"
    runs, programs = (search["spent"][kind]["count"] for kind in ("run", "program"))
    points, again = sum(search["points"].values()), search["again"]
    yield ""
    yield (
        f"So {runs} trainings served {programs} programs and {points:,} points, "
        f"{points // runs:,} each. Run once more, the search took up {again['reused']} trainings "
        f"that were known and did {again['trained']}; {search['failures']} pieces of work failed."
    )
    for target, front in search["fronts"].items():
        yield from ["", f"## The front on {target}", ""]
        count = search["points"][target]
        yield f"{len(front)} of {count:,} points; all measured ones and some others are shown."
        yield from ["", *front_table(front)]
    if "scaling" in kept:
        yield from ["", "## Two workers", "", *scaling(kept["scaling"])]


COLUMNS: tuple[tuple[str, Callable[[Point], str]], ...] = (
    *((axis.replace("_", " "), lambda p, a=axis: str(p["network"][a])) for axis in AXES),
    ("lanes", lambda p: str(p["schedule"]["lanes"])),
    ("digit", lambda p: passing(p["schedule"])),
    ("validation", lambda p: f"{p['figures']['accuracy']:.2%}"),
    ("test", lambda p: f"{p['figures']['test_score']:.2f} %"),
    ("LUTs", lambda p: f"{p['figures']['luts']:,}"),
    ("block RAMs", lambda p: str(p["figures"]["brams"])),
    ("MHz", lambda p: f"{p['figures']['fmax_mhz']:.1f}"),
    ("cycles", lambda p: f"{p['figures']['cycles_per_step']:,}"),
    ("steps per second", lambda p: f"{p['figures']['steps_per_s']:,.0f}"),
    ("figures", lambda p: "measured" if p["measured"] else "estimated"),
)


def front_table(front: Sequence[Point]) -> Iterator[str]:
    """Points evenly along a front, and all that are measured."""
    along = sorted(front, key=lambda p: (p["figures"]["luts"], p["figures"]["accuracy"]))
    measured = {place for place, point in enumerate(along) if point["measured"]}
    step = max(1, len(along) / max(1, SHOWN - len(measured)))
    chosen = {round(k * step) for k in range(SHOWN)} | measured
    yield f"| {' | '.join(name for name, _ in COLUMNS)} |"
    yield "|" + "---:|" * len(COLUMNS)
    for place, point in enumerate(along):
        if place in chosen:
            yield f"| {' | '.join(cell(point) for _, cell in COLUMNS)} |"


def scaling(found: dict[str, Any]) -> Iterator[str]:
    """What a second worker brings."""
    rates = {w: f["points"] / f["seconds"] * 3600 for w, f in found.items() if w != "same_front"}
    yield "`examples/explore-digits.toml` from nothing, on two cores, the mean of two rounds:"
    yield from ["", "| workers | seconds | networks | cores placed | points per hour |"]
    yield "|---:|---:|---:|---:|---:|"
    for workers, rate in rates.items():
        row = found[workers]
        cells = f"{row['seconds']:,.0f}", str(row["networks"]), str(row["built"]), f"{rate:,.0f}"
        yield f"| {workers} | {' | '.join(cells)} |"
    gain = rates["2"] / rates["1"]
    verdict = "met" if gain >= WANTED else "**missed**"
    front = "the same" if found["same_front"] else "**another**"
    yield from [
        "",
        f"{gain:.2f} times the points per hour, {front} front ({WANTED} times wanted: {verdict}).",
    ]


def draw(search: dict[str, Any]) -> None:
    """The fronts, and what bits of the state are worth."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    # Otherwise every run would write other bytes.
    mpl.rcParams["svg.hashsalt"] = "sylvan"
    sizes = sorted({n["hidden"] for n in search["networks"]})
    colors = {n: f"C{place}" for place, n in enumerate(sizes)}
    fronts = search["fronts"]
    figure = Figure(figsize=(5.4 * len(fronts), 4.6), layout="constrained")
    for axes, (target, front) in zip(figure.subplots(1, len(fronts), squeeze=False)[0],
                                     fronts.items(), strict=True):  # fmt: skip
        for size in sizes:
            points = [p for p in front if p["network"]["hidden"] == size]
            for measured, face in ((False, "none"), (True, colors[size])):
                some = [p for p in points if (p["measured"] is not None) == measured]
                axes.scatter(
                    [p["figures"]["luts"] for p in some],
                    [100 * p["figures"]["accuracy"] for p in some],
                    s=[12 + 18 * len(str(round(p["figures"]["steps_per_s"] / 1e4))) for p in some],
                    edgecolors=colors[size],
                    facecolors=face,
                    label=f"{size} units" if measured else None,
                )
        axes.set(xscale="log", xlabel="LUTs", ylabel="accuracy on validation data, %", title=target)
        axes.grid(which="both", alpha=0.25)
        axes.legend(fontsize=8)
    figure.savefig(FRONT_PICTURE, metadata={"Date": None})
    figure = Figure(figsize=(10.8, 4), layout="constrained")
    for axes, axis in zip(figure.subplots(1, 2), ("state_bits", "weight_bits"), strict=True):
        values = sorted({n[axis] for n in search["networks"]})
        for size in sizes:
            reached = [
                100 * best(search["networks"], **{"hidden": size, axis: value}) for value in values
            ]
            axes.plot(values, reached, "o-", color=colors[size], label=f"{size} units")
        axes.set(
            xlabel=f"bits of the {axis.split('_')[0]}", ylabel="best accuracy, %", xticks=values
        )
        axes.grid(alpha=0.25)
        axes.legend(fontsize=8)
    figure.savefig(BITS_PICTURE, metadata={"Date": None})


def write(kept: dict[str, Any]) -> None:
    """The page between its marks, and the pictures."""
    put_between(PAGE, MARKS, "\n".join(tables(kept)))
    draw(kept["search"])
