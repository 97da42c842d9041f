"""The GRU's fast forms against its equation written out, values and gradients."""

from typing import Any

import pytest
import torch
from contracts.gated_layers import MODES, OPTIONS, check_form, normalized, vectors
from sylvan.model.cells.gru.layer import GRU
from torch import Tensor


def plain(layer: GRU, x: Tensor) -> Tensor:
    """h after each timestep, from the equation."""
    v = vectors(layer, x)
    w, u = layer.injected.matrix(), layer.recurrent.matrix()
    b = normalized(layer.injected.norm, v @ w.T) + layer.bias
    h = torch.zeros(len(x), layer.hidden, dtype=torch.float64)
    states = []
    for t in range(x.shape[1]):
        a_r, a_z, a_n = normalized(layer.recurrent.norm, h @ u.T).split(layer.hidden, 1)
        b_r, b_z, b_n = b[:, t].split(layer.hidden, 1)
        r, z = (a_r + b_r).sigmoid(), (a_z + b_z).sigmoid()
        n = (b_n + r * (a_n + layer.candidate_bias)).tanh()
        h = n + z * (h - n)
        states.append(h)
    return torch.stack(states, 1)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("options", OPTIONS, ids=lambda options: "-".join(options.values()))
@pytest.mark.parametrize("input", ["numbers", "symbols", "silent", "embedded"])
def test_the_layer_has_values_and_gradients_of_the_equation(
    options: dict[str, Any], input: str, mode: str
) -> None:
    check_form(GRU, plain, options, input, mode)
