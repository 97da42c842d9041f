"""The networks of a spec: every combination of its axes that makes one of its own."""

import hashlib
import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from typing import Any

from sylvan.model.config import Config
from sylvan.model.errors import UserError, nearest, shortened
from sylvan.model.families import HANDED, cell_options

from .ranges import Value

STATE_BITS = "state_bits"
DEFAULT_STATE_BITS = 12
FULL = "full"
"""The Hadamard block of all units."""
SETTINGS = tuple(
    field.name
    for field in fields(Config)
    if field.name not in ("task", "refit") and not field.name.endswith("_options")
)
"""Axes that are settings of a training; any other is an option of the cell. Networks are chosen by
validation data, so none is trained on them."""


@dataclass(frozen=True)
class Network:
    """A network to be trained, and the bits of the state it is exported with.

    Attributes:
        choice: which value of each axis.
        axes: the values themselves, as far as the network's cell knows them.
    """

    choice: tuple[int, ...]
    config: Config
    state_bits: int
    axes: Mapping[str, Value]

    @property
    def identity(self) -> str:
        """Equal where two networks are the same."""
        return digest([self.config.tree(), self.state_bits])


@dataclass(frozen=True)
class Space:
    """All combinations of the values of some axes.

    Parameters:
        base: what the axes change.
        axes: values by name: settings of `Config`, `state_bits`, or options of the cell.

    Raises UserError for an axis that no cell of the space knows.
    """

    base: Config
    axes: Mapping[str, tuple[Value, ...]]

    def __post_init__(self) -> None:
        cells = self.axes.get("cell", (self.base.cell,))
        known = {STATE_BITS, *SETTINGS, *(name for cell in cells for name in _options(str(cell)))}
        for axis in self.axes:
            if axis not in known:
                raise UserError(
                    f"there is no axis {shortened(repr(axis))}{nearest(axis, known)}; known: "
                    f"{', '.join(sorted(known))}"
                )

    @property
    def size(self) -> int:
        """Combinations, some of which may be the same network, or none."""
        count = 1
        for found in self.axes.values():
            count *= len(found)
        return count

    def choices(self) -> Iterator[tuple[int, ...]]:
        """All combinations, the last axis changing first."""
        return itertools.product(*(range(len(found)) for found in self.axes.values()))

    def network(self, choice: Sequence[int]) -> Network:
        """The network of a combination. Raises UserError if it is none."""
        told = {name: found[k] for (name, found), k in zip(self.axes.items(), choice, strict=True)}
        cell = str(told.get("cell", self.base.cell))
        options = _options(cell)
        told = {
            name: value
            for name, value in told.items()
            if name in options or name == STATE_BITS or name in set(SETTINGS) - set(HANDED)
        }
        settings: dict[str, Any] = {k: v for k, v in told.items() if k in SETTINGS}
        if settings.get("block") == FULL:
            settings["block"] = settings.get("hidden", self.base.hidden)
        for name in HANDED:
            if name not in options:
                settings[name] = None
        own = {k: v for k, v in self.base.cell_options.items() if k in options}
        own |= {k: v for k, v in told.items() if k not in SETTINGS and k != STATE_BITS}
        bits = told.get(STATE_BITS, DEFAULT_STATE_BITS)
        if type(bits) is not int or bits < 2:
            raise UserError(f"{STATE_BITS} must be a whole number of at least 2, got {bits!r}")
        config = replace(self.base, **settings, cell_options=own)
        return Network(tuple(choice), config, bits, told)

    def networks(self) -> Iterator[Network]:
        """Every network once. Raises UserError at the first combination that is none."""
        seen = set()
        for choice in self.choices():
            network = self.network(choice)
            if network.identity not in seen:
                seen.add(network.identity)
                yield network


@lru_cache
def _options(cell: str) -> frozenset[str]:
    return frozenset(cell_options(cell))


def digest(tree: Any) -> str:
    """SHA-256 of JSON data."""
    text = json.dumps(tree, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()
