"""Cross-entropy over many positions of few classes, where torch's own takes longer than a network.

A network that is read at every step has a batch times T positions; `functional.cross_entropy` is
the definition, and `prove` compares with it.
"""

import math
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from .lanes import LANES, add, compiled, exp_of_difference, load, maximum, store, zeros
from .threads import spread

PART = 4096
"""Positions that one thread takes at a time; their losses are summed by part, in order."""


def cross_entropy(
    logits: Tensor, targets: Tensor, smoothing: float = 0.0, weights: Tensor | None = None
) -> Tensor:
    """The mean over all positions of logits (..., classes) and targets (...); gradient to logits.

    With `weights`, which broadcast to the targets and sum to 1 over them, a weighted mean.
    Compiled on the CPU for float32 and float64, torch's own elsewhere.
    """
    flat, wanted = logits.reshape(-1, logits.shape[-1]), targets.reshape(-1).long()
    if weights is None:
        share = flat.new_full((len(flat),), 1 / max(len(flat), 1))
    else:
        share = weights.to(flat).expand(targets.shape).reshape(-1)
    usable = flat.device.type == wanted.device.type == "cpu" and flat.numel() > 0
    if not usable or flat.dtype not in (torch.float32, torch.float64):
        return plain_cross_entropy(flat, wanted, smoothing, share)
    if not 0 <= int(wanted.min()) <= int(wanted.max()) < flat.shape[1]:
        raise ValueError(f"targets must lie in 0..{flat.shape[1] - 1}")
    return cast(Tensor, _CrossEntropy.apply(flat, wanted, smoothing, share))


def plain_cross_entropy(logits: Tensor, targets: Tensor, smoothing: float, share: Tensor) -> Tensor:
    """The definition: `sum_i share_i loss_i` over logits (positions, classes)."""
    losses = functional.cross_entropy(logits, targets, label_smoothing=smoothing, reduction="none")
    return losses @ share


class _CrossEntropy(torch.autograd.Function):
    """The gradient is a by-product of the loss, so it is made, and kept, on the way there."""

    @staticmethod
    def forward(
        ctx: Any, logits: Tensor, targets: Tensor, smoothing: float, share: Tensor
    ) -> Tensor:
        count, gradient = (
            len(logits),
            torch.empty_like(logits, memory_format=torch.contiguous_format),
        )
        x, wanted = logits.detach().contiguous().numpy(), targets.contiguous().numpy()
        dx, shares, parts = gradient.numpy(), share.contiguous().numpy(), -(-count // PART)
        losses = np.empty(parts)

        def one(i: int) -> None:
            first, last = i * PART, min((i + 1) * PART, count)
            losses[i] = loss_of_part(x, wanted, smoothing, first, last, shares, dx)

        spread(parts, one)
        ctx.save_for_backward(gradient)
        return logits.new_tensor(losses.sum())

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None, None]:
        (gradient,) = ctx.saved_tensors
        return gradient if gradients[0] == 1 else gradient * gradients[0], None, None, None


@compiled
def loss_of_part(logits, targets, smoothing, first, last, shares, gradient):
    """The sum of `shares` times the losses of the positions first to last, and its gradient."""
    classes, loss = logits.shape[1], 0.0
    x, peak, sums = np.zeros((3, max(classes, 1) * LANES), logits.dtype)
    for p in range(first, last, LANES):
        lanes = min(LANES, last - p)
        for lane in range(lanes):
            for o in range(classes):
                x[o * LANES + lane] = logits[p + lane, o]
        highest = load(x, 0)
        for o in range(1, classes):
            highest = maximum(highest, load(x, o * LANES))
        sum_of = zeros(x)
        for o in range(classes):
            power = exp_of_difference(load(x, o * LANES), highest)
            store(x, o * LANES, power)
            sum_of = add(sum_of, power)
        store(peak, 0, highest)
        store(sums, 0, sum_of)
        for lane in range(lanes):
            at = p + lane
            share, mean = shares[at], 0.0
            whole = share / sums[lane]
            for o in range(classes):
                gradient[at, o] = x[o * LANES + lane] * whole - share * smoothing / classes
                mean += logits[at, o]
            gradient[at, targets[at]] -= share * (1 - smoothing)
            wanted = (1 - smoothing) * logits[at, targets[at]] + smoothing * mean / classes
            loss += share * (math.log(sums[lane]) + peak[lane] - wanted)
    return loss


def prove(positions: int, classes: int, *, scale: float = 1.0, seed: int = 0) -> None:
    """Raises AssertionError where the fast form leaves torch's: value and gradient, float64."""
    random = torch.Generator().manual_seed(seed)
    logits = torch.randn(positions, classes, generator=random, dtype=torch.float64) * scale
    targets = torch.randint(0, classes, (positions,), generator=random)
    logits.requires_grad_()
    drawn = torch.rand(positions, generator=random, dtype=torch.float64)
    equal = torch.full_like(drawn, 1 / positions)
    for smoothing, weights in ((0.0, None), (0.1, None), (0.1, drawn / drawn.sum())):
        got = cross_entropy(logits, targets, smoothing, weights)
        share = equal if weights is None else weights
        wanted = plain_cross_entropy(logits, targets, smoothing, share)
        pairs = [(got, wanted)]
        for factor in (1, 3):
            a, b = (torch.autograd.grad(factor * x, logits, retain_graph=True)[0] for x in pairs[0])
            pairs.append((a, b))
        for a, b in pairs:
            off = (a - b).abs().max().item() / (1 + b.abs().max().item())
            assert off < 1e-12, f"off by {off:.2g} ({positions=} {classes=} {smoothing=} {seed=})"
