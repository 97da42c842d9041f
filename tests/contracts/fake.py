"""Integer networks in float64 torch: what the fake-quantizers of all families lean on.

Nothing here comes from programs or their interpreter. Every value is an integer below 2**53, which
is asserted, so float64 is exact and `torch.round`, half to even, decides as a narrow must.
"""

import numpy as np
import numpy.typing as npt
import torch
from sylvan.model.numbers import Format
from torch import Tensor


def exact(values: npt.ArrayLike | Tensor) -> Tensor:
    """As float64, which holds these integers."""
    given = (values if isinstance(values, Tensor) else torch.tensor(np.asarray(values))).double()
    assert given.numel() == 0 or given.abs().max() < 2**53, "float64 cannot hold these integers"
    return given


def narrow(x: Tensor, exp: int, target: Format) -> Tensor:
    """Raw values of exponent `exp` rounded half to even and saturated into `target`."""
    return torch.round(x * 2.0 ** (exp - target.exp)).clamp(target.lo, target.hi)


def add(a: Tensor, a_exp: int, b: Tensor, b_exp: int) -> tuple[Tensor, int]:
    """The sum of two raw values, and its exponent."""
    exp = min(a_exp, b_exp)
    return exact(a * 2.0 ** (a_exp - exp) + b * 2.0 ** (b_exp - exp)), exp


def largest(logits: Tensor) -> Tensor:
    """Index of the largest of (batch, n), the lowest of equals: (batch, 1)."""
    lanes = torch.arange(logits.shape[1])
    highest = logits == logits.amax(1, keepdim=True)
    return torch.where(highest, lanes, logits.shape[1]).amin(1, keepdim=True)
