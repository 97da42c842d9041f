"""QORNN in torch: orthogonal recurrent weights of a few bits, and their way to integers.

    h_t = phi(W h_(t-1) + U x_t (+ b))     W = alpha W', near orthogonal, W' integers of k bits
    y_t = V h_t + c                        V relu(h_t (+ g)) + c where the loop is linear

Foucault, Mamalet, Malgouyres, 2024, arXiv 2402.04012; the README beside this file has the two ways
to keep W orthogonal, its quantizer and reasons.
"""

import math
from collections.abc import Callable
from typing import Any, overload

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import parametrize
from torch.optim import Optimizer

from ...numbers import Format
from ...program import NumericInput, SymbolInput
from ...quantize import range_exponent, straight_through, symmetric, symmetric_integers
from ...recurrence import kernel_by_powers, squarings
from ...recurrent import Recurrent, State, require, xavier
from .step import ACTIVATIONS, Constant, QornnParameters

RECURRENT_BITS = range(2, 9)
HORIZONS = [1 << k for k in range(11)]
FACTOR_BITS = 16
"""Of alpha, in training too: an error of 2**-17 is 0.6 % of the amplitude after 784 steps."""
CLIPS = [2.0 ** (-step / 4) for step in range(13)]
"""Ranges that the quantizer of W tries, as fractions of its largest entry."""
BIAS_FRACTION, GUARD = 8, 4
"""Binary places that a bias in the loop, and a modReLU, have beyond the state's: both repeat."""
FEW_SYMBOLS = 64
"""Up to as many, symbols are taken as one-hot vectors: a matrix product beats a look-up there."""
CALIBRATION_STEPS = 16
MOST_ITERATIONS = 60


class Orthogonal(nn.Module):
    """The parametrization "is orthogonal"; an optimizer that never leaves the group keeps it."""

    @staticmethod
    def in_manifold(matrix: Tensor, tolerance: float | None = None) -> bool:
        """Whether a square matrix is orthogonal: `max |W W^T - I|` is at most the tolerance."""
        if tolerance is None:
            tolerance = 100 * torch.finfo(matrix.dtype).eps
        return defect(matrix).abs().amax().item() <= tolerance  # False for NaN

    def forward(self, matrix: Tensor) -> Tensor:
        return matrix

    def right_inverse(self, matrix: Tensor) -> Tensor:
        if not self.in_manifold(matrix):
            raise ValueError("the recurrent weights must be an orthogonal matrix")
        return matrix


class Bjorck(Orthogonal):
    """The orthogonal factor of a latent matrix: `W <- W (3 I - W^T W) / 2` until it converges.

    Gradients pass through the iterations; at least one is made, so that they are tangent.
    """

    def forward(self, matrix: Tensor) -> Tensor:
        w = matrix / _norm(matrix)
        close = math.sqrt(torch.finfo(w.dtype).eps)
        for _ in range(MOST_ITERATIONS):
            error = defect(w.T)
            w = w - w @ error / 2
            # Quadratic: the step just taken left about the square of the error before it.
            if not error.detach().norm() > close:
                break
        return w


class Quantized(nn.Module):
    """W to integers times alpha, straight-through; `late`: in evaluation only."""

    def __init__(self, bits: int, horizon: int, late: bool) -> None:
        super().__init__()
        self.bits, self.horizon, self.late = bits, horizon, late

    def forward(self, matrix: Tensor) -> Tensor:
        if self.late and self.training:
            return matrix
        integers, alpha = orthogonal_integers(matrix, self.bits, self.horizon)
        return straight_through(matrix, integers * alpha)

    def right_inverse(self, matrix: Tensor) -> Tensor:
        return matrix


def defect(matrix: Tensor) -> Tensor:
    """`W W^T - I`."""
    return matrix @ matrix.T - torch.eye(len(matrix), dtype=matrix.dtype, device=matrix.device)


@torch.no_grad()
def _norm(matrix: Tensor) -> Tensor:
    """Nearly the spectral norm, by power iteration: Bjorck needs it below sqrt(3)."""
    v = matrix[matrix.norm(dim=1).argmax()]
    for _ in range(5):
        v = matrix.T @ (matrix @ (v / v.norm()))
    return v.norm().sqrt()


