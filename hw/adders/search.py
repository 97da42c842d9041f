"""Better and better sharing: give up some shared values, choose anew, keep what is cheaper.

Iterated greedy search (Ruiz and Stuetzle 2007): values that are used once are always given up, and
a random part of the others. Compiled.
"""

import numpy as np
from numba import njit

from .chance import begin, fraction
from .cost import DIGITS, full_adders
from .sharing import share
from .sums import NODES, TERMS, add_digits, open_row


@njit(cache=True)
def row_cost(sums, row, ceiling, spans, lows, highs, shifts, signs, levels):
    """Full-adder cells of adding up a row, the two narrowest terms first."""
    start, count, cells = sums.start[row], sums.length[row], 0
    load = 0
    for i in range(count):
        at = start + i
        node = sums.node[at]
        lows[i], highs[i], shifts[i] = sums.lo[node], sums.hi[node], sums.shift[at]
        signs[i], levels[i] = sums.sign[at], sums.level[node]
        spans[i] = (highs[i] - lows[i]) << shifts[i]
        if ceiling < DIGITS:
            load += 1 << levels[i]
    while count > 1:
        a, b = merge_choice(spans, levels, count, load, ceiling)
        low = min(shifts[a], shifts[b])
        shift_a, shift_b = shifts[a] - low, shifts[b] - low
        subtracts = signs[a] != signs[b]
        cells += full_adders(lows[a], highs[a], lows[b], highs[b], shift_a, shift_b, subtracts)
        if subtracts:
            lows[a], highs[a] = (
                (lows[a] << shift_a) - (highs[b] << shift_b),
                (highs[a] << shift_a) - (lows[b] << shift_b),
            )
        else:
            lows[a] = (lows[a] << shift_a) + (lows[b] << shift_b)
            highs[a] = (highs[a] << shift_a) + (highs[b] << shift_b)
        if ceiling < DIGITS:
            load += (2 << max(levels[a], levels[b])) - (1 << levels[a]) - (1 << levels[b])
        levels[a] = max(levels[a], levels[b]) + 1
        shifts[a], spans[a] = low, (highs[a] - lows[a]) << low
        count -= 1
        spans[b], lows[b], highs[b] = spans[count], lows[count], highs[count]
        shifts[b], signs[b], levels[b] = shifts[count], signs[count], levels[count]
    return cells


@njit(cache=True)
def merge_choice(spans, levels, count, load, ceiling):
    """The two terms to add next: the narrowest whose sum leaves the row within its ceiling."""
    if ceiling >= DIGITS:
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
            if load + more <= 1 << ceiling:
                span = max(spans[a], spans[b])
                if best_a < 0 or span < least:
                    best_a, best_b, least = a, b, span
    return best_a, best_b


@njit(cache=True)
def reached(sums):
    """How often each row's node is used, by the outputs and by nodes that they reach."""
    uses = np.zeros(sums.lo.size, np.int32)
    stack = np.zeros(sums.lo.size + 1, np.int32)
    inputs = sums.form.shape[1]
    for row in range(sums.lo.size, sums.start.size):
        depth = 0
        for at in range(sums.start[row], sums.start[row] + sums.length[row]):
            node = sums.node[at]
            uses[node] += 1
            if uses[node] == 1 and node >= inputs:
                stack[depth] = node
                depth += 1
        while depth > 0:
            depth -= 1
            top = stack[depth]
            for at in range(sums.start[top], sums.start[top] + sums.length[top]):
                node = sums.node[at]
                uses[node] += 1
                if uses[node] == 1 and node >= inputs:
                    stack[depth] = node
                    depth += 1
    return uses


@njit(cache=True)
def cost_of(sums, uses, ceiling):
    """Full-adder cells of all rows that are used."""
    most = 2
    for row in range(sums.start.size):
        most = max(most, sums.length[row])
    spans, lows, highs = (
        np.zeros(most, np.int64),
        np.zeros(most, np.int64),
        np.zeros(most, np.int64),
    )
    shifts, signs, levels = (
        np.zeros(most, np.int64),
        np.zeros(most, np.int64),
        np.zeros(most, np.int64),
    )
    cells = 0
    for row in range(sums.form.shape[1], sums.start.size):
        if (row >= sums.lo.size or uses[row] > 0) and sums.length[row] > 1:
            cells += row_cost(sums, row, ceiling[row], spans, lows, highs, shifts, signs, levels)
    return cells


