"""The leaky RNN in torch, and its way to integers."""

import numpy.typing as npt
import torch
from torch import Tensor, nn

from ...numbers import Format
from ...program import SymbolInput
from ...recurrent import Recurrent, State
from .step import WEIGHT_EXP, LeakyParameters


class LeakyRNN(Recurrent):
    """Symbols (batch, T) to logits (batch, T, outputs)."""

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
        super().__init__(inputs, hidden, outputs, symbols=symbols, read=read, silent=silent)
        if not symbols or read != "every":
            raise ValueError("a leaky RNN takes symbols and is read on every step")
        random = torch.Generator().manual_seed(seed)
        self.u = nn.Parameter(torch.randn(hidden, inputs, generator=random))
        self.v = nn.Parameter(torch.randn(outputs, hidden, generator=random))

    def begin(self, batch: int) -> State:
        return (self.u.new_zeros(batch, self.hidden),)

    def walk(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        (h,), states = state, []
        for injected in self.inject(x, self.u).unbind(1):
            h = h / 2 + injected
            states.append(h)
        return torch.stack(states, 1), (h,)

    def readout(self, h: Tensor) -> Tensor:
        return h @ self.v.T


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
