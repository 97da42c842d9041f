"""What one training step sees: which sequences, or which stretch of which streams.

Everything random here comes from the seed, the epoch and the step alone, so that a run that was
interrupted anywhere goes on as if it never had been.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

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

    What a sensor sends stays raw, as small as the task gives it; a batch is turned into values.

    Parameters: splits, of which a stream task has one; batch, sequences or streams per step.
    Attributes: per_epoch, steps of an epoch.
    """

    def __init__(self, task: Task, splits: list[Split], batch: int, seed: int, device: str) -> None:
        self.task, self.batch, self.seed, self.device = task, batch, seed, device
        inputs, targets = ([getattr(s, name) for s in splits] for name in ("inputs", "targets"))
        self.inputs = inputs[0] if len(inputs) == 1 else np.concatenate(inputs)
        self.targets = targets[0] if len(targets) == 1 else np.concatenate(targets)
        if task.window:
            self._cut_streams()
        length = self.inputs.shape[1]
        self.per_epoch = length // task.window if task.window else -(-len(self.inputs) // batch)

    def _cut_streams(self) -> None:
        """One long sequence as `batch` rows that lie side by side."""
        length = self.inputs.size // self.batch
        if length < self.task.window:
            raise UserError(
                f"{self.batch} streams of {self.inputs.size} timesteps are shorter than a window "
                f"of {self.task.window}: use a smaller batch"
            )
        whole = self.batch * length
        self.inputs = self.inputs.reshape(-1)[:whole].reshape(self.batch, length)
        self.targets = self.targets.reshape(-1)[:whole].reshape(self.batch, length)

    def epoch(self, number: int, first: int) -> Iterator[Batch]:
        """The batches of an epoch from its step `first` on, counted from 0."""
        order = np.random.default_rng([self.seed, number]).permutation(len(self.inputs))
        for step in range(first, self.per_epoch):
            if window := self.task.window:
                part: Any = (slice(None), slice(step * window, (step + 1) * window))
                yield self._batch(part, fresh=step == 0)
            else:
                yield self._batch(order[step * self.batch : (step + 1) * self.batch], fresh=True)

    def _batch(self, part: Any, fresh: bool) -> Batch:
        number = np.float32 if self.task.answers == "number" else np.int64
        x = torch.from_numpy(self.task.values(self.inputs[part])).to(self.device)
        targets = torch.from_numpy(self.targets[part].astype(number)).to(self.device)
        return Batch(x, targets, fresh)
