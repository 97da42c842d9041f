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
from sylvan.hw.measured import Measured, SeedRun, details
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
    program = load(bench.PROGRAM)
    core = bench.MOUNT.core(bench.Plan(program, bench.MOUNT.schedule(program)))
    needs = {"luts": 1234, "ffs": 7, "brams": 3}
    names = ("top", "top.sensor.core", "top.sensor.reader")
    runs = tuple(SeedRun(seed, 30.0, {}) for seed in (1, 2, 3))
    modules = dict.fromkeys(names, needs)
    found = Measured(2345, 7, 3, 0, 0, 6, 0, 30.0, runs, modules, {})
    text = bench.table(core, details(found))
    assert "| core | 1,234 | 7 | 3 |" in text
    assert "| logic cells, of 5,280 | 2,345 |" in text and "| margin over 12 MHz | 2.50 |" in text
    page = between(bench.PAGE, bench.MARKS).splitlines()
    planned = [line for line in text.splitlines() if "of these" in line or "of a sample" in line]
    assert len(planned) == 3 and set(planned) <= set(page)


def example(*arguments: object, plant: str = "") -> subprocess.CompletedProcess[str]:
    """The script as a process, after what is planted."""
    run = f"import runpy, sys; sys.argv[0] = {str(EXAMPLE)!r}\n{plant}\n"
    run += "runpy.run_path(sys.argv[0], run_name='__main__')"
    command = [sys.executable, "-c", run, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


def test_the_example_refuses_a_program_of_another_task(bench: Any, tmp_path: Path) -> None:
    program = load(bench.PROGRAM)
    other = save(replace(program, metadata=program.metadata | {"task": "digits"}), tmp_path / "p")
    done = example("--program", other, "--out", tmp_path / "out")
    assert done.returncode == 2 and not (tmp_path / "out").exists()
    assert "should be a program of the task har with channels motion" in done.stderr
    assert "Traceback" not in done.stderr and "is one of digits with" in done.stderr


def test_the_example_replaces_no_other_file(tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("mine")
    done = example("--out", tmp_path / "notes")
    assert done.returncode == 2 and "notes is already there and is no build dir" in done.stderr
    assert "Traceback" not in done.stderr and (tmp_path / "notes").read_text() == "mine"


INTERRUPTED = """
import os, signal, time
from sylvan.hw import build

def interrupt(verilog, *given, **more):
    assert verilog.name == "top.v" and verilog.is_file()
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(0.1)

build.synthesize = interrupt
"""


def test_an_interrupted_example_leaves_the_build_before(tmp_path: Path) -> None:
    """Its bitstream lies beside its own sources, or there is none."""
    out = tmp_path / "out"
    out.mkdir()
    for name in ("report.json", "top.v", "top.bin"):
        (out / name).write_text("before")
    done = example("--out", out, plant=INTERRUPTED)
    assert (done.returncode, done.stderr) == (130, "interrupted\n")
    assert list(tmp_path.iterdir()) == [out]
    assert {path.name: path.read_text() for path in out.iterdir()} == dict.fromkeys(
        ("report.json", "top.v", "top.bin"), "before"
    )