@njit(cache=True)
def recreate(old, new, gone, ceiling, limit, seed):
    """Into `new` the sums of `old` without the nodes that are `gone`, shared anew.

    limit: level of every output, DIGITS for none. False if `new` has no room.
    """
    inputs, room = old.form.shape[1], old.lo.size
    to = np.full(room, -1, np.int32)
    count = inputs
    for node in range(inputs):
        to[node] = node
    for node in range(inputs, old.size[NODES]):
        if not gone[node]:
            to[node] = count
            new.form[count], new.lo[count], new.hi[count] = (
                old.form[node],
                old.lo[node],
                old.hi[node],
            )
            new.level[count] = old.level[node]
            ceiling[count] = old.level[node] if limit < DIGITS else DIGITS
            count += 1
    new.size[NODES], new.size[TERMS] = count, 0
    factors = np.zeros(room, np.int64)
    stack, amounts = np.zeros(4 * room, np.int32), np.zeros(4 * room, np.int64)
    met = np.zeros(4 * room, np.int32)
    outputs = old.start.size - room
    rows = np.zeros(count - inputs + outputs, np.int32)
    made = 0
    for source in range(inputs, old.start.size):
        if source < room and (source >= old.size[NODES] or gone[source]):
            continue
        row = to[source] if source < room else source
        if source >= room:
            ceiling[row] = limit
        open_row(new, row)
        depth, found = 0, 0
        for at in range(old.start[source], old.start[source] + old.length[source]):
            stack[depth], amounts[depth] = old.node[at], np.int64(old.sign[at]) << old.shift[at]
            depth += 1
        while depth > 0:
            depth -= 1
            node, amount = stack[depth], amounts[depth]
            if node >= inputs and gone[node]:
                if depth + old.length[node] > stack.size:
                    return False
                for at in range(old.start[node], old.start[node] + old.length[node]):
                    stack[depth] = old.node[at]
                    amounts[depth] = (amount * old.sign[at]) << old.shift[at]
                    depth += 1
            else:
                if factors[node] == 0:
                    if found == met.size:
                        return False
                    met[found] = node
                    found += 1
                factors[node] += amount
        if new.size[TERMS] + found * 8 + 8 > new.node.size:
            return False
        for f in range(found):
            node = met[f]
            if factors[node] != 0:
                add_digits(new, row, to[node], factors[node])
                factors[node] = 0
        rows[made] = row
        made += 1
    return share(new, rows, ceiling, seed)


@njit(cache=True)
def improve(sums, spare, limit, rounds, least, most, slack, seed):
    """Search for so many rounds: (cells of what was kept last, whether that is in `spare`)."""
    room, inputs = sums.lo.size, sums.form.shape[1]
    ceiling = np.full(sums.start.size, DIGITS, np.int32)
    for row in range(inputs, sums.start.size):
        ceiling[row] = limit if row >= room else (sums.level[row] if limit < DIGITS else DIGITS)
    uses = reached(sums)
    cells = cost_of(sums, uses, ceiling)
    current, other, swapped = sums, spare, False
    gone, chance = np.zeros(room, np.bool_), np.zeros(1, np.int64)
    for number in range(rounds):
        begin(chance, seed + number)
        part = least * (most / least) ** fraction(chance)
        for node in range(inputs, current.size[NODES]):
            single = uses[node] < 2 or current.length[node] < 2
            gone[node] = single or fraction(chance) < part
        if not recreate(current, other, gone, ceiling, limit, seed + number):
            continue
        new_uses = reached(other)
        # Nodes that share() made have no ceiling of their own yet.
        for node in range(inputs, other.size[NODES]):
            ceiling[node] = other.level[node] if limit < DIGITS else DIGITS
        new_cells = cost_of(other, new_uses, ceiling)
        if new_cells <= cells + slack * (1 - number / rounds):
            cells, uses = new_cells, new_uses
            current, other = other, current
            swapped = not swapped
    return cells, swapped
