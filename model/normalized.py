"""Sampled binary and ternary matrices, the normalization of their products, and its folding.

A product `W v` that is normalized is, for whoever deploys it, `scale * (q v) + offset` with q of
+-1 and 0: `Projection.folded` says so in numbers. Training samples q, and may need statistics of
the products; evaluation and integers never do, but for layer normalization.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from .quantize import straight_through
from .recurrent import require, xavier

WEIGHTS = ("float", "binary", "ternary")
NORMALIZATIONS = ("batch", "weight", "layer", "none")
SAMPLINGS = ("stochastic", "deterministic")
EPSILON = 1e-5
MOMENTUM = 0.1
"""Weight of the newest statistics in the running ones, after the first ten passes."""
START_GAIN = {"batch": 0.1, "layer": 1.0}


class Normalization(nn.Module):
    """`gain * (y - mean) / sqrt(variance + epsilon)` of a product y with `lanes` lanes.

    Parameters: kind, "batch" (statistics of a lane, over the batch) or "layer" (of a timestep, over
    the lanes). With "batch", running statistics are kept that all timesteps share: evaluation uses
    them, and they fold into a scale and an offset. A single product, such as that of a last
    sequence alone in its batch, has no spread: they stand in for it, and learn nothing of it.
    """

    passes: Tensor
    mean: Tensor
    variance: Tensor

    def __init__(self, lanes: int, kind: str) -> None:
        super().__init__()
        self.kind = kind
        self.gain = nn.Parameter(torch.full((lanes,), START_GAIN[kind]))
        if kind == "batch":
            self.register_buffer("passes", torch.zeros(()))
            self.register_buffer("mean", torch.zeros(lanes))
            self.register_buffer("variance", torch.ones(lanes))
        self._seen: list[tuple[Tensor, Tensor]] = []

    @property
    def static(self) -> bool:
        """Whether it is a constant scale and offset now."""
        return self.kind == "batch" and not self.training

    def forward(self, y: Tensor) -> Tensor:
        """`y` (batch, lanes), normalized."""
        if self.kind == "layer":
            return functional.layer_norm(y, self.gain.shape, self.gain, None, EPSILON)
        if self.static or len(y) == 1:
            return self._settled(y)
        variance, mean = torch.var_mean(y, 0, correction=0)
        return self._by(y, mean, variance)

    def rows(self, rows: Tensor, chosen: Tensor) -> Tensor:
        """What `self(rows[chosen])` would be by row: what is looked up is normalized once.

        `rows` (symbols, lanes), `chosen` the symbols of any number of timesteps.
        """
        if self.kind == "layer":
            return self(rows)
        if self.static or chosen.numel() == 1:
            return self._settled(rows)
        share = torch.bincount(chosen.flatten(), minlength=len(rows)).to(rows) / chosen.numel()
        mean = share @ rows
        return self._by(rows, mean, share @ (rows - mean).square())

    def lanes(self, y: Tensor) -> Tensor:
        """`self(y.T).T` of y (lanes, batch), in less time where a timestep's batch is measured."""
        if self.kind == "layer" or self.static or y.shape[1] == 1:
            return self(y.T).T
        # Over a contiguous batch this is what torch's kernel for layers computes.
        unit, mean, inverse = torch.native_layer_norm(y, y.shape[1:], None, None, EPSILON)
        variance = (inverse.detach() ** -2 - EPSILON).clamp(min=0)
        self._seen.append((mean.detach()[:, 0], variance[:, 0]))
        return unit * self.gain[:, None]

    def _settled(self, y: Tensor) -> Tensor:
        scale, offset = self.folded()
        return torch.addcmul(offset, y, scale)

    def _by(self, y: Tensor, mean: Tensor, variance: Tensor) -> Tensor:
        self._seen.append((mean.detach(), variance.detach()))
        return (y - mean) * (self.gain * torch.rsqrt(variance + EPSILON))

    def folded(self) -> tuple[Tensor, Tensor]:
        """Scale and offset per lane, of the running statistics."""
        scale = self.gain * torch.rsqrt(self.variance + EPSILON)
        return scale, -scale * self.mean

    @torch.no_grad()
    def learn(self) -> None:
        """Move the running statistics towards the means of those seen in this pass."""
        if not self._seen:
            return
        means, variances = (torch.stack(part).mean(0) for part in zip(*self._seen, strict=True))
        self._seen = []
        self.passes += 1
        weight = torch.clamp(1 / self.passes, min=MOMENTUM)
        self.mean.lerp_(means, weight)
        self.variance.lerp_(variances, weight)


