"""The hardware of microprograms against golden, and that faults in it would be seen."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from contracts.random_cores import random_core
from contracts.suite import cosimulate
from microcode_programs import (
    APART,
    MICROCODE,
    engine_of,
    gated,
    hadamrnn,
    labels,
    recurrent,
    rounded,
)
from sylvan.hw.microcode.engine import Engine
from sylvan.hw.microcode.instructions import FRESH
from sylvan.hw.operators.narrow import Narrowing
from sylvan.hw.plan import Plan
from sylvan.model.errors import CheckError, UserError

CI_CORES = [(9, 1), (20, 1), (22, 1), (29, 1), (34, 1), (8, 2)]
"""Seeds and layers of random cores that are quick: transfers, phases, tables, labels, lookups."""
ALL_SEEDS = range(300)
LONGEST = 3000
"""Cycles of a step that is read; longer ones are left to the interpreter."""

PROGRAMS = {
    "two phases": recurrent(2, 3, 2, "every"),
    "two layers": recurrent(1, 4, 1, "last", layers=2),
    "three phases, several transfers": recurrent(9, 16, 3, "last"),
    "gates of symbols": gated("every"),
    "logits alike and negative": labels(0, 1),
    "logits far apart": labels(-63, 63, APART),
    "ties of rounding": rounded(9, 2),
    "transform, and phases": hadamrnn(8),
    "transform, answers of several": hadamrnn(4, argmax=False),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_hardware_is_golden(name: str, tmp_path: Path) -> None:
    """Answers under backpressure, resets at any moment, and the planned cycles."""
    result = cosimulate(Plan(PROGRAMS[name], MICROCODE), tmp_path / "build", sequences=3, resets=1)
    assert result.answers > 5


def test_inputs_cross_in_one_transfer_and_in_several() -> None:
    transfers = {Plan(program, MICROCODE).input_port.transfers for program in PROGRAMS.values()}
    assert transfers == {1, 2}


@pytest.mark.parametrize(("seed", "layers"), CI_CORES)
def test_random_cores(seed: int, layers: int, tmp_path: Path) -> None:
    plan = Plan(random_core(seed, layers), MICROCODE)
    cosimulate(plan, tmp_path / "build", sequences=2, resets=1, seed=seed)


@pytest.mark.full
@pytest.mark.parametrize("simulator", ["icarus", "verilator"])
@pytest.mark.parametrize("layers", [1, 2, 3])
def test_many_random_cores(layers: int, simulator: str, tmp_path: Path) -> None:
    """Hundreds of seeds, on both simulators in turn."""
    tried = 0
    for seed in ALL_SEEDS:
        try:
            plan = Plan(random_core(seed, layers), MICROCODE)
        except UserError:
            continue
        if plan.closing_cycles < LONGEST and (tried := tried + 1) % 2 == (simulator == "icarus"):
            cosimulate(plan, tmp_path / str(seed), simulator, sequences=2, resets=2, seed=seed)
    assert tried > 50


def rewritten(change: Callable[[Any], Any]) -> Callable[[Plan, pytest.MonkeyPatch], None]:
    """A fault in every word that a change applies to."""

    def plant(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
        program = engine_of(plan).microprogram
        words = [change(word) for word in program.instructions]
        assert words != program.instructions
        program.instructions = words

    return plant


def wrong_bit(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    engine_of(plan).microprogram.weights[3] ^= True


def wrong_constant(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = engine_of(plan)
    engine.work.constants["h.initial"] = engine.work.constants["h.initial"] + 1


def ties_up(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Narrowing, "rounded_of", lambda self, total: total >> self.dropped)


def overridden(
    method: str, statement: Callable[[Engine], Any]
) -> Callable[[Plan, pytest.MonkeyPatch], None]:
    """A fault in the engine: of two assignments the last one counts."""

    def plant(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
        sound = getattr(Engine, method)

        def faulty(engine: Engine, m: Any) -> None:
            sound(engine, m)
            domain, assignment = statement(engine)
            m.d[domain] += assignment

        monkeypatch.setattr(Engine, method, faulty)

    return plant


def told_less(what: str) -> Callable[[Plan, pytest.MonkeyPatch], None]:
    def plant(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
        setattr(plan, what, getattr(plan, what) - 1)

    return plant


FAULTS: dict[str, tuple[str, Any, str]] = {
    "a bit of weights": ("two phases", wrong_bit, "Wrong output"),
    "a place": (
        "two phases",
        rewritten(lambda word: replace(word, place=word.place ^ 1) if word.store else word),
        "Wrong output",
    ),
    "an initial state that is ignored": (
        "ties of rounding",
        rewritten(lambda word: replace(word, write=word.write and word.guard != FRESH)),
        "Wrong output",
    ),
    "another initial state": ("ties of rounding", wrong_constant, "Wrong output"),
    "a state that is always fresh": (
        "ties of rounding",
        rewritten(lambda word: replace(word, guard=0)),
        "Wrong output",
    ),
    "a phase that is ignored": (
        "ties of rounding",
        rewritten(lambda word: replace(word, skip=0)),
        "Wrong output",
    ),
    "ties that go up": ("ties of rounding", ties_up, "Wrong output"),
    "the last among equals": (
        "logits alike and negative",
        overridden("_accumulate", lambda e: ("sync", e.less.eq(e.sum <= 0))),
        "Wrong output",
    ),
    "a sum as wide as elements": (
        "logits far apart",
        overridden("_accumulate", lambda e: ("sync", e.less.eq(e.sum[-2]))),
        "Wrong output",
    ),
    "answers that do not wait": (
        "two phases",
        overridden("_answer", lambda e: ("comb", e.advances.eq(1))),
        "stream rule|Wrong output",
    ),
    "a cycle less a step": ("two phases", told_less("cycles_per_step"), "cycles_per_step"),
    "a cycle less until the answer": ("two phases", told_less("latency_cycles"), "latency_cycles"),
    "a cycle less a step that is read": (
        "transform, answers of several",
        told_less("closing_cycles"),
        "closing_cycles",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_faults_are_seen(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sound, plant, said = FAULTS[name]
    plan = Plan(PROGRAMS[sound], MICROCODE)
    plant(plan, monkeypatch)
    with pytest.raises(CheckError, match=said):
        cosimulate(plan, tmp_path / "build", sequences=4, resets=0)
