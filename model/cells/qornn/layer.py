"""QORNN in torch: orthogonal recurrent weights of a few bits, and their way to integers.

    h_t = phi(W h_(t-1) + U x_t (+ b))     W = alpha W', near orthogonal, W' integers of k bits
    y_t = V h_t + c                        V relu(h_t (+ g)) + c where the loop is linear

Foucault, Mamalet, Malgouyres, 2024, arXiv 2402.04012; the README beside this file has the two ways
to keep W orthogonal, its quantizer and reasons.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import parametrize
from torch.optim import Optimizer

from ...arrays import Constant, rounded
from ...calibration import check_trained, real, states
from ...numbers import Format
from ...orthogonal import Bjorck, Orthogonal, ProjUNN, Quantized, haar, henaff
from ...powers import kernel_by_powers, squarings
from ...program import NumericInput, SymbolInput
from ...quantize import (
    FACTOR_BITS,
    orthogonal_integers,
    range_exponent,
    symmetric,
    symmetric_integers,
)
from ...recurrent import Recurrent, State, require, xavier
from .step import ACTIVATIONS, QornnParameters

RECURRENT_BITS = range(2, 9)
HORIZONS = [1 << k for k in range(11)]
BIAS_FRACTION, GUARD = 8, 4
"""Binary places that a bias in the loop, and a modReLU, have beyond the state's: both repeat."""
FEW_SYMBOLS = 64
"""Up to as many, symbols are taken as one-hot vectors: a matrix product beats a look-up there."""


