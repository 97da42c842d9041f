"""Cell families by name, and options of another kind than a layer takes."""

import re
from typing import Any

import pytest
from sylvan.model.cells import cell_names
from sylvan.model.config import Config
from sylvan.model.errors import UserError
from sylvan.model.families import build_layer, cell_options, family

SIDES = {"inputs": 3, "outputs": 2, "symbols": True, "read": "last", "silent": None}
OPTIONS = [(cell, option) for cell in cell_names() for option in cell_options(cell)]


def refused(cell: str, option: str, value: Any) -> str:
    with pytest.raises(UserError) as refusal:
        build_layer(Config("copy", cell, hidden=4, cell_options={option: value}), SIDES)
    return str(refusal.value)


@pytest.mark.parametrize("value", ["abc", [None], {"a": 1}])
@pytest.mark.parametrize(("cell", "option"), OPTIONS)
def test_what_no_option_takes(cell: str, option: str, value: Any) -> None:
    expected = rf"cell {cell}: {option} must be .+, got {re.escape(repr(value))}"
    assert re.fullmatch(expected, refused(cell, option, value))


@pytest.mark.parametrize(
    ("cell", "option", "value", "message"),
    [
        ("hadamrnn", "dropout", "abc", "dropout must be a number, got 'abc'"),
        ("hadamrnn", "reads", 7, "reads must be a list of whole numbers or null, got 7"),
        ("hadamrnn", "reads", [1.5], "reads must be a list of whole numbers or null, got [1.5]"),
        ("hadamrnn", "tied", 1, "tied must be true or false, got 1"),
        ("hadamrnn", "embedding", 1.5, "embedding must be a whole number or null, got 1.5"),
        ("hadamrnn", "bias", 7, "bias must be one of ('relu', 'loop'), got 7"),
        ("qornn", "horizon", "long", "horizon must be a whole number, got 'long'"),
        ("lstm", "gate_bits", "x", "gate_bits must be a whole number, got 'x'"),
        ("gru", "threshold", [], "threshold must be a number, got []"),
        ("gru", "sparsity", True, "sparsity must be a number or null, got True"),
        ("lstm", "embedding", 1 << 27, "embedding times inputs or hidden must lie in 1..268435456"),
        ("fastgrnn", "rank", "1", "rank must be a whole number or null, got '1'"),
    ],
)
def test_kinds_are_told_in_words(cell: str, option: str, value: Any, message: str) -> None:
    assert refused(cell, option, value).startswith(f"cell {cell}: {message}")


def test_whole_numbers_are_numbers_and_null_is_left_to_the_layer() -> None:
    for options in ({"dropout": 0}, {"dropout": None}):
        layer = build_layer(Config("copy", hidden=4, cell_options=options), SIDES)
        assert layer.dropout == 0


@pytest.mark.parametrize("cell", cell_names())
def test_no_layer_runs_backwards(cell: str) -> None:
    assert refused(cell, "bidirectional", True) == (
        f"cell {cell}: a stream has no end to start from, so no layer runs backwards; train it "
        "forward only, or run two networks on the host's own windows of the stream, one of them on "
        "each window reversed"
    )


def test_unknown_families_and_options() -> None:
    with pytest.raises(UserError, match="there is no cell 'lsmt', did you mean 'lstm'"):
        family("lsmt")
    assert refused("gru", "gatebits", 8).startswith(
        "cell gru has no option 'gatebits', did you mean 'gate_bits'?; known: ['embedding', 'gate_b"
    )
