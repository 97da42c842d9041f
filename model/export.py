"""From a trained run to an integer program: calibrate, quantize, score both, write."""

import importlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .checkpoint import load_checkpoint
from .errors import UserError
from .evaluate import evaluate
from .files import write_json
from .program import Program
from .storage import save
from .tasks import Score, load_task
from .train import METRICS_FILE
from .train import evaluate as evaluate_float

PROGRAM_FOLDER = "program"


@dataclass(frozen=True)
class Export:
    """A program, where it was written, and test scores of the float model and of the program."""

    program: Program
    folder: Path
    score_name: str
    float_score: Score
    integer_score: Score


def export(
    run: Path,
    state_bits: int,
    out: Path | None = None,
    *,
    argmax: bool = False,
    data: Path | None = None,
) -> Export:
    """Write the integer program of a trained run, by default into its folder `program`.

    The state's range is calibrated on the training split; the test split scores the result, which
    `metrics.json` keeps under `integer`.

    Args:
        run: what `train` wrote. state_bits: width of the state. argmax: answer the index of the
        largest output instead of the outputs. data: folder of the data sets.

    Raises:
        UserError: for a run that cannot be loaded, or state bits that its family refuses.
    """
    layer, config = load_checkpoint(run)
    task = load_task(config.task, data=data, **config.task_options)
    room = f"sylvan.model.cells.{config.cell}"
    family = importlib.import_module(f"{room}.layer")
    if not hasattr(family, "integer_parameters"):
        raise UserError(
            f"{run} cannot be exported: the cell {config.cell} is a full-precision "
            "reference, which has no integer program"
        )
    try:
        parameters = family.integer_parameters(
            layer, task.input, task.train.inputs, state_bits, argmax
        )
    except ValueError as error:
        raise UserError(f"{run} cannot be exported: {error}") from None
    metadata = {
        "task": config.task,
        "task_options": config.task_options,
        "cell": config.cell,
        "seed": config.seed,
        "state_bits": state_bits,
    }
    program: Program = importlib.import_module(f"{room}.step").program(parameters, metadata)
    integer = evaluate(program, task, task.test)
    floating = evaluate_float(layer, task, task.test)
    program.metadata.update(score_name=task.score_name, score=integer.score)
    folder = save(program, out or run / PROGRAM_FOLDER)
    _record(run / METRICS_FILE, state_bits, integer)
    return Export(program, folder, task.score_name, floating, integer)


def _record(path: Path, state_bits: int, score: Score) -> None:
    """Add the integer score to the run's metrics, if it has any."""
    if not path.is_file():
        return
    try:
        metrics: dict[str, Any] = json.loads(path.read_text())
        loss = score.loss if score.loss == score.loss else None
        metrics["integer"][str(state_bits)] = {"score": score.score, "loss": loss}
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise UserError(f"{path} is no metrics file: {error!r}") from None
    write_json(path, metrics)
