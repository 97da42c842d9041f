"""The elements of all states of a plan, one after the other, whatever memories they are in."""

from collections.abc import Sequence
from typing import Any

from amaranth import Array, Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from sylvan.model.numbers import Format

from .operators.base import Cost
from .operators.delay import successor
from .operators.elements import SETTLED
from .plan import Plan
from .state_link import element_ports


class StateElements(wiring.Component):
    """Reads or writes the element at a cursor, a digit at a time where the states are digits.

    Members:
        go, In(1): begin; done, Out(1): in the last cycle. next, In(1): the cursor moves on, after
            the last element to the first; rewind, In(1): it goes there. final, Out(1): it is at
            the last.
        loads, In(1): write what is given, In; otherwise read: found, Out, from the cycle after
            done. legal, Out(1): what is given is in the element's format.
        tag, In(Tag): whose state, and whether its initial value is meant.
        element<k>, Out(ElementPort): of the memory of state k.
    Latency: for each digit SETTLED + 1 cycles.
    Cost: a register of an element with a selector of three; comparisons with the ends of formats
        that are not all there is in an image; counters.
    Refuses a core without states.
    """

    def __init__(self, plan: Plan) -> None:
        ports = element_ports(plan.state_memories)
        self.ports = list(ports.values())
        if not self.ports:
            raise ValueError("a core without states has no elements to go through")
        self.bits = plan.state_image.bits
        self.digit = self.ports[0].written.digit or self.bits
        self.places = max(port.places for port in self.ports)
        super().__init__(
            {
                **dict.fromkeys(("go", "next", "rewind", "loads"), In(1)),
                **dict.fromkeys(("done", "final", "legal"), Out(1)),
                "given": In(self.bits),
                "found": Out(self.bits),
                "tag": In(plan.tag),
                **{name: Out(port) for name, port in ports.items()},
            }
        )

    @property
    def cost(self) -> Cost:
        kept = self.digit * self.places
        most = max(port.written.beats * port.written.lanes for port in self.ports)
        counts = most.bit_length() + (SETTLED * self.places).bit_length() + len(self.ports)
        compared = 2 * self.bits * any(self._has_others(port.format) for port in self.ports)
        return Cost(logic_bits=2 * kept + 2 * counts + compared, register_bits=kept + counts)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        which = Signal(range(max(len(self.ports), 2)))
        beat, lane = self._cursor(m, which)
        signed = self._of(which, [port.format.signed for port in self.ports])
        held = Signal(self.digit * self.places)
        place = Signal(range(max(self.places, 2)))
        runs, left, settled = Signal(), Signal(range(SETTLED + 1)), Signal()
        there = self._of(which, [place < port.places for port in self.ports])
        m.d.comb += [
            settled.eq(runs & (left == 0)),
            self.done.eq(settled & (place == self.places - 1)),
            self.found.eq(_extended(held, self.bits, signed)),
            self.legal.eq(self._of(which, [self._within(port.format) for port in self.ports])),
        ]
        digits = []
        for k, port in enumerate(self.ports):
            element = getattr(self, f"element{k}")
            digits.append(_extended(element.found, self.digit, port.format.signed))
            with m.If(runs & (which == k)):
                m.d.comb += [
                    element.beat.eq(beat),
                    element.lane.eq(lane),
                    element.place.eq(place),
                    element.tag.eq(self.tag),
                    element.exchange.eq(self.loads),
                    element.given.eq(held),
                    element.write.eq(self.loads & settled & there),
                ]
        m.d.sync += left.eq(Mux(runs & ~settled, left - 1, SETTLED))
        with m.If(settled):
            # Above the digits of a state that has fewer than another is its sign.
            sign = (held[-1] & signed).replicate(self.digit)
            m.d.sync += [
                held.eq(Cat(held[self.digit :], Mux(there, self._of(which, digits), sign))),
                place.eq(successor(place, self.places)),
                runs.eq(~self.done),
            ]
        with m.If(self.go):
            m.d.sync += [runs.eq(1), held.eq(_extended(self.given, len(held), signed))]
        return m

    def _of(self, which: Value, values: Sequence[Any]) -> Any:
        """That of the cursor's state."""
        return values[0] if len(values) == 1 else Array(values)[which]

    def _cursor(self, m: Module, which: Value) -> tuple[Signal, Signal]:
        """Beat and lane of the next element, and which state it is of."""
        patterns = [port.written for port in self.ports]
        beat = Signal(range(max(2, *(pattern.beats for pattern in patterns))))
        lane = Signal(range(max(2, *(pattern.lanes for pattern in patterns))))
        lasts = [divmod(pattern.size - 1, pattern.lanes) for pattern in patterns]
        last = self._of(which, [(beat == last[0]) & (lane == last[1]) for last in lasts])
        turns = self._of(which, [lane == pattern.lanes - 1 for pattern in patterns])
        m.d.comb += self.final.eq(last & (which == len(patterns) - 1))
        with m.If(self.next):
            m.d.sync += [
                lane.eq(Mux(last | turns, 0, lane + 1)),
                beat.eq(Mux(last, 0, beat + turns)),
                which.eq(Mux(self.final, 0, which + last)),
            ]
        with m.If(self.rewind):
            m.d.sync += [lane.eq(0), beat.eq(0), which.eq(0)]
        return beat, lane

    def _within(self, format: Format) -> Any:
        """Whether what is given is in a format."""
        if not self._has_others(format):
            return Const(1, 1)
        given = self.given.as_signed() if format.signed else self.given
        return (given >= format.lo) & (given <= format.hi)

    def _has_others(self, format: Format) -> bool:
        """Whether an image has bits for numbers that are out of a format."""
        return format.hi - format.lo + 1 < 1 << self.bits


def _extended(value: Any, bits: int, signed: Any) -> Any:
    """A number in so many bits, its sign repeated above it where it is signed."""
    above = (value[-1] & signed).replicate(max(bits - len(value), 0))
    return Cat(value, above)[:bits]
