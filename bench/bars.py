"""What generated hardware should reach, beside what the rows of bench/hardware.json say of it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

Row = dict[str, Any]

CORE, ALONE, READ = "core", "core without readout", "block RAM read"
"""Designs that are told apart here; a core without readout answers one unit of its state."""
NAMED = "ecp5-25f"
"""The part that loops and cores are compared on."""
STEPS = 784
"""Of an image of permuted MNIST."""
CLOCK_SHARE, LARGE = 0.8, 20_000
"""Share of the bare clock; designs of more LUTs are not judged by it."""


@dataclass(frozen=True)
class Bar:
    """A figure, and what it should be: at least, or else at most, `bound`. None: not measured."""

    what: str
    value: float | None
    bound: float
    least: bool = True

    @property
    def met(self) -> bool | None:
        if self.value is None:
            return None
        return self.value >= self.bound if self.least else self.value <= self.bound

    @property
    def by(self) -> float | None:
        """Share of the bound by which it is met; negative where it is missed."""
        if self.value is None:
            return None
        return (self.value / self.bound - 1) * (1 if self.least else -1)


def on(rows: list[Row], family: str, design: str = CORE, n: int | None = None) -> list[Row]:
    """Placed rows of a design on the parts whose names begin so."""
    return [
        row
        for row in rows
        if row["target"].startswith(family)
        and row["design"] == design
        and row["n"] == (n or row["n"])
        and row["measured"]["fmax_mhz"]
    ]


def single(rows: list[Row]) -> list[Row]:
    """Those of one context."""
    return [row for row in rows if row["schedule"]["contexts"] == 1]


def several(rows: list[Row]) -> list[Row]:
    """Those of more contexts."""
    return [row for row in rows if row["schedule"]["contexts"] > 1]


def best(
    rows: list[Row], figure: Callable[[Row], float | None], pick: Callable[..., float] = max
) -> float | None:
    """The best figure of the rows."""
    return pick((f for f in map(figure, rows) if f is not None), default=None)


def efficiency(row: Row) -> float | None:
    return row["efficiency"]


def luts(row: Row) -> float | None:
    return row["measured"]["luts"]


def rate(row: Row) -> float | None:
    return row["measured"]["steps_per_s"]


def cycles(row: Row) -> float | None:
    return row["measured"]["cycles_per_step"]


def ns_per_step(row: Row) -> float | None:
    """Nanoseconds from a step to the next, over all contexts."""
    found = row["measured"]["steps_per_s"]
    return found and 1e9 / found


def seconds_per_image(row: Row) -> float:
    """Of an image in a stream of images, whose last step is read."""
    found = row["measured"]
    return (
        ((STEPS - 1) * found["cycles_per_step"] + found["closing_cycles"]) / found["fmax_mhz"] / 1e6
    )


def front(rows: list[Row]) -> list[Row]:
    """Of rows of one network and part, those that no other beats in both LUTs and time, by LUTs."""
    kept: list[Row] = []
    for row in sorted(rows, key=lambda row: (luts(row), ns_per_step(row))):
        if not kept or ns_per_step(row) < ns_per_step(kept[-1]):
            kept.append(row)
    return kept


def fronts(rows: list[Row], design: str = CORE) -> list[list[Row]]:
    """The front of each network on each part."""
    placed = on(rows, "", design)
    groups = sorted({(row["target"], row["n"]) for row in placed})
    return [front(on(placed, part, design, n)) for part, n in groups]


def clock_share(row: Row, rows: list[Row]) -> float | None:
    """Clock rate over the slower of a bare adder of the design's chain and a bare read."""
    names = [READ, *([f"{row['chain']}-bit adder"] if row["chain"] else [])]
    bare = [found for name in names for found in on(rows, row["target"], name)]
    if len(bare) < len(names):
        return None
    return row["measured"]["fmax_mhz"] / min(r["measured"]["fmax_mhz"] for r in bare)


