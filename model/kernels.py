"""Kernels `K[j] = W^j U`: a linear recurrence that is read at its last step is a product with them.

The recurrence runs on the columns of U, not on the sequences: one kernel serves a whole batch.
`kernel` is that of the signed Hadamard blocks, `kernel_by_powers` that of any square matrix.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from .recurrence import Walk, check_sizes, compiled_for, recurrent_blocks


def kernel(columns: Tensor, signs: Tensor, block: int, length: int) -> Tensor:
    """`K[j] = W^j columns` for j < length: (length, n, columns), seen through a transpose.

    In memory it is (columns, length, n). Costs `n log2 m` additions per column and timestep each
    way, and keeps K only. Gradients reach the columns, and signs that require them.
    """
    check_sizes(len(columns), signs, block)
    if not compiled_for(columns, signs) or length == 0:
        powers = squarings(recurrent_blocks(signs.double(), block), length)
        return kernel_by_powers(columns, [power.to(columns) for power in powers], length)
    start = columns.T.contiguous()
    nothing = start.new_empty(len(start), 0, start.shape[1])
    return Walk.apply(nothing, signs.to(columns), start, block, length).permute(1, 2, 0)


def last_state(x: Tensor, columns: Tensor, signs: Tensor, block: int) -> Tensor:
    """The state after the whole of x (batch, T, columns), from zero: (batch, n).

    `h_T = sum_t K[T-1-t] x_t`: the recurrence runs on the columns of U, not on the sequences.
    """
    batch, length, count = x.shape
    if length == 0 or count == 0:
        return x.new_zeros(batch, len(columns))
    # In the order in which the kernel lies in memory; the input is the smaller one to turn around.
    turned = x.flip(1).transpose(1, 2).reshape(batch, count * length)
    powers = kernel(columns, signs, block, length).permute(2, 0, 1)
    return turned @ powers.reshape(count * length, len(columns))


def squarings(blocks: Tensor, length: int) -> list[Tensor]:
    """`W^(2^i)` of the blocks (b, m, m), as many as `kernel_by_powers` needs for a length.

    Give them in double precision: errors of single precision would double each time. With fixed
    weights they are worth keeping; gradients reach the blocks through them.
    """
    powers = [blocks] if length > 1 else []
    while 1 << len(powers) < length:
        powers.append(powers[-1] @ powers[-1])
    return powers


def kernel_by_powers(columns: Tensor, powers: Sequence[Tensor], length: int) -> Tensor:
    """`W^j columns` for j < length, W by its `squarings`: (length, n, columns).

    `[K, W^(2^i) K]` has twice the powers of K. W may be any square matrix, as blocks (b, m, m) on
    its diagonal; costs `n m` per column and timestep, in log2(length) products.
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
