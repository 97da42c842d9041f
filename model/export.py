"""From a trained run to an integer program: calibrate, quantize, score both, write."""

import importlib
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .arrays import Array
from .builder import Builder
from .census import additions_per_step, readout_additions, storage_bits
from .checkpoint import check_sides, load_checkpoint
from .config import METRICS_FILE, PROGRAM_FOLDER, Config
from .errors import UserError
from .evaluate import evaluate
from .files import parse_json, write_json
from .interpret import run
from .program import NumericInput, Program
from .recurrent import Recurrent
from .scoring import evaluate_float
from .stacked import Stacked
from .storage import save
from .tasks import Score, Task, load_task

CALIBRATED = 1 << 24
"""Values handed on to a layer that its ranges are chosen on, at most."""


@dataclass(frozen=True)
class Trained:
    """A run that was loaded: its layer, its config, and the task it is calibrated and scored on."""

    folder: Path
    layer: Recurrent
    config: Config
    task: Task


@dataclass(frozen=True)
class Export:
    """A program, where it was written, and test scores of the float model and of the program."""

    program: Program
    folder: Path
    score_name: str
    float_score: Score
    integer_score: Score


def load_trained(run: Path, data: Path | None = None, task: str | None = None) -> Trained:
    """The run in the folder `run`, on its own task or the one named.

    Raises UserError for a run that cannot be loaded, and data that cannot be had.
    """
    layer, config = load_checkpoint(run)
    options = config.task_options if task in (None, config.task) else {}
    found = load_task(task or config.task, data=data, **options)
    check_sides(run, layer, found)
    return Trained(run, layer, config, found)


def quantized(trained: Trained, state_bits: int, *, argmax: bool = False) -> Program:
    """The integer program; the state's range is calibrated on the training split.

    Raises UserError if the family has no integer form, or refuses the weights or the state bits.
    """
    config, task = trained.config, trained.task
    room = f"sylvan.model.cells.{config.cell}"
    family = importlib.import_module(f"{room}.layer")
    if not hasattr(family, "integer_parameters"):
        raise UserError(
            f"{trained.folder} cannot be exported: the cell {config.cell} is a full-precision "
            "reference, which has no integer program"
        )
    step = importlib.import_module(f"{room}.step")
    try:
        *below, parameters = _parameters(family, step, trained, state_bits, argmax)
    except ValueError as error:
        raise UserError(f"{trained.folder} cannot be exported: {error}") from None
    metadata = {
        "task": task.name,
        "task_options": task.options,
        "cell": config.cell,
        "layers": config.layers,
        "seed": config.seed,
        "state_bits": state_bits,
    }
    # A family that is not stacked need not know that others are.
    program: Program = step.program(parameters, metadata, **({"below": below} if below else {}))
    return program


def _parameters(family: Any, step: Any, trained: Trained, state_bits: int, argmax: bool) -> Any:
    """The integers of each layer, the lowest first.

    What is above is calibrated on what those below hand on as integers, and takes up its unit.
    """
    layer, task = trained.layer, trained.task
    source, raw = task.input, task.calibration
    found: list[Any] = []
    for one in layer.each if isinstance(layer, Stacked) else [layer]:
        if found:
            source, raw = _handed_on(step, found, task.calibration)
            if (unit := found[-1].state_unit) != 1:
                one = deepcopy(one)
                one.scale_inputs(unit)
        found.append(family.integer_parameters(one, source, raw, state_bits, argmax))
    return found


def _handed_on(step: Any, below: list[Any], raw: Array) -> tuple[NumericInput, Array]:
    """What the layers `below` hand on for raw inputs: the input of the one above, and its values.

    Of as many sequences, and timesteps of them, as `CALIBRATED` allows.
    """
    if not hasattr(step, "hand_on"):
        raise ValueError("the family has no integers for layers below others (step.hand_on)")
    b = Builder(below[0].input)
    for parameters in below:
        value = step.hand_on(b, parameters)
    length = min(raw.shape[1], CALIBRATED // value.size)
    count = max(1, CALIBRATED // (length * value.size))
    unit, none = (below[-1].state_unit,) * value.size, (0.0,) * value.size
    source = NumericInput(value.size, value.format, unit, none)
    return source, run(b.program(value, "every"), raw[:count, :length])


def export(
    run: Path,
    state_bits: int,
    out: Path | None = None,
    *,
    argmax: bool = False,
    data: Path | None = None,
    task: str | None = None,
) -> Export:
    """Write the integer program of a trained run, by default into its folder `program`.

    The state's range is calibrated on the training split; the test split scores the result, which
    `metrics.json` keeps under `integer`, with the program's storage and additions.

    Args:
        run: what `train` wrote. state_bits: width of the state. argmax: answer the index of the
        largest output instead of the outputs. data: folder of the data sets. task: to calibrate
        and score on, that of the run by default.

    Raises:
        UserError: for a run that cannot be loaded, or state bits that its family refuses.
    """
    trained = load_trained(run, data, task)
    program = quantized(trained, state_bits, argmax=argmax)
    integer = evaluate(program, trained.task, trained.task.test)
    floating = evaluate_float(trained.layer, trained.task, trained.task.test)
    program.metadata.update(score_name=trained.task.score_name, score=integer.score)
    folder = save(program, out or run / PROGRAM_FOLDER)
    record(trained, state_bits, program, integer)
    return Export(program, folder, trained.task.score_name, floating, integer)


def record(trained: Trained, state_bits: int, program: Program, score: Score) -> None:
    """Add the program's score and size to the run's metrics, if it has any on this task."""
    path = trained.folder / METRICS_FILE
    if not path.is_file() or trained.task.name != trained.config.task:
        return
    try:
        metrics: dict[str, Any] = parse_json(path.read_text())
        metrics["integer"][str(state_bits)] = {
            "score": score.score,
            "loss": score.loss if score.loss == score.loss else None,
            "storage_bits": storage_bits(program),
            "additions_per_step": additions_per_step(program),
            "readout_additions": readout_additions(program),
        }
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path} is no metrics file: {error!r}") from None
    write_json(path, metrics)
