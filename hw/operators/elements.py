"""One element at a time of a vector in memory, outside the timetable: what the state port asks for.

A word of the memory is read with one of its lanes exchanged, and may then be written back.
"""

from typing import Any

from amaranth import Array, Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from sylvan.model.numbers import Format

from ..beats import Pattern, Tag, digits, shape_of
from .base import Cost

SETTLED = 5
"""Cycles by which every kind of memory hands out the word that is asked for."""


class ElementPort(wiring.Signature):
    """Reads and writes a digit of an element, or an element of whole words, as the memory has it.

    An idle port rests at 0. All but `write` stay for SETTLED cycles; `write`, in the cycle after
    them, writes the word that was read.

    Parameters: written, the pattern in which the memory is written otherwise; format; tag.
    Members: beat, lane, place, Out: where the digit lies; tag, Out: whose vector, and whether its
    initial value is meant; exchange, Out(1): the word read has `given` there; given, Out: a digit;
    write, Out(1); found, In: the digit read.
    """

    def __init__(self, written: Pattern, format: Format, tag: Tag) -> None:
        self.written = written
        self.format = format
        self.places = digits(format, written.digit) if written.digit else 1
        bits = written.digit or shape_of(format).width
        super().__init__(
            {
                "beat": Out(range(max(written.beats, 2))),
                "lane": Out(range(max(written.lanes, 2))),
                "place": Out(range(max(self.places, 2))),
                "tag": Out(tag),
                "exchange": Out(1),
                "given": Out(bits),
                "write": Out(1),
                "found": In(bits),
            }
        )


def element_cost(lanes: int, width: int) -> Cost:
    """Cost of an element port: to exchange a lane of the word, to choose what is written, and one
    lane of those read."""
    return Cost(logic_bits=lanes * (2 * width + 1) + (lanes - 1) * width)


def exchanged(m: Module, element: Any, lanes: list[Any]) -> list[Any]:
    """The lanes read, one of which is the one given."""
    asked = Signal(len(lanes), name="asked_lane")
    m.d.comb += asked.eq(element.exchange << element.lane)
    return [Mux(asked[k], element.given, lane) for k, lane in enumerate(lanes)]


def connect_found(m: Module, element: Any, lanes: list[Any]) -> None:
    """Hand out the lane that is asked for."""
    m.d.comb += element.found.eq(Array(lanes)[element.lane])


def with_element(element: Any, row: Any, lanes: list[Any], write: tuple[Any, Any, Any]) -> Any:
    """Row, data and enable of a write of the timetable's, or of `lanes` for the element port."""
    chosen = Mux(element.write, row, write[0]), Mux(element.write, Cat(*lanes), write[1])
    return *chosen, write[2] | element.write
