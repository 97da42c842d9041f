"""What a testbench sends and what must come back: sequences of its choice and golden answers."""

from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import numpy as np
import numpy.typing as npt

from sylvan.model.program import Program
from sylvan.model.storage import load
from sylvan.sim.cosimulation import golden_of
from sylvan.sim.ports import Cycles, Ports
from sylvan.sim.runs import checked
from sylvan.sim.stimulus import Timesteps, random_inputs

from .interface import Interface, Stream
from .walks import boundary_walks, scores_of

SEED = 0
"""Same build, same package."""
WORK = 100_000_000
"""Of a simulation without pauses, about: cycles times assignments of the core's Verilog."""
LONGEST = 12
"""Timesteps of a random sequence."""
FEWEST, MOST = 4, 40
"""Random sequences."""
WALK = 64
"""Timesteps of a walk along the boundaries between labels."""
SHORT = 2
"""Timesteps of the first sequence, which the picture shows."""


@dataclass(frozen=True)
class Vectors:
    """Words in and words out; the first of them are the one short sequence and its answers."""

    stimulus: list[int]
    answers: list[int]
    short: tuple[int, int]


def make_vectors(
    build: Path, ports: Ports, planned: Cycles, interface: Interface, assignments: int
) -> Vectors:
    """For a build directory, in the words of that interface; a core of so many assignments."""
    rng = np.random.default_rng(SEED)
    cycles = WORK // assignments
    program = load(build / "program")
    shape = 1, SHORT, ports.input.elements
    values = rng.integers(ports.input.lo, ports.input.hi, shape, endpoint=True)
    steps = Timesteps.of_sequences(values)
    count = min(max(cycles // (4 * planned.total), FEWEST), MOST)
    steps = _joined(steps, random_inputs(ports, count, rng, longest=LONGEST))
    if scores_of(program) is not None:
        steps = _joined(steps, _walks(program, ports.contexts, cycles, planned, rng))
    heard = replace(steps, first=_heeded(steps)) if interface.input.once else steps
    answers = checked(golden_of(build, ports), ports)(heard)
    noise = Random(SEED)

    def words(
        stream: Stream, told: Timesteps, vectors: list[tuple[int, list[int]]], spare: Random | None
    ) -> list[int]:
        return [
            word
            for step, elements in vectors
            for word in stream.words(elements, told.flags(step), spare)
        ]

    answered = [(step, answer.tolist()) for step, answer in answers]
    shown = sum(step < SHORT for step, _ in answers)
    return Vectors(
        words(interface.input, steps, list(enumerate(steps.values.tolist())), noise),
        words(interface.output, heard, answered, None),
        (SHORT * ports.input.transfers, shown * ports.output.transfers),
    )


def _walks(
    program: Program, contexts: int, cycles: int, planned: Cycles, rng: np.random.Generator
) -> Timesteps:
    """As many walks as fit into so many cycles, each context's in turn; every timestep is asked."""
    steps = max(int(cycles // planned.closing_cycles), contexts)
    length = min(WALK, steps // contexts)
    walks = boundary_walks(program, steps // length // contexts * contexts, length, rng)
    made = Timesteps.of_sequences(walks, contexts)
    return replace(made, last=np.ones(len(made), bool))


def _heeded(steps: Timesteps) -> npt.NDArray[np.bool_]:
    """Where `first` counts on AXI4-Stream: in the first timestep of a packet, of each context."""
    heeded = steps.first.copy()
    for context in np.unique(steps.context):
        own = np.flatnonzero(steps.context == context)
        heeded[own[1:]] &= steps.last[own[:-1]]
    return heeded


def _joined(a: Timesteps, b: Timesteps) -> Timesteps:
    """One stream after the other."""
    names = ("values", "first", "last", "context")
    return Timesteps(*(np.concatenate([getattr(s, name) for s in (a, b)]) for name in names))


def hexadecimal(words: list[int], bits: int) -> str:
    """The text that $readmemh reads: a word a line."""
    digits = -(-bits // 4)
    return "".join(f"{word:0{digits}x}\n" for word in words)
