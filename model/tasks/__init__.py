"""Tasks, one file each: data, splits and score. `load_task` finds them by name.

A task delivers raw integers, exactly what a sensor sends and what golden and the hardware take;
`values` gives the float meaning that training uses. numpy only: scoring a program needs no torch.
Test splits are looked at by no training and no choice. A file has `load(**options)`, and where the
data come from a folder `DATA_SET`; `load` then takes that folder as `data`.
"""

import importlib
import inspect
import math
import pkgutil
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from ..arrays import Array
from ..data import DataSet
from ..errors import UserError, nearest
from ..kinds import check_kind
from ..program import NumericInput, SymbolInput

CALIBRATED = 1 << 22
"""Timesteps of training data that are enough to know the ranges of a network's values."""
SCORED_AT_A_TIME = 1 << 18
"""Answers of which a score keeps float64 copies: a bound on the memory of long sequences."""


@dataclass(frozen=True, eq=False)
class Split:
    """Sequences and what to answer to them.

    Attributes:
        inputs: raw integers (sequences, T, size), or symbols (sequences, T).
        targets: class (or number) per sequence, or (sequences, T) where the task reads every step.
    """

    inputs: Array
    targets: Array


@dataclass(frozen=True)
class Score:
    """`score` under the task's `score_name`; `loss` as training minimises it."""

    score: float
    loss: float
    unit: str = "%"

    def __str__(self) -> str:
        return f"{self.score:.2f} %" if self.unit == "%" else f"{self.score:.4g}"


