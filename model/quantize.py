"""Quantizers for training, and the choice of ranges after it.

A quantizer rounds in the forward pass and lets gradients through unchanged (straight-through). Its
integers and its unit are also what the exporters read, so that no second rule can disagree.
"""

import math
from typing import cast

import torch
from torch import Tensor

MAX_WEIGHT_BITS = 16
FACTOR_BITS = 16
"""Of an orthogonal matrix's alpha: an error of 2**-17 is 0.6 % of the amplitude in 784 steps."""
CLIPS = [2.0 ** (-step / 4) for step in range(13)]
"""Ranges that `orthogonal_integers` tries, as fractions of the largest entry."""


def symmetric_integers(weights: Tensor, bits: int) -> tuple[Tensor, Tensor]:
    """Integers `q` and a positive scalar `unit` with `weights ~ q * unit`; no gradient.

    `unit = max|w| / 2**(bits-1)` and `q = clamp(round(w / unit), -2**(bits-1), 2**(bits-1) - 1)`;
    `bits = 1` keeps `+1`, which makes it ternary. The rule of the HadamRNN authors' code.
    """
    if not 1 <= bits <= MAX_WEIGHT_BITS:
        raise ValueError(f"weight bits must lie in 1..{MAX_WEIGHT_BITS}, got {bits}")
    with torch.no_grad():
        levels = 1 << (bits - 1)
        peak = weights.abs().amax()
        alpha = torch.where(peak > 0, peak, torch.ones_like(peak))
        q = (weights * (levels / alpha)).round()
        return q.clamp(-levels, levels - 1 if bits > 1 else 1), alpha / levels


def symmetric(weights: Tensor, bits: int) -> Tensor:
    """`weights` quantized as in `symmetric_integers`, straight-through."""
    q, unit = symmetric_integers(weights, bits)
    return straight_through(weights, q * unit)


def sign(latent: Tensor) -> Tensor:
    """+1 or -1 per element, straight-through; zero counts as positive."""
    return straight_through(latent, torch.where(latent >= 0, 1.0, -1.0).to(latent.dtype))


def straight_through(latent: Tensor, quantized: Tensor) -> Tensor:
    """`quantized` going forward, the identity of `latent` going backward."""
    return cast(Tensor, _StraightThrough.apply(latent, quantized))


class _StraightThrough(torch.autograd.Function):
    """Exact in the forward pass, which `latent + (quantized - latent).detach()` is not."""

    @staticmethod
    def forward(ctx: object, latent: Tensor, quantized: Tensor) -> Tensor:
        return quantized.clone()

    @staticmethod
    def backward(ctx: object, *gradients: Tensor) -> tuple[Tensor, None]:
        return gradients[0], None


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


def range_exponent(peak: float, bits: int) -> int:
    """Smallest `exp` for which signed integers of `bits` bits times `2**exp` reach `+-peak`.

    The power-of-two range of a calibration: rounding `peak` to that grid never saturates.
    """
    if bits < 2:
        raise ValueError(f"a signed value needs at least 2 bits, got {bits}")
    if not math.isfinite(peak) or peak < 0:
        raise ValueError(f"a range needs a finite peak >= 0, got {peak}")
    if peak == 0:
        return 1 - bits
    top = (1 << (bits - 1)) - 1
    exp = math.frexp(peak)[1] - bits
    while round(math.ldexp(peak, -exp)) > top:
        exp += 1
    return exp
