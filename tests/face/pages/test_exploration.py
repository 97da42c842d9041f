"""The page of an exploration: its numbers are those handed over, and names stay text."""

import copy
from typing import Any

import pytest
from exploration_data import SPEC, explored
from markup import Markup

from sylvan.pages.exploration import MOST_ROWS, exploration_page

NASTY = "</script><script>alert(1)</script>\"'&lt;"
SHORT = {
    "target": "target",
    "network.hidden": "hidden",
    "schedule.lanes": "lanes",
    "figures.accuracy": "accuracy",
    "figures.luts": "LUTs",
    "figures.fmax_mhz": "fmax, MHz",
    "figures.cycles_per_step": "cycles a step",
    "figures.steps_per_s": "steps per second",
    "run": "run",
    "build": "build",
}
"""Where a point keeps a value, and the heading of its column."""


@pytest.fixture(scope="module", name="data")
def _data() -> dict[str, Any]:
    return explored()


@pytest.fixture(scope="module", name="made")
def _made(data: dict[str, Any]) -> Markup:
    return Markup(exploration_page(data))


def small(**changes: Any) -> dict[str, Any]:
    """An exploration of few points, on both targets, with changes."""
    data = explored(hiddens=(32,), placed=3)
    return {**data, "points": data["points"][::15], **changes}


def value(point: dict[str, Any], where: str) -> Any:
    group, _, name = where.partition(".")
    return point[group][name] if name else point[group]


def columns(made: Markup, points: int) -> dict[str, list[Any]]:
    """The scripts' columns, with what never changes written out."""
    return {
        quantity["key"]: quantity["values"] * (points if len(quantity["values"]) == 1 else 1)
        for quantity in made.tree["quantities"]
    }


def test_sections_stand_in_the_order_in_which_one_asks(made: Markup) -> None:
    assert made.titles == [
        "Target by target",
        "The front",
        "All axes and figures at once",
        "What the networks reach",
        "Estimate and measurement",
        "The points",
        "What came to nothing",
        "The question",
    ]
    assert SPEC in made.texts


def test_the_answer_comes_first(data: dict[str, Any], made: Markup) -> None:
    points = data["points"]
    on = {
        t: sum(p["front"] for p in points if p["target"] == t) for t in ("ecp5-25f", "ice40-up5k")
    }
    meeting = sum(point["meets"] for point in points)
    assert made.texts[2:4] == [
        "For the task digits, 96 networks trained in 5 min 46 s and 4 taken from earlier runs; "
        "1,536 schedules planned; 6 builds placed in 2 min 0 s.",
        f"Of 1,536 points, {meeting} meet the constraints (accuracy >= 0.9; steps per second >= "
        f"20000). On the front: {on['ecp5-25f']} for ecp5-25f, {on['ice40-up5k']} for ice40-up5k.",
    ]


def test_the_table_shows_the_numbers_of_the_points(data: dict[str, Any], made: Markup) -> None:
    def identity(point: dict[str, Any]) -> tuple[str, ...]:
        return tuple(str(value(point, where)) for where in SHORT if value(point, where) is not None)

    grid = made.tables["points"]
    shown = zip(*(grid.column(head) for head in SHORT.values()), strict=True)
    found = [tuple(cell.value for cell in row if cell.value is not None) for row in shown]
    expected = {identity(point): point for point in data["points"]}
    assert len(found) == len(set(found)) == MOST_ROWS < len(data["points"])
    assert set(found) <= set(expected)
    front = [identity(point) for point in data["points"] if point["front"]]
    assert set(found[: len(front)]) == set(front)
    assert f"The first {MOST_ROWS} of 1,536. The front comes first." in made.text
    for head, form in (("LUTs", "{:,}"), ("accuracy", "{:.4f}"), ("fmax, MHz", "{:.2f}")):
        for cell in grid.column(head):
            assert cell.text == form.format(
                float(cell.value or 0) if "f" in form else int(cell.value or 0)
            )


def test_estimates_are_marked_and_measurements_are_not(data: dict[str, Any], made: Markup) -> None:
    grid = made.tables["points"]
    placed = {point["build"] for point in data["points"] if point["measured"]}
    seen = set()
    for k, build in enumerate(grid.column("build")):
        seen.add(build.value)
        for head, guess in (("LUTs", True), ("steps per second", True), ("cycles a step", False)):
            kind = grid.column(head)[k].attributes["class"]
            assert ("estimate" in (kind or "")) is (guess and build.value is None)
    assert seen == placed | {None} and len(placed) == 6


def test_the_charts_are_drawn_from_the_numbers_of_the_points(
    data: dict[str, Any], made: Markup
) -> None:
    tree, points = made.tree, data["points"]
    found = columns(made, len(points))
    names = ("network.hidden", "figures.luts", "figures.accuracy", "schedule.lanes")
    rows = zip(
        (tree["targets"][k] for k in tree["target"]),
        tree["standing"],
        tree["measured"],
        map(tuple, tree["paths"]),
        *(found[name] for name in names),
        strict=True,
    )
    expected = [
        (
            point["target"],
            2 if point["front"] else int(point["meets"]),
            int(point["measured"] is not None),
            (point["run"], point["program"], point["build"]),
            *(value(point, name) for name in names),
        )
        for point in points
    ]
    assert sorted(rows, key=repr) == sorted(expected, key=repr)
    assert tree["senses"] == {
        "figures.accuracy": "max",
        "figures.luts": "min",
        "figures.steps_per_s": "max",
    }
    both = [(p["estimate"]["luts"], p["measured"]["luts"]) for p in points if p["measured"]]
    assert sorted((e, m) for _, e, m in tree["compared"]["figures.luts"]) == sorted(both)
    assert len(tree["networks"]) == 96
    logs = {q["title"]: q.get("log") for q in tree["quantities"]}
    assert logs["LUTs"] is logs["lanes"] is True and logs["accuracy"] is logs["hidden"] is False


