"""The compiled loops of `recurrence` and `answers`: steps of `h' = diag(u) (I (x) S_m) h + z`.

Two layouts, both in vectors of LANES numbers. `walk` turns one sequence at a time, its units side
by side, as torch keeps them. `read_forward` and `read_backward` turn LANES sequences at once, one
row of LANES per unit, so that a segment of timesteps also meets the input and output weights in
registers. Every function serves one sequence or one chunk of LANES, so threads share the work out
without changing a bit of it: partial sums belong to the chunk. Here `u` stands for the signs over
sqrt(m).
"""

import numpy as np

from .lanes import (
    LANES,
    add,
    compiled,
    dot,
    fma,
    load,
    relu_of_sum,
    store,
    total,
    turn2,
    turn4,
    turn8,
    turn16,
    where_positive,
    within2,
    within4,
    within8,
    within16,
    zeros,
)

MOST_COLUMNS = 16
"""Up to as many symbols in a segment are one-hot columns of a product; more are looked up."""

# --- transforms -----------------------------------------------------------------------------------


@compiled
def turn_rows(h, rows, block):
    """`(I (x) S_block) h` in place, h being rows of LANES; up to 16 are in registers at once."""
    stride = 1
    while stride < block:
        left = block // stride
        radix = 16 if left == 16 or left == 256 else min(left, 8)
        for base in range(0, rows, radix * stride):
            for j in range(base, base + stride):
                if radix == 16:
                    turn16(h, j, stride)
                elif radix == 8:
                    turn8(h, j, stride)
                elif radix == 4:
                    turn4(h, j, stride)
                else:
                    turn2(h, j, stride)
        stride *= radix


