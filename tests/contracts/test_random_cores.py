"""Hardware is golden on random programs: each seed is one, on lanes drawn from it.

CI runs the first seeds on Icarus. `make test-all` runs hundreds, on both simulators in turn, and as
many stacks of two to four layers.
To look closer at one: `pytest tests/contracts/test_random_cores.py -m "" -k "[123]"`.
"""

import re
from collections import Counter
from collections.abc import Container
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from contracts.random_cores import random_core
from contracts.suite import cosimulate
from sylvan.hw.plan import Plan, widest
from sylvan.hw.schedule import Schedule
from sylvan.model.errors import UserError
from sylvan.model.program import Program, SymbolInput

CI_SEEDS = range(14)
CI_STACKS = (0, 3, 7, 12)
"""Of two and three layers; words, digits and contexts."""
ALL_SEEDS = range(400)
LONGEST = 1500
"""Cycles of a step that is read; plans that take longer are left to fewer steps."""


def random_plan(seed: int, program: Program) -> Plan:
    """A plan on any legal number of lanes, one and all of them more often than chance would.

    Whole words, or any digit that the program's words have; one context, or several; every fourth
    with a state port.
    """
    rng = np.random.default_rng(seed + 10**6)
    most = widest(program)
    lanes = list(rng.permutation(np.arange(1, most + 1)))
    if seed % 3 < 2:
        lanes.insert(0, (1, most)[seed % 3])
    digit = rng.choice([0, 0, 0, 1, 1, 2, 3, 4, 7])
    contexts = int(rng.choice([1, 1, 2, 3, 4, 5, 8, 13]))
    turns, logic_roms, dsps = (bool(rng.integers(2)) for _ in range(3))
    levels = int(rng.integers(1, 5))
    knobs = levels, contexts, turns, logic_roms, dsps, seed % 4 == 2
    slowest = None
    for count in lanes:
        plan = None
        for bits in (digit, 1):
            try:
                plan = plan or Plan(program, Schedule(int(count), int(bits), *knobs))
            except UserError as refused:
                assert re.search("lanes|digit", str(refused)), refused
        if plan is None:
            continue
        if plan.closing_cycles * contexts <= LONGEST:
            return plan
        slowest = slowest or plan
    assert slowest is not None, "no number of lanes is legal"
    return slowest


def seeds(of_ci: Container[int]) -> list[Any]:
    """All of them; those that CI does not run are marked."""
    return [
        seed if seed in of_ci else pytest.param(seed, marks=pytest.mark.full) for seed in ALL_SEEDS
    ]


@pytest.mark.parametrize("seed", seeds(CI_SEEDS))
def test_hardware_is_golden(seed: int, tmp_path: Path) -> None:
    simulate_random(seed, random_core(seed), seed in CI_SEEDS, tmp_path)


@pytest.mark.parametrize("seed", seeds(CI_STACKS))
def test_stacks_are_golden(seed: int, tmp_path: Path) -> None:
    simulate_random(seed, random_core(seed, 2 + seed % 3), seed in CI_STACKS, tmp_path)


def simulate_random(seed: int, program: Program, in_ci: bool, folder: Path) -> None:
    plan = random_plan(seed, program)
    simulator = "icarus" if in_ci or seed % 2 else "verilator"
    print(f"seed {seed}, {plan.schedule}, {simulator}")
    cosimulate(plan, folder / "build", simulator, seed=seed)


def test_the_seeds_cover_what_is_awkward() -> None:
    programs = [random_core(seed) for seed in ALL_SEEDS]
    kinds = Counter(node.operation.kind for p in programs for node in p.nodes())
    assert min(kinds.values()) >= 20, kinds
    found = Counter(feature for p in programs for feature in features(p))
    assert len(found) == 12 and min(found.values()) >= 4, found


def test_answers_often_dwell() -> None:
    """An element on a single lane stays for several cycles, and is one element all the same."""
    plans = [random_plan(seed, random_core(seed)) for seed in CI_SEEDS]
    dwelling = [p.layers[-1].answer.pattern for p in plans if p.layers[-1].answer.pattern.dwell > 1]
    assert sum(pattern.size > 1 for pattern in dwelling) >= 2, dwelling


def features(p: Program) -> list[str]:
    """What is awkward about a program."""
    (layer,) = p.layers
    written = {s.value.name: s.next for s in layer.states}
    read = {v.name for node in layer.body for v in node.operands}
    answered = p.readout.body[-1].operation.kind if p.readout.body else ""
    present = {
        "a learned initial state": any(s.initial.any() for s in layer.states),
        "a state that keeps itself": any(name == next for name, next in written.items()),
        "a swap": any(written.get(b) == a != b for a, b in written.items()),
        "a state never read": any(name not in read for name in written),
        "no state": not layer.states,
        "a state is handed on": layer.output.name in written,
        "the input is handed on": layer.output.name == "input",
        "what is handed on is the answer": p.output.name == p.readout.input.name,
        "an index is the answer": p.output.name != p.readout.input.name and answered == "argmax",
        "symbols": isinstance(p.input, SymbolInput),
        "an input of several transfers": p.input.value.size * p.input.value.format.width > 128,
        "phases": p.period > 1,
    }
    return [feature for feature, there in present.items() if there]
