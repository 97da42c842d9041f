"""Contexts: independent sequences in one core, each with a state, a phase and flags of its own."""

import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from contracts.suite import cosimulate
from sylvan.hw.build import write_sources
from sylvan.hw.plan import Plan
from sylvan.hw.schedule import Schedule
from sylvan.hw.verilog import describe_ports, generate
from sylvan.model.builder import Builder
from sylvan.model.errors import CheckError, UserError
from sylvan.model.interpret import run_stream
from sylvan.model.matrices import Dense, Hadamard
from sylvan.model.numbers import Format
from sylvan.model.program import NumericInput, Program
from sylvan.sim.cosimulation import simulate
from sylvan.sim.ports import load_ports
from sylvan.sim.stimulus import Timesteps, random_inputs


def program(read: str = "last", size: int = 8) -> Program:
    """A Hadamard recurrence whose step differs by phase, with an initial state that is not zero."""
    rng = np.random.default_rng(size)
    b = Builder(NumericInput(1, Format(-8, 7), (1.0,), (0.0,)), period=2)
    h = b.state("h", size, Format(-128, 127), rng.integers(-9, 10, size))
    turned = b.exponent([-2, -1], b.matvec(Hadamard(size, rng.choice([-1, 1], size)), h))
    total = b.add(turned, b.matvec(Dense(rng.integers(-7, 8, (size, 1))), b.input))
    h_next = b.narrow(total, h.format)
    b.write(h, h_next)
    b.layer("loop", h_next)
    return b.program(b.matvec(Dense(rng.integers(-7, 8, (3, size))), b.input), read)


@pytest.mark.parametrize(
    "schedule",
    [
        Schedule(8, contexts=16),
        Schedule(8, levels=2, contexts=3),
        Schedule(2, contexts=5),
        Schedule(8, 1, contexts=2),
        Schedule(4, 3, contexts=4),
    ],
    ids=str,
)
@pytest.mark.parametrize("read", ["last", "every"])
def test_every_context_is_a_golden_model_of_its_own(
    schedule: Schedule, read: str, tmp_path: Path
) -> None:
    cosimulate(Plan(program(read), schedule), tmp_path / "build", sequences=20, resets=8)


def swapping(read: str) -> Program:
    """Two states of one element that swap: each is there three cycles later, as soon as any."""
    b = Builder(NumericInput(1, Format(-8, 7), (1.0,), (0.0,)))
    states = [b.state(name, 1, Format(-8, 7), [k + 1]) for k, name in enumerate("ab")]
    for state, other in zip(states, reversed(states), strict=True):
        b.write(state, other)
    b.layer("loop", states[0])
    return b.program(b.add(states[0], b.input), read)


def passing(read: str) -> Program:
    """No state at all: what is read is one word, kept until then."""
    b = Builder(NumericInput(1, Format(-8, 7), (1.0,), (0.0,)))
    return b.program(b.neg(b.layer("feed", b.relu(b.input))), read)


@pytest.mark.parametrize("contexts", [2, 5])
@pytest.mark.parametrize("read", ["last", "every"])
@pytest.mark.parametrize("made", [swapping, passing])
def test_the_shortest_rest_there_is(made: Any, read: str, contexts: int, tmp_path: Path) -> None:
    plan = Plan(made(read), Schedule(1, contexts=contexts))
    assert plan.pace.rest <= 4
    cosimulate(plan, tmp_path / "build", sequences=20, resets=4)


def test_the_golden_model_of_contexts_is_that_of_each_alone() -> None:
    rng = np.random.default_rng(0)
    given = rng.integers(-8, 8, (40, 1)), rng.random(40) < 0.1, rng.random(40) < 0.3
    context = rng.integers(0, 3, 40)
    together = run_stream(program(), *given, context)
    assert len(together) > 5
    for number in range(3):
        own = np.flatnonzero(context == number)
        alone = run_stream(program(), *(part[own] for part in given))
        expected = [(int(own[t]), answer.tolist()) for t, answer in alone]
        found = [(t, answer.tolist()) for t, answer in together if context[t] == number]
        assert found == expected
    with pytest.raises(UserError, match=r"context needs 40 numbers, got an array of shape \(3,\)"):
        run_stream(program(), *given, [0, 1, 2])


def test_contexts_fill_the_time_of_the_recurrence() -> None:
    one, some, enough = (Plan(program(), Schedule(8, contexts=c)) for c in (1, 2, 16))
    rest = one.cycles_per_step
    assert some.cycles_per_step == rest / 2 > 1
    assert enough.cycles_per_step == 1
    assert enough.latency_cycles == one.latency_cycles + 1, "the look-up of a context"
    assert type(enough.cycles_per_step) is type(one.cycles_per_step) is int


