"""The LSTM's fast forms against its equation written out, values and gradients."""

from typing import Any

import numpy as np
import pytest
import torch
from contracts.gated_layers import MODES, OPTIONS, check_form, normalized, vectors
from sylvan.model.cells.lstm import layer as lstm_layer
from sylvan.model.cells.lstm.layer import LSTM, integer_parameters
from sylvan.model.cells.lstm.step import LstmParameters, program
from sylvan.model.interpret import run
from sylvan.model.numbers import Format
from sylvan.model.program import NumericInput
from torch import Tensor


def plain(layer: LSTM, x: Tensor) -> Tensor:
    """h after each timestep, from the equation."""
    v = vectors(layer, x)
    w, u = layer.injected.matrix(), layer.recurrent.matrix()
    b = normalized(layer.injected.norm, v @ w.T) + layer.bias
    h = c = torch.zeros(len(x), layer.hidden, dtype=torch.float64)
    states = []
    for t in range(x.shape[1]):
        sums = normalized(layer.recurrent.norm, h @ u.T) + b[:, t]
        i, f, g, o = sums.split(layer.hidden, 1)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        seen = c if layer.cell is None else normalized(layer.cell, c) + layer.cell_bias
        h = o.sigmoid() * seen.tanh()
        states.append(h)
    return torch.stack(states, 1)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("options", OPTIONS, ids=lambda options: "-".join(options.values()))
@pytest.mark.parametrize("input", ["numbers", "symbols", "silent", "embedded"])
def test_the_layer_has_values_and_gradients_of_the_equation(
    options: dict[str, Any], input: str, mode: str
) -> None:
    check_form(LSTM, plain, options, input, mode)


def test_the_forget_gate_starts_open() -> None:
    layer = LSTM(3, 4, 2)
    assert layer.bias.tolist() == [0] * 4 + [1] * 4 + [0] * 8


def test_no_normalization_of_the_state_without_statistics() -> None:
    assert LSTM(3, 4, 2, normalization="weight").cell is None
    assert LSTM(3, 4, 2, normalization="batch").cell is not None


def test_a_lane_that_hardly_moves_is_kept_larger(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its input gate is nearly shut, and normalization makes up for it: few bits would be lost."""
    net = LSTM(3, 16, 4, read="every", gate_bits=12, seed=1)
    raw = np.random.default_rng(0).integers(-128, 128, (8, 30, 3))
    x = torch.as_tensor(raw / 64.0, dtype=torch.float32)
    source = NumericInput(3, Format(-128, 127, -6), (1.0,) * 3, (0.0,) * 3)
    with torch.no_grad():
        net.bias[5] -= 7
        for _ in range(200):  # until the running statistics have settled
            net(x)
        wanted = net.eval()(x).numpy()

    def error(given: LstmParameters) -> float:
        integer = program(given)
        unit = given.output_unit * 2.0**integer.output.format.exp
        return float(np.sqrt(((run(integer, raw) * unit - wanted) ** 2).mean()) / wanted.std())

    kept = integer_parameters(net, source, raw, 12)
    assert kept.cell_gains is not None
    assert kept.cell_gains.raw[5] >= 16
    assert (np.delete(kept.cell_gains.raw, 5) == 1).all()
    monkeypatch.setattr(lstm_layer, "FEW_SPARE", 99)
    lost = integer_parameters(net, source, raw, 12)
    assert lost.cell_gains is None
    assert error(kept) < 0.6 * error(lost)
