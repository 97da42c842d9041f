"""How vectors travel between operators: as beats, at times both sides know.

There is no handshake inside a core. A vector starts in the cycle where `start` is 1 and then takes
its turns by the clock; `tag` says which timestep it belongs to and stays put until the next start.
"""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from amaranth import Shape, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import Out
from sylvan.model.numbers import Format


@lru_cache(1 << 16)
def shape_of(format: Format) -> Shape:
    """The shape that holds every value of `format`; a constant zero still takes one wire."""
    return Shape.cast(range(format.lo, format.hi + 1)) if format.width else unsigned(1)


@dataclass(frozen=True)
class Pattern:
    """The order in which the elements of one vector pass.

    Element `e` travels on lane `e % lanes` of beat `e // lanes`; lanes beyond the vector's end
    carry padding that no result depends on. Every beat stays for `dwell` cycles, beats follow each
    other without a gap, and the whole vector passes `repeats` times.

    With a `digit` a beat does not stay but passes, so many bits of every element in a cycle, the
    lowest first, and its sign until the beat ends. Where it `settles`, only the digits of its
    format pass, and they hold the value modulo a power of two; two more wires tell in that cycle
    of the beat, counted from 1, whether the element is over or under its format, and so is its end.
    """

    size: int
    lanes: int
    dwell: int = 1
    repeats: int = 1
    digit: int = 0
    settles: int = 0

    @property
    def beats(self) -> int:
        """Beats of one pass."""
        return -(-self.size // self.lanes)

    @property
    def cycles(self) -> int:
        """Cycles from start to end: `beats * dwell * repeats`."""
        return self.beats * self.dwell * self.repeats

    def settling(self, cycles: int) -> "Pattern":
        """The same order with over and under after so many cycles of a beat."""
        return replace(self, settles=cycles)

    @property
    def settled(self) -> "Pattern":
        """The same order with all digits as they are."""
        return replace(self, settles=0)

    @property
    def words(self) -> "Pattern":
        """The same order with beats that stay."""
        return replace(self, digit=0, settles=0)


def digits(format: Format, digit: int) -> int:
    """Digits that hold every value of `format`."""
    return -(-shape_of(format).width // digit)


def digits_of(raw: int, digit: int, count: int) -> list[int]:
    """The lowest digits of a number in two's complement, the lowest first."""
    return [(raw >> place * digit) % (1 << digit) for place in range(count)]


class Tag(data.StructLayout):
    """What a timestep is, carried along with its vectors.

    - phase: timesteps since the state was initialised, modulo the period.
    - init: whether the state starts anew with this timestep.
    - first, last: the stream's own flags, handed to the answer.
    - context: which of the independent sequences it belongs to; nothing where there is one.
    - side: which of two vectors its bodies read where a state has two; nothing where none has.
    - slot: which of the vectors between two layers it reads or writes; only of those.

    Attributes:
        flags: shapes by name of what the stream itself says.
        kept: vectors that are kept at a time of each value, told apart by the field `chooser`.
    """

    def __init__(self, period: int, contexts: int = 1, slots: int = 1, sides: int = 1) -> None:
        self.period = period
        self.contexts = contexts
        self.sides = sides
        self.flags: dict[str, Any] = {"first": 1, "last": 1}
        if contexts > 1:
            self.flags["context"] = range(contexts)
        self.chooser, self.kept = ("slot", slots) if slots > 1 else ("context", contexts)
        side = {"side": 1} if sides > 1 else {}
        places = {"slot": range(slots)} if slots > 1 else {}
        fields = {"phase": range(max(period, 2)), "init": 1, **side, **self.flags, **places}
        super().__init__(fields)


class Strobe(wiring.Signature):
    """A moment: `start` for one cycle, with the tag of the timestep that begins there."""

    def __init__(self, tag: Tag) -> None:
        self.tag = tag
        super().__init__({"start": Out(1), "tag": Out(tag)})


class Beats(wiring.Signature):
    """A vector on `lanes` wires of `format`, from the cycle of `start` on; lane 0 is the first.

    With a `digit`, on wires of so many bits; `over` and `under` only where `settles`.
    """

    def __init__(
        self, lanes: int, format: Format, tag: Tag, digit: int = 0, settles: bool = False
    ) -> None:
        self.format = format
        self.tag = tag
        self.settles = settles
        shape = unsigned(digit) if digit else shape_of(format)
        members = {"start": Out(1), "tag": Out(tag), "lanes": Out(shape).array(lanes)}
        if settles:
            members |= {name: Out(1).array(lanes) for name in ("over", "under")}
        super().__init__(members)

    def create(self, *, path: Any = None, src_loc_at: int = 0) -> "Wires":
        return Wires(self, path or ("beats",))


class Wires:
    """A vector's wires. They are made when one is asked for: of most plans nothing is built."""

    def __init__(self, signature: Beats, path: tuple[str | int, ...]) -> None:
        self.signature = signature
        self._path = path

    def __getattr__(self, name: str) -> Any:
        if name not in self.signature.members:
            raise AttributeError(f"no wires {name!r} of a vector")
        vars(self).update(self.signature.members.create(path=self._path))
        return vars(self)[name]


def wires(beats: Any) -> list[Any]:
    """All that a vector travels on, lane by lane."""
    flags = [*beats.over, *beats.under] if beats.signature.settles else []
    return [*beats.lanes, *flags]
