"""Ctrl-C, sent to a real process at a chosen moment: one sentence, nothing half made."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sylvan.model.builder import Builder
from sylvan.model.matrices import Dense
from sylvan.model.numbers import Format
from sylvan.model.program import NumericInput
from sylvan.model.storage import save

from sylvan.cli.commands import app

INTERRUPTED = """
import os, signal, sys, time
from sylvan import cli

def interrupt():
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(0.1)

{plant}
cli.main()
"""
WHILE_IMPORTING = """
import importlib.abc

class Interrupts(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == {module!r}:
            interrupt()

sys.meta_path.insert(0, Interrupts())
"""
WHILE_READING_THE_COMMAND = """
from sylvan.cli.commands import Commands

Commands.parse_args = lambda *given: interrupt()
"""
WHILE_BUILDING = """
from sylvan.hw import core

# With half of the hardware elaborated, Amaranth would complain of the other half.
core.Core._place_memories = lambda *given: interrupt()
"""
WHILE_TRAINING = """
from sylvan.model import train

step, done = train._Run._step, []

def interrupted(*given):
    done.append(step(*given))
    if len(done) == 3:
        interrupt()
    return done[-1]

train._Run._step = interrupted
"""


def interrupted(plant: str, *arguments: object) -> str:
    """What the command said before it ended with the code of an interruption."""
    command = [sys.executable, "-c", INTERRUPTED.format(plant=plant), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 130, done.stderr
    assert done.stdout == ""
    return done.stderr


@pytest.mark.parametrize("module", ["rich.console", "typer", "sylvan.model.presets", "torch"])
def test_imports_are_interrupted(module: str) -> None:
    """Those that every command makes, and those of the command."""
    assert interrupted(WHILE_IMPORTING.format(module=module), "presets") == "interrupted\n"


def test_options_that_are_being_read_are_interrupted() -> None:
    assert interrupted(WHILE_READING_THE_COMMAND, "presets") == "interrupted\n"


def test_a_build_is_interrupted(tmp_path: Path) -> None:
    b = Builder(NumericInput(2, Format(0, 3), (1.0,) * 2, (0.0,) * 2))
    b.layer("hidden", b.matvec(Dense(np.ones((2, 2), int)), b.input))
    save(b.program(b.input, "every"), tmp_path / "program")
    out = tmp_path / "out"
    said = interrupted(
        WHILE_BUILDING, "build", tmp_path, "--target", "verilog", "--lanes", 1, "--out", out
    )
    assert said == "interrupted\n"
    assert [path.name for path in tmp_path.iterdir()] == ["program"]


def test_an_interrupted_training_says_how_it_goes_on(tmp_path: Path) -> None:
    out = tmp_path / "a run"
    small = [
        "--task",
        "copy",
        "--length",
        20,
        "--hidden",
        4,
        "--epochs",
        1,
        "--set",
        "task.train=640",
    ]
    said = interrupted(WHILE_TRAINING, "train", *small, "--out", out)
    (again,) = re.findall(r"^interrupted: `(sylvan train .*)` goes on from here\n$", said)
    assert (out / "training.safetensors").is_file()
    with pytest.raises(SystemExit) as ended:
        app(shlex.split(again)[1:])
    assert ended.value.code == 0 and (out / "metrics.json").is_file()
