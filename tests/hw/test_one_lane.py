"""What passes on one lane: when it does, what that saves, and that a state keeps up with it."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from contracts.suite import cosimulate
from sylvan.hw.plan import Plan
from sylvan.hw.schedule import Schedule
from sylvan.model.builder import Builder
from sylvan.model.cells.gates import sigmoid_curve
from sylvan.model.matrices import Dense
from sylvan.model.numbers import Format
from sylvan.model.operations import Value
from sylvan.model.program import NumericInput, Program

BYTE = Format.signed_bits(8, -7)
CURVE = sigmoid_curve(6)


def gate(b: Builder, sums: Value) -> Value:
    return b.table(CURVE.entries, CURVE.exp, b.narrow(sums, CURVE.operand))


def minimal(units: int, read: str = "last", inputs: int = 1) -> Program:
    """`c' = f c + (1 - f) x`, `h' = o c'`: a state that matrices read, and one that they do not."""
    rng = np.random.default_rng(units)
    b = Builder(NumericInput(inputs, Format(-8, 7, -3), (1.0,) * inputs, (0.0,) * inputs))
    h, c = b.state("h", units, BYTE), b.state("c", units, BYTE)
    # Without zeros: nonzeros that are packed would leave one a cycle.
    recurrent = b.matvec(Dense(rng.choice([-1, 1], (2 * units, units))), h)
    injected = b.matvec(Dense(rng.integers(-3, 4, (2 * units, inputs))), b.input)
    sums = b.add(b.scale(rng.integers(1, 99, (1, 2 * units)), -5, recurrent), injected)
    gates = gate(b, sums)
    f, o = b.slice(0, units, gates), b.slice(units, 2 * units, gates)
    drive = b.matvec(Dense(rng.integers(-3, 4, (units, inputs))), b.input)
    new = b.narrow(b.lerp(f, b.narrow(drive, BYTE), c), BYTE)
    shown = b.narrow(b.mul(o, new), BYTE)
    b.write(c, new)
    b.write(h, shown)
    answer = b.matvec(Dense(rng.integers(-3, 4, (3, units))), b.layer("gated", shown))
    return b.program(answer, read)


def lanes_of(plan: Plan) -> Counter[tuple[str, int]]:
    """How many operators of a kind work on so many lanes."""
    made = [
        (type(p.operator).__name__, p.pattern.lanes)
        for p in plan.layers[0].step.parts
        if p.operator
    ]
    return Counter(made)


@pytest.mark.parametrize("lanes", [1, 2, 4, 8, 16])
def test_a_gated_cell_has_one_of_each_whatever_the_lanes(lanes: int) -> None:
    plan = Plan(minimal(16), Schedule(lanes))
    found = lanes_of(plan)
    assert found["Table", 1] == 1 and found["Narrow", 1] == 4
    assert found["ShiftAdd", 1] == (3 if lanes < 16 else 0), "a beat has no second cycle"
    assert found["Multiply", 1] == (0 if lanes < 16 else 3)
    dense = 32 * (16 // lanes)
    assert dense <= plan.cycles_per_step < dense + 50
    assert {m.name: m.lanes for m in plan.layers[0].memories} == {"h_memory": lanes, "c_memory": 1}
    # On few lanes the first words are written before the last rows have read them.
    assert plan.layers[0].memories[0].sides == 1 + (lanes < 8)


def test_the_adder_graph_of_all_lanes_is_for_tables_in_all() -> None:
    found = lanes_of(Plan(minimal(16), Schedule(32)))
    assert found["Table", 32] == 1 and not any(kind == "Table" and n == 1 for kind, n in found)


def test_digits_pass_on_all_lanes() -> None:
    found = lanes_of(Plan(minimal(16), Schedule(8, 2)))
    assert found["Table", 8] == 1


def test_a_table_of_what_no_product_makes_is_in_every_lane() -> None:
    b = Builder(NumericInput(9, CURVE.operand, (1.0,) * 9, (0.0,) * 9))
    b.layer("curved", b.table(CURVE.entries, CURVE.exp, b.input))
    assert lanes_of(Plan(b.program(b.input, "every"), Schedule(3)))["Table", 3] == 1


@pytest.mark.parametrize("read", ["last", "every"])
@pytest.mark.parametrize("units, lanes, contexts", [(7, 3, 1), (5, 5, 4), (9, 2, 3), (1, 1, 1)])
def test_the_states_keep_up(
    units: int, lanes: int, contexts: int, read: str, tmp_path: Path
) -> None:
    """Sizes that lanes do not divide, sides for each context, steps as close as planned."""
    plan = Plan(minimal(units, read, inputs=2), Schedule(lanes, contexts=contexts))
    cosimulate(plan, tmp_path / "build")