@torch.no_grad()
def orthogonal_integers(matrix: Tensor, bits: int, horizon: int = 1) -> tuple[Tensor, Tensor]:
    """Integers `q` within `+-(2**(bits-1) - 1)` and a scalar `alpha` with `matrix ~ q * alpha`.

    The grid is the one of `CLIPS` that is closest to the matrix. With alpha, in `FACTOR_BITS` bits,
    a random state has after `horizon` steps the size that it had before.
    """
    top = (1 << (bits - 1)) - 1
    peak = matrix.abs().amax()
    best, integers = -1.0, matrix
    for clip in CLIPS:
        q = (matrix * (top / (clip * peak))).round_().clamp_(-top, top)
        closeness = ((matrix * q).sum() ** 2 / (q * q).sum()).item()
        if not closeness <= best:
            best, integers = closeness, q
    mantissa, exponent = torch.frexp((1 / growth(integers, horizon)).to(matrix))
    return integers, torch.ldexp((mantissa * 2**FACTOR_BITS).round(), exponent - FACTOR_BITS)


def growth(matrix: Tensor, steps: int) -> Tensor:
    """By what random states grow in each of `steps` steps: `(|W^steps| / sqrt(n))^(1 / steps)`.

    1 for orthogonal matrices. Squared `log2 steps` times, and brought back to size each time.
    """
    power, done = matrix.double(), 1
    size = power.norm() / math.sqrt(len(matrix))
    total = size.log()
    while done < steps:
        power = power / size
        power = power @ power
        size = power.norm() / math.sqrt(len(matrix))
        total, done = 2 * total + size.log(), 2 * done
    return (total / done).exp()


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

    def audible_weights(self) -> Tensor:
        """The latent U; without an embedding, with the silent symbol's column zero."""
        if self.silent is None or self.embedding is not None:
            return self.input_weights
        mask = torch.ones_like(self.input_weights)
        mask[:, self.silent] = 0
        return self.input_weights * mask

    def begin(self, batch: int) -> State:
        return (self.bias.new_zeros(batch, self.hidden),)

    def walk(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """All injections at once, then one product a timestep."""
        (h,) = state
        w, phi, states = self.recurrent_weights.T, self.phi, []
        injected = self.inject(x, self.quantized(self.audible_weights()))
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

    def readout(self, h: Tensor) -> Tensor:
        """`V h + c`, or `V relu(h (+ g)) + c` where the loop is linear."""
        if self.activation == "linear":
            h = torch.relu(h + self.bias if self.bias_at == "relu" else h)
        return functional.linear(h, self.quantized(self.output_weights), self.output_bias)

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
        u = self.quantized(self.audible_weights())
        looped = self.bias_at == "loop"
        columns = torch.cat([u, self.bias[:, None]], 1) if looped else u
        powers = squarings(self.recurrent_weights.double()[None], length)
        k = kernel_by_powers(columns, [power.to(u) for power in powers], length)
        weights = k[..., : u.shape[1]].flip(0).transpose(1, 2).reshape(-1, self.hidden)
        h = x.reshape(batch, -1) @ weights
        return h + k[..., -1].sum(0) if looped else h


LAYER = QORNN
"""What training builds for the cell named after this folder."""


def haar(size: int, random: torch.Generator) -> Tensor:
    """A rotation or reflection drawn uniformly from the orthogonal group."""
    q, r = torch.linalg.qr(torch.randn(size, size, generator=random, dtype=torch.float64))
    return (q * r.diagonal().sign()).float()


def henaff(size: int, random: torch.Generator) -> Tensor:
    """Pairs of units, each rotated by an angle of its own, uniform in +-pi; an odd unit stays."""
    angles = (2 * torch.rand(size // 2, generator=random, dtype=torch.float64) - 1) * math.pi
    cos, sin = angles.cos(), angles.sin()
    pairs = torch.stack([torch.stack([cos, -sin], 1), torch.stack([sin, cos], 1)], 1)
    blocks = [*pairs, torch.ones(size % 2, size % 2, dtype=torch.float64)]
    return torch.block_diag(*blocks)[:size, :size].float()


class ProjUNN(Optimizer):
    """RMSprop whose updates of an orthogonal matrix are of low rank and stay on the group.

    A group with a `rank` k > 0 holds orthogonal matrices: the best approximation `a b^T` of rank k
    of the tangent part of RMSprop's update moves W to `W exp((W^T a b^T - b a^T W) / 2)`, which is
    projUNN-T of Kiani, Balestriero, LeCun and Lloyd, 2022, arXiv 2203.05483. A group of rank 0 is
    plain RMSprop.
    """

    def __init__(self, groups: list[dict[str, Any]], rate: float) -> None:
        super().__init__(groups, {"lr": rate, "smoothing": 0.99, "eps": 1e-8, "rank": 0})

    @overload
    def step(self, closure: None = None) -> None: ...

    @overload
    def step(self, closure: Callable[[], float]) -> float: ...

    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        loss = closure() if closure else None
        with torch.no_grad():
            self._step()
        return loss

    def _step(self) -> None:
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if not state:
                    state["square"] = torch.zeros_like(p)
                smoothing = group["smoothing"]
                square = state["square"].mul_(smoothing)
                square.addcmul_(p.grad, p.grad, value=1 - smoothing)
                change = p.grad / (square.sqrt() + group["eps"]) * -group["lr"]
                if group["rank"]:
                    # Tangent first (ours): the largest component alone may be no rotation at all.
                    tangent = (change - p @ (change.T @ p)) / 2
                    p.copy_(moved(p, *low_rank(tangent, group["rank"])))
                else:
                    p.add_(change)


def low_rank(matrix: Tensor, rank: int) -> tuple[Tensor, Tensor]:
    """`a`, `b` of `rank` columns with `matrix ~ a b^T`, nearly the closest: subspace iteration."""
    b = matrix[matrix.norm(dim=1).topk(rank).indices].T
    for _ in range(4):
        b = torch.linalg.qr(matrix.T @ (matrix @ torch.linalg.qr(b).Q)).Q
    return matrix @ b, b


def moved(w: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """`W exp((W^T a b^T - b a^T W) / 2)`, in O(n^2 k): the exponent is a product of thin factors.

    `exp(B C) = I + B f(C B) C` with `f(z) = (exp(z) - 1) / z`, of a small matrix. One Newton step
    towards the group keeps rounding errors from adding up.
    """
    rank = a.shape[1]
    thin = torch.cat([w.T @ a, b], 1)
    flat = torch.cat([b, -w.T @ a], 1).T / 2
    small = (flat @ thin).double()
    # f is the upper right block of the exponential of [[z, I], [0, 0]].
    identity = torch.eye(2 * rank, dtype=small.dtype, device=small.device)
    grown = torch.cat([torch.cat([small, identity], 1), torch.zeros_like(small).repeat(1, 2)])
    factor = torch.matrix_exp(grown)[: 2 * rank, 2 * rank :].to(w)
    w = w + (w @ thin) @ (factor @ flat)
    return w - defect(w) @ w / 2


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
    if not 2 <= state_bits <= 32:
        raise ValueError(f"state bits must lie in 2..32, got {state_bits}")
    for name, tensor in layer.state_dict().items():
        if not tensor.isfinite().all():
            raise ValueError(f"{name} holds NaN or infinite weights")
    w, alpha = orthogonal_integers(layer.orthogonal_weights, bits, layer.horizon)
    mantissa, exponent = math.frexp(alpha.item())
    factor = Constant(np.array([int(math.ldexp(mantissa, FACTOR_BITS))]), exponent - FACTOR_BITS)
    u, input_unit = symmetric_integers(layer.audible_weights(), bits)
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
        scaled = np.ldexp(values.double().cpu().numpy(), -exp)
        return Constant(np.rint(scaled).astype(np.int64), exp)

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
    raw, peak, training = torch.as_tensor(np.asarray(raw_inputs, np.int64)), 0.0, layer.training
    values = raw
    if isinstance(source, NumericInput):
        values = torch.ldexp(raw.to(layer.input_weights.dtype), torch.tensor(source.format.exp))
    layer.eval()
    with parametrize.cached():
        for part in values.to(layer.input_weights.device).split(512):
            state = layer.begin(len(part))
            for x in part.split(CALIBRATION_STEPS, 1):
                states, state = layer.walk(x, state)
                peak = max(peak, states.abs().amax().item())
    layer.train(training)
    return peak
