"""FastRNN and FastGRNN against their equations, and what they refuse."""

from pathlib import Path
from typing import Any

import pytest
import torch
from sylvan.model.cells.fastgrnn.layer import FastGRNN
from sylvan.model.config import Config
from sylvan.model.errors import UserError
from sylvan.model.export import export
from sylvan.model.train import train
from torch import Tensor


def plain(layer: FastGRNN, x: Tensor) -> Tensor:
    """h after each timestep."""
    u, w = ((m[0] @ m[1] if len(m) == 2 else m[0]) for m in (layer.recurrent, layer.injected))
    first, second = layer.mixing.sigmoid()
    h, states = torch.zeros(len(x), layer.hidden, dtype=torch.float64), []
    for t in range(x.shape[1]):
        sums = x[:, t] @ w.T + h @ u.T
        n = (sums + layer.bias).tanh()
        if layer.cell == "fastgrnn":
            z = (sums + layer.gate_bias).sigmoid()
            h = (first * (1 - z) + second) * n + z * h
        else:
            h = first * n + second * h
        states.append(h)
    return torch.stack(states, 1)


@pytest.mark.parametrize("cell", ["fastgrnn", "fastrnn"])
@pytest.mark.parametrize("rank", [None, 1, 3])
def test_it_has_values_and_gradients_of_the_equation(cell: str, rank: int | None) -> None:
    layer = FastGRNN(4, 6, 3, cell=cell, rank=rank, read="every").double()
    with torch.no_grad():
        layer.bias.normal_(generator=torch.Generator().manual_seed(0))
    x = torch.randn(5, 7, 4, dtype=torch.float64)
    got, (last,) = layer.walk(x, layer.begin(5))
    wanted = plain(layer, x)
    torch.testing.assert_close(got, wanted)
    torch.testing.assert_close(last, wanted[:, -1])
    trained = [p for name, p in layer.named_parameters() if not name.startswith("output")]
    for a, b in zip(
        torch.autograd.grad(got.square().sum(), trained),
        torch.autograd.grad(wanted.square().sum(), trained),
        strict=True,
    ):
        torch.testing.assert_close(a, b)
    sizes = sum(p.numel() for p in (*layer.recurrent, *layer.injected))
    assert sizes == (6 * 6 + 6 * 4 if rank is None else rank * (6 + 6 + 6 + 4))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"cell": "slowrnn"}, "cell must be one of"),
        ({"rank": 7}, "rank must lie in 1..6, got 7"),
        ({"rank": 0}, "rank must lie in 1..6, got 0"),
    ],
)
def test_refusals(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        FastGRNN(4, 6, 3, **change)


def test_it_trains_and_has_no_program(tmp_path: Path) -> None:
    sizes = {"length": 24, "train": 32, "validation": 16, "test": 16}
    config = Config("copy", "fastgrnn", hidden=4, epochs=1, batch=32, task_options=sizes)
    train(config, tmp_path / "run")
    with pytest.raises(UserError, match="fastgrnn is a full-precision reference"):
        export(tmp_path / "run", state_bits=12)
