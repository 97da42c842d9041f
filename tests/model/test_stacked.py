"""Layers above layers: trained together, and on integers what they are in torch."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from contracts.families import hadamrnn, qornn
from sylvan.model.cells.hadamrnn.step import program as hadam_program
from sylvan.model.cells.qornn.step import program as qornn_program
from sylvan.model.checkpoint import sides
from sylvan.model.config import Config
from sylvan.model.errors import UserError
from sylvan.model.export import Trained, quantized
from sylvan.model.families import build_layer
from sylvan.model.interpret import run
from sylvan.model.numbers import Format
from sylvan.model.program import NumericInput
from sylvan.model.stacked import Stacked
from sylvan.model.tasks import load_task

SIDES = {"inputs": 3, "outputs": 4, "symbols": False, "read": "last", "silent": None}


def stacked(cell: str, layers: int = 3, network: Any = SIDES, **options: Any) -> Stacked:
    hidden = options.pop("hidden", 16)
    config = Config("digits", cell, hidden, layers, cell_options=options)
    layer = build_layer(config, network)
    assert isinstance(layer, Stacked) and len(layer.each) == layers
    return layer


OPTIONS: dict[str, dict[str, Any]] = {
    "hadamrnn": {},
    "qornn": {"weight_bits": 4, "strategy": "bjorck"},
    "gru": {"normalization": "weight", "sampling": "deterministic", "gate_bits": 14},
    "lstm": {"normalization": "weight", "sampling": "deterministic", "gate_bits": 14},
    "fastgrnn": {},
}


# ---- in torch


@pytest.mark.parametrize("cell", OPTIONS)
def test_whole_sequences_are_streams(cell: str) -> None:
    """`walk` in pieces, each layer's state carried on, answers as whole sequences do."""
    torch.manual_seed(0)
    layer = stacked(cell, **OPTIONS[cell]).eval().double()
    x = torch.randn(5, 9, 3, dtype=torch.float64)
    with torch.no_grad():
        whole, state, seen = layer(x), layer.begin(5), []
        for part in x.split(4, 1):
            answers, state = layer.follow(part, state)
            seen.append(answers)
    assert torch.allclose(torch.cat(seen, 1)[:, -1], whole)
    assert whole.std() > 0


@pytest.mark.parametrize("cell", OPTIONS)
@pytest.mark.parametrize("read", ["last", "every"])
def test_all_layers_are_trained(cell: str, read: str) -> None:
    """Every parameter has a gradient but the readouts below, which nothing depends on."""
    torch.manual_seed(0)
    layer = stacked(cell, network=SIDES | {"read": read}, **OPTIONS[cell])
    x = torch.randn(6, 5, 3)
    layer(x).square().sum().backward()
    trained = {id(p) for group in layer.optimizer(0.01).param_groups for p in group["params"]}
    for name, p in layer.named_parameters():
        below = name.startswith(("layers.0.", "layers.1."))
        idle = below and name.split(".")[-1] in ("output_weights", "output_bias")
        assert (id(p) in trained) is p.requires_grad is not idle, name
        assert idle or (p.grad is not None and p.grad.abs().sum() > 0), name


def test_options_go_to_the_layers_they_concern() -> None:
    symbols = {"inputs": 7, "outputs": 4, "symbols": True, "read": "last", "silent": 2}
    options = {"embedding": 5, "reads": [1, 3], "dropout": 0.5, "tied": True}
    low, middle, top = stacked("hadamrnn", network=symbols, **options).each
    assert [la.embedding is None for la in (low, middle, top)] == [False, True, True]
    assert [la.dropout for la in (low, middle, top)] == [0, 0, 0.5]
    assert [la.reads for la in (low, middle, top)] == [(), (), (1, 3)]
    assert (low.silent, middle.silent, top.inputs) == (2, None, 16)
    assert not torch.equal(low.signs, top.signs)


def test_blocks_with_two_phases_are_not_stacked() -> None:
    message = "cell hadamrnn: layers hand on in one unit: their blocks must be powers of 4, got 8"
    with pytest.raises(UserError, match=message):
        stacked("hadamrnn", hidden=8)
    assert stacked("hadamrnn", hidden=8, block=4).top.block == 4


