"""Plans: what they promise, what they refuse, and what of them is a formula."""

import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from contracts.random_cores import random_core
from contracts.suite import cosimulate
from contracts.test_random_cores import random_plan
from sylvan.hw.border import fifo_depth
from sylvan.hw.operators.converters import ToDigits, ToWords
from sylvan.hw.operators.delay import Delay
from sylvan.hw.operators.stored import Buffer
from sylvan.hw.plan import Plan
from sylvan.hw.schedule import DEFAULT_LANES, Schedule
from sylvan.hw.verilog import generate
from sylvan.model.builder import Builder
from sylvan.model.errors import UserError
from sylvan.model.matrices import Dense, Hadamard
from sylvan.model.numbers import Format, Rounding
from sylvan.model.operations import Value
from sylvan.model.program import NumericInput, Program, SymbolInput

BYTE = Format.signed_bits(8)
Step = Callable[[Builder, Value, Value], Value]


def numeric(size: int, format: Format = BYTE) -> NumericInput:
    return NumericInput(size, format, (1.0,) * size, (0.0,) * size)


def recurrent(size: int, step: Step, inputs: int = 1, outputs: int | None = 3) -> Program:
    """`h' = narrow(step(h, x))`, read by a dense matrix of so many rows, or as it is."""
    b = Builder(numeric(inputs))
    h = b.state("h", size, BYTE)
    new = b.narrow(step(b, h, b.input), BYTE, name="h_new")
    b.write(h, new)
    handed_on = b.layer("rnn", new)
    if outputs is None:
        return b.program(handed_on, "last")
    weights = np.ones((outputs, size), np.int64)
    return b.program(b.matvec(Dense(weights), handed_on), "last")


