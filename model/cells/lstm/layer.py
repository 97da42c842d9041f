"""The LSTM in torch, with float, binary or ternary weights, and its way to integers.

    i, f, g, o = N_a(W_a h) + N_b(W_x x) + beta
    c' = sigma(f) c + sigma(i) tanh(g)        h' = sigma(o) tanh(N_c(c'))

Ardakani et al., ICLR 2019, arXiv 1809.11086; the README beside this file has variants and reasons.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from ...arrays import Array, Constant, rounded
from ...calibration import check_trained, real, signed_range
from ...gated import GUARD_BITS, Gated, fixed, integer_gates, peaks
from ...normalized import START_GAIN, Normalization
from ...program import NumericInput, SymbolInput
from ...recurrent import State
from .step import LstmParameters

FEW_SPARE, MOST_SPARE = 4, 10
"""Lanes of c that use less than a sixteenth of the range are kept larger, up to a thousandfold."""


class LSTM(Gated):
    """An LSTM; gates in torch's order: input, forget, candidate, output.

    The parameters are those of `Gated`. N_c exists with "batch" and "layer" normalization.
    """

    gates = 4

    def __init__(self, inputs: int, hidden: int, outputs: int, **options: Any) -> None:
        super().__init__(inputs, hidden, outputs, **options)
        with torch.no_grad():
            # What is remembered at the start: the gradient reaches back.
            self.bias[hidden : 2 * hidden] = 1
        kind = self.how.normalization
        self.cell: Normalization | None = None
        if kind in START_GAIN:
            self.cell = Normalization(hidden, kind)
            self.cell_bias = nn.Parameter(torch.zeros(hidden))

    def begin(self, batch: int) -> State:
        return self.bias.new_zeros(batch, self.hidden), self.bias.new_zeros(batch, self.hidden)

    def walk(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        if self.cell is not None or not self.fits_fused:
            return self.one_by_one(x, state)
        h, c = (part[None].contiguous() for part in state)
        weights = [self.injected.matrix(), self.recurrent.matrix(), self.bias]
        weights.append(torch.zeros_like(self.bias))
        states, h, c = self.fused(torch._VF.lstm, x, (h, c), weights)
        return states, (h[0], c[0])

    def steps(self, x: Tensor, state: State) -> Iterator[State]:
        # Lanes first, so that gates are whole blocks of memory, and a batch lies together.
        h, c = (part.T for part in state)
        added, offset, static = self.added(x), None, self.recurrent.static
        if static:
            w, offset = self.recurrent.effective()
        else:
            w = self.recurrent.matrix()
        if offset is not None:
            added = added + offset
        for sums in added.transpose(1, 2).contiguous().unbind():
            if static:
                sums = torch.addmm(sums, w, h)
            else:
                sums = sums + self.recurrent.lanes(w @ h)
            i, f, g, o = sums.chunk(4)
            c = torch.addcmul(torch.sigmoid(f) * c, torch.sigmoid(i), torch.tanh(g))
            seen = c if self.cell is None else self.cell.lanes(c) + self.cell_bias[:, None]
            h = torch.sigmoid(o) * torch.tanh(seen)
            yield h.T, c.T


LAYER = LSTM
"""What training builds for the cell named after this folder."""


@torch.no_grad()
def integer_parameters(
    layer: LSTM,
    source: NumericInput | SymbolInput,
    raw_inputs: npt.ArrayLike,
    state_bits: int,
    argmax: bool = False,
) -> LstmParameters:
    """The trained layer on integers, h and c in `state_bits` bits each.

    Their ranges are the powers of two that hold every state of the calibration sequences
    `raw_inputs`, raw as the input `source` declares them. Raises ValueError for weights or states
    that are not finite, weights that do not fold, and fewer than 2 or more than 32 bits.
    """
    check_trained(layer, state_bits)
    seen, kept = peaks(layer, source, raw_inputs, layer.steps)
    hidden, cell = (signed_range(lanes.max().item(), state_bits) for lanes in (seen, kept))
    gains, factors, offset = None, None, None
    recurrent_offset = layer.recurrent.folded()[2]
    # On integers one table serves the three sigmoids: input, forget, output, then the candidate.
    gates = integer_gates(layer, source, hidden, (0, 1, 3, 2), argmax, recurrent_offset)
    if layer.cell is not None:
        scale, shift = layer.cell.folded()
        exponents = _spare_bits(real(kept))
        if exponents.any():
            gains = Constant(1 << exponents, 0)
        factors = fixed(np.ldexp(real(scale), -exponents))
        fine = gates["tanh"].operand.exp - GUARD_BITS
        offset = rounded(real(shift + layer.cell_bias), fine)
    return LstmParameters(
        **gates, cell=cell, cell_gains=gains, cell_factors=factors, cell_offset=offset
    )


def _spare_bits(peaks: Array) -> Array:
    """Bits by which each lane of c may grow, where it is small enough that its own would be few.

    Normalization makes a lane that hardly moves as large as the others: what is lost of it in the
    format that they share is lost a hundredfold.
    """
    spare = np.floor(np.log2(peaks.max() / np.maximum(peaks, np.finfo(float).tiny)))
    return np.where((spare >= FEW_SPARE) & (peaks > 0), spare.clip(0, MOST_SPARE), 0).astype(int)