@pytest.mark.parametrize("layers", [0, 65])
def test_layers_are_counted(layers: int) -> None:
    with pytest.raises(UserError, match=f"config: layers must lie in 1..64, got {layers}"):
        Config("digits", layers=layers)


def test_one_layer_is_the_familys_own() -> None:
    assert type(build_layer(Config("digits", "gru", 4), SIDES)).__name__ == "GRU"


# ---- on integers


def above(p: Any, size: int, format: Format) -> NumericInput:
    """The input of parameters that are to stand above a layer of so many units."""
    return NumericInput(size, format, (1.0,) * size, (0.0,) * size)


def hadam_layers() -> Any:
    low = hadamrnn.parameters(20, 4, "symbols", "relu", "every", False, 8)
    top = hadamrnn.parameters(16, 16, "three", "loop", "last", False, 9)
    weights = np.random.default_rng(0).integers(-7, 8, (1, 16, 20))
    return hadamrnn, hadam_program, low, top, {"input_weights": weights}


def qornn_layers() -> Any:
    low = qornn.parameters(8, "three", "threshold", "every", False, 4, 7)
    top = qornn.parameters(20, "three", "relu", "last", True, 3, 8)
    weights = np.random.default_rng(0).integers(-2, 3, (20, 8))
    return qornn, qornn_program, low, top, {"input_weights": weights}


@pytest.mark.parametrize("layers", [hadam_layers, qornn_layers])
def test_golden_is_fake_quantized_torch_layer_by_layer(layers: Any) -> None:
    """What is handed on is what the family's integer network in torch answers through V = 1."""
    table, program, low, top, weights = layers()
    n, exp = low.hidden, low.state.exp
    plain = replace(
        low,
        output_weights=np.eye(n, dtype=np.int64),
        output_bias=replace(
            low.output_bias, raw=np.zeros((*low.output_bias.raw.shape[:-1], n), int)
        ),
    )
    rng = np.random.default_rng(1)
    value = low.input.value
    raw = rng.integers(value.format.lo, value.format.hi + 1, (6, 9, value.size))
    raw[0] = value.format.hi
    raw = raw[..., 0] if value.format.lo == 0 else raw
    handed_on = table.fake_quantized(plain, raw)
    stack = program(replace(top, input=above(top, n, Format(0, 1, exp)), **weights), below=[low])
    format = stack.layers[0].output.format
    assert (format.exp, handed_on.min(), handed_on.max() <= format.hi) == (exp, 0, True)
    whole = replace(top, input=above(top, n, format), **weights)
    expected = table.fake_quantized(whole, handed_on)
    assert np.array_equal(run(program(whole, below=[low]), raw), expected)
    assert np.ptp(expected)


@pytest.mark.parametrize("cell", ["hadamrnn", "qornn", "gru", "lstm"])
def test_integers_are_near_the_real_network(cell: str) -> None:
    """Logits of an export with wide states, beside those in torch; every layer has a part in it."""
    config = Config("digits", cell, 16, 3, cell_options=OPTIONS[cell])
    task = load_task("digits")
    torch.manual_seed(0)
    layer = build_layer(config, sides(task)).eval()
    program = quantized(Trained(Path("run"), layer, config, task), 16)
    assert len(program.layers) == 3
    raw = task.test.inputs[:40]
    with torch.no_grad():
        expected = layer(torch.from_numpy(task.values(raw))).double().numpy()
    found = run(program, raw) * 2.0**program.output.format.exp * program.readout.unit[0]
    spread = expected.std(0).max()
    assert np.abs(found - expected).max() < 0.05 * spread


def test_a_family_that_hands_nothing_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("sylvan.model.cells.qornn.step.hand_on")
    config = Config("digits", "qornn", 4, 2, weight_bits=4)
    task = load_task("digits")
    trained = Trained(Path("run"), build_layer(config, sides(task)), config, task)
    message = "run cannot be exported: the family has no integers for layers below others"
    with pytest.raises(UserError, match=message):
        quantized(trained, 8)
