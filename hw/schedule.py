"""When and where: the knobs that never change a bit of any result."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from sylvan.model.errors import UserError

DEFAULT_LANES = 8
MOST_CONTEXTS = 1024
"""Each has registers of its own that say when it may go on: with more these would be the core."""


@dataclass(frozen=True)
class Schedule:
    """How a program is folded in time.

    Parameters:
        lanes: P, elements of a vector that pass per cycle; vectors shorter than P pass in one beat.
        digit: D, bits of an element that pass per cycle in the step, the lowest first; 0 for whole
            words.
        levels: adders in a row between two registers, where the words of whole vectors pass an
            adder graph.
        contexts: C, at most 1024 independent sequences that share the core, each with a state of
            its own.
        turns: whether, where words pass, adders between the beats of a transform take turns at sums
            and differences: half as many, for delay lines of twice the bits.
        logic_roms: whether constants that pass as vectors are kept in look-up tables however many
            there are, never in block RAM.
        dsps: whether products may be made by DSP blocks.
        state_port: whether the state of a context can be saved and loaded through streams.
        microcode: whether one adder does everything in turn, as a microprogram says.
    """

    lanes: int = DEFAULT_LANES
    digit: int = 0
    levels: int = 1
    contexts: int = 1
    turns: bool = False
    logic_roms: bool = False
    dsps: bool = False
    state_port: bool = False
    microcode: bool = False

    def __post_init__(self) -> None:
        if type(self.digit) is not int or self.digit < 0:
            raise UserError(f"digit must be an integer of at least 0, got {self.digit!r}")
        for name in ("lanes", "levels", "contexts"):
            given = getattr(self, name)
            if type(given) is not int or given < 1:
                raise UserError(f"{name} must be an integer of at least 1, got {given!r}")
        if self.contexts > MOST_CONTEXTS:
            raise UserError(f"at most {MOST_CONTEXTS} contexts share a core, got {self.contexts}")

    def keys(self, word: int) -> dict[str, int]:
        """The knobs as data; `digit` of whole `words` is the bits of one."""
        return {**vars(self), "digit": self.digit or word, "words": not self.digit}

    @classmethod
    def from_keys(cls, keys: Mapping[str, Any]) -> "Schedule":
        """The schedule of such data, which may hold more. Raises KeyError if it lacks a knob."""
        knobs = {field.name: keys[field.name] for field in fields(cls)}
        return cls(**knobs | {"digit": 0 if keys["words"] else keys["digit"]})

    def over(self, size: int) -> int:
        """Lanes that a vector of `size` elements takes."""
        return min(self.lanes, size)

    def __str__(self) -> str:
        """In words: `8 lanes, digits of 3 bits`."""
        if self.microcode:
            return "a microprogram"
        said = [f"{self.lanes} lane{'s' * (self.lanes > 1)}"]
        bits = f"{self.digit} bit{'s' * (self.digit > 1)}"
        said.append(f"digits of {bits}" if self.digit else "whole words")
        if self.levels > 1:
            said.append(f"{self.levels} adders in a row")
        if self.contexts > 1:
            said.append(f"{self.contexts} contexts")
        if self.turns:
            said.append("adders in turns")
        if self.logic_roms:
            said.append("constants in logic")
        if self.dsps:
            said.append("products in DSP blocks")
        if self.state_port:
            said.append("a state port")
        return ", ".join(said)


def passing(keys: Mapping[str, Any]) -> str:
    """How elements pass, of a schedule as data: "microcode", "words", or a digit's bits."""
    if keys["microcode"]:
        return "microcode"
    return "words" if keys["words"] else str(keys["digit"])
