"""The answers of a network read at every step, without keeping its states."""

import math
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from . import walsh
from .lanes import LANES
from .recurrence import as_numpy, check_sizes, compiled_for, inject, padded, read_out, walk
from .threads import spread

SEGMENT_UNITS, SHORTEST_SEGMENT, LONGEST_SEGMENT = 4096, 8, 32
"""Units times timesteps of a segment: what a core's cache holds for 16 sequences."""


def answers(
    x: Tensor,
    columns: Tensor,
    signs: Tensor,
    block: int,
    *,
    g: Tensor,
    v: Tensor,
    c: Tensor,
) -> Tensor:
    """`V relu(h_t + g) + c` after every timestep of whole sequences: (batch, T, outputs).

    x is (batch, T, columns), or symbols (batch, T) that name a column of U (n, columns); a bias in
    the loop is one more column that meets ones. The states are made and read 16 sequences at a
    time, and kept only at the start of each segment of 8 to 32 timesteps; the backward pass walks
    the segments again from there. Gradients reach all but x: where x requires one, the states are
    kept.
    """
    n, symbolic = len(columns), not x.is_floating_point()
    check_sizes(n, signs, block)
    if (g.shape, v.shape) != ((n,), (len(c), n)):
        raise ValueError(f"g, v and c do not fit {n} units")
    if not symbolic and x.shape[2] != columns.shape[1]:
        raise ValueError(f"x has {x.shape[2]} elements, U {columns.shape[1]} columns")
    floats = (columns, signs, g, v, c) if symbolic else (x, columns, signs, g, v, c)
    served = compiled_for(*floats) and x.device.type == "cpu" and x.numel()
    if x.requires_grad or not served:
        if symbolic:
            # Columns are few here: a product with them is quicker than the sums of a look-up.
            x = functional.one_hot(x.long(), columns.shape[1]).to(columns)
        return read_out(walk(inject(x, columns), signs, block), g, v, c)
    if symbolic and not 0 <= int(x.min()) <= int(x.max()) < columns.shape[1]:
        raise ValueError(f"symbols must lie in 0..{columns.shape[1] - 1}")
    return cast(Tensor, _Answers.apply(x, columns, signs.to(columns), block, g, v, c))


class _Answers(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        columns: Tensor,
        signs: Tensor,
        block: int,
        g: Tensor,
        v: Tensor,
        c: Tensor,
    ) -> Tensor:
        (batch, length), n = x.shape[:2], len(columns)
        segment = min(max(SEGMENT_UNITS // n, SHORTEST_SEGMENT), LONGEST_SEGMENT)
        chunks, segments = -(-batch // LANES), -(-length // segment)
        logits = columns.new_empty(batch, length, len(v))
        checkpoints = columns.new_empty(chunks, segments, n * LANES)
        given = _given(x, columns, signs, block, g, v)
        y, kept, biases = as_numpy(logits, checkpoints, functional.pad(c, (0, -len(c) % 4)))

        def one(i: int) -> None:
            walsh.read_forward(*given[:3], i, *given[3:], biases, segment, y, kept[i])

        spread(chunks, one)
        ctx.save_for_backward(x, columns, signs, g, v, checkpoints)
        ctx.block, ctx.segment = block, segment
        return logits

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        x, columns, signs, g, v, checkpoints = ctx.saved_tensors
        block, learned = ctx.block, ctx.needs_input_grad[2]
        given = _given(x, columns, signs, block, g, v)
        dy, kept = as_numpy(gradients[0], checkpoints)
        (outputs, n), chunks, dtype = v.shape, len(kept), dy.dtype
        rows, width, more = len(given[7]), given[4], len(given[8]) // len(given[7])
        d_columns = np.zeros((chunks, rows * width), dtype)
        d_v, d_c = np.zeros((chunks, more * rows), dtype), np.zeros((chunks, more), dtype)
        d_g, d_u = np.zeros((chunks, rows), dtype), np.zeros((chunks, rows), dtype)

        def one(i: int) -> None:
            walsh.read_backward(*given[:3], i, *given[3:], ctx.segment, kept[i], learned, dy,
                                d_columns[i], d_u[i], d_g[i], d_v[i], d_c[i])  # fmt: skip

        spread(chunks, one)
        # numpy sums over the first axis one after the other, whatever the number of threads.
        u_sum = d_columns.sum(0).reshape(rows, width)[:n, : columns.shape[1]]
        v_sum = d_v.sum(0).reshape(more, rows)[:outputs, :n]
        sums = [u_sum, d_u.sum(0)[:n], d_g.sum(0)[:n], v_sum, d_c.sum(0)[:outputs]]
        du, ds, dg, dv, dc = (torch.from_numpy(np.ascontiguousarray(a)) for a in sums)
        return None, du, ds / math.sqrt(block) if learned else None, None, dg, dv, dc


def _given(
    x: Tensor, columns: Tensor, signs: Tensor, block: int, g: Tensor, v: Tensor
) -> tuple[Any, ...]:
    """The first arguments of the compiled loops, padded as they ask; the chunk follows three."""
    symbolic = not x.is_floating_point()
    numbers = columns.new_empty(0, 0, 0) if symbolic else x
    symbols = x.long() if symbolic else torch.empty(0, 0, dtype=torch.int64)
    more = -len(g) % 4
    weights = functional.pad(columns, (0, 1, 0, more))
    readout = functional.pad(v, (0, more, 0, -len(v) % 4))
    u = padded(signs / math.sqrt(block), 4)
    floats, names, flat, thresholds, read = as_numpy(
        numbers, symbols, weights.flatten(), functional.pad(g, (0, more)), readout.flatten()
    )
    return floats, names, symbolic, flat, weights.shape[1], u, block, thresholds, read