class QORNN(Recurrent):
    """A recurrence by a near-orthogonal matrix of few bits.

    Parameters, besides those of every layer:
        strategy: "projunn", a matrix that its own optimizer moves along the orthogonal group, or
            "bjorck", a latent matrix orthonormalized in every forward pass.
        activation: phi, "linear" (read through a ReLU), "relu" or "modrelu".
        weight_bits: bits of W, U and V, 2 to 8; None: full precision, which has no integers.
        ptq_bits: train in full precision, quantize in evaluation and export only.
        horizon: power of two up to 1024: the timesteps after which quantized W leaves a random
            state as large as it was. More costs as many squarings of W, and early size.
        start: of W, "haar" (uniform on the group) or "henaff" (random rotations of pairs).
        bias: of a linear loop, "relu" adds g at the readout's ReLU, "loop" adds b in the loop.
        rank, divider: of "projunn", rank of an update, and what divides its rate.
        seed: of the initial weights.
    """

    recurrent_weights: Tensor

    def __init__(
        self,
        inputs: int,
        hidden: int,
        outputs: int,
        *,
        strategy: str = "projunn",
        activation: str = "linear",
        weight_bits: int | None = None,
        ptq_bits: int | None = None,
        horizon: int = 1,
        start: str = "haar",
        bias: str = "relu",
        rank: int = 1,
        divider: float = 32.0,
        seed: int = 0,
        **sides: Any,
    ) -> None:
        super().__init__(inputs, hidden, outputs, **sides)
        require("strategy", strategy, ("bjorck", "projunn"))
        require("activation", activation, ACTIVATIONS)
        require("start", start, ("haar", "henaff"))
        require("bias", bias, ("relu", "loop"))
        for name, bits in (("weight_bits", weight_bits), ("ptq_bits", ptq_bits)):
            if bits is not None and (type(bits) is not int or bits not in RECURRENT_BITS):
                raise ValueError(f"{name} must lie in 2..8, got {bits!r}")
        if weight_bits is not None and ptq_bits is not None:
            raise ValueError("ptq_bits quantizes after training, weight_bits in it: give one")
        if horizon not in HORIZONS:
            raise ValueError(f"horizon must be a power of two up to 1024, got {horizon!r}")
        if type(rank) is not int or not 1 <= rank <= hidden:
            raise ValueError(f"rank must lie in 1..{hidden}, got {rank!r}")
        if not divider > 0:
            raise ValueError(f"divider must be positive, got {divider!r}")
        self.strategy, self.activation = strategy, activation
        self.weight_bits, self.ptq_bits = weight_bits, ptq_bits
        self.horizon, self.rank, self.divider = horizon, rank, divider
        self.bias_at = bias if activation == "linear" else "loop"

        random = torch.Generator().manual_seed(seed)
        drawn = haar(hidden, random) if start == "haar" else henaff(hidden, random)
        self.recurrent_weights = nn.Parameter(drawn)
        kept = Bjorck() if strategy == "bjorck" else Orthogonal()
        parametrize.register_parametrization(self, "recurrent_weights", kept)
        bits = weight_bits or ptq_bits
        if bits is not None:
            quantized = Quantized(bits, horizon, late=weight_bits is None)
            parametrize.register_parametrization(self, "recurrent_weights", quantized)
        self.input_weights = xavier(random, hidden, self.features)
        self.output_weights = xavier(random, outputs, hidden)
        self.bias = nn.Parameter(torch.zeros(hidden))
        if activation == "modrelu":
            nn.init.uniform_(self.bias, -0.01, 0.01, generator=random)
        self.output_bias = nn.Parameter(torch.zeros(outputs))
        if self.embedding is not None:
            nn.init.normal_(self.embedding, generator=random)

    @property
    def latent(self) -> nn.Parameter:
        """The parameter behind the recurrent weights."""
        found: nn.Parameter = self._chain.original
        return found

    @property
    def orthogonal_weights(self) -> Tensor:
        """W before its quantizer."""
        found: Tensor = self._chain[0](self._chain.original)
        return found

    @property
    def _chain(self) -> Any:
        return self.get_submodule("parametrizations.recurrent_weights")

    def check(self) -> None:
        """Raises ValueError for loaded recurrent weights that are not orthogonal."""
        with torch.no_grad():
            if not Orthogonal.in_manifold(self.orthogonal_weights):
                raise ValueError("the recurrent weights are not orthogonal")

    def optimizer(self, rate: float) -> Optimizer:
        """Adam; for "projunn" the optimizer of that name, slower along the group."""
        if self.strategy == "bjorck":
            return super().optimizer(rate)
        others = [p for p in self.parameters() if p is not self.latent]
        turned = {"params": [self.latent], "peak": rate / self.divider, "rank": self.rank}
        return ProjUNN([turned, {"params": others, "peak": rate, "rank": 0}], rate)

    def quantized(self, weights: Tensor) -> Tensor:
        """U or V, as the mode of the layer has it."""
        bits = self.weight_bits if self.training else self.weight_bits or self.ptq_bits
        return weights if bits is None else symmetric(weights, bits)

    def begin(self, batch: int) -> State:
        return (self.bias.new_zeros(batch, self.hidden),)

    def walk(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """All injections at once, then one product a timestep."""
        (h,) = state
        w, phi, states = self.recurrent_weights.T, self.phi, []
        injected = self.inject(x, self.quantized(self.audible(self.input_weights)))
        if self.bias_at == "loop" and self.activation != "modrelu":
            injected = injected + self.bias
        for added in injected.unbind(1):
            h = torch.addmm(added, h, w)
            h = h if phi is None else phi(h)
            states.append(h)
        return torch.stack(states, 1), (h,)

    @property
    def phi(self) -> Callable[[Tensor], Tensor] | None:
        """The activation in the loop."""
        if self.activation == "modrelu":
            return lambda a: a.sign() * torch.relu(a.abs() + self.bias)
        return torch.relu if self.activation == "relu" else None

    def seen(self, h: Tensor) -> Tensor:
        """h, or `relu(h (+ g))` where the loop is linear."""
        if self.activation != "linear":
            return h
        return torch.relu(h + self.bias if self.bias_at == "relu" else h)

    def readout(self, h: Tensor) -> Tensor:
        """`V h + c`, or `V relu(h (+ g)) + c` where the loop is linear."""
        return functional.linear(
            self.seen(h), self.quantized(self.output_weights), self.output_bias
        )

    def forward(self, x: Tensor) -> Tensor:
        with parametrize.cached():
            return super().forward(x)

    def final(self, x: Tensor) -> Tensor:
        """Of a linear loop `h_T = sum_t K[T-1-t] x_t` with the kernel `K[j] = W^j U`.

        So the recurrence runs on the columns of U, not on the sequences, where those are more.
        """
        batch, length = x.shape[:2]
        one_hot = self.symbols and self.embedding is None and self.inputs <= FEW_SYMBOLS
        few = self.features <= batch and (one_hot or not self.symbols)
        if self.activation != "linear" or not few:
            return super().final(x)
        if one_hot:
            x = functional.one_hot(x.long(), self.inputs).to(self.bias)
        u = self.quantized(self.audible(self.input_weights))
        looped = self.bias_at == "loop"
        columns = torch.cat([u, self.bias[:, None]], 1) if looped else u
        powers = squarings(self.recurrent_weights.double()[None], length)
        k = kernel_by_powers(columns, [power.to(u) for power in powers], length)
        weights = k[..., : u.shape[1]].flip(0).transpose(1, 2).reshape(-1, self.hidden)
        h = x.reshape(batch, -1) @ weights
        return h + k[..., -1].sum(0) if looped else h


LAYER = QORNN
"""What training builds for the cell named after this folder."""


@torch.no_grad()
def integer_parameters(
    layer: QORNN,
    source: NumericInput | SymbolInput,
    raw_inputs: npt.ArrayLike,
    state_bits: int,
    argmax: bool = False,
) -> QornnParameters:
    """The trained layer on integers, its state in `state_bits` bits.

    The state's range is the power of two that holds every state of the calibration sequences
    `raw_inputs`, raw as the input `source` declares them. Raises ValueError for a layer of full
    precision, weights or states that are not finite, and fewer than 2 or more than 32 bits.
    """
    bits = layer.weight_bits or layer.ptq_bits
    if bits is None:
        raise ValueError(
            "a QORNN of full precision has no integers: train with weight_bits, or give ptq_bits "
            "to quantize after training"
        )
    check_trained(layer, state_bits)
    w, alpha = orthogonal_integers(layer.orthogonal_weights, bits, layer.horizon)
    mantissa, exponent = math.frexp(alpha.item())
    factor = Constant(np.array([int(math.ldexp(mantissa, FACTOR_BITS))]), exponent - FACTOR_BITS)
    u, input_unit = symmetric_integers(layer.audible(layer.input_weights), bits)
    v, output_unit = symmetric_integers(layer.output_weights, bits)
    unit, embedding = input_unit.item(), None
    if layer.embedding is not None:
        # The state takes up the unit of the vectors, as it takes up that of U.
        embedding, embedding_unit = layer.integer_embedding()
        unit *= embedding_unit
    signed = layer.activation != "relu"
    exp = range_exponent(_peak(layer, source, raw_inputs) / unit, state_bits + (not signed))
    state = (Format.signed_bits if signed else Format.unsigned_bits)(state_bits, exp)

    def constant(values: Tensor, exp: int) -> Constant:
        return rounded(real(values), exp)

    modrelu = layer.activation == "modrelu"
    inner = constant(layer.bias / unit, exp - GUARD).raw if modrelu else None
    looped = constant(layer.bias / unit, exp - BIAS_FRACTION)
    # One bit more than the state: it is the modReLU that may bring a value back into its range.
    near = Format.signed_bits(state_bits + GUARD + 1, exp - GUARD) if modrelu else None
    return QornnParameters(
        input=source,
        recurrent_weights=w.long().cpu().numpy(),
        factor=factor,
        input_weights=u.long().cpu().numpy(),
        activation=layer.activation,
        bias=looped if layer.bias_at == "loop" and not modrelu else None,
        modrelu_bias=inner,
        preactivation=near,
        state=state,
        threshold=constant(layer.bias / unit, exp) if layer.bias_at == "relu" else None,
        output_weights=v.long().cpu().numpy(),
        output_bias=constant(layer.output_bias / (unit * output_unit.item()), exp),
        output_unit=unit * output_unit.item(),
        state_unit=unit,
        read=layer.read,
        argmax=argmax,
        embedding=embedding,
    )


def _peak(layer: QORNN, source: NumericInput | SymbolInput, raw_inputs: npt.ArrayLike) -> float:
    """Largest absolute state of the quantized layer."""
    training = layer.training
    layer.eval()
    with parametrize.cached():
        found = [seen.abs().amax().item() for seen in states(layer, source, raw_inputs)]
    layer.train(training)
    return max(found)
