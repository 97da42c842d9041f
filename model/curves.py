"""The story of a training run as a picture: what was minimised, and what it was judged by."""

import io
from collections.abc import Sequence

from .history import Epoch
from .tasks import Task


def curves(history: Sequence[Epoch], task: Task, refit: bool) -> bytes:
    """Training and validation loss, and the validation score with the kept epoch, as PNG.

    With `refit` it is said that validation data were trained on.
    """
    from matplotlib.figure import Figure

    name = "validation (trained on)" if refit else "validation"
    numbers = [epoch.number for epoch in history]
    kept = [epoch for epoch in history if epoch.best][-1]
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    losses, scores = figure.subplots(1, 2)
    # Smoothed labels and weights by timestep: the training loss has another level than the other.
    losses.semilogy(numbers, [epoch.loss for epoch in history], label="training (as minimised)")
    losses.semilogy(numbers, [epoch.validation.loss for epoch in history], label=name)
    kinds = {"class": "cross-entropy (nats)", "number": "mean square error"}
    losses.set_ylabel(kinds[task.answers])
    losses.legend()
    scores.plot(numbers, [epoch.validation.score for epoch in history], color="C1")
    settled = [epoch.validation.score for epoch in history[len(history) // 10 :]]
    margin = 0.1 * (max(settled) - min(settled)) + 0.01 * max(*settled, 1)
    scores.set_ylim(max(0.0, min(settled) - margin), max(settled) + margin)
    label = f"kept: {kept.validation}"
    scores.plot(kept.number, kept.validation.score, "o", color="C1", label=label)
    scores.legend(loc="upper right" if task.lower_is_better else "lower right")
    unit = kept.validation.unit
    scores.set_ylabel(f"{name} {task.score_name}" + (f" ({unit})" if unit else ""))
    for axes in (losses, scores):
        axes.set_xlabel("epoch")
        axes.grid(alpha=0.3)
    image = io.BytesIO()
    figure.savefig(image, format="png", dpi=110)
    return image.getvalue()
