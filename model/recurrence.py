"""The linear recurrence by signed Hadamard blocks, plainly and fast, and the proof that they agree.

    h_t = W h_(t-1) + z_t        W = diag(u) (I (x) S_m) / sqrt(m)
    y_t = V relu(h_t + g) + c    z_t = U x_t

`plain_walk` and `read_out` are this definition in torch, one dense product per timestep. Beside
them stands what training calls:

- `kernel`: `W^j U` for all j; a network read at its last step is a product with it (`last_state`),
- `walk`: all states from what is injected,
- `answers`: the logits of the steps that are read, without keeping the states,
- `kernel_by_powers`: the kernel of any square recurrent matrix, in `log2 T` products.

`prove` holds each to the definition, values and gradients. On the CPU, float32 and float64 run in
the compiled loops of `walsh.py`; the rest (another device or type) in torch. The answer does not
depend on the number of threads, not even in its last bit: threads share out sequences, or chunks of
16 of them, whose shares of a gradient are summed in their order.
"""

import itertools
import math
from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from . import walsh
from .lanes import LANES
from .threads import spread

FLOATS = (torch.float32, torch.float64)
SEGMENT_UNITS, SHORTEST_SEGMENT, LONGEST_SEGMENT = 4096, 8, 32
"""Units times timesteps of a segment of `answers`: what a core's cache holds for 16 sequences."""


# --- the definition -------------------------------------------------------------------------------


def recurrent_blocks(signs: Tensor, block: int) -> Tensor:
    """W as its blocks, (n / m, m, m)."""
    scaled = signs.reshape(-1, block, 1) / math.sqrt(block)
    return scaled * sylvester(block, signs.dtype, signs.device)


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


# --- one or few columns ---------------------------------------------------------------------------


def kernel(columns: Tensor, signs: Tensor, block: int, length: int) -> Tensor:
    """`K[j] = W^j columns` for j < length: (length, n, columns), seen through a transpose.

    In memory it is (columns, length, n). Costs `n log2 m` additions per column and timestep each
    way, and keeps K only. Gradients reach the columns, and signs that require them.
    """
    _check(len(columns), signs, block)
    if not _compiled_for(columns, signs) or length == 0:
        powers = squarings(recurrent_blocks(signs.double(), block), length)
        return kernel_by_powers(columns, [power.to(columns) for power in powers], length)
    start = columns.T.contiguous()
    nothing = start.new_empty(len(start), 0, start.shape[1])
    return _Walk.apply(nothing, signs.to(columns), start, block, length).permute(1, 2, 0)


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


# --- all states of a batch ------------------------------------------------------------------------


def walk(injected: Tensor, signs: Tensor, block: int, start: Tensor | None = None) -> Tensor:
    """All states (batch, T, n) from what is injected (batch, T, n) and a start (batch, n), or zero.

    Costs `n log2 m` additions per sequence and timestep each way, and keeps its result only.
    Gradients reach what is injected, the start, and signs that require them.
    """
    batch, _, n = injected.shape
    _check(n, signs, block)
    start = injected.new_zeros(batch, n) if start is None else start
    if start.shape != (batch, n):
        raise ValueError(f"start must be {(batch, n)}, got {tuple(start.shape)}")
    if _compiled_for(injected, signs, start):
        if injected.shape[1] == 0:
            return injected
        return cast(Tensor, _Walk.apply(injected, signs.to(injected), start, block, 0))
    scale, h, states = signs.to(injected) / math.sqrt(block), start, []
    matrix = sylvester(block, injected.dtype, injected.device)
    for z in injected.unbind(1):
        h = (h.reshape(-1, block) @ matrix).reshape(h.shape) * scale + z
        states.append(h)
    return torch.stack(states, 1) if states else injected


class _Walk(torch.autograd.Function):
    """`walk`, or with a length the kernel: `length` states from `start` on, nothing injected."""

    @staticmethod
    def forward(
        ctx: Any, injected: Tensor, signs: Tensor, start: Tensor, block: int, length: int
    ) -> Tensor:
        batch, n = start.shape
        given, length = not length, length or injected.shape[1]
        states = start.new_empty(batch, length, n)
        u = _padded(signs / math.sqrt(block), LANES)
        z, h, y = _arrays(injected, start, states)

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
        u = _padded(signs / math.sqrt(block), LANES)
        dy, y, h, dz, dh, du = _arrays(gradients[0], states, start, d_injected, d_start, d_signs)

        def one(i: int) -> None:
            walsh.walk_back(dy[i], given, y[i], h[i], u, block, learned, dz[i], dh[i], du[i])

        spread(len(start), one)
        total = torch.from_numpy(du.sum(0)) / math.sqrt(block) if learned else None
        return d_injected if given else None, total, d_start, None, None


