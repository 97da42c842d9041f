"""What a build directory says of its parts: each cell counted once, each time that of the plan."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pretended import own_luts, pretend
from programs import small
from stateful import stacked
from sylvan.hw.schedule import Schedule
from sylvan.model.errors import UserError
from sylvan.model.program import Program
from sylvan.model.storage import save

from sylvan.pages.built import Built


@pytest.mark.parametrize(
    ("program", "schedule"),
    [
        (small(), Schedule(2)),
        (stacked(), Schedule(2)),
        (stacked(), Schedule(1, contexts=2, state_port=True)),
    ],
    ids=["one-layer", "stack", "state-port"],
)
def test_parts_and_control_are_the_whole(
    program: Program, schedule: Schedule, tmp_path: Path
) -> None:
    plan = pretend(tmp_path, program, schedule)
    built = Built.load(tmp_path)
    names = [part.module for part in built.parts if part.figures is not None]
    assert len(set(names)) == len(names) and set(names) <= set(built.modules)
    counted = sum((part.figures or {}).get("luts", 0) for part in built.parts)
    assert counted + built.control["luts"] == built.modules["core"]["luts"]
    # At least the top itself, a collector, a sequencer and the queue of answers.
    assert built.control["luts"] >= own_luts("core") + 3 * 3
    for told, layer in zip(built.layers, plan.layers, strict=True):
        parts = [(p.name, p.begins, p.made, p.lanes) for p in told.step.parts]
        assert parts == [(p.name, p.begins, p.time, p.pattern.lanes) for p in layer.step.parts]
        assert told.step.ends == layer.step.ends
        assert [m.begins for m in told.memories] == [
            m.writes for m in layer.memories for _ in range(m.copies)
        ]
        assert bool(told.hands_on) is not bool(layer.readout)
    assert (built.interval, built.rest) == (plan.pace.interval, plan.pace.rest)


def test_a_module_belongs_to_the_part_that_it_is_inside_of(tmp_path: Path) -> None:
    pretend(tmp_path, small(), Schedule(2))
    built = Built.load(tmp_path)
    part = next(p for p in built.parts if f"{p.module}.timing" in built.modules)
    assert built.owner(f"{part.module}.timing") == built.owner(part.module) == part
    assert built.owner(f"{part.module}s") is None and built.owner("core.sequencer") is None


def test_without_a_part_nothing_is_counted(tmp_path: Path) -> None:
    pretend(tmp_path, small(), Schedule(2), "verilog")
    built = Built.load(tmp_path)
    assert built.modules == {} and built.paths == []
    assert {part.figures for part in built.parts} == {None}


def damaged(key: str) -> Callable[[Any], None]:
    def remove(tree: Any) -> None:
        del tree["layers"][0]["step"][0][key]

    return remove


@pytest.mark.parametrize(
    ("file", "change", "message"),
    [
        ("plan.json", damaged("value"), r"another version made it \(KeyError\('value'\)\): build"),
        ("plan.json", lambda tree: tree.update(layers=3), "is damaged, or another version made it"),
        ("plan.json", lambda tree: tree["cycles"].pop("rest"), r"KeyError\('rest'\)"),
        ("plan.json", lambda tree: tree.pop("microprogram"), r"KeyError\('microprogram'\)"),
        ("plan.json", lambda tree: tree.update(microprogram={}), r"KeyError\('words'\)"),
        ("plan.json", lambda tree: tree["layers"].pop(), "the layers are not those of the program"),
        ("synthesis.json", lambda tree: tree.update(modules=[1]), "is damaged, or another version"),
        (
            "synthesis.json",
            lambda tree: tree["runs"][0].update(path=[{}]),
            "is damaged, or another",
        ),
    ],
)
def test_what_is_damaged_is_said_to_be(
    file: str, change: Callable[[Any], Any], message: str, tmp_path: Path
) -> None:
    pretend(tmp_path, small(), Schedule(2))
    tree = json.loads((tmp_path / file).read_text())
    change(tree)
    (tmp_path / file).write_text(json.dumps(tree))
    with pytest.raises(UserError, match=message):
        Built.load(tmp_path)


def test_what_is_no_json_is_said_to_be(tmp_path: Path) -> None:
    pretend(tmp_path, small(), Schedule(2))
    (tmp_path / "plan.json").write_text("[1]")
    with pytest.raises(UserError, match=r"plan\.json is damaged: an object was expected"):
        Built.load(tmp_path)
    (tmp_path / "plan.json").unlink()
    with pytest.raises(UserError, match=r"plan\.json cannot be read: "):
        Built.load(tmp_path)


def test_another_program_is_told_apart(tmp_path: Path) -> None:
    pretend(tmp_path, small(), Schedule(2))
    save(small(weight=4), tmp_path / "program")
    with pytest.raises(UserError, match="program is not the program that was built: build it"):
        Built.load(tmp_path)