@dataclass(frozen=True)
class Quantization:
    """How the matrices of a layer become +-1 and 0; the options of `Gated`, checked."""

    weights: str
    normalization: str
    sampling: str
    threshold: float
    sparsity: float | None

    def __post_init__(self) -> None:
        require("weights", self.weights, WEIGHTS)
        require("normalization", self.normalization, NORMALIZATIONS)
        require("sampling", self.sampling, SAMPLINGS)
        if not 0 <= self.threshold < 1:
            raise ValueError(f"threshold must lie in 0..1 (1 excluded), got {self.threshold!r}")
        if self.sparsity is None:
            return
        if not 0 <= self.sparsity < 1:
            raise ValueError(f"sparsity must lie in 0..1 (1 excluded), got {self.sparsity!r}")
        if self.weights != "ternary" or self.sampling != "deterministic":
            raise ValueError(
                "sparsity is kept by ternary weights with sampling 'deterministic', got "
                f"{self.weights} weights with sampling {self.sampling!r}"
            )


class Projection(nn.Module):
    """A trained matrix whose product with a vector is normalized.

    Parameters: one_hot, whether the vector chooses a column.
    Attributes: latent, the real matrix that is trained; unit, w0, what +1 stands for.
    """

    def __init__(
        self,
        rows: int,
        columns: int,
        how: Quantization,
        random: torch.Generator,
        one_hot: bool = False,
    ) -> None:
        super().__init__()
        self.how = how
        self.latent = xavier(random, rows, columns)
        self.unit = math.sqrt(6 / (rows + columns)) / 2
        self.norm: Normalization | None = None
        if how.normalization in START_GAIN:
            self.norm = Normalization(rows, how.normalization)
        elif how.normalization == "weight":
            # Rows of length 1; where a single entry of them counts, entries of about 1.
            start = math.sqrt(columns) if one_hot else 1.0
            self.gain = nn.Parameter(torch.full((rows,), start))

    @property
    def static(self) -> bool:
        """Whether the product is `effective` now, plus an offset: nothing is measured."""
        return self.norm is None or self.norm.static

    def signs(self) -> Tensor:
        """q of inference: +1, -1, and 0 for ternary weights; no gradient."""
        w = self.latent.detach()
        if self.how.weights == "binary":
            return torch.where(w >= 0, 1.0, -1.0).to(w)
        if self.how.sparsity is None:
            return torch.sign(w) * (w.abs() > self.how.threshold * self.unit)
        zeros = round(self.how.sparsity * w.numel())
        if zeros == 0:
            return torch.where(w >= 0, 1.0, -1.0).to(w)
        return torch.sign(w) * (w.abs() > w.abs().flatten().kthvalue(zeros).values)

    def sampled(self) -> Tensor:
        """q drawn for one pass of training, with the latent weights as its mean; no gradient."""
        w = self.latent.detach() / self.unit
        drawn = torch.rand_like(w)
        if self.how.weights == "binary":
            return torch.where(drawn < (w + 1) / 2, 1.0, -1.0).to(w)
        return torch.sign(w) * (drawn < w.abs())

    def matrix(self) -> Tensor:
        """What multiplies in this pass, before a normalization of products; straight-through."""
        w: Tensor = self.latent
        if self.how.weights != "float":
            drawn = self.training and self.how.sampling == "stochastic"
            q = self.sampled() if drawn else self.signs()
            w = straight_through(w, q * self.unit)
        if self.how.normalization == "weight":
            w = w * (self.gain / self.lengths(w))[:, None]
        return w

    def lengths(self, w: Tensor) -> Tensor:
        """Euclidean length of each row, never less than that of a single weight of unit."""
        return (w * w).sum(1).clamp(min=self.unit**2).sqrt()

    def effective(self) -> tuple[Tensor, Tensor | None]:
        """The matrix and the offset of a static projection."""
        if self.norm is None:
            return self.matrix(), None
        scale, offset = self.norm.folded()
        return self.matrix() * scale[:, None], offset

    def normalized(self, product: Tensor) -> Tensor:
        """The products (batch, rows) with `matrix`, normalized in this pass."""
        return product if self.norm is None else self.norm(product)

    def lanes(self, product: Tensor) -> Tensor:
        """`normalized` of products (rows, batch)."""
        return product if self.norm is None else self.norm.lanes(product)

    @torch.no_grad()
    def folded(self) -> tuple[Tensor, Tensor, Tensor]:
        """q, and scale and offset per row in float64: `W v = scale * (q v) + offset`.

        Raises ValueError for weights that are no integers, and for layer normalization.
        """
        if self.how.weights == "float":
            raise ValueError(
                "weights='float' is the full-precision reference, which has no integer program: "
                "train with weights 'binary' or 'ternary'"
            )
        if self.how.normalization == "layer":
            raise ValueError(
                "layer normalization divides by the spread of each timestep's own sums, which no "
                "constant can stand for: train with normalization 'batch', 'weight' or 'none'"
            )
        q = self.signs().double()
        scale = torch.full_like(q[:, 0], self.unit)
        offset = torch.zeros_like(scale)
        if self.how.normalization == "weight":
            scale = scale * self.gain.double() / self.lengths(q * self.unit)
        elif self.norm is not None:
            gain = self.norm.gain.double() * torch.rsqrt(self.norm.variance.double() + EPSILON)
            scale, offset = scale * gain, -gain * self.norm.mean.double()
        return q, scale, offset
