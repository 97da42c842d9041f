"""HadamRNN and Block-HadamRNN in torch: the trainable layer, and its way to integers.

    h_t = W h_(t-1) + U x_t (+ b)      W = diag(u) (I (x) S_m) / sqrt(m), linear and orthogonal
    y_t = V relu(h_t (+ g)) + c, or y = sum_r V_r relu(h_(t_r) (+ g_r)) + c,
    or y = V mean_r relu(h_(t_r) (+ g)) + c

Foucault, Mamalet, Malgouyres, ICLR 2025, arXiv 2502.00047; the README beside this file has shapes,
variants and reasons.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from ...answers import answers
from ...arrays import Array, Constant, rounded
from ...calibration import check_trained, real, states
from ...errors import UserError
from ...kernels import kernel, last_state
from ...numbers import Format
from ...program import NumericInput, SymbolInput, increasing
from ...quantize import range_exponent, sign, symmetric, symmetric_integers
from ...recurrence import walk
from ...recurrent import Recurrent, State, require, xavier
from .step import STEP_UNITS, HadamParameters

FEW_SYMBOLS = 64
"""Up to as many, symbols are taken as one-hot vectors: a matrix product beats a look-up there."""
FACTOR_EXP = -16
"""Binary point of 1/sqrt(2), which multiplies an input once and never accumulates."""


class HadamRNN(Recurrent):
    """A linear recurrence by signed Hadamard blocks, read through a ReLU.

    Parameters, besides those of every layer:
        hidden: units, a multiple of `block`.
        block: m, a power of two; None is one block of all units. Smaller blocks make W ternary.
        weight_bits: bits of U and V, 1 (ternary) to 16.
        bias: "relu" adds g at the ReLU; "loop" adds b in the recurrence, as the paper does.
        dropout: fraction of the features that training hides from the readout of the last step.
        signs: "fixed", drawn with product +1 in each block; "learned", straight-through.
        reads: for tasks answered after the last step, increasing timesteps t_r to read at, each
            with a V and a g of its own; None reads after the last one.
        tied: all reads share one V and one g, and their features are averaged.
        seed: of the signs and the initial weights.
    """

    of_readout = ("dropout", "reads", "tied")

    def __init__(
        self,
        inputs: int,
        hidden: int,
        outputs: int,
        *,
        block: int | None = None,
        weight_bits: int = 4,
        bias: str = "relu",
        signs: str = "fixed",
        dropout: float = 0.0,
        reads: Sequence[int] | None = None,
        tied: bool = False,
        seed: int = 0,
        **sides: Any,
    ) -> None:
        super().__init__(inputs, hidden, outputs, **sides)
        block = hidden if block is None else block
        if type(block) is not int or block < 1 or block & (block - 1) or hidden % block:
            raise ValueError(f"block must be a power of two that divides {hidden}, got {block!r}")
        require("bias", bias, ("relu", "loop"))
        require("signs", signs, ("fixed", "learned"))
        if not 0 <= dropout < 1:
            raise ValueError(f"dropout must lie in 0..1 (1 excluded), got {dropout!r}")
        if dropout and self.read == "every":
            raise ValueError("dropout is for networks that are read at their last step")
        self.block, self.weight_bits, self.bias_at = block, weight_bits, bias
        self.dropout = dropout
        self.reads: tuple[int, ...] = ()
        if reads is not None:
            if not isinstance(reads, list | tuple):
                raise ValueError(f"reads must be a list of timesteps, got {reads!r}")
            if self.read != "last":
                raise ValueError("reads are for tasks answered after the last step, not at every")
            self.reads = increasing("reads", reads)
        if tied and not self.reads:
            raise ValueError("tied says what several reads share: give reads, too")
        self.tied = tied
        self.tables = 0 if tied else len(self.reads)
        """Reads that have a V and a g of their own."""
        if tied and len(set(self.read_units())) > 1:
            raise ValueError(
                f"tied reads meet the state in one unit: with blocks of {block} the timesteps must "
                f"be all even or all odd, got {list(self.reads)}"
            )

        random = torch.Generator().manual_seed(seed)
        if signs == "fixed":
            u = torch.randint(0, 2, (hidden // block, block), generator=random) * 2.0 - 1.0
            # A product of -1 would force eigenvalues +1 and -1 on the block.
            u[:, 0] *= u.prod(1)
            self.register_buffer("fixed_signs", u.flatten())
        else:
            self.sign_latent = nn.Parameter(xavier(random, 1, hidden).detach().flatten())
        self.input_weights = xavier(random, hidden, self.features)
        self.output_weights = xavier(random, outputs, hidden * (self.tables or 1))
        g = torch.zeros(hidden)
        if self.tables:
            v = self.output_weights.detach().unflatten(1, (self.tables, hidden))
            self.output_weights = nn.Parameter(v.transpose(0, 1).contiguous())
            g = g if bias == "loop" else g.repeat(self.tables, 1)
        self.bias = nn.Parameter(g)
        self.output_bias = nn.Parameter(torch.zeros(outputs))
        if self.embedding is not None:
            nn.init.normal_(self.embedding, generator=random)
        symmetric_integers(self.input_weights, weight_bits)  # refuses impossible bits now

    @property
    def signs(self) -> Tensor:
        """u, +-1 per unit."""
        learned = "sign_latent" in self._parameters
        return sign(self.sign_latent) if learned else self.get_buffer("fixed_signs")

    def check_stacked(self) -> None:
        """Raises ValueError where the state's unit alternates."""
        if (self.block.bit_length() - 1) % 2:
            raise ValueError(
                f"layers hand on in one unit: their blocks must be powers of 4, got {self.block}"
            )

    def check(self) -> None:
        """Raises ValueError for loaded tensors of the right shapes that are no such layer."""
        if not (self.signs.abs() == 1).all():
            raise ValueError("fixed_signs holds values other than +1 and -1")

    def forward(self, x: Tensor) -> Tensor:
        if self.reads:
            return self.readout(self.states_read(x))
        # The compiled answers know no gradient for their input, which a layer below has.
        if self.read == "last" or not self.few_columns or x.requires_grad:
            return super().forward(x)
        x, columns = self.columns_met(x)
        g = self.bias if self.bias_at == "relu" else torch.zeros_like(self.bias)
        v = symmetric(self.output_weights, self.weight_bits)
        return answers(x, columns, self.signs, self.block, g=g, v=v, c=self.output_bias)

    def seen(self, h: Tensor) -> Tensor:
        """`relu(h (+ g))`."""
        return torch.relu(h + self.bias if self.bias_at == "relu" else h)

    def readout(self, h: Tensor) -> Tensor:
        """`V relu(h (+ g)) + c` for states (..., hidden); (batch, reads, hidden) with `reads`."""
        features = self.seen(h)
        if self.tied:
            features = features.mean(-2)
        features = functional.dropout(features, self.dropout, self.training)
        if self.tables:
            units = self.unit_factors()
            v = symmetric(self.output_weights * units, self.weight_bits) / units
            # One product with all of them side by side.
            v, features = v.transpose(0, 1).flatten(1), features.flatten(1)
        else:
            v = symmetric(self.output_weights, self.weight_bits)
        return functional.linear(features, v, self.output_bias)

    def read_units(self) -> list[float]:
        """The state's unit at each read."""
        steps = STEP_UNITS[1 + (self.block.bit_length() - 1) % 2]
        return [steps[timestep % len(steps)] for timestep in self.reads]

    def unit_factors(self) -> Tensor:
        """These units as V takes them up before it is quantized, (reads, 1, 1).

        So the integer products of all reads are in one unit, and one accumulator adds them.
        """
        return self.output_weights.new_tensor(self.read_units())[:, None, None]

    def quantized_input(self) -> Tensor:
        """U, (hidden, features)."""
        return symmetric(self.audible(self.input_weights), self.weight_bits)

    def begin(self, batch: int) -> State:
        return (self.bias.new_zeros(batch, self.hidden),)

    def walk(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        injected = self.inject(x, self.quantized_input())
        if self.bias_at == "loop":
            injected = injected + self.bias
        states = walk(injected, self.signs, self.block, state[0])
        return states, (states[:, -1],)

    def final(self, x: Tensor) -> Tensor:
        """The recurrence runs on the columns of U, not on the sequences, where those are more."""
        if not self.few_columns or self.features > len(x):
            return super().final(x)
        x, columns = self.numbers_met(x)
        return last_state(x, columns, self.signs, self.block)

    def states_read(self, x: Tensor) -> Tensor:
        """The states at the timesteps of `reads`, (batch, reads, hidden).

        As in `final`, with one kernel, made for the longest, and a product with it for each read:
        `h_(t_r) = sum_(t <= t_r) K[t_r - t] x_t`. Raises UserError for sequences that end before.
        """
        length = self.reads[-1] + 1
        if x.shape[1] < length:
            raise UserError(
                f"the network reads timestep {length - 1}, counted from 0: sequences need at least "
                f"{length} timesteps, got {x.shape[1]}"
            )
        x = x[:, :length]
        if not self.few_columns or self.features > len(x):
            return self.walk(x, self.begin(len(x)))[0][:, list(self.reads)]
        x, columns = self.numbers_met(x)
        powers = kernel(columns, self.signs, self.block, length).permute(2, 0, 1)
        # Backwards in time, as the kernel goes: timestep t_r meets K[0].
        turned = x.flip(1).transpose(1, 2)
        states = []
        for timestep in self.reads:
            k = powers[:, : timestep + 1].flatten(0, 1)
            states.append(turned[:, :, length - 1 - timestep :].flatten(1) @ k)
        return torch.stack(states, 1)

    @property
    def few_columns(self) -> bool:
        """Whether symbols, if that is what is read, are worth a column of U each."""
        return not self.symbols or (self.embedding is None and self.inputs <= FEW_SYMBOLS)

    def numbers_met(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """As `columns_met`, symbols as one-hot vectors."""
        if self.symbols:
            x = functional.one_hot(x.long(), self.inputs).to(self.bias)
        return self.columns_met(x)

    def columns_met(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The columns that are injected, and what they meet: U x, and 1 where a bias is added."""
        columns = self.quantized_input()
        if self.bias_at != "loop":
            return x, columns
        if x.is_floating_point():
            ones = torch.ones_like(x[..., :1])
            return torch.cat([x, ones], 2), torch.cat([columns, self.bias[:, None]], 1)
        return x, columns + self.bias[:, None]


LAYER = HadamRNN
"""What training builds for the cell named after this folder."""


@torch.no_grad()
def integer_parameters(
    layer: HadamRNN,
    source: NumericInput | SymbolInput,
    raw_inputs: npt.ArrayLike,
    state_bits: int,
    argmax: bool = False,
) -> HadamParameters:
    """The trained layer on integers, its state in `state_bits` bits.

    The state's range is the power of two that holds every state of the calibration sequences
    `raw_inputs`, raw as the input `source` declares them. Raises ValueError for weights or states
    that are not finite, and for fewer than 2 or more than 32 bits.
    """
    check_trained(layer, state_bits)
    u, state_unit = symmetric_integers(layer.audible(layer.input_weights), layer.weight_bits)
    embedding, vector = None, None
    if layer.embedding is not None:
        embedding, embedding_unit = layer.integer_embedding()
        # The state takes up the unit of the vectors, as it takes up that of U.
        state_unit = state_unit * embedding_unit
        vector = Format(int(embedding.min()), int(embedding.max()))
    elif isinstance(source, NumericInput):
        vector = source.format
    latent = layer.output_weights * layer.unit_factors() if layer.tables else layer.output_weights
    v, output_unit = symmetric_integers(latent, layer.weight_bits)
    period = 1 + (layer.block.bit_length() - 1) % 2
    # One row per phase: what a state of 1 stands for, as seen by the constants that meet it.
    units = state_unit.item() * np.array(STEP_UNITS[period])[:, None]
    peaks = _peaks(layer, source, raw_inputs, period) / units[:, 0]
    state = Format.signed_bits(state_bits, range_exponent(float(peaks.max()), state_bits))

    bias, output_bias = real(layer.bias), real(layer.output_bias)
    met, answered = units, units
    if layer.reads:
        # A threshold is in the unit of the state that is read; all products, and so c, in one.
        met, answered = units[[t % period for t in layer.reads]], np.array([[state_unit.item()]])
    if layer.tied:
        # What is added up is the sum of the reads; their mean is that in a smaller unit.
        met, answered = met[:1], met[:1] / len(layer.reads)
    looped = layer.bias_at == "loop"
    # The loop repeats a constant's rounding every step: use the bits that the transform has anyway.
    loop_exp = state.exp - layer.block.bit_length() // 2
    rows = Constant(u.long().cpu().numpy()[None], 0)
    factors, scaled = None, None
    if period == 2 and vector is not None:
        factors = rounded(1 / np.array(STEP_UNITS[2])[:, None], FACTOR_EXP)
        # As fine as the transformed state, and as the input, which one phase passes on unchanged.
        scaled = vector.aligned(min(loop_exp, vector.exp))
    elif period == 2:
        rows = rounded(rows.raw / np.array(STEP_UNITS[2])[:, None, None], min(0, loop_exp))
    return HadamParameters(
        input=source,
        block=layer.block,
        signs=layer.signs.long().cpu().numpy(),
        input_weights=rows.raw,
        input_exp=rows.exp,
        input_factors=factors,
        scaled_input=scaled,
        state=state,
        bias=rounded(bias / units, loop_exp) if looped else None,
        threshold=None if looped else rounded(bias / met, state.exp),
        output_weights=v.long().cpu().numpy(),
        output_exp=0,
        output_bias=rounded(output_bias / (answered * output_unit.item()), state.exp),
        output_unit=(answered[0, 0] if layer.reads else state_unit.item()) * output_unit.item(),
        state_unit=state_unit.item(),
        read=layer.reads or layer.read,
        argmax=argmax,
        embedding=embedding,
    )


def _peaks(
    layer: HadamRNN, source: NumericInput | SymbolInput, raw_inputs: npt.ArrayLike, period: int
) -> Array:
    """Largest absolute state after steps of each phase, up to the last that is read."""
    last = layer.reads[-1] + 1 if layer.reads else None
    peaks = np.zeros(period)
    for seen in states(layer, source, np.asarray(raw_inputs)[:, :last]):
        for phase in range(min(period, seen.shape[1])):
            peaks[phase] = max(peaks[phase], seen[:, phase::period].abs().amax().item())
    return peaks
