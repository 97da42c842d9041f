"""Training, top to bottom: a config in, a folder with a checkpoint and its story out.

A run's folder holds `config.json` and `checkpoint.safetensors` (the best epoch on validation until
then), at the end `metrics.json` and `curves.png`. Each is written whole or not at all, so a run
that is killed leaves a checkpoint that loads.
"""

import contextlib
import io
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from .checkpoint import (
    PRESETS,
    Config,
    build_layer,
    load_checkpoint,
    preset,
    save_checkpoint,
    sides,
)
from .errors import UserError
from .files import write_json, write_whole
from .tasks import Score, Split, Task, Window, load_task

__all__ = ["PRESETS", "Config", "Epoch", "evaluate", "load_checkpoint", "preset", "train"]

METRICS_FILE, CURVES_FILE = "metrics.json", "curves.png"
WARM_UP = 0.05
"""Fraction of the steps in which the rate rises from 0; then it falls as half a cosine."""
EVALUATION_BATCH = 500


@dataclass(frozen=True)
class Epoch:
    """What `progress` is told after each epoch; `best`: no earlier one scored higher."""

    number: int
    epochs: int
    loss: float
    validation: Score
    seconds: float
    best: bool


def train(
    config: Config,
    out: Path,
    progress: Callable[[Epoch], None] | None = None,
    device: str = "cpu",
) -> dict[str, Any]:
    """Train as `config` says into the folder `out`; one config gives one set of weights.

    The epoch of the best validation score is kept (the latest of equals); the test split is looked
    at once, at the end.

    Returns:
        What `metrics.json` holds: task, cell, seed, score_name, score and loss (test),
        seconds_training, integer (empty until export), validation_score, best_epoch.

    Raises:
        UserError: for a config that no layer or task fits, and when the loss stops being finite;
            the checkpoint of the best epoch until then stays.
    """
    task = load_task(config.task, **config.task_options)
    layer = build_layer(config, sides(task))
    try:
        layer.to(device)
    except (RuntimeError, AssertionError) as error:
        said = str(error).splitlines()[0]
        raise UserError(f"torch cannot compute on the device {device!r}: {said}") from None
    out.mkdir(parents=True, exist_ok=True)
    start = time.perf_counter()
    history: list[Epoch] = []
    with _one_thread():
        for epoch in _epochs(config, task, layer, out, device):
            history.append(epoch)
            if progress is not None:
                progress(epoch)
        seconds = time.perf_counter() - start
        best, _ = load_checkpoint(out)
        test = evaluate(best.to(device), task, task.test, device)
    kept = [epoch for epoch in history if epoch.best][-1]
    metrics = {
        "task": task.name,
        "cell": config.cell,
        "seed": config.seed,
        "score_name": task.score_name,
        "score": test.score,
        "loss": test.loss,
        "seconds_training": round(seconds, 2),
        "integer": {},
        "validation_score": kept.validation.score,
        "best_epoch": kept.number,
    }
    write_whole(out / CURVES_FILE, _curves(history, task))
    write_json(out / METRICS_FILE, metrics)
    return metrics


def evaluate(layer: nn.Module, task: Task, split: Split, device: str = "cpu") -> Score:
    """The float model's score and loss on a split."""
    values = torch.from_numpy(task.values(split.inputs))
    with torch.no_grad():
        logits = [layer(part.to(device)).cpu() for part in values.split(EVALUATION_BATCH)]
    return task.score(torch.cat(logits).numpy(), split.targets)


