"""Orthogonal matrices in training: where they start, what keeps them so, and what moves them.

The constraint is a registered parametrization with a membership test. Two ways to keep it: Bjorck's
iteration makes any latent matrix orthogonal; projUNN's optimizer moves an orthogonal one along the
group. `quantize` has the grid of few bits.
"""

import math
from collections.abc import Callable
from typing import Any, overload

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from .quantize import orthogonal_integers, straight_through

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
