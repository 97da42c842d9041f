"""How vectors travel between operators: as beats, at times both sides know.

There is no handshake inside a core. A vector starts in the cycle where `start` is 1 and then takes
its turns by the clock; `tag` says which timestep it belongs to and stays put until the next start.
"""

from dataclasses import dataclass

from amaranth import Shape, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import Out
from sylvan.model.numbers import Format


def shape_of(format: Format) -> Shape:
    """The shape that holds every value of `format`; a constant zero still takes one wire."""
    return Shape.cast(range(format.lo, format.hi + 1)) if format.width else unsigned(1)


@dataclass(frozen=True)
class Pattern:
    """The order in which the elements of one vector pass.

    Element `e` travels on lane `e % lanes` of beat `e // lanes`; lanes beyond the vector's end
    carry padding that no result depends on. Every beat stays for `dwell` cycles, beats follow each
    other without a gap, and the whole vector passes `repeats` times.
    """

    size: int
    lanes: int
    dwell: int = 1
    repeats: int = 1

    @property
    def beats(self) -> int:
        """Beats of one pass."""
        return -(-self.size // self.lanes)

    @property
    def cycles(self) -> int:
        """Cycles from start to end: `beats * dwell * repeats`."""
        return self.beats * self.dwell * self.repeats


class Tag(data.StructLayout):
    """What a timestep is, carried along with its vectors.

    - phase: timesteps since the state was initialised, modulo the period.
    - init: whether the state starts anew with this timestep.
    - first, last: the stream's own flags, handed to the answer.
    """

    def __init__(self, period: int) -> None:
        super().__init__({"phase": range(max(period, 2)), "init": 1, "first": 1, "last": 1})


class Strobe(wiring.Signature):
    """A moment: `start` for one cycle, with the tag of the timestep that begins there."""

    def __init__(self, period: int) -> None:
        self.period = period
        super().__init__({"start": Out(1), "tag": Out(Tag(period))})


class Beats(wiring.Signature):
    """A vector on `lanes` wires of `format`, from the cycle of `start` on; lane 0 is the first."""

    def __init__(self, lanes: int, format: Format, period: int) -> None:
        self.format = format
        self.period = period
        super().__init__(
            {
                "start": Out(1),
                "tag": Out(Tag(period)),
                "lanes": Out(shape_of(format)).array(lanes),
            }
        )
