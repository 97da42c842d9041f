"""The committed programs: they load, every quantized family is there, and their scores are true."""

from pathlib import Path

import pytest
from sylvan.model.cells import cell_names
from sylvan.model.evaluate import evaluate
from sylvan.model.storage import load
from sylvan.model.tasks import load_task

GALLERY = Path(__file__).parent.parent / "gallery"
NAMES = sorted(path.parent.name for path in GALLERY.glob("*/program.json"))
REFERENCES = {"fastgrnn"}
"""Families of full precision, which have no programs."""


def test_every_quantized_family_is_there_and_all_of_it_is_small() -> None:
    cells = {load(GALLERY / name).metadata["cell"] for name in NAMES}
    assert cells == set(cell_names()) - REFERENCES
    assert sum(path.stat().st_size for path in GALLERY.rglob("*") if path.is_file()) < 2 << 20


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("digits")])
def test_digits_score_what_their_metadata_say(name: str) -> None:
    program = load(GALLERY / name)
    task = load_task(program.metadata["task"], **program.metadata["task_options"])
    assert evaluate(program, task, task.test).score == program.metadata["score"]
