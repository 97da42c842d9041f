"""A spec is read whole, or refused with the line of what is wrong."""

from pathlib import Path

import pytest
from sylvan.hw.schedule import Schedule
from sylvan.model.config import Config
from sylvan.model.errors import UserError

from sylvan.explore.networks import Space
from sylvan.explore.questions import Aim, Bound
from sylvan.explore.ranges import values
from sylvan.explore.spec import Schedules, load_spec

SPEC = """\
[task]
name = "digits"

[numeric]
cell = ["hadamrnn", "lstm"]
hidden = {from = 16, to = 64, times = 2}
block = [16, "full"]
state_bits = [8, 12]
sparsity = [0.5, 0.9]
epochs = 3

[schedule]
lanes = [1, 4]
digit = ["word", 4]
contexts = "any"

[targets]
parts = ["ice40-up5k", "ecp5-25f"]
clock_hz = 12e6

[constraints]
accuracy = ">= 90 %"
luts = ["<= 5k", ">= 100"]

[objectives]
accuracy = "max"
luts = "min"

[search]
method = "tpe"
networks = 20
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "spec.toml"
    path.write_text(text)
    return path


def test_a_spec_is_read_whole(tmp_path: Path) -> None:
    spec = load_spec(written(tmp_path, SPEC))
    assert spec.task == "digits" and spec.text == SPEC
    assert spec.space.axes["hidden"] == (16, 32, 64)
    assert spec.schedules == Schedules((1, 4), (0, 4), (), False)
    assert [part.name for part in spec.targets] == ["ice40-up5k", "ecp5-25f"]
    assert spec.clock_hz == 12e6
    assert spec.question.bounds == (
        Bound("accuracy", True, 0.9),
        Bound("luts", False, 5000),
        Bound("luts", True, 100),
    )
    assert spec.question.aims == (Aim("accuracy", True), Aim("luts", False))
    assert (spec.search.method, spec.search.networks, spec.search.builds) == ("tpe", 20, 4)


def test_an_axis_counts_only_where_the_cell_knows_it(tmp_path: Path) -> None:
    """HadamRNNs differ in blocks, of which `full` is one; LSTMs in zeros."""
    networks = list(load_spec(written(tmp_path, SPEC)).space.networks())
    of_cell = {
        cell: [n for n in networks if n.config.cell == cell] for cell in ("hadamrnn", "lstm")
    }
    blocks = {(n.config.hidden, n.config.block) for n in of_cell["hadamrnn"]}
    assert blocks == {(16, 16), (32, 16), (32, 32), (64, 16), (64, 64)}
    assert len(of_cell["hadamrnn"]) == 5 * 2 and len(of_cell["lstm"]) == 3 * 2 * 2
    assert {n.config.cell_options["sparsity"] for n in of_cell["lstm"]} == {0.5, 0.9}
    assert all(n.config.block is None for n in of_cell["lstm"])
    assert all("sparsity" not in n.config.cell_options for n in of_cell["hadamrnn"])
    assert len({network.identity for network in networks}) == len(networks) == 22


def test_a_recipe_is_what_axes_change(tmp_path: Path) -> None:
    told = '[task]\npreset = "digits-lstm"\n[numeric]\nhidden = 8\n'
    told += '[targets]\nparts = ["ecp5-25f"]\n[objectives]\nluts = "min"\n'
    spec = load_spec(written(tmp_path, told))
    (network,) = spec.space.networks()
    assert (network.config.cell, network.config.hidden, network.state_bits) == ("lstm", 8, 12)
    assert network.config.cell_options["normalization"] == "weight"
    assert spec.search.method == "grid" and spec.schedules == Schedules()


def test_a_spec_that_names_lanes_or_digits_has_no_microprogram() -> None:
    microprogram, lane = (Schedule(1, microcode=said).keys(8) for said in (True, False))
    for schedules, admitted in (
        (Schedules(), True),
        (Schedules(contexts=()), True),
        (Schedules(dsps=True), True),
        (Schedules(contexts=(2,)), False),
        (Schedules(lanes=(1, 2)), False),
        (Schedules(digits=(0,)), False),
    ):
        assert schedules.admits(microprogram) is admitted
        assert schedules.admits(lane) is (schedules.contexts != (2,))


MISTAKES = [
    ("[task]", "[tusk]", 1, "there is no section [tusk]; known: task, numeric"),
    ('name = "digits"', "", 1, "[task] names neither a task (name) nor a recipe (preset)"),
    ('"digits"', '"digit"', 2, "there is no task 'digit', did you mean 'digits'?"),
    ('name = "digits"', 'preset = "digitz"', 2, "there is no preset 'digitz', did you mean"),
    (
        'name = "digits"',
        'name = "digits"\noptions = {size = 3}',
        3,
        "task digits has no option 'size'",
    ),
    ('"lstm"]', '"lstn"]', 5, "there is no cell 'lstn', did you mean 'lstm'?"),
    ("block =", "blocks =", 7, "there is no axis 'blocks', did you mean 'block'?"),
    ("from = 16, to = 64", "from = 64, to = 16", 6, "hidden: it is empty: it begins at 64"),
    ('name = "digits"', 'preset = ""', 2, "preset must be a name, got ''"),
    ("epochs = 3", "epochs = [3, 0]", 10, "epochs: config: epochs must lie in 1.."),
    ("epochs = 3", "refit = true", 10, "there is no axis 'refit'"),
    ("from = 16, to = 64, times = 2", "from = -4, to = 4, step = 4", 6, "hidden must lie in 1.."),
    ('"full"]', '"ful"]', 7, "block must be a whole number or null, got 'ful'"),
    ("[8, 12]", '[8, "9"]', 8, "state_bits must be a whole number of at least 2, got '9'"),
    ('"<= 5k"', '"<= 80 %"', 23, "luts is no share: bound it without %, got '<= 80 %'"),
    ("[8, 12]", "[]", 8, "state_bits: it holds no value"),
    ("[8, 12]", "[8, [12]]", 8, "state_bits: [12] is no value"),
    ("times = 2", "times = 1", 6, "grows by a step of at least 1, or from 1 or more at least 2"),
    ("times = 2", "time = 2", 6, "a range is {from = A, to = B, step = S}"),
    ("[1, 4]", "[0, 4]", 13, 'lanes must be whole numbers of at least 1, or "any", got 0'),
    ('["word", 4]', '["wurd"]', 14, 'or "word", or "any", got \'wurd\''),
    ('contexts = "any"', "contexts = 5000", 15, "at least 1 and at most 1024"),
    ('contexts = "any"', "dsps = 1", 15, "dsps must be true or false, got 1"),
    ('contexts = "any"', "context = 1", 15, "[schedule] has no entry 'context', did you mean"),
    ('"ecp5-25f"]', '"ecp-25f"]', 18, "there is no target 'ecp-25f'; did you mean ecp5-25f?"),
    ('"ecp5-25f"]', '"verilog"]', 18, "verilog has no part, so a core has neither a size nor"),
    ("12e6", "12", 19, "clock_hz is a number in Hz, such as 12e6, got 12"),
    ('accuracy = ">= 90 %"', 'acuracy = ">= 90 %"', 22, "there is no figure 'acuracy', did you"),
    ('">= 90 %"', '">= 90"', 22, "nothing can meet accuracy >= 90: it is a share of at most 1"),
    ('">= 90 %"', '"90 %"', 22, "accuracy is bounded by a text such as '>= 0.9' or '<= 5k', got"),
    ('">= 90 %"', "0.9", 22, "accuracy is bounded by a text such as '>= 0.9' or '<= 5k', got 0.9"),
    ('luts = "min"', 'luts = "least"', 27, 'luts is to be "min" or "max", got \'least\''),
    ('accuracy = "max"\nluts = "min"', "", 25, "[objectives] names no figure"),
    ('"tpe"', '"tpa"', 30, "method is one of grid, random, nsga2, tpe, got 'tpa'"),
    ("networks = 20", "", 30, "a tpe search needs networks: how many to train"),
    ("networks = 20", "networks = 0", 31, "networks must be a whole number of at least 1, got 0"),
]


@pytest.mark.parametrize(("right", "wrong", "line", "said"), MISTAKES)
def test_a_mistake_is_told_with_its_line(
    right: str, wrong: str, line: int, said: str, tmp_path: Path
) -> None:
    assert SPEC.count(right) == 1
    path = written(tmp_path, SPEC.replace(right, wrong))
    with pytest.raises(UserError) as told:
        load_spec(path)
    assert f"{path}, line {line}: " in str(told.value) and said in str(told.value)


def test_what_cannot_be_read_is_no_spec(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"the spec .*none.toml cannot be read: No such file"):
        load_spec(tmp_path / "none.toml")
    with pytest.raises(UserError, match=r"is no spec in TOML: .*line 2"):
        load_spec(written(tmp_path, "[task]\nname = digits"))
    (tmp_path / "spec.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(UserError, match="is no spec in TOML"):
        load_spec(tmp_path / "spec.toml")
    with pytest.raises(UserError, match="line 1: task must be a section"):
        load_spec(written(tmp_path, "task = 3"))


def test_values_of_an_axis() -> None:
    assert values(3) == (3,) and values([1, 2, 1]) == (1, 2) and values([1, True]) == (1, True)
    assert values({"from": 2, "to": 9, "step": 3}) == (2, 5, 8)
    assert values({"from": 1, "to": 8, "times": 2}) == (1, 2, 4, 8)
    with pytest.raises(ValueError, match="it holds 2000 values, more than 1000"):
        values(list(range(2000)))


def test_too_many_combinations_are_refused(tmp_path: Path) -> None:
    many = SPEC.replace("[0.5, 0.9]", "{from = 1, to = 900, step = 1}").replace(
        "epochs = 3", "epochs = {from = 1, to = 900, step = 1}"
    )
    with pytest.raises(UserError, match=r"line 4: \[numeric\] has 19,440,000 combinations"):
        load_spec(written(tmp_path, many))


def test_a_state_is_of_whole_bits() -> None:
    space = Space(Config("digits"), {"state_bits": ("many",)})
    with pytest.raises(UserError, match="state_bits must be a whole number of at least 2, got 'm"):
        next(space.networks())
