"""Sequences on which a label hangs by a thread: where a wrong bit in the weights changes it.

An argmax hides all that leaves the largest score the largest, so on random inputs most wrong
weights pass unseen. These sequences walk along the boundaries between labels instead.
"""

import numpy as np
import numpy.typing as npt

from sylvan.model.interpret import Machine
from sylvan.model.numbers import Format
from sylvan.model.operations.moves import ArgMax
from sylvan.model.program import Program

Inputs = npt.NDArray[np.int64]
CANDIDATES = 48
"""Inputs among which a timestep has its choice."""
STAY = 8
"""Timesteps of a walk at the boundary of one label."""


def scores_of(program: Program) -> str | None:
    """The name of the scores of which the program answers the largest's index; None if it does not.

    A single score has no rival.
    """
    readout = program.readout
    for node in readout.body:
        if node.result == readout.output and isinstance(node.operation, ArgMax):
            (scores,) = node.operands
            return scores.name if scores.size > 1 else None
    return None


def boundary_walks(program: Program, count: int, length: int, rng: np.random.Generator) -> Inputs:
    """So many sequences of that length, (count, length, elements), for a program with labels.

    Each timestep takes, of many inputs, the one that brings a label's score closest to the best
    other one; the labels take turns.
    """
    name = scores_of(program)
    assert name is not None
    found: list[npt.NDArray[np.int64]] = []

    def look(values: object) -> None:
        if name in values:  # type: ignore[operator]
            found[:] = [values[name]]  # type: ignore[index]

    machine = Machine(program, count * CANDIDATES, look)
    value = program.input.value
    walked = np.empty((count, length, value.size), np.int64)
    before = np.zeros((count, value.size), np.int64).clip(value.format.lo, value.format.hi)
    for t in range(length):
        offered = _candidates(before, value.format, rng)
        machine.step(offered.reshape(count * CANDIDATES, -1).T)
        machine.answer()
        scores = found[0].astype(np.int64).reshape(-1, count, CANDIDATES)
        chosen = _closest(scores, (np.arange(count) + t // STAY) % len(scores))
        before = walked[:, t] = offered[np.arange(count), chosen]
        for state, held in machine.states.items():
            kept = held.reshape(-1, count, CANDIDATES)[:, np.arange(count), chosen]
            machine.states[state] = np.repeat(kept, CANDIDATES, axis=1)
    return walked


def _candidates(before: Inputs, format: Format, rng: np.random.Generator) -> Inputs:
    """(count, CANDIDATES, elements): the same again, a little away, extremes, and any, also faint.

    So sequences stay for a while, ramp, saturate, and are noise of several amplitudes.
    """
    lo, hi = format.lo, format.hi
    shape = len(before), CANDIDATES, before.shape[1]
    kind = np.arange(CANDIDATES)[None, :, None] % 6
    drawn = rng.integers(lo, hi, shape, endpoint=True)
    near = before[:, None] + rng.integers(-2, 2, shape, endpoint=True)
    extremes = np.where(rng.random(shape) < 0.5, lo, hi)
    faint = drawn >> rng.integers(1, 5, shape[:2])[:, :, None]
    one = np.where(
        rng.permuted(np.arange(shape[2]) + np.zeros(shape, int), axis=2) > 0, before[:, None], drawn
    )
    made = np.select(
        [kind == 0, kind == 1, kind == 2, kind == 3], [near, extremes, faint, one], drawn
    )
    made[:, 0] = before
    return made.clip(lo, hi)


def _closest(scores: Inputs, wanted: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Which candidate each walk takes, of scores (labels, walks, candidates).

    The one that brings the score of the walk's wanted label and the best other one together.
    """
    mine = np.take_along_axis(scores, wanted[None, :, None], axis=0)[0]
    others = scores.copy()
    np.put_along_axis(others, wanted[None, :, None], np.iinfo(np.int64).min, axis=0)
    chosen: npt.NDArray[np.int64] = np.abs(mine - others.max(axis=0)).argmin(axis=1)
    return chosen
