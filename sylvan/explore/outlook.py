"""What a network could be on the parts before it is trained: its size hardly depends on weights.

So a network that no schedule can make small or fast enough costs a few seconds, not a training.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sylvan.hw.front import Candidate, explore
from sylvan.hw.report import quality
from sylvan.hw.targets import Target
from sylvan.model.checkpoint import sides
from sylvan.model.config import Config
from sylvan.model.errors import UserError
from sylvan.model.export import Trained, quantized
from sylvan.model.families import build_layer
from sylvan.model.program import Program
from sylvan.model.tasks import Split, Task

from .questions import OF_NETWORK, Bound, Question
from .spec import Schedules

SLACK = 0.5
"""How far beyond a bound an estimate for untrained weights may be."""
CALIBRATED = 16
"""Sequences that ranges are chosen on: nothing here depends on more than their size."""


@dataclass(frozen=True)
class Asked:
    """What the hardware of every network is asked for.

    Attributes:
        targets: the parts. schedules: those that are looked at. clock_hz: of the board, if given.
        bounds: of figures that schedules change.
    """

    targets: tuple[Target, ...]
    schedules: Schedules
    clock_hz: float | None
    bounds: tuple[Bound, ...]

    @classmethod
    def of(
        cls, targets: Sequence[Target], schedules: Schedules, clock: float | None, asked: Question
    ) -> "Asked":
        """As a spec has them."""
        bounds = tuple(bound for bound in asked.bounds if bound.figure not in OF_NETWORK)
        return cls(tuple(targets), schedules, clock, bounds)

    @property
    def plans(self) -> Iterator[tuple[Target, int | None]]:
        """Parts and numbers of contexts that a program is planned for."""
        for part in self.targets:
            for contexts in self.schedules.contexts or (None,):
                yield part, contexts


def untrained(config: Config, state_bits: int, task: Task) -> Program:
    """The program of a network as it is before training. Raises UserError if there is none."""
    layer = build_layer(config, sides(task))
    few = Split(task.train.inputs[:CALIBRATED], task.train.targets[:CALIBRATED])
    trained = Trained(Path("this network"), layer, config, replace(task, train=few))
    return quantized(trained, state_bits)


def check(program: Program, asked: Asked) -> None:
    """Raise UserError, saying what comes closest, if no schedule on any part should do it."""
    refusals, found = [], False
    nearest: dict[Bound, tuple[float, Any, str]] = {}
    for part, contexts in asked.plans:
        try:
            points = explore(
                program,
                part,
                clock_hz=asked.clock_hz,
                contexts=contexts,
                dsps=asked.schedules.dsps,
            )
        except UserError as error:
            refusals.append(str(error))
            continue
        looked_at = [point for point in points if asked.schedules.admits(point.keys)]
        if not looked_at:
            refusals.append(f"none of the schedules for {part.name} is one that [schedule] names")
        for point in looked_at:
            known = figures(point)
            beyond = [(bound.excess(known), bound) for bound in asked.bounds]
            found = found or all(excess <= SLACK for excess, _ in beyond)
            for excess, bound in beyond:
                told = excess, known.get(bound.figure), part.name
                nearest[bound] = min(nearest.get(bound, told), told, key=lambda one: one[0])
    if found:
        return
    missed = [
        f"{bound}: "
        + (f"not known on {name}" if value is None else f"{value:,.6g} on {name} comes closest")
        for bound, (excess, value, name) in nearest.items()
        if excess > SLACK
    ]
    together = "no schedule meets all bounds at once" if nearest else ""
    raise UserError("; ".join(missed) or together or "; ".join(dict.fromkeys(refusals)))


def figures(point: Candidate) -> dict[str, Any]:
    """The estimate of a candidate, and what follows from it."""
    known = dict(point.estimate)
    judged = quality(known["luts"], known["cycles_per_step"], known["fmax_mhz"], None, None)
    return known | {"lut_ns_per_step": judged["lut_ns_per_step"]}
