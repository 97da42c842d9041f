"""What the contract tests share: tables, plans in three schedules, builds and their simulation."""

import os
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType

from sylvan.hw.build import write_sources
from sylvan.hw.plan import Plan, widest
from sylvan.hw.schedule import Schedule
from sylvan.model.errors import UserError
from sylvan.model.program import Program
from sylvan.sim.cosimulation import Result, simulate

from . import operations

TABLES: dict[str, ModuleType] = {
    module.name: import_module(f"{operations.__name__}.{module.name}")
    for module in iter_modules(operations.__path__)
}
REFERENCES = {name: table.reference for name, table in TABLES.items()}


def schedules(program: Program, digit: int = 0) -> list[Plan]:
    """Plans with the least lanes, about half, and the most that the program allows.

    With a digit, or the widest that the program has where that is less.
    """
    most = widest(program)
    half = (most + 1) // 2
    orders = [
        range(1, most + 1),
        sorted(range(1, most + 1), key=lambda lanes: abs(lanes - half)),
        range(most, 0, -1),
    ]
    plans = [_first_plan(program, lanes, digit) for lanes in orders]
    return list({plan.schedule.lanes: plan for plan in plans}.values())


def _first_plan(program: Program, lanes: Iterable[int], digit: int) -> Plan:
    """The plan of the first legal number of lanes; a Hadamard matrix does not take every one."""
    for count in lanes:
        for bits in range(digit, -1, -1):
            try:
                return Plan(program, Schedule(count, bits))
            except UserError as refused:
                if "digit" not in str(refused):
                    assert "lanes" in str(refused), refused
                    break
    raise AssertionError("no number of lanes is legal")


def cosimulate(
    plan: Plan,
    folder: Path,
    simulator: str = "icarus",
    *,
    sequences: int = 6,
    resets: int = 2,
    seed: int | None = None,
) -> Result:
    """RTL of a plan against the golden model, in everything that `simulate` compares.

    The seed is $SYLVAN_SEED, or 0; a failure prints it.
    """
    write_sources(plan, folder)
    if seed is None:
        seed = int(os.environ.get("SYLVAN_SEED", "0"))
    return simulate(folder, simulator=simulator, sequences=sequences, resets=resets, seed=seed)
