"""A new family costs four files and no edit: a toy one, in a folder of its own, does everything.

It is found because its folder is on the package's path; trained, exported, simulated and held to
the same contract as those that live here.
"""

import shutil
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from contracts import families, test_families
from contracts.suite import cosimulate, schedules
from sylvan.model import cells
from sylvan.model.config import Config
from sylvan.model.export import export
from sylvan.model.storage import load
from sylvan.model.train import train

TOY = Path(__file__).parent / "toy"
FAMILY = "leakyrnn"


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The toy's room and table, placed as if they were the project's, and gone again afterwards."""
    room = shutil.copytree(TOY / FAMILY, tmp_path / "cells" / FAMILY)
    table = shutil.copy(TOY / f"{FAMILY}_table.py", tmp_path / f"{FAMILY}.py")
    written = [path for path in (*room.rglob("*"), Path(table)) if path.suffix in (".py", ".md")]
    assert len(written) <= 4, "the budget of a new family"
    monkeypatch.setattr(cells, "__path__", [*cells.__path__, str(room.parent)])
    monkeypatch.setattr(families, "__path__", [*families.__path__, str(tmp_path)])
    before = set(sys.modules)
    monkeypatch.setitem(
        test_families.TABLES, FAMILY, import_module(f"{families.__name__}.{FAMILY}")
    )
    yield room
    for name in set(sys.modules) - before:
        if FAMILY in name:
            del sys.modules[name]


def test_it_keeps_the_contract(toy: Path, tmp_path: Path) -> None:
    table = test_families.TABLES[FAMILY]
    test_families.test_every_family_has_a_table()
    test_families.test_the_readme_has_equation_and_paper(FAMILY)
    for case in table.CASES:
        test_families.test_golden_is_fake_quantized_torch(FAMILY, case)
    for build, message in table.REFUSED:
        test_families.test_refused(FAMILY, build, message)
    for case in table.CI:
        test_families.test_saved_and_loaded_it_is_the_same(FAMILY, case, tmp_path)
        test_families.test_hardware_is_golden(FAMILY, case, 1, tmp_path)


def test_it_is_trained_exported_and_simulated(toy: Path, tmp_path: Path) -> None:
    sizes = {"length": 20, "train": 64, "validation": 16, "test": 16}
    config = Config("copy", FAMILY, hidden=6, epochs=1, batch=32, task_options=sizes)
    train(config, tmp_path / "run")
    exported = export(tmp_path / "run", state_bits=9)
    plan = schedules(load(exported.folder))[1]
    cosimulate(plan, tmp_path / "build")
