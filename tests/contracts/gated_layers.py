"""What the tests of gated layers share: layers off their starting point, and a check of a form."""

from collections.abc import Callable
from itertools import product
from typing import Any

import torch
from sylvan.model.gated import Gated
from sylvan.model.normalized import EPSILON, NORMALIZATIONS, Normalization
from sylvan.model.quantize import symmetric
from torch import Tensor
from torch.nn import functional

SIZE, BATCH, LENGTH = 5, 6, 8
MODES = ("train", "eval")
OPTIONS = [
    {"weights": weights, "normalization": normalization, "sampling": sampling}
    for (weights, sampling), normalization in product(
        (("ternary", "stochastic"), ("binary", "deterministic"), ("float", "stochastic")),
        NORMALIZATIONS,
    )
]
SIDES: dict[str, dict[str, Any]] = {
    "numbers": {},
    "symbols": {"symbols": True},
    "silent": {"symbols": True, "silent": 2},
    "embedded": {"symbols": True, "silent": 2, "embedding": 3},
}


def make(family: type[Gated], input: str, hidden: int = 7, **options: Any) -> Gated:
    """A layer in double precision, biases, gains and running statistics not as they start."""
    layer = family(SIZE, hidden, 4, read="every", **SIDES[input], **options).double()
    random = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, tensor in layer.state_dict().items():
            drawn = torch.rand(tensor.shape, generator=random, dtype=tensor.dtype)
            if name.endswith(("bias", "mean")):
                tensor.add_(drawn - 0.5)
            elif name.endswith(("gain", "variance")):
                tensor.mul_(0.5 + drawn)
    return layer


def draw(input: str, batch: int = BATCH, length: int = LENGTH) -> Tensor:
    random = torch.Generator().manual_seed(2)
    if input == "numbers":
        return torch.randn(batch, length, SIZE, generator=random, dtype=torch.float64)
    return torch.randint(0, SIZE, (batch, length), generator=random)


def vectors(layer: Gated, x: Tensor) -> Tensor:
    """Inputs as the vectors that they stand for."""
    if not layer.symbols:
        return x
    one_hot = functional.one_hot(x, SIZE).double()
    if layer.silent is not None:
        one_hot[..., layer.silent] = 0
    return one_hot if layer.embedding is None else one_hot @ symmetric(layer.embedding, 8)


def normalized(norm: Normalization | None, y: Tensor) -> Tensor:
    """Products (..., lanes), normalized as the README says."""
    if norm is None:
        return y
    if norm.kind == "layer":
        mean, variance = y.mean(-1, keepdim=True), y.var(-1, correction=0, keepdim=True)
    elif norm.training:
        flat = y.flatten(0, -2)
        mean, variance = flat.mean(0), flat.var(0, correction=0)
    else:
        mean, variance = norm.mean, norm.variance
    return norm.gain * (y - mean) / (variance + EPSILON).sqrt()


def check_form(
    family: type[Gated],
    plain: Callable[[Any, Tensor], Tensor],
    options: dict[str, Any],
    input: str,
    mode: str,
) -> None:
    """`walk` (fused where it can be), and `steps`, have the values and gradients of `plain`."""
    layer, x = make(family, input, **options), draw(input)
    layer.train(mode == "train")
    trained = list(layer.parameters())

    def found(form: Callable[[], Tensor]) -> list[Tensor]:
        torch.manual_seed(3)  # the same sampled weights
        states = form()
        weights = torch.linspace(-1, 1, states.numel(), dtype=torch.float64).reshape(states.shape)
        loss = (states * weights).sum() + layer.readout(states).square().sum()
        return [states, *torch.autograd.grad(loss, trained, allow_unused=True)]

    wanted = found(lambda: plain(layer, x))
    for form in (layer.walk, layer.one_by_one):
        got = found(lambda form=form: form(x, layer.begin(len(x)))[0])  # type: ignore[misc]
        for a, b in zip(got, wanted, strict=True):
            torch.testing.assert_close(a, b, rtol=1e-8, atol=1e-9)
