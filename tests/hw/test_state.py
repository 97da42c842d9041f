# amaranth: UnusedElaboratable=no
"""The state port: images are golden's under every schedule, and nobody waits for ever."""

from pathlib import Path
from typing import Any

import pytest
from amaranth import Const
from contracts.suite import cosimulate
from stateful import INPUT, awkward, gated, stacked
from sylvan.hw import state as hw_state
from sylvan.hw.build import check_unchanged, write_sources
from sylvan.hw.cost import total_cost
from sylvan.hw.operators import memory as hw_memory
from sylvan.hw.plan import Plan
from sylvan.hw.ports import StateImage
from sylvan.hw.schedule import Schedule
from sylvan.hw.state import StatePort
from sylvan.hw.state_elements import StateElements
from sylvan.hw.verilog import describe_ports
from sylvan.model.builder import Builder
from sylvan.model.errors import CheckError

SCHEDULES = [
    Schedule(4, contexts=2, state_port=True),
    Schedule(8, 3, state_port=True),
    Schedule(2, 1, contexts=3, state_port=True),
]


@pytest.mark.parametrize("schedule", SCHEDULES, ids=str)
def test_images_answers_and_refusals_are_golden(schedule: Schedule, tmp_path: Path) -> None:
    read = "every" if schedule.contexts > 1 else "last"
    size = 4 if schedule.digit == 1 else 8
    cosimulate(Plan(awkward(read, size), schedule), tmp_path / "build", sequences=1, resets=0)


@pytest.mark.full
@pytest.mark.parametrize("schedule", [Schedule(32, contexts=3), Schedule(16, 1, contexts=2)])
def test_wide_words_and_planes(schedule: Schedule, tmp_path: Path) -> None:
    plan = Plan(awkward("every", 32), Schedule(**vars(schedule) | {"state_port": True}))
    cosimulate(plan, tmp_path / "build", sequences=4, resets=4)


@pytest.mark.parametrize("contexts", [1, pytest.param(3, marks=pytest.mark.full)])
def test_images_of_a_stack_are_golden(contexts: int, tmp_path: Path) -> None:
    plan = Plan(stacked(), Schedule(4, contexts=contexts, state_port=True))
    cosimulate(plan, tmp_path / "build", sequences=1, resets=0)


GATED = [
    ("lstm", Schedule(4, contexts=3, state_port=True)),
    ("lstm", Schedule(1, state_port=True)),
    ("gru", Schedule(4, contexts=2, state_port=True)),
    ("gru", Schedule(2, state_port=True)),
]


@pytest.mark.full
@pytest.mark.parametrize(("family", "schedule"), GATED, ids=str)
def test_images_of_states_on_two_sides_are_golden(
    family: str, schedule: Schedule, tmp_path: Path
) -> None:
    plan = Plan(gated(family), schedule)
    assert any(memory.sides == 2 for memory in plan.state_memories)
    cosimulate(plan, tmp_path / "build", sequences=1, resets=0)


def no_hash(image: StateImage, program_sha256: str) -> list[int]:
    return [0] * image.hash_transfers


def first_lane(m: Any, element: Any, lanes: list[Any]) -> None:
    m.d.comb += element.found.eq(lanes[0])


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ((StateImage, "hash_words", no_hash), r"Wrong answer to load \d+, of context 0: expected "),
        ((StatePort, "_quiet", lambda port, m: ~port._collected), "Wrong (image|output)"),
        ((hw_memory, "exchanged", lambda m, element, lanes: lanes), "Wrong (image|output)"),
        (
            (hw_memory, "connect_found", first_lane),
            r"Wrong image, save \d+ of context 0: h\[[1357]\]: ",
        ),
        ((StateElements, "_within", lambda walk, format: Const(1)), r"expected 2 \(lost\), got 0,"),
    ],
    ids=["hash", "quiet", "written", "found", "formats"],
)
def test_a_planted_fault_is_found(
    fault: Any, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(*fault)
    plan = Plan(awkward("last"), Schedule(2, state_port=True))
    with pytest.raises(CheckError, match=message):
        cosimulate(plan, tmp_path / "build", sequences=1, resets=0, seed=1)


@pytest.mark.full
def test_the_wrong_side_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hw_state, "KNOWN", ("fresh", "phase"))
    plan = Plan(gated("gru"), Schedule(4, contexts=2, state_port=True))
    with pytest.raises(CheckError, match="Wrong image, save "):
        cosimulate(plan, tmp_path / "build", sequences=1, resets=0)


# ---- what is said of it


def test_a_build_with_the_port_is_what_its_plan_says(tmp_path: Path) -> None:
    plan = Plan(awkward(), Schedule(2, state_port=True))
    write_sources(plan, tmp_path)
    check_unchanged(tmp_path)
    assert plan.describe()["schedule"]["state_port"] is True
    text = (tmp_path / "core.v").read_text()
    assert "2 lanes, whole words, a state port" in text
    assert "an image has 19 transfer(s) of 8 bits" in text


def test_ports_say_how_an_image_passes() -> None:
    described = describe_ports(Plan(awkward(), Schedule(2, state_port=True)))["state"]
    assert described == {
        "data_bits": 8,
        "hash_bits": 32,
        "transfers": 4 + 1 + 8 + 3 + 3,
        "states": [
            {"name": "h", "elements": 8, "signed": True, "format": [-100, 127, 0]},
            {"name": "count", "elements": 3, "signed": False, "format": [1, 18, 0]},
            {"name": "unread", "elements": 3, "signed": True, "format": [-3, 5, 0]},
        ],
        "answers": ["loaded", "refused", "lost"],
    }
    names = [state.value.name for state in stacked().states]
    described = describe_ports(Plan(stacked(), Schedule(2, state_port=True)))["state"]
    assert [state["name"] for state in described["states"]] == names and len(names) == 3
    assert "state" not in describe_ports(Plan(awkward(), Schedule(2)))


def test_the_port_is_in_the_estimate() -> None:
    without, having = (
        total_cost(Plan(awkward(), Schedule(2, state_port=p))) for p in (False, True)
    )
    assert having.logic_bits > without.logic_bits + 50
    assert having.register_bits > without.register_bits + 20


def test_elements_of_a_core_without_states_are_refused() -> None:
    b = Builder(INPUT)
    program = b.program(b.neg(b.layer("feed", b.relu(b.input))), "every")
    plan = Plan(program, Schedule(1, state_port=True))
    with pytest.raises(ValueError, match="a core without states has no elements to go through"):
        StateElements(plan)
