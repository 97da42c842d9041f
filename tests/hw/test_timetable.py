"""A core has names of its own: values that are called the same neither clash nor lose theirs."""

import numpy as np
import pytest
from sylvan.hw.plan import Plan
from sylvan.hw.schedule import Schedule
from sylvan.hw.verilog import generate
from sylvan.model.builder import Builder
from sylvan.model.matrices import Dense
from sylvan.model.numbers import Format
from sylvan.model.program import NumericInput, Program


def named(name: str) -> Program:
    """A small recurrence with a value called `name`, and strobes at several moments."""
    b = Builder(NumericInput(2, Format(-4, 3), (1.0,) * 2, (0.0,) * 2))
    h = b.state("h", 2, Format(-8, 7))
    total = b.add(b.matvec(Dense(np.array([[1, 2], [3, 4]])), h), b.input, name=name)
    b.write(h, b.narrow(total, h.format, name="written"))
    b.layer("rnn", total)
    return b.program(b.neg(b.input), "last")


@pytest.mark.parametrize("name", ["collector", "sequencer", "answers", "h_memory", "kept"])
def test_values_may_have_the_names_of_the_core(name: str) -> None:
    plan = Plan(named(name), Schedule(1))
    assert f"module core.{name}" in generate(plan, "core").replace("\\", "")
    assert name in {part.value for part in plan.parts}, "what a part is called is not its value"


def test_values_may_have_the_names_of_moments() -> None:
    moments = {
        p.begins for p in Plan(named("total"), Schedule(1)).layers[0].step.parts if not p.operands
    }
    assert len(moments) > 1
    for moment in moments:
        generate(Plan(named(f"step_{moment}"), Schedule(1)), "core")
