"""What a microprogram is made of, and where its vectors lie."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .page import Cell, Html, element, joined, table

FIGURES = (
    ("words", "words"),
    ("bits of a word", "word_bits"),
    ("bits of weights", "weight_bits"),
    ("elements in memory", "elements"),
    ("bits of an element", "element_bits"),
    ("bits of the accumulator", "sum_bits"),
)
"""What a reader calls them, and keys of the plan."""
TOLD = (
    "One adder does everything in turn, as the words of a microprogram say. All vectors lie in one "
    "memory; those that are not needed at the same time share a place."
)


@dataclass(frozen=True)
class Microprogram:
    """The microprogram of a plan as data. Raises KeyError, TypeError or ValueError if damaged.

    Attributes: figures by key of the plan; places, (vector, first element, elements) in their
    order.
    """

    figures: Mapping[str, int]
    places: tuple[tuple[str, int, int], ...]

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> "Microprogram":
        figures = {key: int(told[key]) for _, key in FIGURES}
        places = (
            (str(name), int(place["first"]), int(place["elements"]))
            for name, place in told["places"].items()
        )
        return cls(figures, tuple(sorted(places, key=lambda place: place[1])))

    def draw(self) -> Html:
        """Its figures, and the places of its vectors."""
        figures = [[Cell(name), Cell(self.figures[key])] for name, key in FIGURES]
        places = [[Cell(told) for told in place] for place in self.places]
        return joined(
            element("p", TOLD, class_="quiet"),
            table(["", "microprogram"], figures, "microprogram"),
            element("h3", "Places in memory"),
            table(["vector", "first", "elements"], places, "places in memory"),
        )
