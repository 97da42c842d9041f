"""FastRNN and FastGRNN in torch: full-precision references, without integers.

    FastGRNN:  s = W x + U h           FastRNN:  n = tanh(W x + U h + b_n)
               z = sigma(s + b_z)                h' = alpha n + beta h
               n = tanh(s + b_n)
               h' = (zeta (1 - z) + nu) n + z h

Kusupati et al., NeurIPS 2018, arXiv 1901.02358; the README beside this file has the rest.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from ...recurrent import Recurrent, State, require, xavier

CELLS = ("fastgrnn", "fastrnn")
START = {"fastgrnn": (1.0, -4.0), "fastrnn": (-3.0, 3.0)}
"""Logits of zeta and nu, and of alpha and beta: a state that mostly stays, at first."""


class FastGRNN(Recurrent):
    """A cell with one matrix for gate and candidate, or a residual one without a gate.

    Parameters, besides those of every layer:
        cell: "fastgrnn" or "fastrnn".
        rank: of both matrices, each then a product of two; None: full.
        seed: of the initial weights.
    """

    def __init__(
        self,
        inputs: int,
        hidden: int,
        outputs: int,
        *,
        cell: str = "fastgrnn",
        rank: int | None = None,
        seed: int = 0,
        **sides: Any,
    ) -> None:
        super().__init__(inputs, hidden, outputs, **sides)
        require("cell", cell, CELLS)
        if rank is not None and not 1 <= rank <= hidden:
            raise ValueError(f"rank must lie in 1..{hidden}, got {rank!r}")
        self.cell, self.rank = cell, rank
        random = torch.Generator().manual_seed(seed)
        self.recurrent = _factors(random, hidden, hidden, rank)
        self.injected = _factors(random, hidden, self.features, rank)
        self.bias = nn.Parameter(torch.zeros(hidden))
        if cell == "fastgrnn":
            self.gate_bias = nn.Parameter(torch.ones(hidden))
        # Sigmoids of these mix the candidate and the state.
        self.mixing = nn.Parameter(torch.tensor(START[cell]))
        self.output_weights = xavier(random, outputs, hidden)
        self.output_bias = nn.Parameter(torch.zeros(outputs))
        if self.embedding is not None:
            nn.init.normal_(self.embedding, generator=random)

    def begin(self, batch: int) -> State:
        return (self.bias.new_zeros(batch, self.hidden),)

    def walk(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        (h,) = state
        u, states = _product(self.recurrent).T, []
        first, second = torch.sigmoid(self.mixing)
        injected = self.inject(x.transpose(0, 1), _product(self.injected))
        gated = self.cell == "fastgrnn"
        for added in injected.unbind():
            sums = torch.addmm(added, h, u)
            n = torch.tanh(sums + self.bias)
            if gated:
                z = torch.sigmoid(sums + self.gate_bias)
                h = torch.addcmul(z * h, torch.addcmul(first + second, first, z, value=-1), n)
            else:
                h = first * n + second * h
            states.append(h)
        return torch.stack(states, 1), (h,)

    def readout(self, h: Tensor) -> Tensor:
        """`V h + c`."""
        return functional.linear(h, self.output_weights, self.output_bias)


LAYER = FastGRNN
"""What training builds for the cell named after this folder."""


def _factors(
    random: torch.Generator, rows: int, columns: int, rank: int | None
) -> nn.ParameterList:
    """A matrix, or two of `rank` columns and rows, whose product it is."""
    if rank is None:
        return nn.ParameterList([xavier(random, rows, columns)])
    return nn.ParameterList([xavier(random, rows, rank), xavier(random, rank, columns)])


def _product(factors: nn.ParameterList) -> Tensor:
    first, *rest = factors
    return first @ rest[0] if rest else first
