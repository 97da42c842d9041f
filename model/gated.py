"""What cells with gates share in torch: parameters, the part of the input, the way to integers.

A cell adds its equation: `walk` by a fused kernel of torch where nothing has to be measured on the
way, and `steps`, one timestep after the other.
"""

import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from .arrays import Array, Constant, rounded
from .calibration import real, sequences
from .cells.gates import sigmoid_curve, tanh_curve
from .normalized import Normalization, Projection, Quantization
from .numbers import Format
from .program import NumericInput, SymbolInput
from .quantize import range_exponent, symmetric, symmetric_integers
from .recurrent import EMBEDDING_BITS, Recurrent, State, xavier

FEW_SYMBOLS = 256
"""Up to as many, symbols are one-hot vectors to the fused kernels of torch."""
CALIBRATION_STEPS = 1 << 17
"""Timesteps of all sequences together that choose the ranges: the first of the training split."""
CALIBRATION_LENGTH = 1 << 12
"""Longer streams are cut into pieces that start from nothing."""
FACTOR_BITS = 12
"""Of the largest factor of a folded normalization; the README of the LSTM has the measurement."""
GUARD_BITS = 6
"""How much finer than the arguments of the gates the constants are that are added to them."""


class Gated(Recurrent):
    """A cell with gates: two projections, of the state and of the input, and a bias.

    Parameters, besides those of every layer:
        weights: of both matrices, "ternary" (+-1 and 0), "binary" or "float".
        normalization: of their products, "batch" (folds into constants), "weight" (likewise),
            "layer" (trains, but does not fold), "none".
        sampling: of the weights in training, "stochastic" or as in inference, "deterministic".
        threshold: ternary inference: weights up to `threshold * w0` are 0.
        sparsity: ternary: the fraction of zeros, instead of a threshold.
        weight_bits: of V; it stays real where the weights are "float".
        gate_bits: of the arguments of sigmoid and tanh on integers.
        seed: of the initial weights.

    Subclasses set `gates`, and give `steps`.
    """

    gates: int

    def __init__(
        self,
        inputs: int,
        hidden: int,
        outputs: int,
        *,
        weights: str = "ternary",
        normalization: str = "batch",
        sampling: str = "stochastic",
        threshold: float = 1 / 3,
        sparsity: float | None = None,
        weight_bits: int = 8,
        gate_bits: int = 8,
        seed: int = 0,
        **sides: Any,
    ) -> None:
        super().__init__(inputs, hidden, outputs, **sides)
        how = Quantization(weights, normalization, sampling, threshold, sparsity)
        if type(gate_bits) is not int or not 4 <= gate_bits <= 14:
            raise ValueError(f"gate_bits must lie in 4..14, got {gate_bits!r}")
        self.how, self.weight_bits, self.gate_bits = how, weight_bits, gate_bits
        random = torch.Generator().manual_seed(seed)
        lanes = self.gates * hidden
        self.recurrent = Projection(lanes, hidden, how, random)
        self.one_hot = self.symbols and self.embedding is None
        self.injected = Projection(lanes, self.features, how, random, self.one_hot)
        self.bias = nn.Parameter(torch.zeros(lanes))
        self.output_weights = xavier(random, outputs, hidden)
        self.output_bias = nn.Parameter(torch.zeros(outputs))
        if self.embedding is not None:
            nn.init.normal_(self.embedding, generator=random)
        symmetric_integers(self.output_weights, weight_bits)  # refuses impossible bits now

    def steps(self, x: Tensor, state: State) -> Iterator[State]:
        """The state after each timestep, one timestep after the other; the first of it is h."""
        raise NotImplementedError

    def readout(self, h: Tensor) -> Tensor:
        """`V h + c`."""
        v: Tensor = self.output_weights
        if self.how.weights != "float":
            v = symmetric(v, self.weight_bits)
        return functional.linear(h, v, self.output_bias)

    def one_by_one(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """`walk` by `steps`."""
        seen = []
        for new in self.steps(x, state):
            seen.append(new[0])
            state = new
        self.learn()
        return torch.stack(seen, 1), state

    def fused(
        self, kernel: Callable[..., Any], x: Tensor, state: Any, weights: list[Tensor]
    ) -> tuple[Tensor, ...]:
        """A fused kernel of torch on x (batch, T, features): all h, and the state at the end."""
        with warnings.catch_warnings():
            # cuDNN wants weights that stay where they are; these are made anew in each pass.
            warnings.filterwarnings("ignore", "RNN module weights are not part of single")
            ends: tuple[Tensor, ...] = kernel(
                self.vectors(x), state, weights, True, 1, 0.0, self.training, False, True
            )
        return ends

    def learn(self) -> None:
        """Move all running statistics; after each pass of training."""
        if self.training:
            for module in self.modules():
                if isinstance(module, Normalization):
                    module.learn()

    def check(self) -> None:
        """Raises ValueError for loaded tensors of the right shapes that are no such layer."""
        for name, tensor in self.state_dict().items():
            if name.endswith(".variance") and (tensor < 0).any():
                raise ValueError(f"{name} holds negative variances")

    def added(self, x: Tensor) -> Tensor:
        """What input and bias add to each gate, for all timesteps at once: (T, batch, lanes)."""
        x = x.transpose(0, 1)
        if self.injected.static:
            w, offset = self.injected.effective()
            bias = self.bias if offset is None else self.bias + offset
        else:
            w, bias = self.injected.matrix(), self.bias
        if self.symbols and self.injected.norm is not None and not self.injected.static:
            rows = self.injected.norm.rows(self.rows(w), x)
            return functional.embedding(x, rows + bias)
        added = self.inject(x, w)
        if not self.injected.static:
            added = self.injected.normalized(added.flatten(0, 1)).reshape(added.shape)
        return added + bias

    @property
    def fits_fused(self) -> bool:
        """Whether the fused kernels can take the matrices and the input as they are."""
        few = not self.one_hot or self.inputs <= FEW_SYMBOLS
        return self.recurrent.static and self.injected.static and few

    def vectors(self, x: Tensor) -> Tensor:
        """The input as vectors (batch, T, features), one-hot for symbols."""
        if not self.symbols:
            return x
        if self.embedding is not None:
            table = symmetric(self.embedding, EMBEDDING_BITS)
        else:
            table = torch.eye(self.inputs, dtype=self.bias.dtype, device=self.bias.device)
        if self.silent is not None:
            audible = torch.ones_like(table[:, :1])
            audible[self.silent] = 0
            table = table * audible
        return functional.embedding(x, table)


def pieces(raw_inputs: npt.ArrayLike) -> Array:
    """Of the calibration sequences what ranges of a cell with gates are chosen on.

    These are walked through step by step, so long streams are cut and their number is bounded.
    """
    raw = np.asarray(raw_inputs, np.int64)
    length = min(raw.shape[1], CALIBRATION_LENGTH)
    count = max(1, CALIBRATION_STEPS // length)
    cut = raw.shape[1] // length
    raw = raw[:count, : cut * length].reshape(-1, length, *raw.shape[2:])
    return raw[:count]


def peaks(
    layer: Gated,
    source: NumericInput | SymbolInput,
    raw_inputs: npt.ArrayLike,
    trace: Callable[[Tensor, State], Iterable[tuple[Tensor, ...]]],
) -> tuple[Tensor, ...]:
    """The largest magnitude in each lane of each tensor that `trace` gives, NaN if there is any.

    The layer is put in evaluation mode. Raises ValueError for weights that do not fold.
    """
    layer.eval()
    layer.recurrent.folded()
    found: list[Tensor] = []
    for x in sequences(layer, source, pieces(raw_inputs)):
        for traced in trace(x, layer.begin(len(x))):
            largest = [tensor.abs().amax(0) for tensor in traced]
            found = [torch.maximum(*both) for both in zip(found or largest, largest, strict=True)]
    return tuple(found)


@torch.no_grad()
def integer_gates(
    layer: Gated,
    source: NumericInput | SymbolInput,
    hidden: Format,
    order: Iterable[int],
    argmax: bool,
    more: Tensor | None = None,
) -> dict[str, Any]:
    """What `GatedParameters` asks for, of a trained layer.

    Parameters: hidden, the format of h; order, of the gates on integers; more, what is added to
    every lane besides the bias (in the layer's own order).
    """
    n = layer.hidden
    lanes = np.concatenate([np.arange(gate * n, (gate + 1) * n) for gate in order])
    q, scale, _ = (real(tensor)[lanes] for tensor in layer.recurrent.folded())
    w, input_scale, offset = (real(tensor)[lanes] for tensor in layer.injected.folded())
    added = offset + real(layer.bias if more is None else layer.bias + more)[lanes]
    sigma, tanh = sigmoid_curve(layer.gate_bits), tanh_curve(layer.gate_bits)
    fine = min(sigma.operand.exp, tanh.operand.exp) - GUARD_BITS
    embedding, numeric = None, layer.embedding is not None or not layer.symbols
    if layer.embedding is not None:
        embedding, unit = layer.integer_embedding()
        input_scale = input_scale * unit
    rows = added[None]
    if not numeric:
        rows = (w * input_scale[:, None]).T
        if layer.silent is not None:
            rows[layer.silent] = 0
        rows = rows + added
    v, output_unit = symmetric_integers(layer.output_weights, layer.weight_bits)
    output_bias = real(layer.output_bias) / output_unit.item()
    return {
        "input": source,
        "embedding": embedding,
        "recurrent": q.astype(np.int64),
        "recurrent_factors": fixed(scale),
        "injected": w.astype(np.int64) if numeric else None,
        "input_factors": fixed(input_scale) if numeric else None,
        "added": rounded(rows, fine),
        "sigma": sigma,
        "tanh": tanh,
        "hidden": hidden,
        "output_weights": v.long().cpu().numpy(),
        "output_bias": rounded(output_bias, hidden.exp),
        "output_unit": output_unit.item(),
        "read": layer.read,
        "argmax": argmax,
    }


def fixed(values: Array) -> Constant:
    """Real factors, the largest of `FACTOR_BITS` bits."""
    return rounded(values, range_exponent(float(np.abs(values).max()), FACTOR_BITS))
