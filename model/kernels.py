"""Kernels `K[j] = W^j U`: a linear recurrence that is read at its last step is a product with them.

The recurrence runs on the columns of U, not on the sequences: one kernel serves a whole batch.
`kernel` is that of the signed Hadamard blocks; `powers` has that of any square matrix.
"""

from torch import Tensor

from .powers import kernel_by_powers
from .recurrence import Walk, check_sizes, compiled_for, powers_of_blocks


def kernel(columns: Tensor, signs: Tensor, block: int, length: int) -> Tensor:
    """`K[j] = W^j columns` for j < length: (length, n, columns), seen through a transpose.

    In memory it is (columns, length, n). Costs `n log2 m` additions per column and timestep each
    way, and keeps K only. Gradients reach the columns, and signs that require them.
    """
    check_sizes(len(columns), signs, block)
    if not compiled_for(columns, signs) or length == 0:
        return kernel_by_powers(columns, powers_of_blocks(signs, block, length, columns), length)
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
