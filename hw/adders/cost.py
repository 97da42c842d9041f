"""What an addition costs, and what a row of them costs; compiled."""

import numpy as np
from numba import njit

from .sums import IN_ROW, NO_LIMIT, NODE, SHIFT, SIGN


@njit(cache=True)
def row_cost(sums, row):
    """Full-adder cells of adding up a row, the two narrowest terms first."""
    cells, count = sums.cells, sums.length[row]
    if count < 2:
        return 0
    held = np.zeros((6, count), np.int64)
    spans, lows, highs, shifts, signs, levels = (
        held[0], held[1], held[2], held[3], held[4], held[5],
    )  # fmt: skip
    load, most = sums.load[row], sums.most[row]
    cell = cells[row, IN_ROW]
    for i in range(count):
        node = cells[cell, NODE]
        lows[i], highs[i], shifts[i] = sums.lo[node], sums.hi[node], cells[cell, SHIFT]
        signs[i], levels[i] = cells[cell, SIGN], sums.level[node]
        spans[i] = (highs[i] - lows[i]) << shifts[i]
        cell = cells[cell, IN_ROW]
    total = 0
    while count > 1:
        a, b = merge_choice(spans, levels, count, load, most)
        low = min(shifts[a], shifts[b])
        shift_a, shift_b = shifts[a] - low, shifts[b] - low
        subtracts = signs[a] != signs[b]
        total += full_adders(lows[a], highs[a], lows[b], highs[b], shift_a, shift_b, subtracts)
        if subtracts:
            lows[a], highs[a] = (
                (lows[a] << shift_a) - (highs[b] << shift_b),
                (highs[a] << shift_a) - (lows[b] << shift_b),
            )
        else:
            lows[a] = (lows[a] << shift_a) + (lows[b] << shift_b)
            highs[a] = (highs[a] << shift_a) + (highs[b] << shift_b)
        if most < NO_LIMIT:
            load += (2 << max(levels[a], levels[b])) - (1 << levels[a]) - (1 << levels[b])
            levels[a] = max(levels[a], levels[b]) + 1
        shifts[a], spans[a] = low, (highs[a] - lows[a]) << low
        count -= 1
        spans[b], lows[b], highs[b] = spans[count], lows[count], highs[count]
        shifts[b], signs[b], levels[b] = shifts[count], signs[count], levels[count]
    return total


@njit(cache=True)
def merge_choice(spans, levels, count, load, most):
    """The two terms to add next: the narrowest whose sum leaves the row's load within `most`."""
    if most >= NO_LIMIT:
        a, b = (0, 1) if spans[0] <= spans[1] else (1, 0)
        for i in range(2, count):
            if spans[i] < spans[a]:
                a, b = i, a
            elif spans[i] < spans[b]:
                b = i
        return min(a, b), max(a, b)
    best_a, best_b, least = -1, -1, np.int64(0)
    for a in range(count):
        for b in range(a + 1, count):
            more = (2 << max(levels[a], levels[b])) - (1 << levels[a]) - (1 << levels[b])
            if load + more <= most:
                span = max(spans[a], spans[b])
                if best_a < 0 or span < least:
                    best_a, best_b, least = a, b, span
    return best_a, best_b


@njit(cache=True)
def full_adders(lo_a, hi_a, lo_b, hi_b, shift_a, shift_b, subtracts):
    """Full-adder cells of `(a << shift_a) +- (b << shift_b)` for intervals of a and b.

    The bits from the lowest that both operands have to the highest that one has: below it bits
    pass through. The formula of da4ml's `cost_add` with `adder_size=1`; at least 1.
    """
    low_a, high_a = lo_a << shift_a, (hi_a + 1) << shift_a
    low_b, high_b = lo_b << shift_b, (hi_b + 1) << shift_b
    if subtracts:
        low_b, high_b = hi_b << shift_b, (lo_b + 1) << shift_b
    peak = max(max(abs(low_a), abs(high_a)), max(abs(low_b), abs(high_b)))
    signed = lo_a < 0 or lo_b < 0
    return max(1, signed + bit_length(peak - 1) - max(shift_a, shift_b))


@njit(cache=True)
def bit_length(number):
    """Bits of a number from 0 to below 2**63."""
    bits = 0
    for step in (32, 16, 8, 4, 2, 1):
        if number >> step:
            number >>= step
            bits += step
    return bits + number
