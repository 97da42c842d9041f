"""What a training run is made from and leaves behind: its config, its checkpoint, their checks.

A run's folder has `config.json` and `checkpoint.safetensors`. The checkpoint carries the config and
the network's sides in its header, so it cannot be paired with another run's config unnoticed. Both
are data only: opening a stranger's folder runs no code.
"""

import contextlib
import dataclasses
import importlib
import inspect
import json
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import nn

from .errors import UserError, shortened
from .files import parse_json, write_json, write_whole
from .recurrent import Recurrent
from .tasks import Task, nearest

VERSION = 1
CONFIG_FILE, CHECKPOINT_FILE = "config.json", "checkpoint.safetensors"
CELLS = Path(__file__).parent / "cells"
HEADER = "sylvan"
MAX_JSON_BYTES = 1 << 20
METRICS_FILE, CURVES_FILE, WIDTHS_FILE = "metrics.json", "curves.png", "widths.png"
PROGRAM_FOLDER = "program"
RESULTS = (
    METRICS_FILE,
    CURVES_FILE,
    WIDTHS_FILE,
    f"{PROGRAM_FOLDER}/program.json",
    f"{PROGRAM_FOLDER}/weights.npz",
)
LARGEST = 1 << 20
MOST_WEIGHTS = 1 << 28
"""Of one matrix: a file must not be able to ask for all the memory there is."""


@dataclass(frozen=True)
class Config:
    """Everything that decides a training run; equal configs train equal weights.

    Attributes:
        task, task_options: what `load_task` is called with.
        cell, hidden: the family and its size.
        block, weight_bits, cell_options: handed to the family's layer where they are not None.
        epochs, batch: passes over the training split, sequences per step.
        rate: the optimizer's largest rate, reached after a short warm-up and lowered as half a
            cosine; with `decay` it is the first rate, multiplied by `decay` after every epoch.
        smoothing: of the labels, 0 to below 1.
        clip: largest norm of a gradient, 0 for any.
        patience: epochs without a better validation score after which to stop, 0 for never.
        refit: train on the validation split too, and keep the last epoch.
        temperature: at the end, multiply the kept answers by the power of two that gives the least
            validation loss (Guo et al., ICML 2017, arXiv 1706.04599); no answer changes.
        threads: of torch; another number may change the last bits.
        seed: of the weights, the signs and the order of the batches.
    """

    task: str
    cell: str = "hadamrnn"
    hidden: int = 256
    block: int | None = None
    weight_bits: int | None = None
    epochs: int = 60
    batch: int = 64
    rate: float = 0.01
    decay: float | None = None
    smoothing: float = 0.0
    clip: float = 0.0
    patience: int = 0
    refit: bool = False
    temperature: bool = False
    threads: int = 1
    seed: int = 0
    task_options: dict[str, Any] = field(default_factory=dict)
    cell_options: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, hint in typing.get_type_hints(Config).items():
            value = getattr(self, name)
            kinds = typing.get_args(hint) or (hint,)
            if typing.get_origin(hint) is dict:
                kinds = (dict,)
            if type(value) not in kinds:
                expected = " or ".join(kind.__name__ for kind in kinds)
                raise UserError(f"config: {name} must be {expected}, got {value!r}")
        for name in ("hidden", "epochs", "batch", "threads"):
            if not 1 <= getattr(self, name) <= LARGEST:
                raise UserError(
                    f"config: {name} must lie in 1..{LARGEST}, got {getattr(self, name)}"
                )
        if not 0 < self.rate <= LARGEST:
            raise UserError(f"config: rate must lie in 0..{LARGEST} (0 excluded), got {self.rate}")
        if not 0 <= self.smoothing < 1:
            raise UserError(
                f"config: smoothing must lie in 0..1 (1 excluded), got {self.smoothing}"
            )
        if self.decay is not None and not 0 < self.decay <= 1:
            raise UserError(f"config: decay must lie in 0..1 (0 excluded), got {self.decay}")
        for name in ("clip", "patience"):
            if not 0 <= getattr(self, name) <= LARGEST:
                raise UserError(
                    f"config: {name} must lie in 0..{LARGEST}, got {getattr(self, name)}"
                )
        if not 0 <= self.seed < 1 << 31:
            raise UserError(f"config: seed must lie in 0..2**31 - 1, got {self.seed}")

    def tree(self) -> dict[str, Any]:
        """As JSON data."""
        return {"version": VERSION} | dataclasses.asdict(self)

    @classmethod
    def from_tree(cls, tree: Any, where: object) -> "Config":
        """The config of JSON data that `tree` wrote. Raises UserError naming `where`."""
        if not isinstance(tree, dict) or "version" not in tree:
            raise UserError(f"{where} is no config of a training run")
        given = dict(tree)
        version = given.pop("version")
        if version != VERSION:
            raise UserError(
                f"{where} has version {shortened(repr(version))}, this Sylvan reads version "
                f"{VERSION}"
            )
        names = [f.name for f in dataclasses.fields(cls)]
        for name in given:
            if name not in names:
                raise UserError(
                    f"{where} has an unknown entry {shortened(repr(name))}{nearest(name, names)}"
                )
        if "task" not in given:
            raise UserError(f"{where} names no task")
        try:
            return cls(**given)
        except UserError as error:
            raise UserError(f"{where}: {shortened(str(error))}") from None


