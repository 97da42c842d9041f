"""Charts of horizontal bars, one below the other, on one scale."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from .page import Html, element
from .svg import LONGEST, SMALL, box, picture, shortened, text, title, wide

ROW, THICK, FIELD = 18.0, 10.0, 560.0
LAST = 24.0
"""Room for half of a number at the end of the field."""


@dataclass(frozen=True)
class Bar:
    """A row of the chart.

    Attributes: label; pieces, from left to right, each with where it begins and ends and its class;
    said, beside the bar; told, to the pointer.
    """

    label: str
    pieces: Sequence[tuple[float, float, str]]
    said: str
    told: str = ""

    @property
    def ends(self) -> float:
        return max((end for _, end, _ in self.pieces), default=0.0)


@dataclass(frozen=True)
class Chart:
    """Bars whose largest end, or `reach` if that is more, fills the field; `top` is room above."""

    rows: Sequence[Bar]
    reach: float = 0.0
    top: float = 0.0

    @cached_property
    def left(self) -> float:
        """Where the bars begin."""
        widths = (wide(shortened(row.label, LONGEST), SMALL) for row in self.rows)
        return max(widths, default=0.0) + 12

    @cached_property
    def most(self) -> float:
        """What the end of the field stands for."""
        return max([self.reach, *(row.ends for row in self.rows)])

    @property
    def height(self) -> float:
        return self.top + len(self.rows) * ROW

    def place(self, value: float) -> float:
        """Where a value lies."""
        return self.left + (value / self.most * FIELD if self.most else 0.0)

    def draw(self, label: str, *behind: str) -> Html:
        """The picture, called `label` aloud, with something behind the bars."""
        rows = [self._row(row, self.top + k * ROW) for k, row in enumerate(self.rows)]
        right = max((wide(row.said, SMALL) for row in self.rows), default=0.0)
        width = self.left + FIELD + max(right, LAST) + 16
        return picture(width, self.height + 4, label, *behind, *rows)

    def _row(self, row: Bar, y: float) -> Html:
        pieces = []
        for begin, end, kind in row.pieces:
            x = self.place(begin)
            # What is short is still seen.
            width = max(self.place(end) - x, 1.0) if end > begin else 0.0
            pieces.append(box(x, y + 4, width, THICK, kind))
        return element(
            "g",
            title(row.told or row.label),
            text(self.left - 10, y + 13, shortened(row.label, LONGEST), "right"),
            *pieces,
            text(self.place(row.ends) + 8, y + 13, row.said, "detail"),
        )
