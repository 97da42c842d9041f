"""Tasks, one file each: data, splits and score. `load_task` finds them by name.

A task delivers raw integers, exactly what a sensor sends and what golden and the hardware take;
`values` gives the float meaning that training uses. numpy only: scoring a program needs no torch.
"""

import difflib
import importlib
import inspect
import pkgutil
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from ..arrays import Array
from ..errors import UserError
from ..program import NumericInput, SymbolInput


@dataclass(frozen=True, eq=False)
class Split:
    """Sequences and what to answer to them.

    Attributes:
        inputs: raw integers (sequences, T, size), or symbols (sequences, T).
        targets: class per sequence, or (sequences, T) where the task reads every step.
    """

    inputs: Array
    targets: Array


@dataclass(frozen=True)
class Score:
    """`score` in percent, higher is better, under the task's `score_name`; `loss` in nats."""

    score: float
    loss: float


@dataclass(frozen=True)
class Window:
    """Timesteps `start..stop-1` to answer in training, and the weight of their mean loss."""

    start: int
    stop: int
    weight: float = 1.0


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
        train, validation, test: disjoint; choices are made on the first two only.
    """

    name: str
    input: NumericInput | SymbolInput
    outputs: int
    read: str
    train: Split
    validation: Split
    test: Split
    score_name: str = "accuracy"
    silent: int | None = None
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def symbols(self) -> bool:
        """Whether the input is a symbol per timestep."""
        return isinstance(self.input, SymbolInput)

    @property
    def inputs(self) -> int:
        """Elements of a numeric input, or the number of symbols."""
        return self.input.symbols if isinstance(self.input, SymbolInput) else self.input.size

    def values(self, raw: Array) -> Array:
        """Raw numbers as the float32 values they stand for; symbols as int64."""
        if isinstance(self.input, SymbolInput):
            return raw.astype(np.int64)
        return np.ldexp(raw.astype(np.float32), self.input.format.exp)

    def score(self, logits: npt.ArrayLike, targets: Array) -> Score:
        """Score of real-valued `logits` (..., outputs) against `targets` (...)."""
        logits = np.asarray(logits, np.float64)
        return Score(self.hits(logits.argmax(-1), targets), cross_entropy(logits, targets))

    def hits(self, answers: Array, targets: Array) -> float:
        """Percent of right answers."""
        return float(100 * (answers == targets).mean())

    def windows(self, random: np.random.Generator) -> list[Window]:
        """For a task read on every step: the timesteps whose loss a training batch sums."""
        return [Window(0, self.train.inputs.shape[1])]


def cross_entropy(logits: Array, targets: Array) -> float:
    """Mean of `-log softmax(logits)[target]`, in nats."""
    shifted = logits - logits.max(-1, keepdims=True)
    right = np.take_along_axis(shifted, np.asarray(targets, np.int64)[..., None], -1)[..., 0]
    return float((np.log(np.exp(shifted).sum(-1)) - right).mean())


def task_names() -> list[str]:
    """Every task that has a file in this folder."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def load_task(name: str, /, **options: Any) -> Task:
    """The task of the file `name`, made by its `load(**options)`.

    Raises:
        UserError: for an unknown name or option (with the nearest known one), an option of the
            wrong kind, or data that cannot be had.
    """
    names = task_names()
    if name not in names:
        raise UserError(f"there is no task {name!r}{nearest(name, names)}; known: {names}")
    load = importlib.import_module(f".{name}", __package__).load
    known = inspect.signature(load).parameters
    for option, value in options.items():
        if option not in known:
            hint = nearest(option, known)
            raise UserError(f"task {name} has no option {option!r}{hint}; known: {list(known)}")
        wanted = type(known[option].default)
        if type(value) is not wanted:
            raise UserError(f"option {option} of task {name} is {wanted.__name__}, got {value!r}")
    task: Task = load(**options)
    return task


def nearest(name: str, names: Any) -> str:
    """`, did you mean '...'?` for a message, or nothing where no name is near."""
    near = difflib.get_close_matches(name, list(names), 1)
    return f", did you mean {near[0]!r}?" if near else ""
