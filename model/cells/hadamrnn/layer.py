"""HadamRNN and Block-HadamRNN in torch: the trainable layer, and its way to integers.

    h_t = W h_(t-1) + U x_t (+ b)      W = diag(u) (I (x) S_m) / sqrt(m), linear and orthogonal
    y_t = V relu(h_t (+ g)) + c

Foucault, Mamalet, Malgouyres, ICLR 2025, arXiv 2502.00047; the README beside this file has shapes,
variants and reasons.
"""

import functools
import math

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from ...arrays import Array
from ...numbers import Format
from ...program import READS, NumericInput, SymbolInput
from ...quantize import range_exponent, sign, symmetric, symmetric_integers
from .step import STEP_UNITS, Constant, HadamParameters

FEW_SYMBOLS = 64
"""Up to as many, symbols are taken as one-hot vectors: a matrix product beats a look-up there."""
LARGE_BLOCK = 64
"""From here on two small factors of a Sylvester matrix beat the whole."""
FACTOR_EXP = -16
"""Binary point of 1/sqrt(2), which multiplies an input once and never accumulates."""


class HadamRNN(nn.Module):
    """A linear recurrence by signed Hadamard blocks, read through a ReLU.

    Parameters:
        inputs: elements of the input vector, or number of symbols.
        hidden: units, a multiple of `block`.
        outputs: logits.
        block: m, a power of two; None is one block of all units. Smaller blocks make W ternary.
        weight_bits: bits of U and V, 1 (ternary) to 16.
        symbols: inputs are integers (batch, T) instead of numbers (batch, T, inputs).
        silent: a symbol whose column of U is zero: the state only turns while it is read.
        read: "last" answers (batch, outputs), "every" (batch, T, outputs).
        bias: "relu" adds g at the ReLU; "loop" adds b in the recurrence, as the paper does.
        signs: "fixed", drawn with product +1 in each block; "learned", straight-through.
        seed: of the signs and the initial weights.
    """

    def __init__(
        self,
        inputs: int,
        hidden: int,
        outputs: int,
        *,
        block: int | None = None,
        weight_bits: int = 4,
        symbols: bool = False,
        silent: int | None = None,
        read: str = "last",
        bias: str = "relu",
        signs: str = "fixed",
        seed: int = 0,
    ) -> None:
        super().__init__()
        block = hidden if block is None else block
        sizes = {"inputs": inputs, "hidden": hidden, "outputs": outputs, "block": block}
        for name, size in sizes.items():
            if type(size) is not int or size < 1:
                raise ValueError(f"{name} must be a whole number >= 1, got {size!r}")
        if block & (block - 1) or hidden % block:
            raise ValueError(f"block must be a power of two that divides {hidden}, got {block}")
        choices = {"read": READS, "bias": ("relu", "loop"), "signs": ("fixed", "learned")}
        given = {"read": read, "bias": bias, "signs": signs}
        for name, known in choices.items():
            if given[name] not in known:
                raise ValueError(f"{name} must be one of {known}, got {given[name]!r}")
        if silent is not None and not (symbols and 0 <= silent < inputs):
            raise ValueError(f"silent must be one of the {inputs} symbols of the input: {silent!r}")
        self.hidden, self.block, self.weight_bits = hidden, block, weight_bits
        self.symbols, self.silent, self.read, self.bias_at = symbols, silent, read, bias

        random = torch.Generator().manual_seed(seed)
        if signs == "fixed":
            u = torch.randint(0, 2, (hidden // block, block), generator=random) * 2.0 - 1.0
            # A product of -1 would force eigenvalues +1 and -1 on the block.
            u[:, 0] *= u.prod(1)
            self.register_buffer("fixed_signs", u.flatten())
        else:
            self.sign_latent = nn.Parameter(_xavier((1, hidden), random).flatten())
        self.input_weights = nn.Parameter(_xavier((hidden, inputs), random))
        self.output_weights = nn.Parameter(_xavier((outputs, hidden), random))
        self.bias = nn.Parameter(torch.zeros(hidden))
        self.output_bias = nn.Parameter(torch.zeros(outputs))
        symmetric_integers(self.input_weights, weight_bits)  # refuses impossible bits now
        self._powers: tuple[Tensor, list[Tensor]] = (torch.empty(0), [])

    @property
    def signs(self) -> Tensor:
        """u, +-1 per unit."""
        learned = "sign_latent" in self._parameters
        return sign(self.sign_latent) if learned else self.get_buffer("fixed_signs")

    def check(self) -> None:
        """Raises ValueError for loaded tensors of the right shapes that are no such layer."""
        if not (self.signs.abs() == 1).all():
            raise ValueError("fixed_signs holds values other than +1 and -1")

    def forward(self, x: Tensor, window: tuple[int, int] | None = None) -> Tensor:
        """Logits; a `window` (start, stop) answers those timesteps of a `read="every"` layer only.

        The state at the last step, or before a window, comes from the kernel form; a window is
        walked step by step.
        """
        if self.symbols and self.input_weights.shape[1] <= FEW_SYMBOLS:
            x = functional.one_hot(x.long(), self.input_weights.shape[1]).to(
                self.input_weights.dtype
            )
        if self.read == "last":
            return self.readout(self.state_after(x))
        start, stop = window or (0, x.shape[1])
        return self.readout(self.walk(self.state_after(x[:, :start]), x[:, start:stop]))

    def readout(self, h: Tensor) -> Tensor:
        """`V relu(h (+ g)) + c` for states (..., hidden)."""
        v = symmetric(self.output_weights, self.weight_bits)
        features = torch.relu(h + self.bias if self.bias_at == "relu" else h)
        return functional.linear(features, v, self.output_bias)

    def audible_weights(self) -> Tensor:
        """The latent U with the silent symbol's column zero: (hidden, inputs)."""
        if self.silent is None:
            return self.input_weights
        mask = torch.ones_like(self.input_weights)
        mask[:, self.silent] = 0
        return self.input_weights * mask

    def inject(self, x: Tensor) -> Tensor:
        """`U x (+ b)` at every timestep of vectors, or of symbols: (batch, T, hidden)."""
        u = symmetric(self.audible_weights(), self.weight_bits)
        injected = (
            functional.linear(x, u) if x.is_floating_point() else functional.embedding(x, u.T)
        )
        return injected + self.bias if self.bias_at == "loop" else injected

    def walk(self, h: Tensor, x: Tensor) -> Tensor:
        """The states after each timestep of x, from h on: (batch, T, hidden)."""
        scale, states = self.signs / math.sqrt(self.block), []
        for injected in self.inject(x).unbind(1):
            h = self.mix(h) * scale + injected
            states.append(h)
        return torch.stack(states, 1)

    def mix(self, h: Tensor) -> Tensor:
        """`(I (x) S_m) h` for states (batch, hidden), by two factors where m is large."""
        stages = self.block.bit_length() - 1
        small = 1 << (stages // 2 if self.block > LARGE_BLOCK else stages)
        blocks = h.reshape(-1, small) @ sylvester(small, h.dtype, h.device)
        large = self.block // small
        if large > 1:
            turned = blocks.reshape(-1, large, small).transpose(1, 2).reshape(-1, large)
            turned = turned @ sylvester(large, h.dtype, h.device)
            blocks = turned.reshape(-1, small, large).transpose(1, 2)
        return blocks.reshape(h.shape)

    def state_after(self, x: Tensor) -> Tensor:
        """The state after the whole of x, (batch, hidden); zero for no timesteps.

        `h_T = sum_t K[T-1-t] x_t` with the kernel `K[j] = W^j U`: the recurrence runs once per
        batch on the columns of U, not once per sequence. Walking is cheaper where there are more
        columns than sequences.
        """
        batch, length = x.shape[:2]
        start = self.bias.new_zeros(batch, self.hidden)
        if length == 0:
            return start
        if not x.is_floating_point() or x.shape[2] > batch:
            return self.walk(start, x)[:, -1]
        u = symmetric(self.audible_weights(), self.weight_bits)
        looped = self.bias_at == "loop"
        kernel = self.kernel(torch.cat([u, self.bias[:, None]], 1) if looped else u, length)
        weights = kernel[..., : u.shape[1]].flip(0).transpose(1, 2).reshape(-1, self.hidden)
        h = x.reshape(batch, -1) @ weights
        return h + kernel[..., -1].sum(0) if looped else h

    def kernel(self, u: Tensor, length: int) -> Tensor:
        """`W^j u` for j < length: (length, hidden, columns), by doubling.

        `[K, W^(2^i) K]` has twice the powers of K, so log2(length) products suffice, and gradients
        reach u, and learned signs, through them.
        """
        blocks, columns = self.hidden // self.block, u.shape[1]
        k = u.reshape(blocks, self.block, 1, columns)
        for power in self._squarings(u, max(length - 1, 0).bit_length()):
            missing = min(k.shape[2], length - k.shape[2])
            more = power @ k[:, :, :missing].reshape(blocks, self.block, -1)
            k = torch.cat([k, more.reshape(blocks, self.block, missing, columns)], 2)
        return k.permute(2, 0, 1, 3).reshape(length, self.hidden, columns)

    def recurrent_blocks(self) -> Tensor:
        """W as its blocks, (blocks, m, m), in double precision."""
        signs = self.signs.double().reshape(-1, self.block, 1)
        return signs * sylvester(self.block, signs.dtype, signs.device) / math.sqrt(self.block)

    def _squarings(self, like: Tensor, count: int) -> list[Tensor]:
        """`W^(2^i)` for i < count, kept between calls while the signs stay the same."""
        signs = self.signs.to(like)
        known, powers = self._powers
        kept = known.dtype == signs.dtype and known.device == signs.device
        if signs.requires_grad or not kept or not torch.equal(known, signs):
            powers = []
        if len(powers) < count:
            # Squared in double precision: errors of single precision would double each time.
            double = [self.recurrent_blocks()]
            while len(double) < count:
                double.append(double[-1] @ double[-1])
            powers = [power.to(like) for power in double]
        if not signs.requires_grad:
            self._powers = signs.clone(), powers
        return powers[:count]


LAYER = HadamRNN
"""What training builds for the cell named after this folder."""


@functools.cache
def sylvester(size: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """The Sylvester-Hadamard matrix, entries +-1: `S_1 = [1]`, `S_2m = [[S, S], [S, -S]]`."""
    matrix = torch.ones(1, 1)
    while len(matrix) < size:
        matrix = torch.kron(torch.tensor([[1.0, 1.0], [1.0, -1.0]]), matrix)
    return matrix.to(device, dtype)


def _xavier(shape: tuple[int, int], random: torch.Generator) -> Tensor:
    return nn.init.xavier_uniform_(torch.empty(shape), generator=random)


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
    if not 2 <= state_bits <= 32:
        raise ValueError(f"state bits must lie in 2..32, got {state_bits}")
    for name, tensor in layer.state_dict().items():
        if not tensor.isfinite().all():
            raise ValueError(f"{name} holds NaN or infinite weights")
    u, state_unit = symmetric_integers(layer.audible_weights(), layer.weight_bits)
    v, output_unit = symmetric_integers(layer.output_weights, layer.weight_bits)
    period = 1 + (layer.block.bit_length() - 1) % 2
    # One row per phase: what a state of 1 stands for, as seen by the constants that meet it.
    units = state_unit.item() * np.array(STEP_UNITS[period])[:, None]
    peaks = _peaks(layer, source, raw_inputs, period) / units[:, 0]
    state = Format.signed_bits(state_bits, range_exponent(float(peaks.max()), state_bits))

    bias = layer.bias.double().cpu().numpy()
    output_bias = layer.output_bias.double().cpu().numpy()
    looped = layer.bias_at == "loop"
    # The loop repeats a constant's rounding every step: use the bits that the transform has anyway.
    loop_exp = state.exp - layer.block.bit_length() // 2
    rows = Constant(u.long().cpu().numpy()[None], 0)
    factors, scaled = None, None
    if period == 2 and isinstance(source, NumericInput):
        factors = _constant(1 / np.array(STEP_UNITS[2])[:, None], FACTOR_EXP)
        # As fine as the transformed state, and as the input, which one phase passes on unchanged.
        scaled = source.format.aligned(min(loop_exp, source.format.exp))
    elif period == 2:
        rows = _constant(rows.raw / np.array(STEP_UNITS[2])[:, None, None], min(0, loop_exp))
    return HadamParameters(
        input=source,
        block=layer.block,
        signs=layer.signs.long().cpu().numpy(),
        input_weights=rows.raw,
        input_exp=rows.exp,
        input_factors=factors,
        scaled_input=scaled,
        state=state,
        bias=_constant(bias / units, loop_exp) if looped else None,
        threshold=None if looped else _constant(bias / units, state.exp),
        output_weights=v.long().cpu().numpy(),
        output_exp=0,
        output_bias=_constant(output_bias / (units * output_unit.item()), state.exp),
        output_unit=state_unit.item() * output_unit.item(),
        state_unit=state_unit.item(),
        read=layer.read,
        argmax=argmax,
    )


def _constant(values: Array, exp: int) -> Constant:
    return Constant(np.rint(np.ldexp(values, -exp)).astype(np.int64), exp)


def _peaks(
    layer: HadamRNN, source: NumericInput | SymbolInput, raw_inputs: npt.ArrayLike, period: int
) -> Array:
    """Largest absolute state after steps of each phase."""
    raw = torch.as_tensor(np.asarray(raw_inputs, np.int64))
    values = raw
    if isinstance(source, NumericInput):
        values = torch.ldexp(raw.to(layer.input_weights.dtype), torch.tensor(source.format.exp))
    peaks = np.zeros(period)
    for part in values.to(layer.input_weights.device).split(512):
        h = torch.zeros(len(part), layer.hidden).to(layer.input_weights)
        for t in range(part.shape[1]):
            h = layer.walk(h, part[:, t : t + 1])[:, 0]
            peaks[t % period] = max(peaks[t % period], h.abs().max().item())
    return peaks


def fake_quantized(parameters: HadamParameters, raw_inputs: npt.ArrayLike) -> Array:
    """The integer network in float64 torch, in raw units, written from its equations alone.

    Shares no code with programs and their interpreter: the two must agree bit for bit. Every value
    is an integer below 2**53, which is asserted, so float64 is exact and `torch.round`, half to
    even, decides as the narrow does.

    Returns:
        int64 raw answers, (batch, d_out) or (batch, T, d_out) as the network reads.
    """
    p = parameters
    raw = torch.as_tensor(np.asarray(raw_inputs, np.int64))
    n, stages = len(p.signs), p.block.bit_length() - 1
    period = 1 + stages % 2
    index = torch.arange(p.block)
    parity = sum((index[:, None] & index) >> i & 1 for i in range(max(stages, 1)))
    hadamard = _exact(1 - 2 * (parity % 2))
    signs, v = _exact(p.signs), _exact(p.output_weights)
    # sqrt(2) is left over once in two steps where the block has an odd number of stages.
    shifts = [stages // 2] if period == 1 else [stages // 2 + 1, stages // 2]

    def narrow(x: Tensor, exp: int, target: Format) -> Tensor:
        return torch.round(x * 2.0 ** (exp - target.exp)).clamp(target.lo, target.hi)

    def add(a: Tensor, a_exp: int, c: Constant | None, phase: int) -> tuple[Tensor, int]:
        if c is None:
            return a, a_exp
        exp = min(a_exp, c.exp)
        b = _exact(c.raw[phase % len(c.raw)])
        return _exact(a * 2.0 ** (a_exp - exp) + b * 2.0 ** (c.exp - exp)), exp

    def inject(x: Tensor, phase: int) -> tuple[Tensor, int]:
        u = _exact(p.input_weights[phase % len(p.input_weights)])
        if isinstance(p.input, SymbolInput):
            return u.T[x], p.input_exp
        number, exp = _exact(x), p.input.format.exp
        if p.input_factors is not None and p.scaled_input is not None:
            number = _exact(number * _exact(p.input_factors.raw[phase]))
            number = narrow(number, exp + p.input_factors.exp, p.scaled_input)
            exp = p.scaled_input.exp
        return _exact(number @ u.T), exp + p.input_exp

    def answer(s: Tensor, phase: int) -> Tensor:
        shifted, exp = add(s, p.state.exp, p.threshold, phase)
        product = _exact(shifted.clamp(min=0) @ v.T)
        logits, _ = add(product, exp + p.output_exp, p.output_bias, phase)
        if not p.argmax:
            return logits
        largest = logits == logits.amax(1, keepdim=True)
        lanes = torch.where(largest, torch.arange(len(v)), len(v))
        return lanes.amin(1, keepdim=True)

    s, answers = torch.zeros(len(raw), n, dtype=torch.float64), []
    for t in range(raw.shape[1]):
        phase = t % period
        rotated = _exact(s.reshape(len(raw), -1, p.block) @ hadamard).reshape(-1, n) * signs
        injected, injected_exp = inject(raw[:, t], phase)
        rotated_exp = p.state.exp - shifts[phase]
        exp = min(rotated_exp, injected_exp)
        total = rotated * 2.0 ** (rotated_exp - exp) + injected * 2.0 ** (injected_exp - exp)
        total, exp = add(_exact(total), exp, p.bias, phase)
        s = narrow(total, exp, p.state)
        if p.read == "every" or t == raw.shape[1] - 1:
            answers.append(answer(s, phase).numpy().astype(np.int64))
    return np.stack(answers, 1) if p.read == "every" else answers[0]


def _exact(values: npt.ArrayLike | Tensor) -> Tensor:
    exact = (values if isinstance(values, Tensor) else torch.tensor(np.asarray(values))).double()
    assert exact.numel() == 0 or exact.abs().max() < 2**53, "float64 cannot hold these integers"
    return exact
