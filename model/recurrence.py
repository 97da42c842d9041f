"""The linear recurrence by signed Hadamard blocks: its definition, and all of its states fast.

    h_t = W h_(t-1) + z_t        W = diag(u) (I (x) S_m) / sqrt(m)
    y_t = V relu(h_t + g) + c    z_t = U x_t

`plain_walk` and `read_out` are this definition in torch, one dense product per timestep. `walk` is
what training calls for all states; beside it stand `kernels`, for networks read at their last step,
and `answers`, for logits without the states. `proof` holds each to the definition.

On the CPU, float32 and float64 run in the compiled loops of `walsh.py`; the rest (another device or
type) in torch, by `powers` of W. The answer does not depend on the number of threads, not even in
its last bit: threads share out sequences, or chunks of 16 of them, whose shares of a gradient are
summed in their order.
"""

import math
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from . import walsh
from .lanes import LANES
from .powers import squarings, walk_by_powers
from .threads import spread

FLOATS = (torch.float32, torch.float64)


def recurrent_blocks(signs: Tensor, block: int) -> Tensor:
    """W as its blocks, (n / m, m, m)."""
    scaled = signs.reshape(-1, block, 1) / math.sqrt(block)
    return scaled * sylvester(block, signs.dtype, signs.device)


def powers_of_blocks(signs: Tensor, block: int, length: int, like: Tensor) -> list[Tensor]:
    """`squarings` of W, of the type and on the device of `like`."""
    exact = squarings(recurrent_blocks(signs.double(), block), length)
    return [power.to(like) for power in exact]


def sylvester(size: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """The Sylvester-Hadamard matrix, entries +-1: `S_1 = [1]`, `S_2m = [[S, S], [S, -S]]`."""
    matrix = torch.ones(1, 1)
    while len(matrix) < size:
        matrix = torch.kron(torch.tensor([[1.0, 1.0], [1.0, -1.0]]), matrix)
    return matrix.to(device, dtype)


def plain_walk(injected: Tensor, signs: Tensor, block: int, start: Tensor) -> Tensor:
    """All states (batch, T, n), as the equation says: T dense products, all kept by autograd."""
    w, h, states = torch.block_diag(*recurrent_blocks(signs, block)), start, []
    for z in injected.unbind(1):
        h = h @ w.T + z
        states.append(h)
    return torch.stack(states, 1) if states else injected


def inject(x: Tensor, columns: Tensor) -> Tensor:
    """`U x_t` of vectors (batch, T, columns), or U's column of each symbol (batch, T)."""
    if x.is_floating_point():
        return functional.linear(x, columns)
    return functional.embedding(x.long(), columns.T)


def read_out(states: Tensor, g: Tensor, v: Tensor, c: Tensor) -> Tensor:
    """`V relu(h + g) + c` of states (..., n)."""
    return functional.linear(torch.relu(states + g), v, c)


def walk(injected: Tensor, signs: Tensor, block: int, start: Tensor | None = None) -> Tensor:
    """All states (batch, T, n) from what is injected (batch, T, n) and a start (batch, n), or zero.

    Costs `n log2 m` additions per sequence and timestep each way, and keeps its result only; in
    torch log2(T) products, of `n m` each per state. Gradients reach what is injected, the start,
    and signs that require them.
    """
    batch, length, n = injected.shape
    check_sizes(n, signs, block)
    start = injected.new_zeros(batch, n) if start is None else start
    if start.shape != (batch, n):
        raise ValueError(f"start must be {(batch, n)}, got {tuple(start.shape)}")
    if compiled_for(injected, signs, start):
        if length == 0:
            return injected
        return cast(Tensor, Walk.apply(injected, signs.to(injected), start, block, 0))
    # A start is what is injected one timestep earlier.
    powers = powers_of_blocks(signs, block, length + 1, injected)
    return walk_by_powers(torch.cat([start[:, None], injected], 1), powers)[:, 1:]


class Walk(torch.autograd.Function):
    """`walk`, or with a length the kernel: `length` states from `start` on, nothing injected."""

    @staticmethod
    def forward(
        ctx: Any, injected: Tensor, signs: Tensor, start: Tensor, block: int, length: int
    ) -> Tensor:
        batch, n = start.shape
        given, length = not length, length or injected.shape[1]
        states = start.new_empty(batch, length, n)
        u = padded(signs / math.sqrt(block), LANES)
        z, h, y = as_numpy(injected, start, states)

        spread(batch, lambda i: walsh.walk(z[i], given, h[i], u, block, y[i]))
        ctx.save_for_backward(states, signs, start)
        ctx.block, ctx.given = block, given
        return states

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        states, signs, start = ctx.saved_tensors
        block, given, learned = ctx.block, ctx.given, ctx.needs_input_grad[1]
        d_injected = torch.empty_like(states if given else states[:, :0])
        d_start, d_signs = torch.empty_like(start), start.new_zeros(start.shape)
        u = padded(signs / math.sqrt(block), LANES)
        dy, y, h, dz, dh, du = as_numpy(gradients[0], states, start, d_injected, d_start, d_signs)

        def one(i: int) -> None:
            walsh.walk_back(dy[i], given, y[i], h[i], u, block, learned, dz[i], dh[i], du[i])

        spread(len(start), one)
        total = torch.from_numpy(du.sum(0)) / math.sqrt(block) if learned else None
        return d_injected if given else None, total, d_start, None, None


def check_sizes(n: int, signs: Tensor, block: int) -> None:
    """The compiled loops trust their sizes: whatever reaches them has passed here."""
    if block < 1 or block & (block - 1):
        raise ValueError(f"block must be a power of two, got {block}")
    if signs.shape != (n,) or n % block:
        raise ValueError(
            f"{n} units need as many signs and a block that divides them, "
            f"got {tuple(signs.shape)} and {block}"
        )


def padded(vector: Tensor, multiple: int) -> np.ndarray:
    """With zeros behind it, so that its length is a multiple."""
    return as_numpy(functional.pad(vector, (0, -len(vector) % multiple)))[0]


def as_numpy(*tensors: Tensor) -> list[np.ndarray]:
    """What the compiled loops read and write; where a tensor lies together, its own memory."""
    return [tensor.detach().contiguous().numpy() for tensor in tensors]


def compiled_for(*tensors: Tensor) -> bool:
    """Whether the compiled loops serve these: all of one type, on the CPU."""
    return tensors[0].dtype in FLOATS and all(
        tensor.device.type == "cpu" and tensor.dtype == tensors[0].dtype for tensor in tensors
    )
