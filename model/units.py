"""What the raw answers of a program stand for."""

import numpy as np

from .arrays import Array
from .operations.moves import ArgMax
from .program import Program


def answers_index(program: Program) -> bool:
    """Whether the answer is the index of the largest output."""
    body, output = program.readout.body, program.output
    return any(n.result == output and isinstance(n.operation, ArgMax) for n in body)


def real_answers(program: Program, answers: Array, length: int) -> Array:
    """Raw answers of `run` to sequences of `length` steps, as the real numbers they stand for."""
    scale = 2.0**program.output.format.exp
    unit = np.array(program.readout.unit)
    if program.readout.timesteps:
        return answers * scale * unit[None, :, None]
    if program.readout.read == "every":
        phases = np.arange(answers.shape[1]) % program.period
        return answers * scale * unit[phases][None, :, None]
    return answers * scale * unit[(length - 1) % program.period]
