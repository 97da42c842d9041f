"""The state's width: tried on validation data, chosen by what it costs, told with the test data."""

import dataclasses
import json
import re
from pathlib import Path

import pytest
from sylvan.model.config import WIDTHS_FILE
from sylvan.model.errors import UserError
from sylvan.model.evaluate import evaluate
from sylvan.model.export import load_trained, quantized
from sylvan.model.presets import preset
from sylvan.model.tasks import Score, Text, load_task
from sylvan.model.train import train
from sylvan.model.widths import Width, choose, widths


def story(float_score: float, scores: dict[int, float]) -> list[Width]:
    test = Score(0.0, 1.0)
    floating = Width(None, Score(float_score, 1.0), test)
    return [floating, *(Width(bits, Score(s, 1.0), test) for bits, s in scores.items())]


def test_the_smallest_width_from_which_on_all_cost_little() -> None:
    task = load_task("digits")
    found = story(90.0, {6: 89.95, 7: 80.0, 8: 89.7, 9: 89.9, 10: 91.0})
    assert choose(found, 0.2, task) == 9
    assert choose(found, 0.5, task) == 8, "6 bits are luck: 7 cost too much"
    assert choose(found, 10.0, task) == 6
    with pytest.raises(UserError, match=re.escape("even 10 bits of state cost 2 of accuracy on")):
        choose(story(93.0, {9: 80.0, 10: 91.0}), 0.5, task)


def test_bits_per_character_cost_upwards() -> None:
    digits = load_task("digits")
    fields = {f.name: getattr(digits, f.name) for f in dataclasses.fields(digits)}
    text = Text(**fields | {"score_name": "bits per character"})
    assert choose(story(1.70, {8: 1.80, 9: 1.709, 10: 1.69}), 0.01, text) == 9


def test_widths_of_a_run(tmp_path: Path) -> None:
    train(dataclasses.replace(preset("digits"), hidden=16, epochs=1), tmp_path)
    trained = load_trained(tmp_path)
    told: list[Width] = []
    found = widths(trained, (6, 12), told.append)
    assert [width.bits for width in found] == [None, 6, 12] and told == found[1:]
    program = quantized(trained, 12)
    assert found[2].validation == evaluate(program, trained.task, trained.task.validation)
    assert found[2].test == evaluate(program, trained.task, trained.task.test)
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert found[0].test.score == metrics["score"]
    assert set(metrics["integer"]) == {"6", "12"}
    assert metrics["integer"]["12"]["score"] == found[2].test.score
    assert metrics["integer"]["12"]["storage_bits"] > metrics["integer"]["6"]["storage_bits"] > 0
    assert (tmp_path / WIDTHS_FILE).read_bytes().startswith(b"\x89PNG")
