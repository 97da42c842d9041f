"""What a training run leaves behind: its checkpoint beside its config, and their checks.

A run's folder has `config.json` and `checkpoint.safetensors`. The checkpoint carries the config and
the network's sides in its header, so it cannot be paired with another run's config unnoticed. Both
are data only: opening a stranger's folder runs no code.
"""

import contextlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import nn

from .config import (
    CHECKPOINT_FILE,
    CONFIG_FILE,
    CURVES_FILE,
    METRICS_FILE,
    PAGE_FILE,
    PROGRAM_FOLDER,
    VERSION,
    WIDTHS_FILE,
    Config,
)
from .errors import UserError, shortened
from .families import build_layer
from .files import parse_json, write_json, write_whole
from .recurrent import Recurrent
from .tasks import Task

HEADER = "sylvan"
MAX_JSON_BYTES = 1 << 20
RESULTS = (
    METRICS_FILE,
    CURVES_FILE,
    WIDTHS_FILE,
    PAGE_FILE,
    f"{PROGRAM_FOLDER}/program.json",
    f"{PROGRAM_FOLDER}/weights.npz",
)


def sides(task: Task) -> dict[str, Any]:
    """What a task asks of a network: its inputs, its outputs and when it is read."""
    return {
        "inputs": task.inputs,
        "outputs": task.outputs,
        "symbols": task.symbols,
        "read": task.read,
        "silent": task.silent,
    }


def check_sides(where: object, layer: Recurrent, task: Task) -> None:
    """Raises UserError naming `where` unless the layer takes and answers what the task asks for."""
    for name, wanted in sides(task).items():
        # Silence is trained in, if at all: it says nothing of what fits.
        if name != "silent" and getattr(layer, name) != wanted:
            raise UserError(
                f"{where} does not fit the task {task.name}: its {name} is {getattr(layer, name)}, "
                f"the task's is {wanted}"
            )


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
