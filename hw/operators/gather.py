"""Single elements put together to the words of a memory."""

from typing import Any

from amaranth import Module, Mux, Signal, Value

from .addresses import Addresses
from .base import Cost


def gathered(m: Module, places: Addresses, element: Value) -> tuple[list[Any], Any]:
    """The lanes of a word of which `element` passes, and whether it enters as the last of it.

    `places` is where single elements have their place. All but the last of a word wait in
    registers; lanes beyond the vector's end carry padding.
    """
    lanes: list[Any] = []
    for k in range(places.parts - 1):
        held = Signal(element.shape(), name=f"element{k}", reset_less=True)
        with m.If(places.enters & (places.part == k)):
            m.d.sync += held.eq(element)
        lanes.append(held)
    lanes.append(element)
    whole: Any = places.part == places.parts - 1
    if left := places.pattern.size % places.parts:
        final = places.word == places.words - 1
        lanes[left - 1] = Mux(final, element, lanes[left - 1])
        whole = whole | (final & (places.part == left - 1))
    return lanes, places.enters & whole


def gathered_cost(places: Addresses, width: int) -> Cost:
    """Cost of putting elements of `width` bits together."""
    held = (places.parts - 1) * width
    partial = width * (places.pattern.size % places.parts > 0)
    return Cost(logic_bits=places.parts + partial, register_bits=held, waiting_bits=held)