def test_a_silent_context_blocks_nobody(tmp_path: Path) -> None:
    """The rest of the contexts go on at the pace of a core that has only them."""
    plan = Plan(program(), Schedule(8, contexts=4))
    build = tmp_path / "build"
    write_sources(plan, build)
    rng = np.random.default_rng(1)
    turns = np.tile([0, 1, 3], 200)
    none = np.zeros(len(turns), bool)
    ends = none.copy()
    ends[-1] = True
    steps = Timesteps(rng.integers(-8, 8, (len(turns), 1)), none, ends, turns)
    result = simulate(build, inputs=steps, resets=0)
    assert result.timesteps >= 600


def test_a_context_that_comes_again_at_once_waits_for_its_state(tmp_path: Path) -> None:
    """A core that forgets to wait answers from an old state."""
    plan = Plan(program(), Schedule(8, contexts=4))
    build = tmp_path / "build"
    write_sources(plan, build)
    verilog = (build / "core.v").read_text()
    assert "resting" in verilog
    spoiled = re.sub(r"(resting\d <=).*;", r"\1 1'h0;", verilog)
    assert spoiled.count("1'h0;") > verilog.count("1'h0;")
    (build / "core.v").write_text(spoiled)
    with pytest.raises(CheckError, match=r"Wrong output|other cycles|stuck"):
        simulate(build, sequences=40, resets=0)


def test_a_core_with_the_state_of_another_context_is_caught(tmp_path: Path) -> None:
    plan = Plan(program(), Schedule(8, contexts=4))
    build = tmp_path / "build"
    write_sources(plan, build)
    verilog = (build / "core.v").read_text()
    lines = verilog.splitlines(keepends=True)
    places = [k for k, line in enumerate(lines) if "o_context" in line and "assign" in line]
    assert len(places) == 1
    name, value = lines[places[0]].split("=")
    lines[places[0]] = f"{name}= ~({value.strip().rstrip(';')});\n"
    (build / "core.v").write_text("".join(lines))
    with pytest.raises(CheckError, match=r"o_context with .*\(context \d, .*: expected \d, got \d"):
        simulate(build, sequences=8, resets=0)


def test_one_context_needs_no_wire() -> None:
    plan = Plan(program(), Schedule(8))
    assert "context" not in generate(plan)
    assert describe_ports(plan)["contexts"] == 1


def test_verilog_grows_by_as_much_with_every_context() -> None:
    few, more, most = (
        len(generate(Plan(program(), Schedule(8, contexts=c)))) for c in (32, 64, 128)
    )
    assert most - more < 2.5 * (more - few)


def test_streams_of_several_contexts_say_which(tmp_path: Path) -> None:
    build = tmp_path / "build"
    write_sources(Plan(program(), Schedule(8, contexts=5)), build)
    ports = load_ports(build)
    assert (ports.contexts, ports.flag_bits) == (5, 2 + 3)
    header = (build / "core.v").read_text()
    assert "// i_context: which of the 5 independent sequences a timestep belongs to" in header
    found = random_inputs(ports, 60, np.random.default_rng(0))
    order = found.context.tolist()
    assert len(set(order)) >= 4
    repeated = sum(a == b for a, b in pairwise(order))
    assert 0 < repeated < len(order) - 1, "neither bursts alone nor turns alone"


def test_whole_sequences_take_turns() -> None:
    steps = Timesteps.of_sequences(np.arange(10).reshape(5, 2), contexts=2)
    assert steps.values[:, 0].tolist() == [0, 2, 1, 3, 4, 6, 5, 7, 8, 9]
    assert steps.context.tolist() == [0, 1, 0, 1, 0, 1, 0, 1, 0, 0]
    assert steps.first.tolist() == [1, 1, 0, 0, 1, 1, 0, 0, 1, 0]
    assert steps.sequence.tolist() == [0, 0, 0, 0, 1, 1, 1, 1, 2, 2]
    assert steps.sequences == 5


@pytest.mark.parametrize("context", [[0, 1, 2], [0, -1, 0]])
def test_a_context_beyond_the_core(context: list[int], tmp_path: Path) -> None:
    build = tmp_path / "build"
    write_sources(Plan(program(), Schedule(8, contexts=2)), build)
    flags = np.ones(3, bool)
    steps = Timesteps(np.zeros((3, 1), np.int64), flags, flags, np.array(context))
    with pytest.raises(UserError, match=r"each of the 3 timesteps needs a context below 2, got 3"):
        simulate(build, inputs=steps)


def test_contexts_are_not_without_end() -> None:
    with pytest.raises(UserError, match="at most 1024 contexts share a core, got 1025"):
        Schedule(8, contexts=1025)


@pytest.mark.parametrize("contexts", [0, 1.5])
def test_contexts_are_counted(contexts: Any) -> None:
    message = f"contexts must be an integer of at least 1, got {contexts}"
    with pytest.raises(UserError, match=message):
        Schedule(8, contexts=contexts)
