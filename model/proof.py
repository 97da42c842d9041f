"""That the fast forms of the recurrence are what its definition says: values and gradients."""

from collections.abc import Sequence

import torch
from torch import Tensor

from .answers import answers
from .kernels import kernel, last_state
from .powers import kernel_by_powers, squarings, walk_by_powers
from .recurrence import inject, plain_walk, read_out, recurrent_blocks, walk


def prove(n: int, block: int, batch: int, length: int, *, columns: int = 3, seed: int = 0) -> None:
    """Raises AssertionError where a fast form leaves the definition: values, gradients, float64."""
    random = torch.Generator().manual_seed(seed)

    def draw(*shape: int) -> Tensor:
        values = torch.randn(shape, generator=random, dtype=torch.float64)
        return values.requires_grad_()

    signs = torch.randint(0, 2, (n,), generator=random).double().mul(2).sub(1).requires_grad_()
    u, g, v, c, start = draw(n, columns), draw(n), draw(5, n), draw(5), draw(batch, n)
    nothing = torch.zeros_like(start)
    z, x = draw(batch, length, n), draw(batch, length, columns)
    symbols = torch.randint(0, columns, (batch, length), generator=random)
    w = torch.block_diag(*recurrent_blocks(signs, block))
    powers = [u]
    while len(powers) < length:
        powers.append(w @ powers[-1])
    wanted_kernel = torch.stack(powers)
    wanted_states = plain_walk(z, signs, block, start)
    wanted_last = plain_walk(inject(x, u), signs, block, nothing)[:, -1]
    wanted_from_zero = plain_walk(z, signs, block, nothing)
    squared = squarings(recurrent_blocks(signs, block), length)
    cases = [
        ("kernel", kernel(u, signs, block, length), wanted_kernel, (u, signs)),
        ("kernel_by_powers", kernel_by_powers(u, squared, length), wanted_kernel, (u, signs)),
        ("last_state", last_state(x, u, signs, block), wanted_last, (x, u, signs)),
        ("walk", walk(z, signs, block, start), wanted_states, (z, signs, start)),
        ("walk_by_powers", walk_by_powers(z, squared), wanted_from_zero, (z, signs)),
    ]
    for name, inputs in (("numbers", x.detach()), ("symbols", symbols), ("x", x)):
        got = answers(inputs, u, signs, block, g=g, v=v, c=c)
        wanted = read_out(plain_walk(inject(inputs, u), signs, block, nothing), g, v, c)
        leaves = (u, signs, g, v, c, *([x] if name == "x" else []))
        cases.append((f"answers to {name}", got, wanted, leaves))
    for name, got, wanted, leaves in cases:
        weights = torch.randn(wanted.shape, generator=random, dtype=torch.float64)
        pairs = [(f"{name}: value", got, wanted)]
        for i, (a, b) in enumerate(
            zip(_gradients(got, weights, leaves), _gradients(wanted, weights, leaves), strict=True)
        ):
            pairs.append((f"{name}: gradient {i} of {len(leaves)}", a, b))
        for what, a, b in pairs:
            off = (a - b).abs().max().item() / (1 + b.abs().max().item())
            sizes = f"n={n} block={block} batch={batch} T={length} seed={seed}"
            assert a.shape == b.shape and off < 1e-10, f"{what} is off by {off:.2g} ({sizes})"


def _gradients(result: Tensor, weights: Tensor, leaves: Sequence[Tensor]) -> tuple[Tensor, ...]:
    return torch.autograd.grad(
        (result * weights).sum(), leaves, retain_graph=True, materialize_grads=True
    )
