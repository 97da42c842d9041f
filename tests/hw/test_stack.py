"""Stacks of layers: what meets between them, at which pace, and that no bit is lost there."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from contracts.families import hadamrnn, qornn
from contracts.suite import cosimulate
from sylvan.hw import plan as planning
from sylvan.hw.build import check_unchanged, write_sources
from sylvan.hw.cost import estimate
from sylvan.hw.front import explore
from sylvan.hw.kept import MemoryPlan
from sylvan.hw.layer import LayerPlan
from sylvan.hw.pace import Handover, Pace, find_handover
from sylvan.hw.plan import Plan
from sylvan.hw.schedule import Schedule
from sylvan.hw.targets import TARGETS
from sylvan.model.builder import Builder
from sylvan.model.cells.hadamrnn.step import step as hadam_step
from sylvan.model.cells.qornn.step import step as qornn_step
from sylvan.model.checkpoint import sides
from sylvan.model.config import Config
from sylvan.model.errors import CheckError, UserError
from sylvan.model.export import Trained, quantized
from sylvan.model.families import build_layer
from sylvan.model.matrices import Dense, Hadamard
from sylvan.model.numbers import Format
from sylvan.model.operations import Value
from sylvan.model.program import NumericInput, Program
from sylvan.model.tasks import load_task

BYTE = Format.signed_bits(8)


def numeric(size: int, format: Format = BYTE) -> NumericInput:
    return NumericInput(size, format, (1.0,) * size, (0.0,) * size)


def dense(b: Builder, rows: int, a: Value, seed: int, bits: int = 4) -> Value:
    ends = -(1 << bits - 1), 1 << bits - 1
    return b.matvec(Dense(np.random.default_rng(seed).integers(*ends, (rows, a.size))), a)


def turning(layers: int, size: int = 16, read: str = "last") -> Program:
    """Layers of one kind: the transform of the state, and the input on every lane."""
    b = Builder(numeric(1))
    for k in range(layers):
        h = b.state("h", size, Format.signed_bits(10))
        signs = np.random.default_rng(k).choice([-1, 1], size)
        turned = b.exponent(-size.bit_length() // 2, b.matvec(Hadamard(size, signs), h))
        entering = b.exponent(-1, b.input) if k else dense(b, size, b.input, 0)
        new = b.narrow(b.add(turned, entering), h.format)
        b.write(h, new)
        b.layer("turning", new)
    return b.program(dense(b, 3, b.input, 9), read)


def of_cells(read: str = "last") -> Program:
    """HadamRNN's step body on symbols, twice, with two phases each, and QORNN's with a ReLU."""
    first = hadamrnn.parameters(32, 32, "symbols", "loop", read, False, 8)
    vector = numeric(32, first.state)
    second = hadamrnn.parameters(8, 8, "three", "none", read, False, 7)
    weights = np.random.default_rng(1).integers(-7, 8, (1, 8, 32))
    second = replace(second, input=vector, input_weights=weights, scaled_input=first.state)
    third = qornn.parameters(8, "three", "relu", read, False, 4, 6)
    weights = np.random.default_rng(2).integers(-2, 3, (8, 8))
    third = replace(third, input=numeric(8, second.state), input_weights=weights)
    b = Builder(first.input, first.period)
    for p, step in ((first, hadam_step), (second, hadam_step), (third, qornn_step)):
        h = b.state("hidden", p.hidden, p.state)
        new = step(b, p, b.input, h)
        b.write(h, new)
        b.layer("recurrence", new)
    return b.program(b.argmax(dense(b, 5, b.input, 3)), read)


def small_rnn(read: str = "last") -> Program:
    """Four layers of 13 units with weights of 8 bits."""
    b = Builder(numeric(5))
    for k in range(4):
        h = b.state("h", 13, Format.unsigned_bits(7))
        total = b.add(dense(b, 13, b.input, 2 * k, 8), dense(b, 13, h, 2 * k + 1, 8))
        new = b.narrow(b.exponent(-9, b.relu(total)), h.format)
        b.write(h, new)
        b.layer("rnn", new)
    return b.program(dense(b, 4, b.input, 99), read)


def odd_ones(read: str = "last") -> Program:
    """Layers that hand on their input, a state before its step, a constant, or read nothing."""
    b = Builder(numeric(20, Format(-300, 211)), period=2)
    b.layer("feed", b.input)
    old = b.state("old", 20, Format(-300, 211), range(20))
    b.write(old, b.input)
    b.layer("late", old)
    count = b.state("count", 3, BYTE)
    more = b.narrow(b.add(count, b.const([[1, 2, 3], [-4, 0, 4]], 0)), BYTE)
    b.write(count, more)
    b.layer("deaf", more)
    b.layer("again", b.input)
    return b.program(b.neg(b.input), read)


STACKS = {made.__name__: made for made in (of_cells, small_rnn, odd_ones)}
SCHEDULES = [
    ("of_cells", Schedule(8, contexts=3)),
    ("small_rnn", Schedule(4)),
    ("odd_ones", Schedule(1)),
    ("odd_ones", Schedule(20)),
    ("odd_ones", Schedule(20, contexts=3)),
    ("odd_ones", Schedule(7, 1, contexts=2)),
]
SLOWER = [
    ("of_cells", Schedule(1)),
    ("of_cells", Schedule(32, turns=True)),
    ("of_cells", Schedule(32, 1)),
    ("of_cells", Schedule(4, 3, contexts=2)),
    ("small_rnn", Schedule(1)),
    ("small_rnn", Schedule(13, contexts=5)),
    ("small_rnn", Schedule(13, 2)),
]


@pytest.mark.parametrize(
    ("name", "schedule"),
    [*SCHEDULES, *(pytest.param(*case, marks=pytest.mark.full) for case in SLOWER)],
    ids=str,
)
def test_stacks_are_golden(name: str, schedule: Schedule, tmp_path: Path) -> None:
    read = ("last", "every")[schedule.lanes % 2]
    cosimulate(Plan(STACKS[name](read), schedule), tmp_path / "build")


@pytest.mark.parametrize("lanes", [1, 2, 8])
@pytest.mark.parametrize("contexts", [1, 3])
@pytest.mark.parametrize("digit", [0, 1, 4])
def test_more_layers_cost_no_cycle(lanes: int, contexts: int, digit: int) -> None:
    """Borders are as fast as what passes them: layers of one kind go at the pace of one."""
    schedule = Schedule(lanes, digit, contexts=contexts)
    one, two, four = (Plan(turning(layers), schedule) for layers in (1, 2, 4))
    assert one.cycles_per_step == two.cycles_per_step == four.cycles_per_step
    assert one.closing_cycles == two.closing_cycles == four.closing_cycles
    more = two.latency_cycles - one.latency_cycles
    assert more > 0 and four.latency_cycles == one.latency_cycles + 3 * more


def test_the_slowest_layer_sets_the_pace() -> None:
    plan = Plan(of_cells(), Schedule(8))
    assert len({layer.pace for layer in plan.layers}) == 1
    alone = [layer.least_pace.interval for layer in plan.layers]
    assert plan.cycles_per_step == max(alone) > min(alone)


def test_a_step_body_serves_several_layers() -> None:
    program = of_cells()
    assert [layer.name for layer in program.layers] == [
        "recurrence",
        "recurrence_2",
        "recurrence_3",
    ]
    names = [node.result.name for node in program.nodes()]
    assert len(set(names)) == len(names) and {"transformed", "transformed_2"} <= set(names)


def test_a_trained_stack_is_golden(tmp_path: Path) -> None:
    """From layers in torch, here untrained, to hardware."""
    task = load_task("digits")
    config = Config("digits", "qornn", hidden=4, layers=2, weight_bits=3)
    layer = build_layer(config, sides(task))
    program = quantized(Trained(tmp_path, layer, config, task), 8)
    assert [len(layer.states) for layer in program.layers] == [1, 1]
    cosimulate(Plan(program, Schedule(2)), tmp_path / "build")


# ---- what a mistake at a border does


def quick_then_slow() -> Program:
    """A layer that is done at once, and one that reads its vector again for every unit."""
    b = Builder(numeric(8))
    b.layer("quick", b.neg(b.input))
    h = b.state("h", 8, BYTE)
    new = b.narrow(b.add(h, b.exponent(-5, dense(b, 8, b.input, 1))), BYTE)
    b.write(h, new)
    b.layer("slow", new)
    return b.program(b.input, "every")


@pytest.mark.parametrize(
    ("program", "field", "by", "message"),
    [
        (turning(2), "announced", -1, "Wrong output"),
        (quick_then_slow(), "freed", -20, "Wrong output"),
        (quick_then_slow(), "latency", 1, "latency_cycles: the plan states"),
    ],
)
def test_a_mistake_at_a_border_is_caught(
    program: Program,
    field: str,
    by: int,
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A vector read too soon, or written anew too soon, or told later than planned."""

    def spoiled(memory: MemoryPlan, pace: Pace) -> Handover:
        found = find_handover(memory, pace)
        assert getattr(found, field) + by >= 0
        return replace(found, **{field: getattr(found, field) + by})

    cosimulate(Plan(program, Schedule(1)), tmp_path / "right")
    monkeypatch.setattr(planning, "find_handover", spoiled)
    with pytest.raises(CheckError, match=message):
        cosimulate(Plan(program, Schedule(1)), tmp_path / "wrong")


