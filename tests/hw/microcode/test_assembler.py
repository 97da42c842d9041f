"""Microprograms alone, by an interpreter in Python: golden's answers, in the planned cycles."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from contracts.cases import bins
from contracts.random_cores import random_core
from contracts.suite import TABLES
from microcode_machine import MicrocodeMachine
from microcode_programs import (
    BYTE,
    MICROCODE,
    engine_of,
    gated,
    hadamrnn,
    labels,
    numbers,
    recurrent,
    rounded,
)
from sylvan.hw.microcode.instructions import FRESH
from sylvan.hw.plan import Plan
from sylvan.model.builder import Builder
from sylvan.model.errors import UserError
from sylvan.model.interpret import run_stream
from sylvan.model.matrices import Dense
from sylvan.model.numbers import Format
from sylvan.model.program import Program, SymbolInput
from sylvan.model.storage import load

GALLERY = Path(__file__).parents[3] / "gallery"
NAMES = sorted(path.parent.name for path in GALLERY.glob("*/program.json"))


def play(plan: Plan, machine: MicrocodeMachine, steps: int = 12) -> None:
    """Sequences of random lengths: answers of golden, cycles of the plan."""
    program = plan.program
    rng = np.random.default_rng(steps)
    value = program.input.value
    ends = value.format.lo, value.format.hi
    inputs = rng.integers(ends[0], ends[1] + 1, (steps, value.size))
    inputs[rng.random(steps) < 0.2] = ends[0]
    inputs[rng.random(steps) < 0.2] = ends[1]
    first, last = rng.random(steps) < 0.25, rng.random(steps) < 0.5
    golden = dict(run_stream(program, inputs, first, last))
    assert len(golden) > 1 or steps < 12
    for t, given in enumerate(inputs.tolist()):
        seen = machine.step(given, bool(first[t]), bool(last[t]))
        if t in golden:
            assert seen.answer == golden[t].tolist()
            assert (seen.cycles, seen.latency) == (plan.closing_cycles, plan.latency_cycles)
        else:
            assert (seen.cycles, seen.answer) == (plan.cycles_per_step, [])


def checked(program: Program, steps: int = 12) -> bool:
    """Whether a program has a microprogram, which then is as it should be."""
    try:
        plan = Plan(program, MICROCODE)
    except UserError as refused:
        assert "leave out --microcode" in str(refused)
        return False
    play(plan, MicrocodeMachine(engine_of(plan)), steps)
    return True


@pytest.mark.parametrize("units", [2, 4, 8, 16])
@pytest.mark.parametrize("argmax", [False, True])
def test_hadamrnn(units: int, argmax: bool) -> None:
    program = hadamrnn(units, argmax)
    assert program.period == {2: 2, 4: 1, 8: 2, 16: 1}[units] and checked(program)


@pytest.mark.parametrize("read", ["every", "last"])
@pytest.mark.parametrize(
    ("size", "bits", "period", "layers"), [(1, 8, 1, 1), (5, 3, 2, 2), (20, 10, 3, 1)]
)
def test_recurrent(size: int, bits: int, period: int, layers: int, read: str) -> None:
    assert checked(recurrent(size, bits, period, read, layers))


@pytest.mark.parametrize(
    "program", [gated("every"), gated("last"), labels(0, 1), labels(-2, 1), rounded(9, 2)]
)
def test_other_programs(program: Program) -> None:
    assert checked(program, 30)


@pytest.mark.parametrize("kind", sorted(set(TABLES) - {"argmax"}))
def test_every_operation_in_awkward_formats(kind: str) -> None:
    """In the step and in the readout, of every size that its contract knows."""
    tried = [
        checked(bin.program(place, read), 4)
        for bin in bins(TABLES[kind].CASES)
        for place, read in (("step", "every"), ("readout", "last"))
    ]
    assert all(tried)


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_random_cores(layers: int) -> None:
    tried = [checked(random_core(seed, layers)) for seed in range(25)]
    assert sum(tried) >= (14, 9, 6)[layers - 1]


@pytest.mark.full
@pytest.mark.parametrize("layers", [1, 2, 3])
def test_many_random_cores(layers: int) -> None:
    tried = [checked(random_core(seed, layers)) for seed in range(25, 1000)]
    assert sum(tried) >= (500, 350, 250)[layers - 1]


@pytest.mark.full
@pytest.mark.parametrize("name", NAMES)
def test_gallery(name: str) -> None:
    assert checked(load(GALLERY / name), 4)


def longer_than_elements(lookup: bool) -> Program:
    """A table with more places than numbers as wide as its elements can tell apart."""
    b = Builder(SymbolInput(20) if lookup else numbers(20, Format(0, 1)))
    if lookup:
        given = b.lookup(np.arange(20 * 64).reshape(1, 20, 64) % 3 - 1, 0, b.input)
    else:
        summed = b.matvec(Dense(np.ones((1, 20), int)), b.input)
        given = b.table(np.arange(21) % 3 - 1, 0, summed)
    return b.program(b.layer("layer", given), "every")


@pytest.mark.parametrize("lookup", [False, True])
def test_sums_are_wide_enough_for_the_longest_table(lookup: bool) -> None:
    assert checked(longer_than_elements(lookup), 40)


def test_a_value_may_be_called_one() -> None:
    """As may be what constants of a readout are spelled by."""
    b = Builder(numbers(3, BYTE))
    h = b.layer("layer", b.scale([[5]], 0, b.input, name="one"))
    total = b.add(b.matvec(Dense(np.eye(3, dtype=int)), h), b.const([[3, -4, 5]], BYTE.exp))
    assert checked(b.program(total, "last"), 30)


def test_a_constant_that_is_aligned_is_not_that_of_a_phase() -> None:
    """`lerp` moves it to the left by as many bits as the phase has as its number."""
    b = Builder(numbers(3, Format(0, 8, -3)), 2)
    held = b.const([[1, 2, 3], [4, 5, 6]], 1)
    mixed = b.lerp(b.input, held, b.const([[9, -8, 7]], 0))
    assert checked(b.program(b.layer("layer", mixed), "every", [1.0, 1.0]))


def test_the_cycles_of_a_small_program_by_hand() -> None:
    """Of a state of one element: `h' = narrow(h / 2 + x)`, read at every step."""
    plan = Plan(rounded(9), MICROCODE)
    # Before every loop is a cycle; the sum is that of x, doubled, of h and of one half.
    begins, initial, loaded, new, shown, jump = 1, 1 + 2, 1, 1 + 5, 1 + 2, 1
    cycles = begins + initial + loaded + new + shown + jump
    assert plan.cycles_per_step == plan.closing_cycles == cycles
    assert plan.latency_cycles == 1 + new + 2, "of the loop that answers the second word does"


def test_faults_in_microprograms_are_seen() -> None:
    """A bit of weights, the first and the last; a place; the initial state; a phase; a guard."""
    plan = Plan(recurrent(5, 3, 2, "every"), MICROCODE)
    for bit in (0, -1):
        machine = MicrocodeMachine(engine_of(plan))
        machine.weights[bit] ^= 1
        with pytest.raises(AssertionError):
            play(plan, machine, 40)
    changes = [
        lambda word: replace(word, read=word.read ^ 1) if word.skip else word,
        lambda word: replace(word, write=word.write and word.guard != FRESH),
        lambda word: replace(word, guard=0),
        lambda word: replace(word, skip=0),
        lambda word: replace(word, limit=word.limit - (word.limit == 4)),
    ]
    for change in changes:
        machine = MicrocodeMachine(engine_of(plan))
        machine.words = [change(word) for word in machine.words]
        with pytest.raises(AssertionError):
            play(plan, machine, 40)
    play(plan, MicrocodeMachine(engine_of(plan)), 40)