def test_each_target_has_its_best(data: dict[str, Any], made: Markup) -> None:
    grid = made.tables["targets"]
    assert [cell.value for cell in grid.column("target")] == ["ecp5-25f", "ice40-up5k"]
    for row, cell in enumerate(grid.column("target")):
        own = [p for p in data["points"] if p["target"] == cell.value and p["front"]]
        figures = [point["figures"] for point in own]
        bests = {
            "most accuracy": max(f["accuracy"] for f in figures),
            "least LUTs": min(f["luts"] for f in figures),
            "most steps per second": max(f["steps_per_s"] for f in figures),
            "on the front": len(own),
        }
        for head, best in bests.items():
            assert grid.column(head)[row].value == str(best)


def test_nothing_is_loaded_and_links_stay_beside_the_page(made: Markup) -> None:
    assert made.addresses and all(a.startswith(("runs/", "builds/")) for a in made.addresses)


def test_names_of_strangers_stay_text() -> None:
    data = copy.deepcopy(small(title=NASTY, spec=NASTY))
    for point in data["points"]:
        point["network"][NASTY] = NASTY + str(point["network"]["state_bits"])
        point["target"] = point["run"] = NASTY
    for failure in data["failures"]:
        failure["reason"] = NASTY
    made = Markup(exploration_page(data))
    assert len(made.scripts) == 7 and made.texts.count(NASTY) > 4
    assert {cell.text for cell in made.tables["failures"].column("reason")} == {NASTY}
    assert NASTY + "12" in [cell.text for cell in made.tables["points"].column(NASTY)]
    assert all(":" not in address and "<" not in address for address in made.addresses)


def test_failures_have_their_reason(data: dict[str, Any], made: Markup) -> None:
    assert "Failed or pruned: 1 at the stage train, 1 at the stage build." in made.texts
    grid = made.tables["failures"]
    assert [cell.text for cell in grid.column("reason")] == [f["reason"] for f in data["failures"]]
    assert grid.column("network")[0].text == (
        "cell lstm, hidden 512, weight_bits 4, state_bits 6, seed 0"
    )
    many = small(failures=[data["failures"][0]] * 1000)
    made = Markup(exploration_page(many))
    assert len(made.tables["failures"].rows) == MOST_ROWS and "The first 300 of 1,000." in made.text


def test_nothing_placed_is_said() -> None:
    data = explored(hiddens=(32,), placed=0)
    made = Markup(exploration_page(data))
    assert "Nothing was placed: every figure of the hardware is an estimate." in made.texts
    assert made.tree["compared"] == {"figures.luts": [], "figures.fmax_mhz": []}


def test_nothing_found_is_said() -> None:
    made = Markup(exploration_page(small(points=[])))
    assert "Nothing came of it." in made.texts
    assert made.titles == ["What came to nothing", "The question"] and len(made.scripts) == 2


def test_a_score_that_should_be_low() -> None:
    task = {"name": "text", "score_name": "bits per character", "unit": "", "lower_is_better": True}
    data = copy.deepcopy(small(task=task, objectives={"score": "min"}, constraints={}, failures=[]))
    for k, point in enumerate(data["points"]):
        point["figures"] = {"score": 2.5 - k / 100, "test_score": None, "luts": None}
        point["front"] = point["meets"] = k == 5
    made = Markup(exploration_page(data))
    assert (made.tree["score"], made.tree["lower"]) == ("figures.score", True)
    best = made.tables["targets"].column("least bits per character")
    assert [cell.value for cell in best] == ["2.45", None]
    assert "(there are none)" in made.text and "What came to nothing" not in made.titles
    assert made.tables["points"].column("bits per character")[0].text == "2.45"


@pytest.mark.parametrize("task", ["percent", "other"])
def test_a_score_is_said_once_unless_it_is_asked_for(task: str) -> None:
    asked = {"score": "max"} if task == "percent" else {"accuracy": "max"}
    made = Markup(exploration_page(small(objectives=asked)))
    keys = [quantity["key"] for quantity in made.tree["quantities"]]
    assert ("figures.score" in keys) is (task == "percent") and "figures.accuracy" in keys
    assert "network.state_bits" in keys and "figures.state_bits" not in keys


def test_a_single_point_and_objectives_without_a_figure() -> None:
    data = small(objectives={"watts": "min"}, axes=["cell"], constraints={"watts": "<= 1"})
    made = Markup(exploration_page({**data, "points": data["points"][:1]}))
    assert made.titles[:2] == ["Target by target", "The front"]
    assert "All axes and figures at once" not in made.titles
    assert "What the networks reach" not in made.titles and "(watts <= 1)" in made.text
    assert made.tree["senses"] == {}
