"""The GRU in torch, with float, binary or ternary weights, and its way to integers.

    a = N_a(W_a h), b = N_b(W_x x) + beta
    r = sigma(a_r + b_r)   z = sigma(a_z + b_z)   n = tanh(b_n + r (a_n + d))   h' = n + z (h - n)

The reset gate acts after the matrix; the README beside this file says why.
"""

from collections.abc import Iterator
from typing import Any

import numpy.typing as npt
import torch
from torch import Tensor, nn

from ...arrays import rounded
from ...calibration import check_trained, real, signed_range
from ...gated import GUARD_BITS, Gated, integer_gates, peaks
from ...program import NumericInput, SymbolInput
from ...recurrent import State
from .step import GruParameters

INNER_BITS = 4
"""More bits than the arguments of the curves: a reset gate makes small what it multiplies."""


class GRU(Gated):
    """A GRU; gates in torch's order: reset, update, candidate. The parameters are `Gated`'s."""

    gates = 3

    def __init__(self, inputs: int, hidden: int, outputs: int, **options: Any) -> None:
        super().__init__(inputs, hidden, outputs, **options)
        self.candidate_bias = nn.Parameter(torch.zeros(hidden))

    def begin(self, batch: int) -> State:
        return (self.bias.new_zeros(batch, self.hidden),)

    def walk(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        if not self.fits_fused:
            return self.one_by_one(x, state)
        (h,) = state
        w, offset = self.injected.effective()
        u, inside = self.recurrent_constants()
        weights = [w, u, self.bias if offset is None else self.bias + offset, inside]
        states, h = self.fused(torch._VF.gru, x, h[None].contiguous(), weights)
        return states, (h[0],)

    def recurrent_constants(self) -> tuple[Tensor, Tensor]:
        """Of a static projection: its matrix, and what it adds, d included."""
        u, offset = self.recurrent.effective()
        inside = torch.cat([self.bias.new_zeros(2 * self.hidden), self.candidate_bias])
        return u, inside if offset is None else inside + offset

    def steps(self, x: Tensor, state: State) -> Iterator[State]:
        for h, _ in self.traced(x, state):
            yield (h,)

    def traced(self, x: Tensor, state: State) -> Iterator[tuple[Tensor, Tensor]]:
        """The state after each timestep, and what the reset gate multiplied on the way there."""
        # Lanes first, so that gates are whole blocks of memory, and a batch lies together.
        h, n = state[0].T, self.hidden
        injected, static = self.added(x), self.recurrent.static
        if static:
            u, inside = self.recurrent_constants()
            inside = inside[:, None]
        else:
            u = self.recurrent.matrix()
        for b in injected.transpose(1, 2).contiguous().unbind():
            if static:
                a = torch.addmm(inside, u, h)
                gated = a[2 * n :]
            else:
                a = self.recurrent.lanes(u @ h)
                gated = a[2 * n :] + self.candidate_bias[:, None]
            r, z = torch.sigmoid(a[: 2 * n] + b[: 2 * n]).chunk(2)
            candidate = torch.tanh(torch.addcmul(b[2 * n :], r, gated))
            h = torch.lerp(candidate, h, z)
            yield h.T, gated.T


LAYER = GRU
"""What training builds for the cell named after this folder."""


@torch.no_grad()
def integer_parameters(
    layer: GRU,
    source: NumericInput | SymbolInput,
    raw_inputs: npt.ArrayLike,
    state_bits: int,
    argmax: bool = False,
) -> GruParameters:
    """The trained layer on integers, h in `state_bits` bits.

    The ranges of h and of `a_n + d` are the powers of two that hold every value on the calibration
    sequences `raw_inputs`, raw as the input `source` declares them. Raises ValueError for weights
    or states that are not finite, weights that do not fold, and fewer than 2 or more than 32 bits.
    """
    check_trained(layer, state_bits)
    found = peaks(layer, source, raw_inputs, layer.traced)
    peak, inner = (lanes.max().item() for lanes in found)
    # What reaches r and z may be added to the input's part; what the reset gate multiplies may not.
    offset = layer.recurrent.folded()[2]
    n = layer.hidden
    outside = torch.cat([offset[: 2 * n], torch.zeros_like(offset[2 * n :])])
    gates = integer_gates(layer, source, signed_range(peak, state_bits), range(3), argmax, outside)
    fine = gates["tanh"].operand.exp - GUARD_BITS
    return GruParameters(
        **gates,
        gated=signed_range(inner, layer.gate_bits + INNER_BITS),
        gated_offset=rounded(real(offset[2 * n :] + layer.candidate_bias), fine),
    )