def test_less_room_than_planned_slows_a_stack_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The plan counts the vectors that are under way between layers, and not one more."""
    program, schedule = turning(2), Schedule(16, contexts=16)

    def spoiled(memory: MemoryPlan, pace: Pace) -> Handover:
        found = find_handover(memory, pace)
        return replace(found, room=found.room - 1)

    monkeypatch.setattr(planning, "find_handover", spoiled)
    with pytest.raises(CheckError, match="cycles_per_step: the plan states"):
        cosimulate(Plan(program, schedule), tmp_path / "build")


@pytest.mark.parametrize("contexts", [1, 4])
def test_a_vector_without_room_is_caught(
    contexts: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sequencer that fires once too often, as it does when all that follows is held up."""

    def one_more(layer: LayerPlan) -> int:
        return layer.leaving.room + (layer.hands_on is not None)

    monkeypatch.setattr(LayerPlan, "answers", property(one_more))
    with pytest.raises(CheckError, match="Wrong output"):
        cosimulate(Plan(turning(2), Schedule(16, contexts=contexts)), tmp_path, resets=8)


# ---- what else knows layers


def test_a_stack_is_built_and_checked(tmp_path: Path) -> None:
    plan = Plan(small_rnn(), Schedule(4, contexts=2))
    write_sources(plan, tmp_path)
    check_unchanged(tmp_path)
    described = json.loads((tmp_path / "plan.json").read_text())
    names = ["rnn", "rnn_2", "rnn_3", "rnn_4"]
    assert [layer["name"] for layer in described["layers"]] == names
    assert [bool(layer["readout"]) for layer in described["layers"]] == [False] * 3 + [True]
    assert [layer["announced"] is None for layer in described["layers"]] == [False] * 3 + [True]
    assert [layer["freed"] is None for layer in described["layers"]] == [True] + [False] * 3
    latencies = [layer["latency_cycles"] for layer in described["layers"]]
    assert sum(latencies) == described["cycles"]["latency_cycles"]
    received = [m for layer in described["layers"] for m in layer["memories"]]
    assert [m["vectors"] for m in received if m["name"] == "input_memory"] == [2, 2, 2]
    verilog = (tmp_path / "core.v").read_text()
    assert all(rf"module \core.{name} (" in verilog for name in names)


