"""Trains what docs/results.md tells of, and scores it on integers: `make results`.

    python bench/results.py --data FOLDER [--only PRESET ...] [--seeds N]

A run that is finished in runs/results stays; one that was interrupted goes on. A preset whose data
are not in FOLDER is named and left out.
"""

import argparse
import dataclasses
from pathlib import Path

from sylvan.model.checkpoint import load_checkpoint
from sylvan.model.config import METRICS_FILE, TRAINING_FILE, Config
from sylvan.model.errors import UserError
from sylvan.model.export import load_trained
from sylvan.model.history import Epoch
from sylvan.model.presets import PRESETS, preset
from sylvan.model.train import train
from sylvan.model.widths import widths

RUNS = Path("runs/results")
BITS = (8, 10, 12)
LONG = frozenset(
    {"warpeace", "warpeace-float", "ptb-char"}
    | {name for name in PRESETS if name.endswith("-paper")}
)
"""Presets of long runs: trained when they are asked for by name, with one seed."""


def trained_run(name: str, config: Config, data: Path | None) -> Path:
    """The folder of one seed of a preset, trained if it is missing."""
    folder = RUNS / f"{name}-{config.seed}"
    if not (folder / METRICS_FILE).is_file():

        def show(epoch: Epoch) -> None:
            print(
                f"{folder}: epoch {epoch.number} of {epoch.epochs}, {epoch.validation}", flush=True
            )

        train(config, folder, show, data=data, resume=(folder / TRAINING_FILE).is_file())
    elif load_checkpoint(folder)[1] != config:
        raise UserError(f"{folder} is of another recipe than {name} is now: delete it")
    return folder


def score(folder: Path, data: Path | None) -> None:
    """Score the programs of a run at the widths of the table."""
    trained = load_trained(folder, data)
    try:
        for width in widths(trained, BITS):
            print(f"{folder}: {width.bits or 'float'}: {width.test}", flush=True)
    except UserError as error:
        print(f"{folder}: no integers: {error}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path)
    short = [name for name in PRESETS if name not in LONG]
    parser.add_argument("--only", nargs="*", default=short, choices=list(PRESETS))
    parser.add_argument("--seeds", type=int, default=2)
    given = parser.parse_args()
    for name in given.only:
        for seed in range(1 if name in LONG else given.seeds):
            try:
                config = dataclasses.replace(preset(name), seed=seed)
                score(trained_run(name, config, given.data), given.data)
            except UserError as error:
                print(f"{name}: left out: {error}", flush=True)
                break


if __name__ == "__main__":
    main()
