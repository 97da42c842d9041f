"""The page on the sensor says what the design is today, and its command refuses what is no such."""

import importlib
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from marked import between
from sylvan.hw.measured import Measured, SeedRun
from sylvan.model.storage import load, save

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "accelerometer.py"


@pytest.fixture(scope="module")
def bench() -> Iterator[Any]:
    sys.path.append(str(ROOT / "bench"))
    try:
        yield importlib.import_module("sensor")
    finally:
        sys.path.remove(str(ROOT / "bench"))


def test_the_page_counts_the_clocks_of_this_design(bench: Any) -> None:
    core = bench.sensor_core(load(bench.PROGRAM), bench.MPU6050, bench.LAYING, bench.STEPS)
    needs = {"luts": 1234, "ffs": 7, "brams": 3}
    names = ("top", "top.sensor.core", "top.sensor.reader")
    runs = tuple(SeedRun(seed, 30.0, {}) for seed in (1, 2, 3))
    modules = dict.fromkeys(names, needs)
    found = Measured(2345, 7, 3, 0, 0, 6, 0, 30.0, runs, modules, {})
    text = bench.table(core, found)
    assert "| core | 1,234 | 7 | 3 |" in text
    assert "| logic cells, of 5,280 | 2,345 |" in text and "| margin over 12 MHz | 2.50 |" in text
    page = between(bench.PAGE, bench.MARKS).splitlines()
    planned = [line for line in text.splitlines() if "of these" in line or "of a sample" in line]
    assert len(planned) == 3 and set(planned) <= set(page)


def test_the_example_refuses_a_program_of_another_task(bench: Any, tmp_path: Path) -> None:
    program = load(bench.PROGRAM)
    other = save(replace(program, metadata=program.metadata | {"task": "digits"}), tmp_path / "p")
    command = [sys.executable, EXAMPLE, "--program", other, "--out", tmp_path / "out"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2 and not (tmp_path / "out").exists()
    assert "should be a program of the task har with channels motion" in done.stderr
    assert "Traceback" not in done.stderr and "is one of digits with" in done.stderr
