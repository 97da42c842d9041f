"""A training run on its way: what has been seen of it, and a file from which it goes on.

`training.safetensors` lies in the folder of a run that is not finished. It holds everything that
the next step depends on, so that a run that goes on is, to the bit, one that never stopped.
"""

import contextlib
import dataclasses
import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn
from torch.optim import Optimizer

from .checkpoint import HEADER, load_checkpoint
from .config import TRAINING_FILE, VERSION, Config
from .errors import UserError
from .files import write_whole
from .recurrent import State
from .tasks import Score


@dataclass(frozen=True)
class Epoch:
    """What `progress` is told after each epoch; `best`: no earlier one scored higher."""

    number: int
    epochs: int
    loss: float
    validation: Score
    seconds: float
    best: bool


@dataclass
class History:
    """Where a run stands, apart from its weights.

    Attributes: epochs, the finished ones; losses, of the steps since; seconds, spent so far;
    state, carried from the step before where the task is a stream.
    """

    epochs: list[Epoch] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    seconds: float = 0.0
    state: State = ()

    @property
    def kept(self) -> Epoch | None:
        """The epoch whose weights are in the checkpoint."""
        return next((epoch for epoch in reversed(self.epochs) if epoch.best), None)


def save_training(
    folder: Path, config: Config, layer: nn.Module, optimizer: Optimizer, history: History
) -> None:
    """Write the file from which `load_training` goes on, whole or not at all."""
    tensors = {f"layer.{name}": tensor for name, tensor in layer.state_dict().items()}
    for index, moments in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{name}": value for name, value in moments.items()}
    tensors |= {f"state.{k}": tensor for k, tensor in enumerate(history.state)}
    plain = {name: t.detach().cpu().contiguous().clone() for name, t in tensors.items()}
    tree = {
        "version": VERSION,
        "config": config.tree(),
        "epochs": [dataclasses.asdict(epoch) for epoch in history.epochs],
        "losses": history.losses,
        "seconds": history.seconds,
    }
    write_whole(folder / TRAINING_FILE, save(plain, {HEADER: json.dumps(tree)}))


def unfinished(folder: Path) -> tuple[Config, int]:
    """The config of the interrupted run in `folder`, and how many epochs it has finished.

    Raises UserError if there is none.
    """
    config, tree, _ = _read(folder)
    epochs = tree.get("epochs")
    return config, len(epochs) if isinstance(epochs, list) else 0


def load_training(folder: Path, config: Config, layer: nn.Module, optimizer: Optimizer) -> History:
    """Put the weights and moments of an interrupted run in place; returns where it stands.

    Raises UserError if there is no such run, it has another config, or its file is damaged.
    """
    found, tree, tensors = _read(folder)
    path = folder / TRAINING_FILE
    if found != config:
        raise UserError(f"{path} is of a run with another config")
    device = next(layer.parameters()).device

    def group(name: str) -> dict[str, Tensor]:
        start = f"{name}."
        return {k[len(start) :]: t for k, t in tensors.items() if k.startswith(start)}

    moments: dict[int, dict[str, Tensor]] = {}
    try:
        for name, tensor in group("optimizer").items():
            index, _, key = name.partition(".")
            moments.setdefault(int(index), {})[key] = tensor
        _check_moments(moments, optimizer)
        layer.load_state_dict(group("layer"))
        optimizer.load_state_dict(optimizer.state_dict() | {"state": moments})
        epochs = [
            Epoch(**epoch | {"validation": Score(**epoch["validation"])})
            for epoch in tree["epochs"]
        ]
        states = group("state")
        state = tuple(states[str(k)].to(device) for k in range(len(states)))
        losses = [float(x) for x in tree["losses"]]
        history = History(epochs, losses, float(tree["seconds"]), state)
        figures = [*losses, history.seconds, *(e.validation.score for e in epochs)]
        if not all(map(math.isfinite, figures)) or [e.number for e in epochs] != list(
            range(1, len(epochs) + 1)
        ):
            raise ValueError("its story is no story of a training")
        if (history.kept is None) != (not epochs):
            raise ValueError("it kept no epoch")
    except (KeyError, ValueError, TypeError, RuntimeError, AttributeError) as error:
        said = (str(error).splitlines() or [repr(error)])[0]
        raise UserError(f"{path} cannot be continued: {said}") from None
    if epochs and load_checkpoint(folder)[1] != config:
        raise UserError(
            f"{folder}: the checkpoint is of a run with another config than {path.name}"
        )
    return history


def _check_moments(moments: dict[int, dict[str, Tensor]], optimizer: Optimizer) -> None:
    """Raises ValueError unless these are moments of the optimizer's parameters."""
    trained = [p for group in optimizer.param_groups for p in group["params"]]
    names = {tuple(sorted(named)) for named in moments.values()}
    if set(moments) != set(range(len(trained))) or len(names) > len(optimizer.param_groups):
        raise ValueError("its moments are not those of the parameters")
    for index, named in moments.items():
        for name, tensor in named.items():
            fits = tensor.numel() == 1 or tensor.shape == trained[index].shape
            if not fits or not tensor.isfinite().all():
                raise ValueError(f"{name} of parameter {index} is no moment of it")


def forget_training(folder: Path) -> None:
    """Remove the file of a run that has ended."""
    with contextlib.suppress(FileNotFoundError):
        (folder / TRAINING_FILE).unlink()


def _read(folder: Path) -> tuple[Config, dict[str, Any], dict[str, Tensor]]:
    path = folder / TRAINING_FILE
    if not path.is_file():
        raise UserError(
            f"{folder} has no interrupted training to go on with: {path.name} is missing there"
        )
    try:
        with safe_open(path, framework="pt") as file:
            tree = json.loads((file.metadata() or {})[HEADER])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        return Config.from_tree(tree["config"], path), tree, tensors
    except (OSError, SafetensorError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise UserError(f"{path} cannot be read, it may be cut short: {error}") from None
