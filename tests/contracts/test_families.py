"""Every cell family keeps its contract: golden is fake-quantized torch, its hardware is golden.

CI compares golden with torch on every case, and simulates the cases that a family's table names,
the first of them on three schedules. `make test-all` simulates every case on one of the three. The
second of the three has a state port, so images too are golden's.
"""

import re
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import numpy as np
import pytest
from contracts import families
from contracts.suite import cosimulate, schedules
from sylvan.hw.plan import Plan
from sylvan.hw.schedule import Schedule
from sylvan.model import cells
from sylvan.model.errors import UserError
from sylvan.model.interpret import run
from sylvan.model.program import Program, SymbolInput
from sylvan.model.storage import load, program_hash, save


def unbuilt(table: Any) -> dict[str, Any]:
    """Cases that have no hardware yet."""
    return getattr(table, "UNBUILT", {})


TABLES = {
    module.name: import_module(f"{families.__name__}.{module.name}")
    for module in iter_modules(families.__path__)
}
UNBUILT = [(name, case) for name, table in TABLES.items() for case in unbuilt(table)]
CASES = [(name, case) for name, table in TABLES.items() for case in table.CASES] + UNBUILT


def rooms() -> dict[str, Path]:
    """Folder of every family."""
    steps = (step for folder in cells.__path__ for step in Path(folder).glob("*/step.py"))
    return {step.parent.name: step.parent for step in steps}


def program_of(family: str, case: str) -> Program:
    step = import_module(f"sylvan.model.cells.{family}.step")
    return step.program(parameters_of(family, case))


def parameters_of(family: str, case: str) -> Any:
    return (TABLES[family].CASES | unbuilt(TABLES[family]))[case]


def raw_inputs(program: Program, batch: int, length: int) -> np.ndarray:
    """Raw sequences; one of them holds the largest input throughout, so that states saturate."""
    rng = np.random.default_rng(batch)
    value = program.input.value
    raw = rng.integers(value.format.lo, value.format.hi + 1, (batch, length, value.size))
    raw[0] = value.format.hi
    return raw[..., 0] if isinstance(program.input, SymbolInput) else raw


def test_every_family_has_a_table() -> None:
    assert set(TABLES) == set(rooms())


@pytest.mark.parametrize("family", TABLES)
def test_the_readme_has_equation_and_paper(family: str) -> None:
    text = (rooms()[family] / "README.md").read_text()
    assert TABLES[family].PAPER in text
    assert re.search(r"^ {4,}\S+ = |^```|\$\$", text, re.MULTILINE), "an equation, set apart"


@pytest.mark.parametrize("family, case", CASES)
def test_golden_is_fake_quantized_torch(family: str, case: str) -> None:
    program = program_of(family, case)
    raw = raw_inputs(program, 6, 9)
    expected = TABLES[family].fake_quantized(parameters_of(family, case), raw)
    answers = run(program, raw)
    assert np.array_equal(answers, expected)
    assert program.output.size == 1 or np.ptp(answers), "answers that never change show nothing"


@pytest.mark.parametrize("family, case", UNBUILT)
def test_what_has_no_hardware_is_refused_by_name(family: str, case: str) -> None:
    with pytest.raises(UserError, match="has no hardware yet"):
        Plan(program_of(family, case), Schedule(1))


@pytest.mark.parametrize(
    "family, case",
    [(f, c) for f, table in TABLES.items() for c in (*table.CI, *list(unbuilt(table))[:3])],
)
def test_saved_and_loaded_it_is_the_same(family: str, case: str, tmp_path: Path) -> None:
    program = program_of(family, case)
    loaded = load(save(program, tmp_path / "program"))
    assert (loaded, program_hash(loaded)) == (program, program_hash(program))
    raw = raw_inputs(program, 3, 9)
    assert np.array_equal(run(loaded, raw), run(program, raw))


REFUSALS = [(name, *refusal) for name, table in TABLES.items() for refusal in table.REFUSED]


@pytest.mark.parametrize("family, build, message", REFUSALS)
def test_refused(family: str, build: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build()


def variants() -> list[Any]:
    """Family, case, number of the schedule; what CI leaves out is marked `full`."""
    found = []
    for name, table in TABLES.items():
        for number, case in enumerate(table.CASES):
            turn = table.CI.index(case) if case in table.CI else number
            for schedule in range(3) if case == table.CI[0] else [turn % 3]:
                marks = () if case in table.CI else pytest.mark.full
                title = f"{name}-{case}-{schedule}"
                found.append(pytest.param(name, case, schedule, id=title, marks=marks))
    return found


@pytest.mark.parametrize("family, case, schedule", variants())
def test_hardware_is_golden(family: str, case: str, schedule: int, tmp_path: Path) -> None:
    program = program_of(family, case)
    plans = schedules(program)
    simulator = "icarus" if case in TABLES[family].CI else "verilator"
    plan = plans[schedule % len(plans)]
    if schedule == 1:
        plan = Plan(program, replace(plan.schedule, state_port=True))
    cosimulate(plan, tmp_path / "build", simulator)
