"""Training, top to bottom: a config in, a folder with a checkpoint and its story out.

A run's folder holds `config.json` and `checkpoint.safetensors` (the best epoch on validation until
then), at the end `metrics.json` and `curves.png`. Each is written whole or not at all, so a run
that is killed leaves a checkpoint that loads; `training.safetensors` is what it goes on from.
"""

import math
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn.utils import clip_grad_norm_

from .batches import Batch, Batches
from .checkpoint import forget_results, load_checkpoint, save_checkpoint, sides
from .config import CURVES_FILE, METRICS_FILE, TRAINING_FILE, Config
from .curves import curves
from .errors import UserError
from .families import build_layer
from .files import write_json, write_whole
from .history import Epoch, History, forget_training, load_training, save_training
from .process import (
    full_precision,
    memory_of,
    own_random_numbers,
    stop_requests,
    sums_in_order,
    torch_device,
    torch_threads,
)
from .recurrent import Recurrent
from .scoring import evaluate_float, loss_of, temperature
from .tasks import Score, Task, load_task

WARM_UP = 0.05
"""Fraction of the steps in which the rate rises from 0; then it falls as half a cosine."""
SNAPSHOT_SECONDS = 60.0
"""A run that is killed loses no more than this."""

Progress = Callable[[Epoch], None]


def train(
    config: Config,
    out: Path,
    progress: Progress | None = None,
    device: str = "cpu",
    *,
    data: Path | None = None,
    moved: Callable[[float], None] | None = None,
    resume: bool = False,
) -> dict[str, Any]:
    """Train as `config` says into the folder `out`; one config gives one set of weights.

    The epoch of the best validation score is kept (the latest of equals); the test split is looked
    at once, at the end. Ctrl-C stops between two steps, with everything saved.

    Args:
        progress: told each epoch; moved: told the fraction done after each step.
        data: folder of the data sets. resume: go on with the interrupted run in `out`.

    Returns:
        What `metrics.json` holds: task, cell, seed, score_name, score_unit, score and loss (test),
        seconds_training, integer (empty until export), validation_score (None with `refit`),
        best_epoch.

    Raises:
        UserError: for a config that no layer or task fits, and when the loss stops being finite;
            the checkpoint of the best epoch until then stays.
    """
    if not resume and (out / TRAINING_FILE).exists():
        raise UserError(
            f"{out} holds a run that was interrupted: go on with it by --resume {out}, or take "
            f"another folder, or delete {out / TRAINING_FILE}"
        )
    task = load_task(config.task, data=data, **config.task_options)
    if config.temperature and task.answers != "class":
        raise UserError(f"a temperature scales logits: the task {task.name} answers numbers")
    place = torch_device(device)
    layer = build_layer(config, sides(task)).to(place)
    run = _Run(config, task, layer, out, device)
    if resume:
        run.history = load_training(out, config, layer, run.optimizer)
    out.mkdir(parents=True, exist_ok=True)
    with (
        memory_of(device),
        full_precision(),
        torch_threads(config.threads),
        own_random_numbers(place),
    ):
        for epoch in run.epochs(moved or (lambda _: None)):
            if progress is not None:
                progress(epoch)
        best = load_checkpoint(out)[0].to(place)
        if config.temperature:
            best.scale_answers(temperature(best, task, device))
        test = evaluate_float(best, task, task.test, device)
    kept = run.history.kept
    assert kept is not None
    metrics = {
        "task": task.name,
        "cell": config.cell,
        "seed": config.seed,
        "score_name": task.score_name,
        "score_unit": test.unit,
        "score": test.score,
        "loss": test.loss,
        "seconds_training": round(run.history.seconds, 2),
        "integer": {},
        # What was trained on judges nothing.
        "validation_score": None if config.refit else kept.validation.score,
        "best_epoch": kept.number,
    }
    picture = curves(run.history.epochs, task, config.refit)
    # From here on the run is finished: it must not go on from weights whose answers are scaled.
    forget_training(out)
    save_checkpoint(out, config, sides(task), best)
    write_whole(out / CURVES_FILE, picture)
    write_json(out / METRICS_FILE, metrics)
    return metrics