def test_a_build_of_another_version_is_said_to_be_one(tmp_path: Path) -> None:
    write_sources(Plan(small_rnn(), Schedule(4)), tmp_path)
    older = json.loads((tmp_path / "plan.json").read_text())
    del older["schedule"]["dsps"]
    (tmp_path / "plan.json").write_text(json.dumps(older))
    message = r"plan\.json says nothing of 'dsps': it is damaged, or another version made it"
    with pytest.raises(UserError, match=message):
        check_unchanged(tmp_path)


def test_the_whole_is_the_sum_of_its_layers() -> None:
    one, three = (Plan(turning(layers), Schedule(4)) for layers in (1, 3))
    assert one.floor_adder_bits and three.floor_adder_bits == 3 * one.floor_adder_bits
    assert three.cost["turning_3.h_3_memory"] == one.cost["h_memory"]
    assert {"turning_2.input_memory", "turning_3.input_memory"} <= set(three.cost)
    part = TARGETS["ecp5-25f"]
    assert 2 < estimate(three, part)["luts"] / estimate(one, part)["luts"] < 4


def test_a_layer_of_products_leaves_the_floor_open() -> None:
    b = Builder(numeric(4))
    for k in range(2):
        h = b.state("h", 4, BYTE)
        b.write(h, b.narrow(b.mul(h, h) if k else b.add(h, b.input), BYTE))
        b.layer("layer", h)
    assert Plan(b.program(b.input, "every"), Schedule(1)).floor_adder_bits is None


def test_schedules_of_a_stack_are_explored() -> None:
    points = explore(turning(2), TARGETS["ecp5-25f"])
    assert {1, 2, 4, 8, 16} <= {point.schedule.lanes for point in points}
    assert any(point.schedule.digit for point in points)
    assert any(point.schedule.contexts > 1 for point in points)


def test_lanes_and_digits_suit_the_widest_of_all_layers() -> None:
    b = Builder(numeric(2))
    b.layer("narrow", b.neg(b.input))
    b.layer("wide", dense(b, 9, b.input, 1))
    program = b.program(b.input, "every")
    assert Plan(program, Schedule(9)).schedule_keys()["lanes"] == 9
    with pytest.raises(UserError, match="widest vector has 9 elements; use 1 to 9"):
        Plan(program, Schedule(10))
    words = [layer.step.body.word for layer in Plan(program, Schedule(9, 9)).layers]
    assert words == [2, 2], "a word of the first has 9 bits, of the second more"
    with pytest.raises(UserError, match="a digit of 40 bits for a program whose widest word has"):
        Plan(program, Schedule(9, 40))
