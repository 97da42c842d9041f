"""What is asked of a point: figures, bounds on them, and which way they should go."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from sylvan.model.errors import UserError, nearest, shortened

FIGURES = {
    "accuracy": "share of right answers on validation data, 0 to 1",
    "score": "the task's own score on validation data, in its unit",
    "luts": "logic cells of the core",
    "ffs": "flip-flops",
    "brams": "block RAMs",
    "dsps": "DSP blocks",
    "fmax_mhz": "clock rate, MHz",
    "cycles_per_step": "cycles of a timestep",
    "closing_cycles": "cycles of a timestep that is answered",
    "latency_cycles": "cycles from an input to its answer",
    "steps_per_s": "timesteps per second, over all contexts",
    "lut_ns_per_step": "LUTs times nanoseconds of a timestep",
    "storage_bits": "bits of all constants and states",
    "additions_per_step": "additions of words in a timestep",
    "state_bits": "bits of the recurrent state",
    "hidden": "hidden units of a layer",
}
"""What a point has figures of; those of the hardware are estimates until it is built."""
OF_NETWORK = ("accuracy", "score", "storage_bits", "additions_per_step", "state_bits", "hidden")
"""Figures that no schedule changes."""
FACTORS = {"": Decimal(1), "k": Decimal(10**3), "M": Decimal(10**6), "%": Decimal("0.01")}
BOUND = re.compile(r"\s*(>=|<=)\s*([0-9.]+(?:e[+-]?[0-9]+)?)\s*([kM%]?)\s*", re.IGNORECASE)

Figures = Mapping[str, Any]


@dataclass(frozen=True)
class Bound:
    """At least, or at most, so much of a figure. One that is not known is within no bound."""

    figure: str
    least: bool
    value: float

    def holds(self, figures: Figures) -> bool:
        """Whether the figures of a point are within the bound."""
        return self.excess(figures) == 0

    def excess(self, figures: Figures) -> float:
        """By what share of the bound a figure is beyond it, 0 where it is within."""
        known = figures.get(self.figure)
        if known is None:
            return 1.0
        beyond = self.value - known if self.least else known - self.value
        return float(max(0.0, beyond) / (abs(self.value) or 1.0))

    @property
    def sense(self) -> str:
        """The bound without its figure: `>= 0.9`."""
        return f"{'>=' if self.least else '<='} {self.value:g}"

    def __str__(self) -> str:
        return f"{self.figure} {self.sense}"


@dataclass(frozen=True)
class Aim:
    """A figure that is to be large, or small."""

    figure: str
    largest: bool

    def cost(self, figures: Figures) -> float:
        """The figure as something to be small; infinite where it is not known."""
        known = figures.get(self.figure)
        if known is None:
            return float("inf")
        return float(-known if self.largest else known)

    def __str__(self) -> str:
        return f"{'max' if self.largest else 'min'} {self.figure}"


@dataclass(frozen=True)
class Question:
    """Bounds that all have to hold, and what of the rest is best; the first aim counts first."""

    bounds: tuple[Bound, ...]
    aims: tuple[Aim, ...]

    def admits(self, figures: Figures) -> bool:
        """Whether a point is within all bounds."""
        return all(bound.holds(figures) for bound in self.bounds)

    def costs(self, figures: Figures) -> tuple[float, ...]:
        """One number of each aim, all to be small."""
        return tuple(aim.cost(figures) for aim in self.aims)


def bound(figure: str, text: str) -> Bound:
    """The bound of a text such as `>= 0.9`, `<= 5k` or `>= 95 %`. Raises UserError for another."""
    check_figure(figure)
    found = BOUND.fullmatch(text) if isinstance(text, str) else None
    try:
        value = float(Decimal(found[2]) * FACTORS[found[3]]) if found else float("nan")
    except (InvalidOperation, KeyError):
        value = float("nan")
    if found and found[3] == "%" and figure != "accuracy":
        raise UserError(f"{figure} is no share: bound it without %, got {shortened(repr(text))}")
    if not found or value != value:
        raise UserError(
            f"{figure} is bounded by a text such as '>= 0.9' or '<= 5k', got "
            f"{shortened(repr(text))}"
        )
    made = Bound(figure, found[1] == ">=", value)
    if figure == "accuracy" and made.least and value > 1:
        raise UserError(
            f"nothing can meet accuracy {made.sense}: it is a share of at most 1 (95 % is 0.95)"
        )
    return made


def question(text: str) -> Question:
    """What is asked in words: `accuracy >= 0.95, min luts`.

    Raises UserError for what is no bound and no aim, and where there is no aim.
    """
    bounds, aims = [], []
    for part in text.split(","):
        way, _, figure = part.strip().partition(" ")
        relation = re.search("[<>]=", part)
        if way in ("min", "max"):
            check_figure(figure.strip())
            aims.append(Aim(figure.strip(), way == "max"))
        elif relation:
            bounds.append(bound(part[: relation.start()].strip(), part[relation.start() :]))
        else:
            raise UserError(
                "a question is bounds and aims with commas between, such as 'accuracy >= 0.95, "
                f"min luts', got {shortened(repr(part.strip()))}"
            )
    if not aims:
        raise UserError(f"{text!r} does not say what is best: add an aim, such as 'min luts'")
    return Question(tuple(bounds), tuple(aims))


def check_figure(name: str) -> None:
    """Raise UserError for what is no figure, naming the nearest."""
    if name not in FIGURES:
        raise UserError(
            f"there is no figure {shortened(repr(name))}{nearest(name, FIGURES)}; known: "
            f"{', '.join(FIGURES)}"
        )


def front(costs: Sequence[tuple[float, ...]]) -> list[int]:
    """Places of those that no other beats, of equals the first.

    One beats another that is nowhere cheaper. Exact, in the order of the first cost; quick where
    the front is short.
    """
    order = sorted(range(len(costs)), key=lambda k: (costs[k], k))
    kept: list[int] = []
    for place in order:
        if not any(_beats(costs[other], costs[place]) for other in kept):
            kept.append(place)
    return sorted(kept)


def _beats(one: Iterable[float], other: Iterable[float]) -> bool:
    return all(a <= b for a, b in zip(one, other, strict=True))
