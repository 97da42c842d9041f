"""Cell families: what each may be told, and its layer, built from a config."""

import importlib
import inspect
from collections.abc import Mapping
from typing import Any

from .cells import cell_names
from .config import Config
from .errors import UserError, nearest
from .kinds import check_kind
from .recurrent import Recurrent
from .stacked import Stacked

MOST_WEIGHTS = 1 << 28
"""Of one matrix: a file must not be able to ask for all the memory there is."""
GIVEN = {"inputs", "hidden", "outputs", "symbols", "silent", "read", "seed"}
"""What a layer is told by the task and the config itself, not by an option."""
HANDED = ("block", "weight_bits")
"""Fields of a config that are options of the layer all the same."""


def build_layer(config: Config, network: Mapping[str, Any]) -> Recurrent:
    """The untrained layer of `config`, its sides given by `network` (see `sides`).

    Raises UserError for an unknown family or option, and for what the family refuses.
    """
    if config.cell_options.get("bidirectional"):
        raise UserError(
            f"cell {config.cell}: a stream has no end to start from, so no layer runs backwards; "
            "train it forward only, or run two networks on the host's own windows of the stream, "
            "one of them on each window reversed"
        )
    layer_class = family(config.cell)
    for side in ("inputs", "outputs"):
        size = network.get(side)
        if type(size) is not int or not 1 <= size * config.hidden <= MOST_WEIGHTS:
            raise UserError(
                f"{side} times hidden must lie in 1..{MOST_WEIGHTS}, got {size!r} times "
                f"{config.hidden}"
            )
    settings, options = given_options(config), cell_options(config.cell)
    for name, value in settings.items():
        if name not in options:
            raise UserError(
                f"cell {config.cell} has no option {name!r}{nearest(name, options)}; "
                f"known: {sorted(options)}"
            )
        # A word is one of a few: the layer names them when it refuses another.
        if (annotation := options[name].annotation) is not str:
            check_kind(f"cell {config.cell}: {name}", value, annotation)
    vector, widest = settings.get("embedding", 1), max(network["inputs"], config.hidden)
    if vector * widest > MOST_WEIGHTS:
        raise UserError(
            f"cell {config.cell}: embedding times inputs or hidden must lie in 1..{MOST_WEIGHTS}, "
            f"got {vector} times {widest}"
        )
    given = {k: v for k, v in (settings | dict(network)).items() if v is not None}
    given = {"hidden": config.hidden, "seed": config.seed} | given
    try:
        layers = _built(layer_class, given, config.layers)
        layer = layers[0] if config.layers == 1 else Stacked(layers)
    except (ValueError, TypeError, RuntimeError) as error:
        # The last is how torch says that there is not so much memory.
        said = str(error).splitlines()[0]
        raise UserError(f"cell {config.cell}: {said}") from None
    return layer


def _built(kind: type[Recurrent], given: Mapping[str, Any], count: int) -> list[Recurrent]:
    """Layers one above the other: only the first reads the task's input, only the last is read."""
    layers = []
    for k in range(count):
        told = dict(given) | {"seed": given["seed"] + k}
        if k > 0:
            told = {name: told[name] for name in told if name not in ("silent", "embedding")}
            told |= {"inputs": given["hidden"], "symbols": False}
        if k < count - 1:
            told = {name: told[name] for name in told if name not in kind.of_readout}
            told |= {"outputs": 1}
        layers.append(kind(**told))
    return layers


def given_options(config: Config) -> dict[str, Any]:
    """What a config tells the family's layer; the rest, and None, is left to the layer."""
    settings = {name: getattr(config, name) for name in HANDED} | config.cell_options
    return {name: value for name, value in settings.items() if value is not None}


def cell_options(cell: str) -> dict[str, inspect.Parameter]:
    """What a family's layer may be told besides its sides, its size and its seed, its own first.

    Raises UserError for an unknown family.
    """
    told: dict[str, inspect.Parameter] = {}
    for level in family(cell).__mro__:
        if issubclass(level, Recurrent):
            for name, parameter in inspect.signature(level).parameters.items():
                told.setdefault(name, parameter)
    return {
        name: parameter
        for name, parameter in told.items()
        if name not in GIVEN and parameter.kind is not parameter.VAR_KEYWORD
    }


def family(cell: str) -> type[Recurrent]:
    """The layer of a family. Raises UserError for an unknown one, with the nearest known name."""
    names = cell_names()
    if cell not in names:
        raise UserError(f"there is no cell {cell!r}{nearest(cell, names)}; known: {names}")
    layer: type[Recurrent] = importlib.import_module(f".cells.{cell}.layer", __package__).LAYER
    return layer