def cell_names() -> list[str]:
    """The families that can be trained: rooms that hold a layer.py."""
    return sorted(path.parent.name for path in CELLS.glob("*/layer.py"))


def build_layer(config: Config, network: Mapping[str, Any]) -> Recurrent:
    """The untrained layer of `config`, its sides given by `network` (see `sides`).

    Raises UserError for an unknown family and for sizes that the family refuses.
    """
    names = cell_names()
    if config.cell not in names:
        raise UserError(
            f"there is no cell {config.cell!r}{nearest(config.cell, names)}; known: {names}"
        )
    for side in ("inputs", "outputs"):
        size = network.get(side)
        if type(size) is not int or not 1 <= size * config.hidden <= MOST_WEIGHTS:
            raise UserError(
                f"{side} times hidden must lie in 1..{MOST_WEIGHTS}, got {size!r} times "
                f"{config.hidden}"
            )
    settings = {"block": config.block, "weight_bits": config.weight_bits} | config.cell_options
    given = {k: v for k, v in (settings | dict(network)).items() if v is not None}
    family: type[Recurrent] = importlib.import_module(
        f".cells.{config.cell}.layer", __package__
    ).LAYER
    options = _options(family)
    for name in settings:
        if settings[name] is not None and name not in options:
            raise UserError(
                f"cell {config.cell} has no option {name!r}{nearest(name, options)}; "
                f"known: {options}"
            )
    try:
        layer = family(**{"hidden": config.hidden, "seed": config.seed} | given)
    except (ValueError, TypeError, RuntimeError) as error:
        # The last is how torch says that there is not so much memory.
        said = str(error).splitlines()[0]
        raise UserError(f"cell {config.cell}: {said}") from None
    return layer


def _options(family: type[Recurrent]) -> list[str]:
    """What a family's layer may be told besides its sides, its size and its seed."""
    told: set[str] = set()
    for level in family.__mro__:
        if issubclass(level, Recurrent):
            parameters = inspect.signature(level).parameters.values()
            told |= {p.name for p in parameters if p.kind is not p.VAR_KEYWORD}
    given = {"inputs", "hidden", "outputs", "symbols", "silent", "read", "seed"}
    return sorted(told - given)


def sides(task: Task) -> dict[str, Any]:
    """What a task asks of a network: its inputs, its outputs and when it is read."""
    return {
        "inputs": task.inputs,
        "outputs": task.outputs,
        "symbols": task.symbols,
        "read": task.read,
        "silent": task.silent,
    }


