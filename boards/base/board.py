"""What a board is, and which there are.

Every module of `sylvan.boards` is a kind of board and has `BOARDS`, a sequence of `Board`; a new
one is one file, and nothing else is edited. Pins and buffers come from amaranth-boards, or from a
platform of the file's own.
"""

import importlib
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from amaranth.build import Resource
from sylvan.hw.targets import Around, Target
from sylvan.hw.targets import target as find_target
from sylvan.model.errors import UserError

from sylvan import boards as package

from .around import AROUND
from .pll import Pll, near

STANDARD_BAUD = 1_000_000
"""A whole number of clocks of every oscillator here, and within reach of every adapter."""


@dataclass(frozen=True)
class Board:
    """A board that a linked core can be built for.

    Parameters:
        name: as `--target` takes it. title: as people call it.
        part: what is on it.
        platform: makes the Amaranth platform, its resources "uart" and the LEDs included.
        oscillator: the resource of the clock, and `oscillator_hz` its rate.
        clock_hz: what a design runs at if no other is wanted; the oscillator's own by default.
        pll: makes other clocks of it; None where only the oscillator's own can be had.
        transport: how a host's wires reach the FPGA.
        leds: resources of the status LEDs, name and number and perhaps a colour, as `Top` lights
            them; one is enough.
        program: the command that loads a bitstream, in front of its path.
        note: what a user has to know, or nothing.
    """

    name: str
    title: str
    part: Target
    platform: Callable[[], Any]
    oscillator: str
    oscillator_hz: float
    transport: str
    leds: Sequence[tuple[str, int] | tuple[str, int, str]]
    program: Sequence[str]
    clock_hz: float | None = None
    pll: Pll | None = None
    note: str = ""

    @property
    def target(self) -> Target:
        """The part under the board's name, with what the link takes of it; its pins are settled."""
        around = AROUND.get(str(self.part.family), Around())
        return replace(self.part, name=self.name, pins=None, around=around)

    def clock(self, wanted_hz: float | None) -> float:
        """The clock to run at: the one that is wanted, or the board's usual one.

        Raises UserError where the board cannot make it.
        """
        wanted = wanted_hz or self.clock_hz or self.oscillator_hz
        if near(self.oscillator_hz, wanted):
            return self.oscillator_hz
        if self.pll is None:
            raise UserError(
                f"{self.name} runs at its oscillator's {self.oscillator_hz / 1e6:g} MHz only, "
                f"got a clock of {wanted / 1e6:g} MHz"
            )
        return self.pll.settings(self.oscillator_hz, wanted).clock_hz


def part(name: str, **changed: Any) -> Target:
    """A part of the table of targets, but for its package, speed and the like."""
    return replace(find_target(name), **changed)


def added(platform: Callable[[], Any], *resources: Resource) -> Callable[[], Any]:
    """What makes a platform with more resources than its table has, such as a line on a header."""

    def make() -> Any:
        made = platform()
        made.add_resources(resources)
        return made

    return make


def boards() -> Mapping[str, Board]:
    """All boards by name, in the order of their files' names."""
    found: dict[str, Board] = {}
    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        if not module.ispkg:
            found |= {board.name: board for board in importlib.import_module(module.name).BOARDS}
    return found
