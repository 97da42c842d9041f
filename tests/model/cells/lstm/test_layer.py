"""The LSTM's fast forms against its equation written out, values and gradients."""

from typing import Any

import pytest
import torch
from contracts.gated_layers import MODES, OPTIONS, check_form, normalized, vectors
from sylvan.model.cells.lstm.layer import LSTM
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
