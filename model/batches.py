"""What one training step sees: which sequences, or which stretch of which streams.

Everything random here comes from the seed, the epoch and the step alone, so that a run that was
interrupted anywhere goes on as if it never had been.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .errors import UserError
from .tasks import Split, Task


@dataclass(frozen=True)
class Batch:
    """Sequences (batch, T, ...) with their targets.

    fresh: whether the state starts anew; False continues the streams of the batch before.
    """

    x: Tensor
    targets: Tensor
    fresh: bool = True


class Batches:
    """The training splits of a task, cut into batches.

    Parameters: splits, of which a stream task has one; batch, sequences or streams per step.
    Attributes: per_epoch, steps of an epoch.
    """

    def __init__(self, task: Task, splits: list[Split], batch: int, seed: int, device: str) -> None:
        inputs = [task.values(split.inputs) for split in splits]
        targets = [split.targets for split in splits]
        if task.window:
            inputs = [np.concatenate([x.reshape(-1) for x in inputs])]
            targets = [np.concatenate([y.reshape(-1) for y in targets])]
            length = len(inputs[0]) // batch
            if length < task.window:
                raise UserError(
                    f"{batch} streams of {len(inputs[0])} timesteps are shorter than a window of "
                    f"{task.window}: use a smaller batch"
                )
            inputs, targets = (
                [a[0][: batch * length].reshape(batch, length)] for a in (inputs, targets)
            )
        number = np.float32 if task.answers == "number" else np.int64
        self.task, self.batch, self.seed = task, batch, seed
        self.x = torch.from_numpy(np.concatenate(inputs)).to(device)
        self.targets = torch.from_numpy(np.concatenate(targets).astype(number)).to(device)
        self.per_epoch = (
            self.x.shape[1] // task.window if task.window else math.ceil(len(self.x) / batch)
        )

    def epoch(self, number: int, first: int) -> Iterator[Batch]:
        """The batches of an epoch from its step `first` on, counted from 0."""
        if self.task.window:
            yield from self._streams(first)
            return
        drawn = np.random.default_rng([self.seed, number]).permutation(len(self.x))
        order = torch.from_numpy(drawn).to(self.x.device)
        for step in range(first, self.per_epoch):
            chosen = order[step * self.batch : (step + 1) * self.batch]
            yield Batch(self.x[chosen], self.targets[chosen])

    def _streams(self, first: int) -> Iterator[Batch]:
        window = self.task.window
        for step in range(first, self.per_epoch):
            part = slice(step * window, (step + 1) * window)
            yield Batch(self.x[:, part], self.targets[:, part], fresh=step == 0)