def judged(rows: list[Row]) -> list[Row]:
    """Cores whose clock rate is judged."""
    return [row for row in on(rows, "") if luts(row) <= LARGE]


def cost(row: Row) -> float | None:
    return row["lut_ns_per_step"]


def gain(loops: list[Row], cores: list[Row]) -> float | None:
    """How many times fewer LUTs x ns the best core takes than the best loop."""
    peer, own = best(loops, cost, min), best(cores, cost, min)
    return None if peer is None or own is None else peer / own


def bars(rows: list[Row]) -> Iterator[Bar]:
    """All of them."""
    for design in (ALONE, CORE):
        for n, bound in ((64, 2.3), (128, 2.5)):
            loops, cores = on(rows, NAMED, "da4ml loop", n), on(rows, NAMED, design, n)
            what = f"LUTs x ns of the da4ml loop over those of the {design}, {NAMED}, n {n}"
            yield Bar(f"{what}, one context", gain(loops, single(cores)), bound)
            yield Bar(f"{what}, contexts", gain(loops, several(cores)), 4.5)
    for n, bound in ((64, 0.5), (128, 0.5), (256, 0.35), (512, 0.35)):
        found = best(several(on(rows, "ecp5", n=n)), efficiency)
        yield Bar(f"efficiency, ECP5, n {n}, contexts", found, bound)
    for n in (64, 128, 256, 512):
        yield Bar(f"efficiency, iCE40, n {n}", best(on(rows, "ice40", n=n), efficiency), 0.25)
    for n in (64, 128, 256, 512):
        found = best(single(on(rows, "", n=n)), efficiency)
        yield Bar(f"efficiency, n {n}, one context", found, 0.20)
    large = [row for points in fronts(rows) for row in points if luts(row) > 2000]
    yield Bar("efficiency, least of a front above 2,000 LUTs", best(large, efficiency, min), 0.15)

    up5k = "ice40-up5k"
    yield Bar("steps per second, UP5K, n 128", best(on(rows, up5k, n=128), rate), 2e6)
    yield Bar("LUTs, UP5K, n 128", best(on(rows, up5k, n=128), luts, min), 500, False)
    yield Bar("LUTs, UP5K, n 512", best(on(rows, up5k, n=512), luts, min), 600, False)
    tried = [r for r in rows if (r["target"], r["design"], r["n"]) == (up5k, CORE, 1024)]
    fitting = float(len(on(rows, up5k, n=1024))) if tried else None
    yield Bar("schedules that fit, UP5K, n 1024", fitting, 1)
    hx8k = on(rows, "ice40-hx8k", n=512)
    eight = [row for row in hx8k if row["schedule"]["lanes"] == 8 and row["schedule"]["words"]]
    serial = [row for row in hx8k if not row["schedule"]["words"]]
    yield Bar("cycles per step, HX8K, n 512, 8 lanes", best(eight, cycles, min), 210, False)
    yield Bar("cycles per step, HX8K, n 512, in digits", best(serial, cycles, min), 75, False)
    ecp5 = [row for row in on(rows, "ecp5", n=512) if row["target"] in ("ecp5-25f", "ecp5-45f")]
    time = best(single(ecp5), seconds_per_image, min)
    yield Bar("ms per image, ECP5, n 512, one context", time and time * 1000, 0.12, False)
    time = best(several(ecp5), seconds_per_image, min)
    yield Bar("images per second, ECP5, n 512, contexts", time and 1 / time, 12_500)
    for kind, microcode in (("cores on lanes", False), ("microprograms", True)):
        some = [row for row in judged(rows) if row["schedule"]["microcode"] is microcode]
        share = best(some, lambda row: clock_share(row, rows), min)
        what = f"clock over the bare clock, least of {kind} up to {LARGE:,} LUTs"
        yield Bar(what, share, CLOCK_SHARE)
