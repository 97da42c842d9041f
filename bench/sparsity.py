"""What zeros in ternary weights save: one LSTM trained with more and more of them, then built.

    python bench/sparsity.py --data FOLDER [--only TEXT] [--page]

Trains what is missing in runs/results, exports it, and scores it on integers; every core is then
placed with one seed, and simulated against golden, which measures its cycles. Rows are kept in
bench/sparsity.json as they come, with a hash of all that the tools were given; docs/sparsity.md and
its picture are written from them. `--page` builds nothing.
"""

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import sparsity_page
import toggles
from designs import Core
from published import recurrent
from results import trained_run
from rows import Rows
from sylvan.hw.build import MODULE
from sylvan.hw.plan import Plan
from sylvan.hw.schedule import Schedule
from sylvan.hw.targets import target
from sylvan.hw.tools import Workers
from sylvan.model.config import PROGRAM_FOLDER, Config
from sylvan.model.export import export
from sylvan.model.program import Program
from sylvan.model.storage import load
from sylvan.model.tasks import load_task
from sylvan.sim.cosimulation import simulate
from sylvan.sim.stimulus import Timesteps

OUT = Path(__file__).with_suffix(".json")
ZEROS = (0, 50, 75, 90)
HIDDEN, STATE_BITS = 64, 10
POINTS = (("ice40-hx8k", 1), ("ecp5-25f", 8), ("ecp5-25f", 4))
"""Parts and lanes that are placed."""
PLANNED = (1, 2, 4, 8, 16)
"""Lanes whose cycles are told by their plans."""
WATCHED = "ice40-hx8k", 1
"""The part and the lanes of the cores whose toggles are counted."""
STEPS = 1
"""Timesteps of the first window of the test split that toggles are counted over."""


def config(zeros: int) -> Config:
    """The recipe, for so many percent of zeros."""
    options = {"normalization": "weight", "sampling": "deterministic", "sparsity": zeros / 100}
    return Config(
        "har",
        cell="lstm",
        hidden=HIDDEN,
        epochs=15,
        batch=100,
        rate=0.01,
        clip=1.0,
        temperature=True,
        cell_options=options,
    )


@dataclass(frozen=True)
class Sparse(Core):
    """A core of the LSTM with so many percent of zeros, and what it is worth."""

    zeros: int
    score: float
    window: Timesteps = field(repr=False)

    def seen(self, folder: Path | None) -> dict[str, Any]:
        counted = None
        if folder is not None and (self.part.name, self.schedule.lanes) == WATCHED:
            waves = simulate(
                folder, simulator="verilator", waves=True, inputs=self.window, resets=0
            ).waves
            assert waves is not None
            counted = toggles.first_run(waves) / len(self.window)
        nonzeros = int(np.count_nonzero(recurrent(self.program)))
        figures = {"zeros": self.zeros, "score": self.score, "nonzeros": nonzeros}
        planned = {
            str(lanes): Plan(self.program, Schedule(lanes)).cycles_per_step for lanes in PLANNED
        }
        return figures | {"toggles_per_step": counted, "planned": planned}


def exported(run: Path, data: Path | None) -> Program:
    """The integer program of a run, scored and written into its folder if it is missing."""
    if not (run / PROGRAM_FOLDER).is_dir():
        export(run, STATE_BITS, data=data)
    return load(run / PROGRAM_FOLDER)


def designs(data: Path | None) -> Iterator[Sparse]:
    """Every core, the networks being trained before."""
    window = Timesteps.of_sequences(load_task("har", data=data).test.inputs[:1, :STEPS])
    runs = {zeros: trained_run(f"sparsity-{zeros}", config(zeros), data) for zeros in ZEROS}
    made = {zeros: exported(run, data) for zeros, run in runs.items()}
    for name, lanes in POINTS:
        part = target(name)
        for zeros, program in made.items():
            core = f"LSTM, {zeros} % zeros", part, HIDDEN, MODULE, program
            schedule = Schedule(lanes, turns=part.turns)
            yield Sparse(*core, schedule, zeros, program.metadata["score"], window)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--only", default="")
    parser.add_argument("--page", action="store_true")
    given = parser.parse_args()
    if not given.page:
        with Workers(1) as workers:
            rows = Rows(OUT, given.only, 1, workers)
            for design in designs(given.data):
                rows.row(design)
        if not given.only:
            # What is built no more.
            rows.write(rows.seen)
    sparsity_page.write(json.loads(OUT.read_text()))


if __name__ == "__main__":
    main()
