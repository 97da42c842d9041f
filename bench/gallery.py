"""Fills gallery/ with small trained programs: `make gallery`.

    python bench/gallery.py --data FOLDER

Each is the program of a preset, seed 0, exported with a state of so many bits and an answer that a
board can use at once. A run that is finished in runs/results is taken as it is, others are trained.
"""

import argparse
from pathlib import Path

from results import RUNS, trained_run
from sylvan.model.errors import UserError
from sylvan.model.export import export
from sylvan.model.presets import preset

GALLERY = Path(__file__).parent.parent / "gallery"
BITS = {
    "digits": 12,
    "digits-block": 12,
    "digits-qornn": 12,
    "digits-lstm": 12,
    "digits-gru": 10,
    "copy-1000": 10,
    "permuted-mnist": 12,
    "sequential-mnist": 12,
    "har-2": 12,
    "har-motion": 12,
}
LABELS = frozenset({"digits", "digits-block", "digits-qornn", "permuted-mnist", "har-motion"})
"""Programs that answer the label; the others answer the logits."""
MOST_BYTES = 2 << 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path)
    given = parser.parse_args()
    for name, bits in BITS.items():
        try:
            run = trained_run(name, preset(name), given.data)
            made = export(run, bits, GALLERY / name, argmax=name in LABELS, data=given.data)
        except UserError as error:
            print(f"{name}: left out: {error}")
            continue
        print(f"{made.folder.relative_to(GALLERY.parent)}: {made.score_name} {made.integer_score}")
    size = sum(path.stat().st_size for path in GALLERY.rglob("*") if path.is_file())
    assert size < MOST_BYTES, f"the gallery has {size} bytes, more than {MOST_BYTES}"
    print(f"{size:,} bytes in all, from {RUNS}")


if __name__ == "__main__":
    main()
