"""How many bits the state needs: every width tried, the smallest one chosen on validation data.

A width is chosen by the validation split and reported by the test split, which chooses nothing.
"""

import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from .config import WIDTHS_FILE
from .errors import UserError
from .evaluate import evaluate
from .export import Trained, quantized, record
from .files import write_whole
from .scoring import evaluate_float
from .tasks import Score, Split, Task

WIDTHS = range(6, 17)
MOST_VALIDATED = 2000
"""Validation sequences that judge a width: the first so many of the split."""


@dataclass(frozen=True)
class Width:
    """Scores with a state of so many bits; `bits` is None for the float model."""

    bits: int | None
    validation: Score
    test: Score


def widths(
    trained: Trained,
    tried: Iterable[int] = WIDTHS,
    progress: Callable[[Width], None] | None = None,
) -> list[Width]:
    """Scores of the float model and of a program for every width, in that order.

    They are added to `metrics.json`, and drawn into `widths.png`, in the run's folder.

    Raises UserError for a run whose family has no integer form.
    """
    task, layer = trained.task, trained.layer
    judge = _first(task.validation, MOST_VALIDATED)
    found = [Width(None, *(evaluate_float(layer, task, split) for split in (judge, task.test)))]
    for bits in tried:
        program = quantized(trained, bits)
        scores = [evaluate(program, task, split) for split in (judge, task.test)]
        record(trained, bits, program, scores[1])
        found.append(Width(bits, *scores))
        if progress is not None:
            progress(found[-1])
    write_whole(trained.folder / WIDTHS_FILE, _picture(found, task))
    return found


def choose(found: Sequence[Width], tolerance: float, task: Task) -> int:
    """The smallest width from which on none costs more than `tolerance` of the float score.

    Raises UserError if the widest costs more, naming what it costs.
    """
    floating, *tried = found

    def cost(width: Width) -> float:
        loss = floating.validation.score - width.validation.score
        return -loss if task.lower_is_better else loss

    chosen = None
    for width in sorted(tried, key=lambda w: w.bits or 0, reverse=True):
        if not cost(width) <= tolerance:
            break
        chosen = width.bits
    if chosen is None:
        widest = max(tried, key=lambda w: w.bits or 0)
        raise UserError(
            f"even {widest.bits} bits of state cost {cost(widest):.3g} of {task.score_name} on the "
            f"validation split, more than {tolerance:g}"
        )
    return chosen


def _first(split: Split, count: int) -> Split:
    return Split(split.inputs[:count], split.targets[:count])


def _picture(found: Sequence[Width], task: Task) -> bytes:
    from matplotlib.figure import Figure

    floating, *tried = found
    bits = [width.bits for width in tried]
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    scores, losses = figure.subplots(1, 2)
    panels = [
        (scores, "score", f"test {task.score_name}" + " (%)" * (floating.test.unit == "%")),
        (losses, "loss", "test loss"),
    ]
    for axes, name, label in panels:
        axes.plot(bits, [getattr(width.test, name) for width in tried], "o-", label="integer")
        axes.axhline(getattr(floating.test, name), color="C1", ls="--", label="float")
        axes.set_xlabel("bits of the state")
        axes.set_ylabel(label)
        axes.grid(alpha=0.3)
        axes.legend()
    if min(width.test.loss for width in found) > 0:
        losses.set_yscale("log")
    image = io.BytesIO()
    figure.savefig(image, format="png", dpi=110)
    return image.getvalue()
