"""What a testbench sends and what must come back: random sequences and golden answers."""

from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np

from sylvan.sim.cosimulation import golden_of
from sylvan.sim.ports import Cycles, Ports
from sylvan.sim.runs import checked
from sylvan.sim.stimulus import Timesteps, random_inputs

from .interface import Interface, Stream

SEED = 0
"""Same build, same package."""
MOST_CYCLES = 40_000
"""Of a simulation without pauses, about; but there are at least FEWEST sequences."""
FEWEST, MOST = 8, 40
SHORT = 2
"""Timesteps of the first sequence, which the picture shows."""


@dataclass(frozen=True)
class Vectors:
    """Words in and words out; the first of them are the one short sequence and its answers."""

    stimulus: list[int]
    answers: list[int]
    short: tuple[int, int]


def make_vectors(build: Path, ports: Ports, planned: Cycles, interface: Interface) -> Vectors:
    """For a build directory, in the words of that interface."""
    rng = np.random.default_rng(SEED)
    sequence = max(planned.total, 1) * 4
    count = min(max(MOST_CYCLES // sequence, FEWEST), MOST)
    shape = 1, SHORT, ports.input.elements
    values = rng.integers(ports.input.lo, ports.input.hi, shape, endpoint=True)
    short = Timesteps.of_sequences(values)
    steps = _joined(short, random_inputs(ports, count, rng))
    answers = checked(golden_of(build, ports), ports)(steps)
    noise = Random(SEED)

    def words(
        stream: Stream, vectors: list[tuple[int, list[int]]], spare: Random | None
    ) -> list[int]:
        return [
            word
            for step, elements in vectors
            for word in stream.words(elements, steps.flags(step), spare)
        ]

    answered = [(step, answer.tolist()) for step, answer in answers]
    shown = sum(step < SHORT for step, _ in answers)
    return Vectors(
        words(interface.input, list(enumerate(steps.values.tolist())), noise),
        words(interface.output, answered, None),
        (SHORT * ports.input.transfers, shown * ports.output.transfers),
    )


def _joined(a: Timesteps, b: Timesteps) -> Timesteps:
    """One stream after the other."""
    names = ("values", "first", "last", "context")
    return Timesteps(*(np.concatenate([getattr(s, name) for s in (a, b)]) for name in names))


def hexadecimal(words: list[int], bits: int) -> str:
    """The text that $readmemh reads: a word a line."""
    digits = -(-bits // 4)
    return "".join(f"{word:0{digits}x}\n" for word in words)
