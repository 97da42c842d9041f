"""A linear recurrence by powers of its matrix: log2(T) products instead of T timesteps, in torch.

W may be any square matrix, as blocks (b, m, m) on its diagonal. It costs `n m` per column or state
in each product, which suits a device that is quick at large products and slow to start small ones.
"""

from collections.abc import Sequence

import torch
from torch import Tensor


def squarings(blocks: Tensor, length: int) -> list[Tensor]:
    """`W^(2^i)` of the blocks (b, m, m), as many as the other two need for a length.

    Give them in double precision: errors of single precision would double each time. With fixed
    weights they are worth keeping; gradients reach the blocks through them.
    """
    powers = [blocks] if length > 1 else []
    while 1 << len(powers) < length:
        powers.append(powers[-1] @ powers[-1])
    return powers


def kernel_by_powers(columns: Tensor, powers: Sequence[Tensor], length: int) -> Tensor:
    """`W^j columns` for j < length, W by its `squarings`: (length, n, columns).

    `[K, W^(2^i) K]` has twice the powers of K.
    """
    n, count = columns.shape
    if length == 0:
        return columns.new_empty(0, n, count)
    blocks = len(powers[0]) if powers else 1
    k = columns.reshape(blocks, n // blocks, 1, count)
    for power in powers:
        missing = min(k.shape[2], length - k.shape[2])
        more = power @ k[:, :, :missing].reshape(blocks, n // blocks, -1)
        k = torch.cat([k, more.reshape(blocks, n // blocks, missing, count)], 2)
    return k.permute(2, 0, 1, 3).reshape(length, n, count)


def walk_by_powers(injected: Tensor, powers: Sequence[Tensor]) -> Tensor:
    """All states (batch, T, n) from zero of what is injected, W by its `squarings`.

    After product i a state is the sum of the last `2^(i + 1)` injections, each moved on to it.
    """
    batch, length, n = injected.shape
    blocks = len(powers[0]) if powers else 1
    # Timesteps first, so that all that precede others by so many are one block of memory.
    h = injected.reshape(batch, length, blocks, n // blocks).permute(2, 1, 0, 3).flatten(1, 2)
    for i, power in enumerate(powers):
        ahead = batch << i
        h = torch.cat([h[:, :ahead], torch.baddbmm(h[:, ahead:], h[:, :-ahead], power.mT)], 1)
    return h.unflatten(1, (length, batch)).permute(2, 1, 0, 3).reshape(batch, length, n)
