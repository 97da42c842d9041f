"""The copy task: remember ten symbols across a long silence, then say them in order.

A sequence of T symbols is ten from 1..8, T - 20 blanks (0), the marker (9) and nine blanks; the
answer is T - 10 zeros and then the ten symbols. Foucault, Mamalet, Malgouyres, ICLR 2025, arXiv
2502.00047, after Hochreiter and Schmidhuber (1997). A net without memory scores `10 ln 8 / T` nats.
"""

from dataclasses import dataclass

import numpy as np

from ..arrays import Array
from ..errors import UserError
from ..program import SymbolInput
from . import Split, Task

BLANK, MARKER, WORD = 0, 9, 10


def load(
    length: int = 100,
    train: int = 6400,
    validation: int = 200,
    test: int = 1000,
    seed: int = 0,
) -> Task:
    """The task at total length T = `length`, with that many sequences in each split."""
    if length < 2 * WORD:
        raise UserError(f"copy needs a length of at least {2 * WORD}, got {length}")
    for name, count in (("train", train), ("validation", validation), ("test", test)):
        if count < 1:
            raise UserError(f"copy needs at least one {name} sequence, got {count}")
    if seed < 0:
        raise UserError(f"copy needs a seed >= 0, got {seed}")
    random = np.random.default_rng([seed, length])
    # Test before validation before training: their sequences do not move with the size of another.
    tests, validations, trains = (
        _sequences(generator, count, length)
        for generator, count in zip(random.spawn(3), (test, validation, train), strict=True)
    )
    return Copy(
        name="copy",
        input=SymbolInput(10),
        outputs=9,
        read="every",
        score_name="recall",
        silent=BLANK,
        train=trains,
        validation=validations,
        test=tests,
        options={
            "length": length,
            "train": train,
            "validation": validation,
            "test": test,
            "seed": seed,
        },
    )


@dataclass(frozen=True, eq=False)
class Copy(Task):
    """Scored by recall, the percent of the ten symbols said right; the loss is over every step."""

    def hits(self, answers: Array, targets: Array) -> float:
        return super().hits(answers[..., -WORD:], targets[..., -WORD:])

    @property
    def timestep_weights(self) -> Array:
        """Half on the ten answers, half on the silence, which equal weights would learn first."""
        silence = self.train.inputs.shape[1] - WORD
        return np.concatenate([np.full(silence, 0.5 / silence), np.full(WORD, 0.5 / WORD)])


def _sequences(random: np.random.Generator, count: int, length: int) -> Split:
    words = random.integers(1, MARKER, size=(count, WORD), dtype=np.uint8)
    inputs = np.full((count, length), BLANK, np.uint8)
    inputs[:, :WORD] = words
    inputs[:, -WORD] = MARKER
    targets = np.zeros((count, length), np.uint8)
    targets[:, -WORD:] = words
    return Split(inputs, targets)
