"""The leaky RNN in torch, and its way to integers."""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from ...arrays import Array
from ...numbers import Format
from ...program import SymbolInput
from .step import WEIGHT_EXP, LeakyParameters


class LeakyRNN(nn.Module):
    """Symbols (batch, T) to logits (batch, T, outputs), or those of a window of timesteps."""

    def __init__(
        self,
        inputs: int,
        hidden: int,
        outputs: int,
        *,
        symbols: bool,
        read: str,
        silent: int | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__()
        if not symbols or read != "every":
            raise ValueError("a leaky RNN takes symbols and is read on every step")
        random = torch.Generator().manual_seed(seed)
        self.u = nn.Parameter(torch.randn(hidden, inputs, generator=random))
        self.v = nn.Parameter(torch.randn(outputs, hidden, generator=random))

    def forward(self, x: Tensor, window: tuple[int, int] | None = None) -> Tensor:
        h, answers = torch.zeros(len(x), len(self.u)), []
        for symbols in x.unbind(1):
            h = h / 2 + self.u.T[symbols]
            answers.append(h @ self.v.T)
        start, stop = window or (0, x.shape[1])
        return torch.stack(answers[start:stop], 1)


LAYER = LeakyRNN


@torch.no_grad()
def integer_parameters(
    layer: LeakyRNN,
    source: SymbolInput,
    raw_inputs: npt.ArrayLike,
    state_bits: int,
    argmax: bool = False,
) -> LeakyParameters:
    """The trained layer on integers."""
    u, v = ((w * 2.0**-WEIGHT_EXP).round().long().numpy() for w in (layer.u, layer.v))
    return LeakyParameters(source, u, v, Format.signed_bits(state_bits, 4 - state_bits), "every")


def fake_quantized(p: LeakyParameters, raw_inputs: npt.ArrayLike) -> Array:
    """The integer network in float64 torch, in raw units."""
    x = torch.as_tensor(np.asarray(raw_inputs))
    u, v = (
        torch.tensor(w.tolist(), dtype=torch.float64) for w in (p.input_weights, p.output_weights)
    )
    lsb = 2.0**p.state.exp
    h, answers = torch.zeros(len(x), len(u), dtype=torch.float64), []
    for symbols in x.unbind(1):
        real = h * lsb / 2 + u.T[symbols] * 2.0**WEIGHT_EXP
        h = (real / lsb).round().clamp(p.state.lo, p.state.hi)
        answers.append((h @ v.T).numpy().astype(np.int64))
    return np.stack(answers, 1)
