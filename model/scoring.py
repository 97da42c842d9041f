"""What the answers of a float network are worth, in training and on a split.

Integer programs are scored in `evaluate`.
"""

import torch
from torch import Tensor
from torch.nn import functional

from .arrays import Array
from .batches import Batch
from .config import Config
from .loss import cross_entropy
from .recurrent import Recurrent, State
from .tasks import Score, Split, Task

EVALUATION_ELEMENTS = 1 << 25
"""States that are evaluated at a time: a bound on the memory of long sequences."""
TEMPERATURES = [2.0**k for k in range(-2, 7)]


def loss_of(
    layer: Recurrent, batch: Batch, state: State, task: Task, config: Config
) -> tuple[Tensor, State]:
    """Loss of a batch's answers, and the state that a stream goes on from.

    Mean square error, or cross-entropy: the mean over sequences, and over timesteps as the task
    weighs them.
    """
    x, targets = batch.x, batch.targets
    if task.window:
        logits, state = layer.follow(x, state or layer.begin(len(x)))
        state = tuple(tensor.detach() for tensor in state)
    else:
        logits = layer(x)
    if task.answers == "number":
        return functional.mse_loss(logits[..., 0], targets), state
    weights = None
    if task.timestep_weights is not None:
        weights = torch.from_numpy(task.timestep_weights / len(targets))
    return cross_entropy(logits, targets, config.smoothing, weights), state


def evaluate_float(layer: Recurrent, task: Task, split: Split, device: str = "cpu") -> Score:
    """The float model's score and loss on a split."""
    layer.eval()
    count, length = split.inputs.shape[:2]

    def values(raw: Array) -> Tensor:
        return torch.from_numpy(task.values(raw)).to(device)

    answers = []
    with torch.no_grad():
        if task.window:
            state, part = layer.begin(count), max(1, EVALUATION_ELEMENTS // (count * layer.hidden))
            for t in range(0, length, part):
                logits, state = layer.follow(values(split.inputs[:, t : t + part]), state)
                answers.append(logits.cpu())
        else:
            part = max(1, EVALUATION_ELEMENTS // (length * layer.hidden))
            for i in range(0, count, part):
                answers.append(layer(values(split.inputs[i : i + part])).cpu())
    whole = torch.cat(answers, 1 if task.window else 0)
    return task.score(whole.numpy(), split.targets)


def temperature(layer: Recurrent, task: Task, device: str) -> float:
    """The power of two by which the answers lose least on the validation split."""
    losses = {}
    for factor in TEMPERATURES:
        layer.scale_answers(factor)
        losses[factor] = evaluate_float(layer, task, task.validation, device).loss
        layer.scale_answers(1 / factor)
    return min(losses, key=lambda factor: losses[factor])