class _Run:
    """The loop over epochs and steps, and where it stands."""

    def __init__(
        self, config: Config, task: Task, layer: Recurrent, out: Path, device: str
    ) -> None:
        self.config, self.task, self.layer, self.out, self.device = config, task, layer, out, device
        splits = [task.train, task.validation] if config.refit else [task.train]
        self.batches = Batches(task, splits, config.batch, config.seed, device)
        self.optimizer = layer.optimizer(config.rate)
        self.history = History()
        self.rate = _rate(config, self.batches.per_epoch)

    def epochs(self, moved: Callable[[float], None]) -> Iterator[Epoch]:
        """Train epoch after epoch, keep the best, and tell of each."""
        config, history = self.config, self.history
        with stop_requests() as stopping:
            while not self._is_over():
                number = len(history.epochs) + 1
                self._train_epoch(number, moved, stopping)
                judge = self.task.validation
                validation = evaluate_float(self.layer, self.task, judge, self.device)
                if not math.isfinite(validation.loss):
                    raise self._diverged(f"on the validation split after epoch {number}")
                best = config.refit or self._is_best(validation)
                mean = float(np.mean(history.losses))
                seconds = round(history.seconds, 2)
                epoch = Epoch(number, config.epochs, mean, validation, seconds, best)
                if best:
                    self._keep()
                history.epochs.append(epoch)
                history.losses, history.state = [], ()
                self._save()
                yield epoch
                if stopping.is_set():
                    raise KeyboardInterrupt

    def _is_over(self) -> bool:
        done, kept, patience = len(self.history.epochs), self.history.kept, self.config.patience
        impatient = patience > 0 and kept is not None and done - kept.number >= patience
        return done >= self.config.epochs or impatient

    def _train_epoch(
        self, number: int, moved: Callable[[float], None], stopping: threading.Event
    ) -> None:
        history, per_epoch = self.history, self.batches.per_epoch
        saved = time.perf_counter()
        for batch in self.batches.epoch(number, len(history.losses)):
            start = time.perf_counter()
            done = (number - 1) * per_epoch + len(history.losses)
            loss = self._step(batch, done)
            if not math.isfinite(loss):
                raise self._diverged(f"at step {done + 1} (epoch {number})")
            history.losses.append(loss)
            now = time.perf_counter()
            history.seconds += now - start
            moved((done + 1) / (per_epoch * self.config.epochs))
            if stopping.is_set():
                self._save()
                raise KeyboardInterrupt
            if now - saved > SNAPSHOT_SECONDS:
                self._save()
                saved = now

    def _step(self, batch: Batch, done: int) -> float:
        """One step of the optimizer; what a layer draws depends on the seed and the step alone."""
        torch.manual_seed(self.config.seed * 1_000_003 + done)
        for group in self.optimizer.param_groups:
            group["lr"] = group["peak"] * self.rate(done)
        self.layer.train()
        state = () if batch.fresh else self.history.state
        loss, self.history.state = loss_of(self.layer, batch, state, self.task, self.config)
        self.optimizer.zero_grad()
        with sums_in_order(loss.device):
            loss.backward()
        if self.config.clip:
            clip_grad_norm_(self.layer.parameters(), self.config.clip)
        self.optimizer.step()
        return loss.item()

    def _is_best(self, validation: Score) -> bool:
        """The latest of equals counts: the rate falls, so late epochs have settled."""
        kept = self.history.kept
        if kept is None:
            return True
        gain = validation.score - kept.validation.score
        return (-gain if self.task.lower_is_better else gain) >= 0

    def _keep(self) -> None:
        if self.history.kept is None:
            forget_results(self.out)
        save_checkpoint(self.out, self.config, sides(self.task), self.layer)

    def _save(self) -> None:
        save_training(self.out, self.config, self.layer, self.optimizer, self.history)

    def _diverged(self, where: str) -> UserError:
        kept = self.history.kept
        forget_training(self.out)
        stays = f"the checkpoint of epoch {kept.number} stays in {self.out}" if kept else ""
        return UserError(
            f"training diverged {where}: the loss is no longer finite. "
            f"Try a smaller rate than {self.config.rate:g}; {stays or 'nothing was written'}."
        )


def _rate(config: Config, per_epoch: int) -> Callable[[int], float]:
    """Factor of the rate by step: warm-up and half a cosine, or a decay by epoch."""
    steps = config.epochs * per_epoch
    warm = max(1, round(WARM_UP * steps))

    def factor(step: int) -> float:
        if config.decay is not None:
            return config.decay ** (step // per_epoch)
        if step < warm:
            return (step + 1) / warm
        return 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm)))

    return factor
