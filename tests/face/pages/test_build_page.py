"""The page of a build: what it shows is what the plan, the netlist and the data say."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from markup import Markup
from pretended import pretend
from programs import small
from stateful import stacked
from sylvan.hw.plan import Plan
from sylvan.hw.schedule import Schedule
from sylvan.model.errors import UserError
from sylvan.model.program import Program
from sylvan.model.storage import load
from sylvan.model.tasks import Task, load_task

from sylvan.pages.build import build_page
from sylvan.pages.intervals import intervals

GALLERY = Path(__file__).parents[3] / "gallery"
TITLES = [
    "Figures",
    "Dataflow",
    "Timeline of a step",
    "Resources",
    "Critical path",
    "Memories",
    "Intervals and what was seen of them",
]
TIMES = "\N{MULTIPLICATION SIGN}"
NASTY = "</script><img src=http://evil>"


def no_task(program: Program) -> Task:
    raise UserError("the data lie elsewhere")


@pytest.fixture(scope="module", name="digits")
def _digits(tmp_path_factory: pytest.TempPathFactory) -> tuple[Plan, Markup]:
    """HadamRNN of 256 units as if it had been placed, on its own task."""
    folder = tmp_path_factory.mktemp("pretended") / "digits"
    plan = pretend(folder, load(GALLERY / "digits"), Schedule(4))
    return plan, Markup(build_page(folder, lambda program: load_task("digits")))


def test_every_section_is_there_and_nothing_is_loaded(digits: tuple[Plan, Markup]) -> None:
    _, shown = digits
    assert shown.titles == [*TITLES, "Training"]
    assert shown.addresses == [] and len(shown.ids) == len(set(shown.ids))
    assert "4 lanes, whole words" in shown.text and "hadamrnn on digits" in shown.text
    assert "the program does not say which run it is from" in shown.text.lower()


def test_the_dataflow_names_every_operation_and_every_format(digits: tuple[Plan, Markup]) -> None:
    plan, shown = digits
    for node in plan.program.nodes():
        assert node.result.name in shown.texts
    formats = [(256, "s20·2⁻⁸"), (256, "s12·2⁻⁴"), (10, "s20·2⁻⁴"), (1, "u5·2⁻⁴"), (1, "u4")]
    for size, format in formats:
        assert f"{size} {TIMES} {format}" in shown.texts
    assert {"matvec Hadamard 256", f"matvec 4-bit 10 {TIMES} 256"} <= set(shown.texts)
    assert shown.texts.count("another binary point, no logic") == 3
    # The Hadamard transform: its vector passes until 64 cycles after it is made.
    part = next(part for part in plan.parts if part.name == "transformed")
    assert f"4 lanes, cycles {part.begins} to {part.time + 64}" in shown.texts


def test_tables_say_what_plan_and_netlist_say(digits: tuple[Plan, Markup]) -> None:
    plan, shown = digits
    resources = shown.tables["resources by part"].rows
    names = {row[0].text for row in resources}
    operators = {part.name for part in plan.parts if part.operator is not None}
    assert names == operators | {"hidden_memory", "control and borders"}
    memories = shown.tables["memories"].rows
    state = next(row for row in memories if row[0].text == "hidden_memory")
    assert [cell.text for cell in state] == [
        *("hidden_memory", "hidden", "memory", "1", "48", "128", "6,144", "2 block RAMs")
    ]
    path = shown.tables["critical path"].rows
    assert path[0][1].text == "sequencer (control)"
    assert [cell.text for cell in path[1]][4:] == ["7", "11.00", "12.00"]
    assert "25.0 ns from sequencer (control) to " in shown.text
    assert "46% of it in wires: seed 4, which reached 40.0 MHz" in shown.text


def test_intervals_stand_beside_what_was_seen(digits: tuple[Plan, Markup]) -> None:
    plan, shown = digits
    rows = {row[0].text: [c.text for c in row] for row in shown.tables["intervals"].rows}
    values = {node.result.name for node in plan.program.nodes()} - {"threshold", "output_bias"}
    assert set(rows) == values | {"input", "hidden"}
    assert rows["input"][2:] == [*"-4 0 16 0 16 5 5 0".split(), "least and largest"]  # noqa: SIM905
    assert rows["total"][3:5] == ["-526,336", "525,952"]
    assert "On 128 test sequences of digits, 64 timesteps each." in shown.text
    bits, needed, idle = (int(text) for text in rows["total"][7:10])
    assert bits == 21 and bits - needed == idle > 0
    assert f"{needed} of {bits} bits, {idle} idle" in shown.texts


def test_long_sequences_are_fewer_and_then_shorter(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    program, task = load(GALLERY / "digits-qornn"), load_task("digits")
    for most, told in (
        (300, "On 4 test sequences of digits, 64 "),
        (20, "On 1 test sequence of digits, 20 "),
    ):
        monkeypatch.setattr("sylvan.pages.intervals.TIMESTEPS", most)
        assert told in intervals(program, task)


def test_another_task_does_not_fit(tmp_path: Path) -> None:
    pretend(tmp_path, small(), Schedule(2), "verilog")
    shown = Markup(build_page(tmp_path, lambda program: load_task("digits")))
    assert "a timestep has 2 inputs, got an array of shape (128, 64, 1)" in shown.text


def test_what_is_one_graph_says_where_it_went(tmp_path: Path) -> None:
    """On as many lanes as there are units what is linear is unrolled together."""
    plan = pretend(tmp_path, small(), Schedule(4))
    parts = {part.value for part in plan.parts}
    assert "mixed" not in parts and "seen" not in parts and "total" in parts
    shown = Markup(build_page(tmp_path, no_task))
    assert shown.texts.count("made in total") == 2


def test_the_timeline_marks_what_follows(digits: tuple[Plan, Markup]) -> None:
    plan, shown = digits
    assert f"next timestep: {plan.pace.rest}" in shown.texts
    assert f"readout: {plan.layers[0].readout_begins}" in shown.texts
    for part in plan.layers[0].step.parts:
        ends = part.time + part.pattern.cycles
        told = f"begins in cycle {part.begins:,}, its vector passes from {part.time:,} to {ends:,}"
        assert any(text.startswith(f"{part.name} (") and told in text for text in shown.texts)


def test_a_stack_has_a_drawing_and_a_timeline_of_each_layer(tmp_path: Path) -> None:
    pretend(tmp_path, stacked(), Schedule(1, contexts=2))
    shown = Markup(build_page(tmp_path, no_task))
    for name in ("turning", "state_port", "late"):
        assert f"Layer {name}: a step" in shown.texts and f"Layer {name}" in shown.texts
    assert {"to layer late", "from layer state_port", "to the readout", "the answer"} <= set(
        shown.texts
    )
    assert any(text.startswith("told to the next layer: ") for text in shown.texts)
    assert "the data lie elsewhere" in shown.texts


@pytest.mark.parametrize("part", ["ecp5-25f", "verilog"])
def test_a_microprogram_has_words_and_places(part: str, tmp_path: Path) -> None:
    plan = pretend(tmp_path, small(), Schedule(1, microcode=True), part)
    assert plan.engine is not None
    shown = Markup(build_page(tmp_path, no_task))
    assert shown.titles == ["Figures", "Microprogram", "Critical path", *TITLES[-1:], "Training"]
    assert "for " + part + ": a microprogram" in shown.text
    figures = {row[0].text: row[1].value for row in shown.tables["microprogram"].rows}
    microprogram = plan.engine.microprogram
    assert figures == {
        "words": str(len(microprogram.instructions)),
        "bits of a word": str(sum(plan.engine.field_bits.values())),
        "bits of weights": str(len(microprogram.weights)),
        "elements in memory": str(microprogram.depth),
        "bits of an element": str(plan.engine.element_bits),
        "bits of the accumulator": str(plan.engine.sum_bits),
    }
    rows = [[cell.text for cell in row] for row in shown.tables["places in memory"].rows]
    assert {name: int(first) for name, first, _ in rows} == microprogram.places
    assert ["hidden", str(microprogram.places["hidden"]), "4"] in rows
    assert [int(first) for _, first, _ in rows] == sorted(microprogram.places.values())
    assert "(control)" not in shown.text


def test_contexts_fill_the_rest_of_each_other(tmp_path: Path) -> None:
    pace = pretend(tmp_path, load(GALLERY / "digits"), Schedule(4, contexts=2), "verilog").pace
    assert pace.interval < pace.rest
    shown = Markup(build_page(tmp_path, no_task))
    said = {f"another context: {pace.interval}", f"this context again: {pace.rest}"}
    assert said <= set(shown.texts)


def test_without_a_part_it_is_said_what_is_missing(tmp_path: Path) -> None:
    pretend(tmp_path, small(), Schedule(2), "verilog")
    shown = Markup(build_page(tmp_path, no_task))
    assert shown.titles[: len(TITLES)] == TITLES
    assert shown.text.count("build it for one, such as --target ecp5-25f") == 2
    assert "cycles a step as planned" in shown.text and "LUTs," not in shown.text


def test_a_damaged_plan_leaves_the_figures(tmp_path: Path) -> None:
    pretend(tmp_path, small(), Schedule(2))
    (tmp_path / "plan.json").write_text("{}")
    shown = Markup(build_page(tmp_path, no_task))
    assert shown.titles == ["Figures", "The build"] and "build it again" in shown.text


def test_a_step_without_parts_is_drawn_without(tmp_path: Path) -> None:
    pretend(tmp_path, small(), Schedule(2))
    plan = json.loads((tmp_path / "plan.json").read_text())
    plan["layers"][0] |= {"step": [], "readout": [], "memories": []}
    (tmp_path / "plan.json").write_text(json.dumps(plan))
    assert "no logic of its own" in Markup(build_page(tmp_path, no_task)).texts


def test_names_of_strangers_stay_text(tmp_path: Path) -> None:
    folder = tmp_path / "<b>"
    metadata = {"task": NASTY, "cell": NASTY, "score": 3, "score_name": NASTY, "run": f"../{NASTY}"}
    pretend(folder, small(metadata=metadata), Schedule(2))
    tree = json.loads((folder / "plan.json").read_text())
    tree["layers"][0]["step"][0] |= {"name": NASTY, "operator": NASTY}
    (folder / "plan.json").write_text(json.dumps(tree))
    shown = Markup(build_page(folder, no_task))
    assert shown.addresses == [] and len(shown.scripts) == 2
    assert f"{NASTY} on {NASTY}, {NASTY} 3, for ecp5-25f" in shown.text


@pytest.mark.parametrize("told", [{"task": 3}, {"score": "x", "score_name": 4}, {"run": 5}, {}])
def test_metadata_of_any_kind_do_no_harm(told: dict[str, Any], tmp_path: Path) -> None:
    pretend(tmp_path, small(metadata=told), Schedule(2), "verilog")
    assert re.search(
        r"A program(, score)?, for verilog", Markup(build_page(tmp_path, no_task)).text
    )


def test_a_library_that_is_missing_is_named(tmp_path: Path) -> None:
    def missing(program: Program) -> Task:
        raise ModuleNotFoundError("no", name="sklearn")

    pretend(tmp_path, small(), Schedule(2), "verilog")
    find_task: Callable[[Program], Task] = missing
    shown = Markup(build_page(tmp_path, find_task))
    assert "This needs the library sklearn, which is not installed." in shown.texts