def _epochs(
    config: Config, task: Task, layer: nn.Module, out: Path, device: str
) -> Iterator[Epoch]:
    values = torch.from_numpy(task.values(task.train.inputs)).to(device)
    targets = torch.from_numpy(task.train.targets.astype(np.int64)).to(device)
    order = torch.Generator().manual_seed(config.seed)
    windows = np.random.default_rng(config.seed)
    per_epoch = math.ceil(len(values) / config.batch)
    optimizer = torch.optim.Adam(layer.parameters(), lr=config.rate)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, _rate(config.epochs * per_epoch))
    highest, kept, start = -math.inf, 0, time.perf_counter()

    def diverged(where: str) -> UserError:
        stays = f"the checkpoint of epoch {kept} stays in {out}" if kept else "nothing was written"
        return UserError(
            f"training diverged {where}: the loss is no longer finite. "
            f"Try a smaller rate than {config.rate:g}; {stays}."
        )

    for number in range(1, config.epochs + 1):
        losses: list[float] = []
        for batch in torch.randperm(len(values), generator=order).split(config.batch):
            batch = batch.to(device)
            loss = _loss(layer, values[batch], targets[batch], task.windows(windows), config)
            if not loss.isfinite():
                step = (number - 1) * per_epoch + len(losses) + 1
                raise diverged(f"at step {step} (epoch {number})")
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            losses.append(loss.item())
        validation = evaluate(layer, task, task.validation, device)
        if not math.isfinite(validation.loss):
            raise diverged(f"on the validation split after epoch {number}")
        # The latest of equals: the rate falls, so late epochs have settled.
        best = validation.score >= highest
        if best:
            if not kept:
                # What an earlier run left here describes other weights.
                for name in (METRICS_FILE, CURVES_FILE):
                    (out / name).unlink(missing_ok=True)
            save_checkpoint(out, config, sides(task), layer)
            highest, kept = validation.score, number
        seconds = time.perf_counter() - start
        yield Epoch(number, config.epochs, float(np.mean(losses)), validation, seconds, best)


def _loss(
    layer: nn.Module, x: Tensor, targets: Tensor, windows: list[Window], config: Config
) -> Tensor:
    """Mean cross-entropy: of the answers, or summed over the windows of a task read every step."""
    if targets.ndim == 1:
        return functional.cross_entropy(layer(x), targets, label_smoothing=config.smoothing)
    total = x.new_zeros((), dtype=torch.float32)
    for window in windows:
        logits = layer(x, (window.start, window.stop)).flatten(0, 1)
        wanted = targets[:, window.start : window.stop].flatten()
        loss = functional.cross_entropy(logits, wanted, label_smoothing=config.smoothing)
        total = total + window.weight * loss
    return total


def _rate(steps: int) -> Callable[[int], float]:
    warm = max(1, round(WARM_UP * steps))

    def factor(step: int) -> float:
        if step < warm:
            return (step + 1) / warm
        return 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm)))

    return factor


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    """The matrices are small: threads cost more than they give, and would change the last bits."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _curves(history: list[Epoch], task: Task) -> bytes:
    from matplotlib.figure import Figure

    numbers = [epoch.number for epoch in history]
    kept = [epoch for epoch in history if epoch.best][-1]
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    losses, scores = figure.subplots(1, 2)
    # Smoothed labels and windows weigh the training loss: its level is not that of the other.
    losses.semilogy(numbers, [epoch.loss for epoch in history], label="training (as minimised)")
    losses.semilogy(numbers, [epoch.validation.loss for epoch in history], label="validation")
    losses.set_ylabel("cross-entropy (nats)")
    losses.legend()
    scores.plot(numbers, [epoch.validation.score for epoch in history], color="C1")
    settled = min(epoch.validation.score for epoch in history[len(history) // 10 :])
    scores.set_ylim(max(0.0, settled - 2), 100.5)
    label = f"kept: {kept.validation.score:.1f} %"
    scores.plot(kept.number, kept.validation.score, "o", color="C1", label=label)
    scores.legend(loc="lower right")
    scores.set_ylabel(f"validation {task.score_name} (%)")
    for axes in (losses, scores):
        axes.set_xlabel("epoch")
        axes.grid(alpha=0.3)
    image = io.BytesIO()
    figure.savefig(image, format="png", dpi=110)
    return image.getvalue()
