"""The points of an exploration as columns: a quantity each, its title and how it is written."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from .figures import QUALITY, ROWS
from .page import Cell

Tree = Mapping[str, Any]
Value = float | str | None

GROUPS = ("network", "schedule", "figures")
"""Where a point keeps its quantities."""
TITLES = {f"figures.{key}": title for title, key, _ in (*ROWS, *QUALITY)} | {
    "figures.sprams": "single-port RAMs",
    "schedule.logic_roms": "constants in logic",
    "schedule.dsps": "DSP blocks allowed",
}
"""Other keys read well enough as they are."""
HARDWARE = ("luts", "ffs", "brams", "sprams", "dsps", "fmax_mhz")
DERIVED = {"steps_per_s": ("fmax_mhz",), "lut_ns_per_step": ("luts", "fmax_mhz")}
"""Figures that a build measures, and those that follow from them and from exact cycles."""
FRONT = 2
"""A point's best standing: no other meets the constraints and beats it in every objective."""


@dataclass(frozen=True, eq=False)
class Quantity:
    """A column: the value of each point, None where it is not known.

    Attributes: key, of the group and in it; guessed, for which points the value is an estimate.
    """

    key: str
    title: str
    values: Sequence[Value]
    guessed: Sequence[bool]

    @cached_property
    def numbers(self) -> list[float]:
        return [value for value in self.values if isinstance(value, int | float)]

    @cached_property
    def numeric(self) -> bool:
        """Whether all that is known is numbers."""
        return bool(self.numbers) and not any(isinstance(value, str) for value in self.values)

    @cached_property
    def varies(self) -> bool:
        return len(set(self.values)) > 1

    @property
    def log(self) -> bool:
        """Whether a logarithmic axis serves: positive, and more than a decade."""
        low, high = min(self.numbers), max(self.numbers)
        return low > 0 and high > 10 * low

    @cached_property
    def decimals(self) -> int:
        """Places after the point: as few as leave four digits to the smallest number."""
        if all(isinstance(number, int) for number in self.numbers):
            return 0
        smallest = min((abs(number) for number in self.numbers if number), default=1.0)
        enough = min(max(3 - math.floor(math.log10(smallest)), 0), 8)
        distinct = set(self.numbers)
        return next(
            places
            for places in range(enough + 1)
            if all(round(number, places) == round(number, enough) for number in distinct)
        )

    def cell(self, k: int) -> Cell:
        """Point k's value in a table."""
        form = f"{{:,.{self.decimals}f}}" if self.numeric else "{}"
        return Cell(self.values[k], form, kind="estimate" * self.guessed[k])

    def best(self, among: Sequence[int], sense: str) -> int | None:
        """The first of these points with the most ("max") or the least; None if none is known."""
        known = [(v, k) for k in among if isinstance(v := self.values[k], int | float)]
        if not known:
            return None
        sign = -1 if sense == "max" else 1
        return min(known, key=lambda pair: sign * pair[0])[1]

    def tree(self) -> Tree:
        """For the scripts of the page; a column that never changes is kept as one value."""
        said: dict[str, Any] = {"key": self.key, "title": self.title, "numeric": self.numeric}
        if self.numeric:
            said |= {"log": self.log, "decimals": self.decimals}
        said["values"] = list(self.values) if self.varies else list(self.values[:1])
        if any(self.guessed):
            said["guessed"] = [int(guess) for guess in self.guessed]
        return said


Columns = Mapping[str, Quantity]


def quantities(data: Tree, points: Sequence[Tree]) -> Columns:
    """Every column, by its key. What the network says is no figure, nor is a score said twice."""
    twice = {key for point in points for key in point["network"]}
    if any(point["figures"].get("accuracy") is not None for point in points):
        twice |= {"score"} - set(data["objectives"])
    keys = dict.fromkeys(
        f"{group}.{name}"
        for group in GROUPS
        for point in points
        for name in point[group]
        if group != "figures" or name not in twice
    )
    return {key: _quantity(key, points, data["task"]) for key in keys}


def column_of(name: str, columns: Columns) -> Quantity | None:
    """The column that a name means in the question, if there is one."""
    found = (columns.get(f"{group}.{name}") for group in ("figures", "network", "schedule"))
    return next((column for column in found if column is not None), None)


def _quantity(key: str, points: Sequence[Tree], task: Tree) -> Quantity:
    group, _, name = key.partition(".")
    values = [_plain(point[group].get(name)) for point in points]
    guessed = [
        group == "figures" and value is not None and _is_estimate(name, point["measured"] or {})
        for value, point in zip(values, points, strict=True)
    ]
    return Quantity(key, _title(key, task), values, guessed)


def _title(key: str, task: Tree) -> str:
    """What a reader calls a quantity."""
    name = key.partition(".")[2]
    if name in ("score", "test_score"):
        unit = f", {task['unit']}" if task["unit"] else ""
        return f"{'test ' if name == 'test_score' else ''}{task['score_name']}{unit}"
    return TITLES.get(key, name.replace("_", " "))


def _plain(value: Any) -> Value:
    """What a column holds: numbers and text as they are, anything else as text."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if value is None or isinstance(value, int | float) else str(value)


def _is_estimate(name: str, measured: Tree) -> bool:
    """Whether a figure rests on something that was not measured. Cycles are exact by plan."""
    bases = (name,) if name in HARDWARE else DERIVED.get(name, ())
    return any(measured.get(base) is None for base in bases)


def standing(point: Tree) -> int:
    """How good it is: 0 misses a constraint, 1 meets them all, FRONT is beaten by none."""
    return FRONT if point["front"] else int(point["meets"])