@compiled
def turn_vector(h, block):
    """`(I (x) S_block) h` in place, h being one vector, padded to whole rows of LANES."""
    if block > 1:
        for i in range(0, len(h), LANES):
            row = load(h, i)
            if block >= 16:
                row = within16(row)
            elif block == 8:
                row = within8(row)
            elif block == 4:
                row = within4(row)
            else:
                row = within2(row)
            store(h, i, row)
    turn_rows(h, len(h) // LANES, block // LANES)


# --- one sequence: all its states -----------------------------------------------------------------


@compiled
def walk(injected, given, start, u, block, states):
    """States (T, n) from `start`; where none is `given` to inject, `states[0] = start`."""
    length, n = states.shape
    h = np.zeros(len(u), u.dtype)
    h[:n] = start
    for t in range(length):
        if given or t:
            turn_vector(h, block)
            for i in range(n):
                h[i] *= u[i]
        if given:
            for i in range(n):
                h[i] += injected[t, i]
        for i in range(n):
            states[t, i] = h[i]


@compiled
def walk_back(gradient, given, states, start, u, block, learned, d_injected, d_start, d_u):
    """Gradients of `walk`: `d_t = gradient_t + W' d_(t+1)`, and `d_u = sum_t d_t S h_(t-1)`."""
    length, n = gradient.shape
    d, turned = np.zeros(len(u), u.dtype), np.zeros(len(u), u.dtype)
    for t in range(length - 1, -1, -1):
        for i in range(n):
            d[i] += gradient[t, i]
        if given:
            for i in range(n):
                d_injected[t, i] = d[i]
        if given or t:
            if learned:
                turned[:n] = states[t - 1] if t else start
                turn_vector(turned, block)
                for i in range(n):
                    d_u[i] += d[i] * turned[i]
            for i in range(n):
                d[i] *= u[i]
            turn_vector(d, block)
    d_start[:] = d[:n]


# --- LANES sequences: answers ---------------------------------------------------------------------


@compiled
def product(a, row, column, rows, columns, x, pitch, width, out):
    """`out[r] = sum_j a[r * row + columns[j] * column] x[j]`; rows of `pitch`, `width` of it used.

    Four rows by two vectors at a time: `rows` is a multiple of 4, an odd width runs one over.
    """
    for r in range(0, rows, 4):
        for k in range(0, width, 2 * LANES):
            s0 = s1 = s2 = s3 = t0 = t1 = t2 = t3 = zeros(x)
            for j in range(len(columns)):
                at = r * row + columns[j] * column
                p, q = load(x, j * pitch + k), load(x, j * pitch + k + LANES)
                a0, a1, a2, a3 = a[at], a[at + row], a[at + 2 * row], a[at + 3 * row]
                s0, t0 = fma(a0, p, s0), fma(a0, q, t0)
                s1, t1 = fma(a1, p, s1), fma(a1, q, t1)
                s2, t2 = fma(a2, p, s2), fma(a2, q, t2)
                s3, t3 = fma(a3, p, s3), fma(a3, q, t3)
            at = r * pitch + k
            store(out, at, s0)
            store(out, at + pitch, s1)
            store(out, at + 2 * pitch, s2)
            store(out, at + 3 * pitch, s3)
            store(out, at + LANES, t0)
            store(out, at + pitch + LANES, t1)
            store(out, at + 2 * pitch + LANES, t2)
            store(out, at + 3 * pitch + LANES, t3)


@compiled
def outer(p, p_rows, q, columns, pitch, width, sums, row, column):
    """`sums[i * row + columns[j] * column] += p[i] . q[j]`; four rows of p by two of q."""
    for j in range(0, len(columns), 2):
        c0, c1 = columns[j] * column, columns[j + 1] * column
        for i in range(0, p_rows, 4):
            s0 = s1 = s2 = s3 = t0 = t1 = t2 = t3 = zeros(p)
            for k in range(0, width, LANES):
                a, b = load(q, j * pitch + k), load(q, (j + 1) * pitch + k)
                at = i * pitch + k
                p0, p1 = load(p, at), load(p, at + pitch)
                p2, p3 = load(p, at + 2 * pitch), load(p, at + 3 * pitch)
                s0, t0 = dot(p0, a, s0), dot(p0, b, t0)
                s1, t1 = dot(p1, a, s1), dot(p1, b, t1)
                s2, t2 = dot(p2, a, s2), dot(p2, b, t2)
                s3, t3 = dot(p3, a, s3), dot(p3, b, t3)
            at = i * row
            sums[at + c0] += total(s0)
            sums[at + row + c0] += total(s1)
            sums[at + 2 * row + c0] += total(s2)
            sums[at + 3 * row + c0] += total(s3)
            sums[at + c1] += total(t0)
            sums[at + row + c1] += total(t1)
            sums[at + 2 * row + c1] += total(t2)
            sums[at + 3 * row + c1] += total(t3)


@compiled
def load_columns(numbers, symbols, symbolic, first, t0, steps, spare, x, pitch):
    """The input of a segment as rows of x, and which columns of U they meet; none: too many.

    Rows come in pairs: the odd one out is zero and meets the column `spare`. Lanes beyond the batch
    are zero.
    """
    columns = np.empty(max(MOST_COLUMNS, numbers.shape[2]) + 1, np.int64)
    count = 0
    if symbolic:
        lanes = min(LANES, symbols.shape[0] - first)
        known = np.full(spare, -1)
        for lane in range(lanes):
            for s in range(steps):
                symbol = symbols[first + lane, t0 + s]
                if known[symbol] < 0:
                    if count == MOST_COLUMNS:
                        return columns[:0]
                    known[symbol], columns[count] = count, symbol
                    x[count * pitch : (count + 1) * pitch] = 0
                    count += 1
                x[known[symbol] * pitch + s * LANES + lane] = 1
    else:
        count = numbers.shape[2]
        x[: count * pitch] = 0
        for lane in range(min(LANES, numbers.shape[0] - first)):
            for s in range(steps):
                for c in range(count):
                    x[c * pitch + s * LANES + lane] = numbers[first + lane, t0 + s, c]
                    columns[c] = c
    if count % 2:
        columns[count] = spare
        x[count * pitch : (count + 1) * pitch] = 0
        count += 1
    return columns[:count]


@compiled
def walk_segment(numbers, symbols, symbolic, first, t0, steps, weights, width, u, block, g, h, x, z,
                 f, turned, learned, pitch):  # fmt: skip
    """A segment for a chunk: `z` injected, `h` moved on, `f` the features of each step."""
    n, rows = len(h) // LANES, len(g)
    columns = load_columns(numbers, symbols, symbolic, first, t0, steps, width - 1, x, pitch)
    if len(columns):
        product(weights, width, 1, rows, columns, x, pitch, steps * LANES, z)
    else:
        z[:] = 0
        for lane in range(min(LANES, symbols.shape[0] - first)):
            for s in range(steps):
                symbol, at = symbols[first + lane, t0 + s], s * LANES + lane
                for i in range(n):
                    z[i * pitch + at] = weights[i * width + symbol]
    for s in range(steps):
        turn_rows(h, n, block)
        if learned:
            for i in range(n):
                store(turned, i * pitch + s * LANES, load(h, i * LANES))
        for i in range(n):
            row = fma(u[i], load(h, i * LANES), load(z, i * pitch + s * LANES))
            store(h, i * LANES, row)
            store(f, i * pitch + s * LANES, relu_of_sum(row, g[i]))
    return columns


@compiled
def read_forward(numbers, symbols, symbolic, chunk, weights, width, u, block, g, v, c, segment,
                 logits, checkpoints):  # fmt: skip
    """One chunk's logits (batch, T, outputs), and its state before each segment.

    `weights` are the rows of U, `width` apart, the last column zero; `v` is (outputs, n), both
    padded to multiples of 4 with zeros, as u, g and c are.
    """
    first, (batch, length, outputs) = chunk * LANES, logits.shape
    lanes = min(LANES, batch - first)
    n, rows = checkpoints.shape[1] // LANES, len(g)
    pitch = (
        segment + 1
    ) * LANES  # one vector more than used: equal sets of the cache are far apart
    h = np.zeros(n * LANES, u.dtype)
    x = np.zeros((max(MOST_COLUMNS, numbers.shape[2]) + 1) * pitch + LANES, u.dtype)
    z, f = np.zeros(rows * pitch + LANES, u.dtype), np.zeros(rows * pitch + LANES, u.dtype)
    y, all_rows = np.zeros(len(c) * pitch + LANES, u.dtype), np.arange(n)
    for number in range(len(checkpoints)):
        t0 = number * segment
        steps, checkpoints[number] = min(segment, length - t0), h
        walk_segment(numbers, symbols, symbolic, first, t0, steps, weights, width, u, block, g, h,
                     x, z, f, z, False, pitch)  # fmt: skip
        product(v, rows, 1, len(c), all_rows, f, pitch, steps * LANES, y)
        for s in range(steps):
            for lane in range(lanes):
                for o in range(outputs):
                    logits[first + lane, t0 + s, o] = y[o * pitch + s * LANES + lane] + c[o]


@compiled
def read_backward(numbers, symbols, symbolic, chunk, weights, width, u, block, g, v, segment,
                  checkpoints, learned, d_logits, d_weights, d_u, d_g, d_v, d_c):  # fmt: skip
    """One chunk's share of the gradients of `read_forward`, whose states are walked again.

    A segment is walked forward from its checkpoint, so they are the very states of the forward
    pass; then the adjoint walks it backward.
    """
    first, (batch, length, outputs) = chunk * LANES, d_logits.shape
    lanes = min(LANES, batch - first)
    n, rows, padded = checkpoints.shape[1] // LANES, len(g), len(d_c)
    pitch = (segment + 1) * LANES
    x = np.zeros((max(MOST_COLUMNS, numbers.shape[2]) + 1) * pitch + LANES, u.dtype)
    z, f = np.zeros(rows * pitch + LANES, u.dtype), np.zeros(rows * pitch + LANES, u.dtype)
    df = np.zeros(rows * pitch + LANES, u.dtype)
    turned = np.zeros((rows if learned else 0) * pitch + LANES, u.dtype)
    dy, all_outputs = np.zeros(padded * pitch + LANES, u.dtype), np.arange(outputs + outputs % 2)
    h, d = np.zeros(n * LANES, u.dtype), np.zeros(n * LANES, u.dtype)
    sum_g, sum_u = np.zeros(n * LANES, u.dtype), np.zeros(n * LANES, u.dtype)
    for number in range(len(checkpoints) - 1, -1, -1):
        t0 = number * segment
        steps, h[:] = min(segment, length - t0), checkpoints[number]
        columns = walk_segment(numbers, symbols, symbolic, first, t0, steps, weights, width, u,
                               block, g, h, x, z, f, turned, learned, pitch)  # fmt: skip
        for s in range(steps):
            for lane in range(lanes):
                for o in range(outputs):
                    dy[o * pitch + s * LANES + lane] = d_logits[first + lane, t0 + s, o]
        outer(f, rows, dy, all_outputs, pitch, steps * LANES, d_v, 1, rows)
        product(v, 1, rows, rows, all_outputs[:outputs], dy, pitch, steps * LANES, df)
        for o in range(outputs):
            for s in range(steps):
                d_c[o] += total(load(dy, o * pitch + s * LANES))
        for s in range(steps - 1, -1, -1):
            at = s * LANES
            for i in range(n):
                row = where_positive(load(f, i * pitch + at), load(df, i * pitch + at))
                store(sum_g, i * LANES, add(load(sum_g, i * LANES), row))
                store(d, i * LANES, add(load(d, i * LANES), row))
            for i in range(n):
                row = load(d, i * LANES)
                if learned:
                    was = load(turned, i * pitch + s * LANES)
                    store(sum_u, i * LANES, dot(row, was, load(sum_u, i * LANES)))
                store(z, i * pitch + s * LANES, row)
                store(d, i * LANES, fma(u[i], row, zeros(u)))
            turn_rows(d, n, block)
        if len(columns):
            outer(z, rows, x, columns, pitch, steps * LANES, d_weights, width, 1)
        else:
            for lane in range(lanes):
                for s in range(steps):
                    symbol, k = symbols[first + lane, t0 + s], s * LANES + lane
                    for i in range(n):
                        d_weights[i * width + symbol] += z[i * pitch + k]
    for i in range(n):
        d_g[i], d_u[i] = total(load(sum_g, i * LANES)), total(load(sum_u, i * LANES))
