"""Plans of microprograms: what cannot go with one, what they say, that they compute the same."""

import json
from pathlib import Path
from typing import Any

import pytest
from contracts.suite import cosimulate
from microcode_programs import MICROCODE, engine_of, gated, hadamrnn, labels, recurrent
from sylvan.hw.plan import Plan
from sylvan.hw.schedule import Schedule
from sylvan.model.errors import UserError
from sylvan.model.program import Program

REFUSED = {
    "several contexts": {"contexts": 2},
    "digits": {"digit": 1},
    "more than one lane": {"lanes": 2},
    "DSP blocks": {"dsps": True},
    "a state port": {"state_port": True},
}


@pytest.mark.parametrize("told", REFUSED)
def test_what_cannot_go_with_a_microprogram_is_refused(told: str) -> None:
    knobs: dict[str, Any] = {"lanes": 1, "microcode": True} | REFUSED[told]
    with pytest.raises(UserError) as refused:
        Plan(hadamrnn(4), Schedule(**knobs))
    assert str(refused.value) == (f"a microprogram has one adder of words: it cannot have {told}")


@pytest.mark.parametrize("program", [hadamrnn(8), gated("every"), recurrent(9, 16, 3, "last")])
def test_a_plan_says_what_its_microprogram_takes(program: Program) -> None:
    plan = Plan(program, MICROCODE)
    described = json.loads(json.dumps(plan.describe()))
    told, engine = described["microprogram"], engine_of(plan)
    assert described["layers"] == [] and described["room"] == 1
    assert Schedule.from_keys(described["schedule"]) == MICROCODE
    assert told["words"] == len(engine.microprogram.instructions)
    assert told["weight_bits"] == len(engine.microprogram.weights)
    ends = [lies["first"] + lies["elements"] for lies in told["places"].values()]
    assert max(ends) == told["elements"] == engine.cost["memory"].roms[0][1]
    assert engine.cost["memory"].roms[0][0] == told["element_bits"]
    assert json.loads(json.dumps(Plan(program, Schedule(1)).describe()))["microprogram"] is None


def test_elements_are_as_wide_as_the_widest_and_sums_as_what_is_narrowed() -> None:
    """Labels compare a difference, which has a bit more."""
    engine = engine_of(Plan(labels(-64, 63), MICROCODE))
    assert (engine.element_bits, engine.sum_bits) == (9, 10), "sums of -126 to 128"
    engine = engine_of(Plan(recurrent(9, 16, 1, "last"), MICROCODE))
    (narrowing,) = engine.microprogram.narrowings
    assert engine.sum_bits == narrowing.sum.width > engine.element_bits


def test_bits_of_weights_are_kept_two_a_word() -> None:
    engine = engine_of(Plan(recurrent(2, 3, 2, "every"), MICROCODE))
    bits = engine.microprogram.weights.astype(int)
    spelled = [word >> k & 1 for word in engine.weight_words for k in range(2)]
    assert spelled[: len(bits)] == bits.tolist() and not any(spelled[len(bits) :])


@pytest.mark.full
@pytest.mark.parametrize("units", [16, 64])
def test_a_microprogram_answers_as_lanes_do(units: int, tmp_path: Path) -> None:
    """Both as golden does, on the same sequences."""
    program = hadamrnn(units)
    results = [
        cosimulate(Plan(program, schedule), tmp_path / name, sequences=2, resets=1)
        for name, schedule in (("microcode", MICROCODE), ("lanes", Schedule(8)))
    ]
    assert results[0].timesteps == results[1].timesteps and results[0].answers > 2
    slow, fast = (result.measured.cycles_per_step for result in results)
    assert slow > 5 * fast