def hadamard(block: int, size: int) -> Step:
    def step(b: Builder, h: Value, x: Value) -> Value:
        turned = b.exponent(-block.bit_length() // 2, b.matvec(Hadamard(block, [-1] * size), h))
        return b.add(turned, b.matvec(Dense(np.ones((size, x.size), np.int64)), x))

    return step


# ---- refusals


def read_at(timesteps: tuple[int, ...]) -> Program:
    b = Builder(numeric(2))
    b.layer("feed", b.input)
    return b.program(b.input, timesteps)


@pytest.mark.parametrize(
    "build, message",
    [
        (lambda: Schedule(0), "lanes must be an integer of at least 1, got 0"),
        (lambda: Schedule(True), "lanes must be an integer of at least 1, got True"),
        (lambda: Schedule(2.0), "lanes must be an integer of at least 1, got 2.0"),
        (
            lambda: Plan(read_at((3, 9, 12)), Schedule(1)),
            "a core reads every timestep or the last one, this program reads 3 from 3 to 12: a "
            "readout at a list of timesteps has no hardware yet",
        ),
        (
            lambda: Plan(recurrent(20, hadamard(4, 20)), Schedule(21)),
            "21 lanes for a program whose widest vector has 20 elements; use 1 to 20",
        ),
        (
            lambda: Plan(recurrent(20, hadamard(4, 20)), Schedule(6)),
            "matvec0: blocks of 4 cannot pass on 6 lanes: one must divide the other",
        ),
    ],
)
def test_refused(build: Callable[[], Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        build()


def test_every_vector_counts_for_the_most_lanes() -> None:
    """States that only swap are no operation's result."""
    b = Builder(numeric(1))
    left, right = b.state("left", 8, BYTE), b.state("right", 8, BYTE)
    b.write(left, right)
    b.write(right, left)
    b.layer("swap", left)
    program = b.program(b.input, "every")
    assert Plan(program, Schedule(8)).schedule_keys()["lanes"] == 8
    with pytest.raises(UserError, match="widest vector has 8 elements; use 1 to 8"):
        Plan(program, Schedule(9))


# ---- cycles


@pytest.mark.parametrize("lanes", [1, 2, 4, 8, 16])
def test_an_ordinary_step_of_the_transform(lanes: int) -> None:
    """Read 2, through the transform, exponent free, sum with its signs, narrow 2, and back."""
    plan = Plan(recurrent(16, hadamard(16, 16)), Schedule(lanes))
    loop = 2 + (16 // lanes - 1) + 4 + 1 + 2
    assert plan.cycles_per_step == max(loop, 16 // lanes) + 1
    assert plan.closing_cycles >= 3 * 16 // lanes
    assert plan.latency_cycles > plan.cycles_per_step


def test_more_lanes_are_never_slower() -> None:
    plans = [Plan(recurrent(32, hadamard(8, 32)), Schedule(1 << k)) for k in range(6)]
    cycles = [(p.cycles_per_step, p.closing_cycles) for p in plans]
    assert cycles == sorted(cycles, reverse=True)


def test_a_program_read_on_every_step_has_one_interval() -> None:
    b = Builder(numeric(4))
    b.layer("feed", b.relu(b.input))
    plan = Plan(b.program(b.matvec(Dense(np.ones((9, 4), int)), b.input), "every"), Schedule(2))
    assert plan.cycles_per_step == plan.closing_cycles >= 9 * 2


def test_a_vector_that_repeats_keeps_its_parts_busy_for_all_its_repeats() -> None:
    """The transform of 8 elements passes once for each of the 5 rows that it is multiplied by."""
    b = Builder(numeric(8))
    b.layer("step", b.input)
    turned = b.matvec(Hadamard(8, [1, -1] * 4), b.input, name="turned")
    answer = b.matvec(Dense(np.ones((5, 8), np.int64)), turned)
    plan = Plan(b.program(answer, "last"), Schedule(2))
    (layer,) = plan.layers
    intervals = {part.name: part.interval for part in layer.readout.parts}
    assert intervals["turned_transform"] == intervals["turned"] == 5 * 4
    described = {part["name"]: part["interval"] for part in plan.describe()["layers"][0]["readout"]}
    assert described == intervals
    assert plan.closing_cycles >= 5 * 4


@pytest.mark.parametrize("seed", range(40))
def test_no_vector_starts_before_the_last_one_has_passed(seed: int) -> None:
    """What makes a vector pass, and again, bounds the timesteps, so that all that follows can."""
    program = random_core(seed)
    plan = random_plan(seed, program)
    (layer,) = plan.layers
    for parts, distance in (
        (layer.step.parts, plan.pace.interval),
        (layer.readout.parts, plan.pace.closing_interval),
    ):
        for part in parts:
            assert part.pattern.cycles <= part.interval <= distance, part.name


@pytest.mark.parametrize("input, transfers, per_transfer, bits", [
    (numeric(1), 1, 1, 8),
    (numeric(16), 1, 16, 8),
    (numeric(17), 2, 16, 8),
    (numeric(50, Format(0, 31)), 2, 25, 5),
    (numeric(3, Format(0, 0)), 1, 3, 1),
    (numeric(2, Format(-(1 << 60), 1 << 60)), 1, 2, 62),
    (numeric(3, Format(-(1 << 60), 1 << 60)), 2, 2, 62),
    (SymbolInput(1), 1, 1, 1),
    (SymbolInput(300), 1, 1, 9),
])  # fmt: skip
def test_inputs_take_transfers_of_at_most_128_bits(
    input: Any, transfers: int, per_transfer: int, bits: int
) -> None:
    b = Builder(input)
    b.layer("passing", b.input)
    port = Plan(b.program(b.input, "every"), Schedule(1)).input_port
    assert (port.transfers, port.per_transfer, port.element_bits) == (transfers, per_transfer, bits)


@pytest.mark.parametrize(("lanes", "passing", "cycles"), [(1, 16, 16), (4, 4, 4), (16, 1, 3)])
def test_a_delay_holds_many_vectors(lanes: int, passing: int, cycles: int, tmp_path: Path) -> None:
    """The input waits for six transforms of itself, and keeps no timestep back by that.

    On 16 lanes, collecting an input takes 3 cycles, longer than anything else.
    """
    b = Builder(numeric(16))
    turned = b.input
    for _ in range(6):
        turned = b.narrow(b.matvec(Hadamard(16, [1] * 16), turned), BYTE)
    b.layer("step", b.narrow(b.add(turned, b.input), BYTE))
    plan = Plan(b.program(b.argmax(b.input), "last"), Schedule(lanes))
    (delay,) = [part for part in plan.parts if isinstance(part.operator, Delay)]
    assert delay.interval == passing and delay.latency > 7 * passing
    assert plan.cycles_per_step == cycles
    cosimulate(plan, tmp_path / "build")


# ---- memories


def kept(program: Program, lanes: int = 1) -> dict[str, tuple[int, int]]:
    """Copies and words of every memory."""
    memories = Plan(program, Schedule(lanes)).layers[0].memories
    return {m.name: (m.copies, m.written.pattern.beats) for m in memories}


def test_a_state_handed_on_is_kept_once() -> None:
    assert kept(recurrent(8, hadamard(8, 8)), 2) == {"h_memory": (1, 4)}


def test_what_no_state_keeps_is_kept_for_the_readout() -> None:
    b = Builder(numeric(4))
    b.layer("feed", b.relu(b.input, name="positive"))
    assert kept(b.program(b.neg(b.input), "last")) == {"positive_kept": (1, 4)}


def test_a_state_read_in_two_patterns_has_two_copies() -> None:
    """By the transform in beats, by the outer products element by element."""

    def step(b: Builder, h: Value, x: Value) -> Value:
        return b.add(hadamard(8, 8)(b, h, x), b.matvec(Dense(np.ones((8, 8), int)), h))

    assert kept(recurrent(8, step), 4) == {"h_memory": (2, 2)}


def test_a_state_never_read_takes_no_memory() -> None:
    b = Builder(numeric(4))
    unread = b.state("unread", 4, BYTE)
    b.write(unread, b.input)
    b.layer("feed", b.neg(b.input))
    assert kept(b.program(b.input, "every"))["unread_memory"][0] == 0


IN_LOGIC = re.compile(r'^  \(\* rom_style = "logic" \*\)\n.*\n', re.MULTILINE)
MEMORY = re.compile(r"^  reg (?:\[(\d+):0\] )?\S+ \[(\d+):0\];", re.MULTILINE)


@pytest.mark.parametrize("seed", range(30))
def test_every_memory_is_in_the_estimate(seed: int) -> None:
    """Width and depth of all memories in the Verilog that are not to be look-up tables.

    The answers' queue is a memory that no part has.

    Two words may be a vector of one word with one to spare, which is kept in registers.
    """
    program = random_core(seed)
    schedule = random_plan(seed, program).schedule
    plan = Plan(program, replace(schedule, logic_roms=False))
    verilog = IN_LOGIC.sub("", generate(plan))
    found = Counter((int(top or 0) + 1, int(last) + 1) for top, last in MEMORY.findall(verilog))
    costs = plan.cost.values()
    stated = Counter(size for cost in costs for size in (*cost.memories, *cost.roms))
    flags = 2 + (plan.tag.contexts - 1).bit_length()
    stated[plan.output_port.element_bits + flags, fifo_depth(plan.layers[-1].queue_depth) - 1] += 1
    assert not {shape for shape in found - stated if shape[1] > 2}, (found, stated)


# ---- the floor


def test_the_floor_is_the_transform_and_one_add_for_each_unit() -> None:
    """16 units of 8 bits: 4 stages that grow from 8 bits, and the sum with the input."""
    plan = Plan(recurrent(16, hadamard(16, 16)), Schedule(4))
    assert plan.floor_adder_bits == 16 * (8 + 9 + 10 + 11) + 16 * 8


def test_the_floor_of_a_dense_recurrence_is_its_adder_graph() -> None:
    """Four equal rows of ones are one sum of four: two adders of 8 bits, one of 9, and 4 adds."""

    def step(b: Builder, h: Value, x: Value) -> Value:
        return b.matvec(Dense(np.ones((4, 4), int)), h)

    plan = Plan(recurrent(4, step), Schedule(1))
    assert plan.floor_adder_bits == 8 + 8 + 9 + 4 * 8


def test_a_recurrence_of_products_has_no_floor() -> None:
    def step(b: Builder, h: Value, x: Value) -> Value:
        return b.mul(h, h)

    assert Plan(recurrent(4, step), Schedule(1)).floor_adder_bits is None


def test_a_recurrence_by_a_matrix_for_each_phase_has_no_known_floor() -> None:
    def step(b: Builder, h: Value, x: Value) -> Value:
        return b.phased_matvec(np.ones((1, 4, 4), np.int64), h)

    assert Plan(recurrent(4, step), Schedule(1)).floor_adder_bits is None


def test_products_outside_the_recurrence_do_not_count() -> None:
    def step(b: Builder, h: Value, x: Value) -> Value:
        return b.add(h, b.mul(x, x))

    assert Plan(recurrent(1, step), Schedule(1)).floor_adder_bits == 8


# ---- digits


def test_a_word_holds_what_passes_before_its_sign_is_turned() -> None:
    """Eight sixteens are 128, minus 128 needs no ninth bit."""
    b = Builder(NumericInput(8, Format(0, 16), (1.0,) * 8, (0.0,) * 8))
    state = b.state("s", 8, Format(0, 15))
    turned = b.matvec(Hadamard(8, -np.ones(8, np.int64)), b.input)
    b.write(state, b.narrow(turned, Format(0, 15), Rounding.FLOOR))
    b.layer("step", state)
    program = b.program(state, "every")
    for lanes, digit in product((1, 2, 4, 8), (1, 2, 8)):
        assert Plan(program, Schedule(lanes, digit)).layers[0].step.body.word * digit >= 9


def test_a_digit_is_no_wider_than_the_widest_word() -> None:
    program = recurrent(16, hadamard(16, 16))
    word = Plan(program, Schedule(16, 1)).layers[0].step.body.word
    assert Plan(program, Schedule(4, word)).layers[0].step.body.word <= 2
    for digit in (word + 1, 100_000):
        with pytest.raises(UserError, match=f"whose widest word has {word}; use 1 to {word}, or"):
            Plan(program, Schedule(4, digit))


@pytest.mark.parametrize("levels, cycles", [(1, 10), (2, 8), (9, 6)])
def test_levels_are_where_a_graph_has_registers(levels: int, cycles: int) -> None:
    """Read 2, four levels of the transform and one of the sum, narrow 2, and back."""
    plan = Plan(recurrent(16, hadamard(16, 16)), Schedule(16, levels=levels))
    assert plan.cycles_per_step == 2 + -(-5 // levels) + 2 + 1 == cycles


def test_planes_are_written_again_as_soon_as_they_are_read() -> None:
    """A buffer between narrowing and a sum does not make a step longer than its words."""

    def step(b: Builder, h: Value, x: Value) -> Value:
        return b.add(h, b.narrow(b.add(x, x), BYTE))

    for lanes, digit in ((1, 1), (4, 3)):
        plan = Plan(recurrent(16, step, inputs=16), Schedule(lanes, digit))
        table = plan.layers[0].step
        (buffer,) = (p for p in table.parts if isinstance(p.operator, Buffer))
        word = table.body.word
        assert buffer.interval <= word * 16 // lanes + word
        assert plan.cycles_per_step < 1.5 * word * 16 // lanes


# ---- as data


def test_a_plan_is_described_as_data() -> None:
    plan = Plan(recurrent(20, hadamard(4, 20), inputs=3), Schedule())
    described = json.loads(json.dumps(plan.describe()))
    schedule = {
        "lanes": DEFAULT_LANES,
        "digit": 8,
        "words": True,
        "levels": 1,
        "contexts": 1,
        "turns": False,
        "logic_roms": False,
        "dsps": False,
        "state_port": False,
        "microcode": False,
    }
    assert described["schedule"] == schedule
    assert described["cycles"] == {
        "cycles_per_step": plan.cycles_per_step,
        "closing_cycles": plan.closing_cycles,
        "latency_cycles": plan.latency_cycles,
        "interval": plan.pace.interval,
        "rest": plan.pace.rest,
    }
    (layer,) = described["layers"]
    parts = layer["step"] + layer["readout"]
    names = [part["name"] for part in parts]
    assert len(set(names)) == len(names)
    assert {operand for part in parts for operand in part["operands"]} <= set(names)
    for part in parts:
        operands = [p for p in parts if p["name"] in part["operands"]]
        starts = {p["begins"] + p["latency"] for p in operands}
        assert starts <= {part["begins"]}, "operands start together, when their consumer begins"
        assert part["begins"] >= 0
    values = {node.result.name for node in plan.program.nodes()}
    values |= {"input", *(state.value.name for state in plan.program.states)}
    assert {part["value"] for part in parts} <= values
    assert all(part["name"].startswith(part["value"]) for part in parts)
    (memory,) = layer["memories"]
    assert memory["memories"] == [[memory["word_lanes"] * memory["element_bits"], memory["words"]]]
    assert memory["roms"] == []


@pytest.mark.parametrize("seed", range(6))
def test_every_part_is_for_a_value_of_the_program(seed: int) -> None:
    """What waits, or is brought into another order, stays the value that it was."""
    program = random_core(seed)
    values = {"input", *(state.value.name for state in program.states)}
    values |= {node.result.name for node in program.nodes()}
    parts = Plan(program, Schedule(2)).parts
    assert {part.value for part in parts} <= values
    for part in parts:
        if isinstance(part.operator, Buffer | Delay | ToDigits | ToWords):
            assert part.value == part.operands[0].value, part.name


def test_a_plan_is_a_function_of_program_and_schedule() -> None:
    program = recurrent(20, hadamard(4, 20))
    plans = [Plan(program, Schedule(4)) for _ in range(2)]
    assert plans[0].describe() == plans[1].describe()
    assert plans[0].cost == plans[1].cost