# --- answers without states -----------------------------------------------------------------------


def answers(
    x: Tensor,
    columns: Tensor,
    signs: Tensor,
    block: int,
    *,
    g: Tensor,
    v: Tensor,
    c: Tensor,
    start: Tensor | None = None,
    read: Sequence[int] | None = None,
) -> Tensor:
    """`V relu(h_t + g) + c` for the timesteps `read`, increasing, or all: (batch, read, outputs).

    x is (batch, T, columns), or symbols (batch, T) that name a column of U (n, columns); a bias in
    the loop is one more column that meets ones. The states are made and read 16 sequences at a
    time, and kept only at the start of each segment of 8 to 32 timesteps; the backward pass walks
    the segments again from there. Gradients reach all but x: where x requires one, the states are
    kept.
    """
    batch, length = x.shape[:2]
    steps = list(range(length) if read is None else read)
    if any(b <= a for a, b in itertools.pairwise([-1, *steps, length])):
        raise ValueError(f"read must be increasing timesteps below {length}, got {steps}")
    n = len(columns)
    _check(n, signs, block)
    start = columns.new_zeros(batch, n) if start is None else start
    if (g.shape, start.shape, v.shape) != ((n,), (batch, n), (len(c), n)):
        raise ValueError(f"g, v, c and start do not fit {n} units and {batch} sequences")
    if x.is_floating_point() and x.shape[2] != columns.shape[1]:
        raise ValueError(f"x has {x.shape[2]} elements, U {columns.shape[1]} columns")
    symbolic = not x.is_floating_point()
    floats = (columns, signs, g, v, c, start) if symbolic else (x, columns, signs, g, v, c, start)
    if (
        x.requires_grad
        or not _compiled_for(*floats)
        or x.device.type != "cpu"
        or not (x.numel() and steps)
    ):
        states = walk(inject(x, columns), signs, block, start)
        return read_out(states[:, steps], g, v, c)
    if symbolic and not 0 <= int(x.min()) <= int(x.max()) < columns.shape[1]:
        raise ValueError(f"symbols must lie in 0..{columns.shape[1] - 1}")
    slots = np.full(length, -1)
    slots[steps] = np.arange(len(steps))
    result = _Answers.apply(x, columns, signs.to(columns), block, g, v, c, start, slots)
    return cast(Tensor, result)


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
        start: Tensor,
        slots: np.ndarray,
    ) -> Tensor:
        batch, n = start.shape
        segment = min(max(SEGMENT_UNITS // n, SHORTEST_SEGMENT), LONGEST_SEGMENT)
        chunks, segments = -(-batch // LANES), -(-len(slots) // segment)
        logits = start.new_empty(batch, int(slots.max()) + 1, len(v))
        checkpoints = start.new_empty(chunks, segments, n * LANES)
        given = _given(x, columns, signs, block, g, v)
        h, y, kept, biases = _arrays(
            start, logits, checkpoints, functional.pad(c, (0, -len(c) % 4))
        )

        def one(i: int) -> None:
            walsh.read_forward(*given[:3], i, *given[3:], biases, h, slots, segment, y, kept[i])

        spread(chunks, one)
        ctx.save_for_backward(x, columns, signs, g, v, checkpoints)
        ctx.block, ctx.slots, ctx.segment = block, slots, segment
        return logits

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        x, columns, signs, g, v, checkpoints = ctx.saved_tensors
        block, slots, learned = ctx.block, ctx.slots, ctx.needs_input_grad[2]
        given, (dy, kept) = (
            _given(x, columns, signs, block, g, v),
            _arrays(gradients[0], checkpoints),
        )
        (outputs, n), chunks, dtype = v.shape, len(kept), dy.dtype
        rows, width, padded = len(given[7]), given[4], len(given[8]) // len(given[7])
        d_columns = np.zeros((chunks, rows * width), dtype)
        d_v, d_c = np.zeros((chunks, padded * rows), dtype), np.zeros((chunks, padded), dtype)
        d_g, d_u = np.zeros((chunks, rows), dtype), np.zeros((chunks, rows), dtype)
        d_start = np.empty((len(dy), n), dtype)

        def one(i: int) -> None:
            walsh.read_backward(*given[:3], i, *given[3:], slots, ctx.segment, kept[i], learned, dy,
                                d_columns[i], d_u[i], d_g[i], d_v[i], d_c[i], d_start)  # fmt: skip

        spread(chunks, one)
        # numpy sums over the first axis one after the other, whatever the number of threads.
        u_sum = d_columns.sum(0).reshape(rows, width)[:n, : columns.shape[1]]
        v_sum = d_v.sum(0).reshape(padded, rows)[:outputs, :n]
        sums = [u_sum, d_u.sum(0)[:n], d_g.sum(0)[:n], v_sum, d_c.sum(0)[:outputs], d_start]
        du, ds, dg, dv, dc, dh = (torch.from_numpy(np.ascontiguousarray(a)) for a in sums)
        return None, du, ds / math.sqrt(block) if learned else None, None, dg, dv, dc, dh, None


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
    u = _padded(signs / math.sqrt(block), 4)
    values = _arrays(numbers, symbols, weights.flatten(), functional.pad(g, (0, more)))
    v_flat = _arrays(readout.flatten())[0]
    return (
        values[0],
        values[1],
        symbolic,
        values[2],
        weights.shape[1],
        u,
        block,
        values[3],
        v_flat,
    )


def _check(n: int, signs: Tensor, block: int) -> None:
    """The compiled loops trust their sizes: whatever reaches them has passed here."""
    if block < 1 or block & (block - 1):
        raise ValueError(f"block must be a power of two, got {block}")
    if signs.shape != (n,) or n % block:
        raise ValueError(
            f"{n} units need as many signs and a block that divides them, "
            f"got {tuple(signs.shape)} and {block}"
        )


def _padded(vector: Tensor, multiple: int) -> np.ndarray:
    return _arrays(functional.pad(vector, (0, -len(vector) % multiple)))[0]


def _arrays(*tensors: Tensor) -> list[np.ndarray]:
    return [tensor.detach().contiguous().numpy() for tensor in tensors]


def _compiled_for(*tensors: Tensor) -> bool:
    return tensors[0].dtype in FLOATS and all(
        tensor.device.type == "cpu" and tensor.dtype == tensors[0].dtype for tensor in tensors
    )


# --- the proof ------------------------------------------------------------------------------------


def prove(n: int, block: int, batch: int, length: int, *, columns: int = 3, seed: int = 0) -> None:
    """Raises AssertionError where a fast form leaves the definition: values, gradients, float64."""
    random = torch.Generator().manual_seed(seed)

    def draw(*shape: int) -> Tensor:
        values = torch.randn(shape, generator=random, dtype=torch.float64)
        return values.requires_grad_()

    signs = torch.randint(0, 2, (n,), generator=random).double().mul(2).sub(1).requires_grad_()
    u, g, v, c, start = draw(n, columns), draw(n), draw(5, n), draw(5), draw(batch, n)
    z, x = draw(batch, length, n), draw(batch, length, columns)
    symbols = torch.randint(0, columns, (batch, length), generator=random)
    numbers, some = x.detach(), sorted({0, length // 2, length - 1})
    w = torch.block_diag(*recurrent_blocks(signs, block))
    powers = [u]
    while len(powers) < length:
        powers.append(w @ powers[-1])
    wanted_kernel = torch.stack(powers)
    wanted_states = plain_walk(z, signs, block, start)
    wanted_last = plain_walk(inject(x, u), signs, block, torch.zeros_like(start))[:, -1]
    squared = squarings(recurrent_blocks(signs, block), length)
    readout = {"g": g, "v": v, "c": c, "start": start}
    cases = [
        ("kernel", kernel(u, signs, block, length), wanted_kernel, (u, signs)),
        ("kernel_by_powers", kernel_by_powers(u, squared, length), wanted_kernel, (u, signs)),
        ("last_state", last_state(x, u, signs, block), wanted_last, (x, u, signs)),
        ("walk", walk(z, signs, block, start), wanted_states, (z, signs, start)),
    ]
    for name, inputs in (("numbers", numbers), ("symbols", symbols), ("x", x)):
        states = plain_walk(inject(inputs, u), signs, block, start)
        for read in (None, some):
            got = answers(inputs, u, signs, block, read=read, **readout)
            wanted = read_out(states if read is None else states[:, some], g, v, c)
            leaves = (u, signs, g, v, c, start, *([x] if name == "x" else []))
            cases.append((f"answers of {name}, read {read}", got, wanted, leaves))
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