@dataclass(frozen=True, eq=False)
class Task:
    """What is read, what is answered, and how well.

    Attributes:
        name, options: what `load_task` was called with.
        input: numeric vector (format, scale and offset) or symbols, as the program declares it.
        outputs: number of classes.
        read: "last" or "every".
        score_name: "accuracy", or what a subclass scores.
        silent: the symbol that stands for nothing, if there is one.
        window: 0 where sequences stand for themselves. Else a split is one long sequence cut into a
            few rows, each a stream of its own: training walks along it in windows of so many
            timesteps, through which gradients flow, and carries the state from one to the next.
        vocabulary: what the symbols stand for, in their order, where they stand for text.
        train, validation, test: disjoint; choices are made on the first two only.
    Class attributes:
        answers: "class", one of `outputs`, or "number", the targets being real values.
        answers_index: whether the index of the largest output says enough to be scored.
        lower_is_better: so is the score.
    """

    answers: ClassVar[str] = "class"
    answers_index: ClassVar[bool] = True
    lower_is_better: ClassVar[bool] = False

    name: str
    input: NumericInput | SymbolInput
    outputs: int
    read: str
    train: Split
    validation: Split
    test: Split
    score_name: str = "accuracy"
    silent: int | None = None
    window: int = 0
    vocabulary: tuple[str, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def symbols(self) -> bool:
        """Whether the input is a symbol per timestep."""
        return isinstance(self.input, SymbolInput)

    @property
    def inputs(self) -> int:
        """Elements of a numeric input, or the number of symbols."""
        return self.input.symbols if isinstance(self.input, SymbolInput) else self.input.size

    @property
    def calibration(self) -> Array:
        """Raw training inputs, as many as are enough to measure ranges.

        Streams are as long as those that are scored: a state may grow for as long as it runs.
        """
        raw = self.train.inputs
        if self.window:
            length = min(raw.size, self.validation.inputs.shape[1])
            raw = raw[0, : raw.size // length * length].reshape(-1, length)
        return raw[: max(1, CALIBRATED // raw.shape[1])]

    def values(self, raw: Array) -> Array:
        """Raw numbers as the float32 values they stand for; symbols as int64."""
        if isinstance(self.input, SymbolInput):
            return raw.astype(np.int64)
        return np.ldexp(raw.astype(np.float32), self.input.format.exp)

    def score(self, logits: npt.ArrayLike, targets: Array) -> Score:
        """Score of real-valued `logits` (..., outputs) against `targets` (...)."""
        logits = np.asarray(logits)
        return Score(self.hits(logits.argmax(-1), targets), cross_entropy(logits, targets))

    def hits(self, answers: Array, targets: Array) -> float:
        """Percent of right answers."""
        return float(100 * (answers == targets).mean())

    @property
    def timestep_weights(self) -> Array | None:
        """Share of each timestep in the training loss of a task read on every step; None: equal."""
        return None


@dataclass(frozen=True, eq=False)
class Text(Task):
    """A language model's task: the next symbol, scored in bits per character, read every step."""

    answers_index = False
    lower_is_better = True

    def score(self, logits: npt.ArrayLike, targets: Array) -> Score:
        loss = cross_entropy(logits, targets)
        return Score(loss / math.log(2), loss, unit="")


@dataclass(frozen=True, eq=False)
class Number(Task):
    """A task whose answer is a real number: the loss is the mean square of the error.

    Scored by the percent of answers that are off by less than `tolerance`.
    """

    answers = "number"
    answers_index = False
    tolerance: float = 0.04

    def score(self, logits: npt.ArrayLike, targets: Array) -> Score:
        error = np.asarray(logits, np.float64)[..., 0] - targets
        return Score(float(100 * (abs(error) < self.tolerance).mean()), float((error**2).mean()))


def cross_entropy(logits: npt.ArrayLike, targets: Array) -> float:
    """Mean of `-log softmax(logits)[target]`, in nats."""
    logits = np.asarray(logits)
    rows, right = logits.reshape(-1, logits.shape[-1]), np.asarray(targets, np.int64).reshape(-1, 1)
    total = 0.0
    for start in range(0, len(rows), SCORED_AT_A_TIME):
        part = slice(start, start + SCORED_AT_A_TIME)
        shifted = rows[part].astype(np.float64)
        shifted -= shifted.max(-1, keepdims=True)
        wanted = np.take_along_axis(shifted, right[part], -1)[:, 0]
        total += float((np.log(np.exp(shifted).sum(-1)) - wanted).sum())
    return total / len(rows)


def check_option(task: str, name: str, value: int, least: int, most: int) -> None:
    """Raise UserError unless `value` lies in least..most."""
    if not least <= value <= most:
        raise UserError(f"task {task} needs {name} in {least}..{most}, got {value}")


def task_names() -> list[str]:
    """Every task that has a file in this folder."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def load_task(name: str, /, data: Path | None = None, **options: Any) -> Task:
    """The task of the file `name`, made by its `load(**options)`.

    Args:
        data: folder that holds data sets, one subfolder each, for tasks that read one.

    Raises:
        UserError: for an unknown name or option (with the nearest known one), an option of the
            wrong kind, or data that cannot be had.
    """
    load, known = _task(name).load, task_options(name)
    for option, value in options.items():
        if option not in known:
            hint = nearest(option, known)
            raise UserError(f"task {name} has no option {option!r}{hint}; known: {list(known)}")
        check_kind(f"task {name}: {option}", value, known[option].annotation)
    task: Task = load(**options) if data_set(name) is None else load(data=data, **options)
    return task


def task_options(name: str) -> dict[str, inspect.Parameter]:
    """What the task's `load` may be told. Raises UserError for an unknown name."""
    told = dict(inspect.signature(_task(name).load).parameters)
    told.pop("data", None)
    return told


def data_set(name: str) -> DataSet | None:
    """What the task reads from the folder of data sets, if it needs one.

    Raises UserError for an unknown name.
    """
    return getattr(_task(name), "DATA_SET", None)


def _task(name: str) -> ModuleType:
    names = task_names()
    if not name:
        raise UserError(f"no task is named: say which with --task; known: {names}")
    if name not in names:
        raise UserError(f"there is no task {name!r}{nearest(name, names)}; known: {names}")
    return importlib.import_module(f".{name}", __package__)
