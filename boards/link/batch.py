"""Whole sequences as timesteps that share a board's contexts, and their answers put together."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sylvan.model.arrays import Array
from sylvan.model.errors import UserError
from sylvan.model.interpret import check_inputs
from sylvan.model.program import NumericInput, Program
from sylvan.model.units import answers_index, real_answers

from .session import Answer, Timestep


@dataclass(frozen=True)
class SequenceStep(Timestep):
    """A timestep that knows which one it is, of which sequence."""

    sequence: int = 0
    place: int = 0


class Batch:
    """Sequences (batch, T, size) of raw integers, or symbols (batch, T), to be answered.

    Raises UserError for inputs that are none of the program's.
    """

    def __init__(self, program: Program, inputs: npt.ArrayLike) -> None:
        self.program = program
        self._inputs = check_inputs(program, inputs)
        if self._inputs.ndim != 3 or 0 in self._inputs.shape:
            raise UserError(
                f"inputs must be (batch, T, ...) with T >= 1, got shape {np.shape(inputs)}"
            )
        self._answers: list[list[list[int]]] = [[] for _ in self._inputs]

    def timesteps(self, contexts: int) -> Iterator[SequenceStep]:
        """All of them: as many sequences as there are contexts take turns."""
        batch, length, _ = self._inputs.shape
        for start in range(0, batch, contexts):
            group = self._inputs[start : start + contexts].tolist()
            for t in range(length):
                flags = t == 0, t == length - 1
                for context, sequence in enumerate(group):
                    yield SequenceStep(sequence[t], *flags, context, start + context, t)

    def take(self, answer: Answer) -> None:
        """An answer to one of these timesteps."""
        assert isinstance(answer.timestep, SequenceStep)
        self._answers[answer.timestep.sequence].append(answer.raw)

    @property
    def raw(self) -> Array:
        """The raw answers, as `interpret.run` has them."""
        answers = np.array(self._answers, np.int64)
        return answers[:, 0] if self.program.readout.read == "last" else answers

    @property
    def real(self) -> Any:
        """What the answers to the first sequence stand for; the integer, where that is an index."""
        if answers_index(self.program):
            return self.raw[0, ..., 0]
        return real_answers(self.program, self.raw, self._inputs.shape[1])[0]


def real_inputs(program: Program, x: npt.ArrayLike) -> Array:
    """One sequence of real numbers (T, size), or of symbols (T,), as a batch of raw integers."""
    source, given = program.input, np.asarray(x)
    if not isinstance(source, NumericInput):
        return given[None]
    if given.ndim != 2 or given.shape[1] != source.size or given.dtype.kind not in "fiu":
        raise UserError(
            f"a sequence has the shape (timesteps, {source.size}), got {given.dtype} of shape "
            f"{given.shape}"
        )
    if not np.isfinite(given).all():
        raise UserError("a sequence must be of finite numbers")
    return source.raw(given)[None]