def forget_results(folder: Path) -> None:
    """Remove what describes the weights that a run had before: scores, pictures, its program."""
    for name in RESULTS:
        (folder / name).unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        (folder / PROGRAM_FOLDER).rmdir()


def save_checkpoint(
    folder: Path, config: Config, network: Mapping[str, Any], layer: nn.Module
) -> None:
    """Write checkpoint and config, each whole or not at all."""
    tensors = {k: v.detach().cpu().contiguous() for k, v in layer.state_dict().items()}
    # One entry: the format keeps no order of several, and equal runs shall give equal bytes.
    header = {"version": VERSION, "config": config.tree(), "network": dict(network)}
    text = json.dumps(header, sort_keys=True, allow_nan=False)
    write_whole(folder / CHECKPOINT_FILE, save(tensors, {HEADER: text}))
    write_json(folder / CONFIG_FILE, config.tree())


def load_checkpoint(folder: Path) -> tuple[Recurrent, Config]:
    """The trained layer and the config of a run's folder.

    Raises:
        UserError: for files that are missing, unreadable, of another version or of different runs,
            an unknown family, tensors of other names or shapes, and weights that are not finite.
    """
    config_path, path = folder / CONFIG_FILE, folder / CHECKPOINT_FILE
    for needed in (config_path, path):
        if not needed.is_file():
            raise UserError(f"{folder} is no finished training run: {needed.name} is missing there")
    if config_path.stat().st_size > MAX_JSON_BYTES:
        raise UserError(f"{config_path} is too large for a config")
    try:
        tree = parse_json(config_path.read_text())
    except (OSError, ValueError) as error:
        raise UserError(f"{config_path} cannot be read: {error}") from None
    config = Config.from_tree(tree, config_path)
    try:
        with safe_open(path, framework="pt") as file:
            entry = (file.metadata() or {}).get(HEADER)
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError, ValueError) as error:
        raise UserError(f"{path} cannot be read, it may be cut short: {error}") from None
    if entry is None:
        raise UserError(f"{path} is no checkpoint of Sylvan: its header has no entry {HEADER!r}")
    try:
        header = dict(parse_json(entry))
        version, network = header["version"], dict(header["network"])
    except (KeyError, ValueError, TypeError) as error:
        raise UserError(f"{path} has no readable header: {error!r}") from None
    if version != VERSION:
        raise UserError(
            f"{path} has version {shortened(repr(version))}, this Sylvan reads version {VERSION}"
        )
    made_with = Config.from_tree(header.get("config"), path)
    if made_with != config:
        fields = [k for k, v in made_with.tree().items() if config.tree()[k] != v]
        name = fields[0]
        raise UserError(
            f"{config_path} and {CHECKPOINT_FILE} are of different runs: {name} is "
            f"{shortened(repr(config.tree()[name]))} in one and "
            f"{shortened(repr(made_with.tree()[name]))} in the other"
        )
    layer = build_layer(config, network)
    _check_tensors(path, layer.state_dict(), tensors)
    layer.load_state_dict(tensors)
    try:
        # What else its weights must obey, a family says itself.
        layer.check()
    except ValueError as error:
        raise UserError(f"{path}: {error}") from None
    return layer, config


def _check_tensors(
    path: Path, expected: Mapping[str, torch.Tensor], found: Mapping[str, torch.Tensor]
) -> None:
    if sorted(expected) != sorted(found):
        raise UserError(f"{path}: expected the tensors {sorted(expected)}, found {sorted(found)}")
    for name, tensor in found.items():
        shapes = [(str(t.dtype), tuple(t.shape)) for t in (expected[name], tensor)]
        if shapes[0] != shapes[1]:
            raise UserError(f"{path}: {name} should be {shapes[0]}, found {shapes[1]}")
        if not tensor.isfinite().all():
            raise UserError(f"{path}: {name} holds NaN or infinite weights; train again")
