"""Which pair of terms is worth a value of its own: the greedy choice, compiled.

A pair is `a +- (b << d)`. The pair that the most rows hold becomes a node, again and again, until
no pair is held twice (Hartley 1996). Counts are kept up to date, not counted anew, so that the work
is about the number of pairs that ever exist.
"""

import numpy as np
from numba import njit

from .chance import MIX, begin, below
from .cost import DIGITS, full_adders
from .sums import NODES, TERMS, load_of, set_form

NONE = -1
KEY, COUNT = range(2)
BANNED = 1 << 20
"""Taken off the count of a pair that overlaps itself, or would make rows too deep."""
CHOICES = 16
"""Best pairs among which chance decides: the first in order would always be the same."""
GAINS = 1 << 15
NODE_BITS = 24


@njit(cache=True)
def pair_key(a, shift_a, sign_a, b, shift_b, sign_b):
    """A pair as an integer, whichever of its terms is named first."""
    if a > b or (a == b and shift_a > shift_b):
        a, b = b, a
        shift_a, shift_b = shift_b, shift_a
    between = shift_b - shift_a + DIGITS
    return ((np.int64(a) << NODE_BITS | b) << 8 | between) << 1 | (sign_a != sign_b)


@njit(cache=True)
def pair_of(key):
    """`(a, b, d, subtracts)` of a key: the pair `a +- (b << d)`, where d may be negative."""
    a, b = key >> (NODE_BITS + 9), (key >> 9) & ((1 << NODE_BITS) - 1)
    return a, b, ((key >> 1) & 255) - DIGITS, (key & 1) == 1


@njit(cache=True)
def place(table, key):
    """Where `key` is in the table, or the free place where it belongs."""
    mask = len(table) - 1
    spread = key * MIX
    at = (spread >> 32 ^ spread >> 47) & mask
    while table[at, KEY] != key and table[at, KEY] != NONE:
        at = (at + 1) & mask
    return at


@njit(cache=True)
def new_table(size):
    """A table of pairs, all places free: rows of key and count, side by side in memory."""
    table = np.zeros((size, 2), np.int64)
    table[:, KEY] = NONE
    return table


@njit(cache=True)
def grown(table):
    """The table with room for as many again; pairs that are held nowhere are dropped."""
    held = 0
    for at in range(len(table)):
        held += table[at, KEY] != NONE and table[at, COUNT] != 0
    larger = new_table(len(table) * (2 if held * 3 > len(table) else 1))
    for at in range(len(table)):
        if table[at, KEY] != NONE and table[at, COUNT] != 0:
            larger[place(larger, table[at, KEY])] = table[at]
    return larger, held


@njit(cache=True)
def gain_of(sums, key, count):
    """The bucket of a pair: more replaced first, and among these the narrower."""
    a, b, d, subtracts = pair_of(key)
    bits = full_adders(
        sums.lo[a], sums.hi[a], sums.lo[b], sums.hi[b], max(-d, 0), max(d, 0), subtracts
    )
    return max(1, min((count - 1) * 64 - min(bits, 60), GAINS - 1))


@njit(cache=True)
def find_pair(sums, row, a, b, d, subtracts, ceiling):
    """Places of the pair's terms in the row, or -1 twice where it is not, or is too deep."""
    start, end = sums.start[row], sums.start[row] + sums.length[row]
    for i in range(start, end):
        if sums.node[i] != a:
            continue
        for j in range(start, end):
            if (
                sums.node[j] == b
                and j != i
                and sums.shift[j] - sums.shift[i] == d
                and (sums.sign[j] != sums.sign[i]) == subtracts
            ):
                if ceiling[row] < DIGITS:
                    low, high = sums.level[a], sums.level[b]
                    more = (2 << max(low, high)) - (1 << low) - (1 << high)
                    if load_of(sums, row) + more > 1 << ceiling[row]:
                        return -1, -1
                return i, j
    return -1, -1


@njit(cache=True)
def held_twice(sums, row, a, b, d, subtracts):
    """Whether the row holds the pair twice with different terms; digits of one node may overlap."""
    start, length = sums.start[row], sums.length[row]
    used, found = np.zeros(length, np.bool_), 0
    for i in range(length):
        for j in range(length):
            if (
                i != j
                and not (used[i] or used[j])
                and sums.node[start + i] == a
                and sums.node[start + j] == b
                and sums.shift[start + j] - sums.shift[start + i] == d
                and (sums.sign[start + j] != sums.sign[start + i]) == subtracts
            ):
                used[i] = used[j] = True
                found += 1
    return found > 1


@njit(cache=True)
def new_node(sums, a, b, d, subtracts):
    """The node `a +- (b << d)` (or `(a << -d) +- b`), with its row."""
    t = sums.size[NODES]
    sums.size[NODES] = t + 1
    at = sums.size[TERMS]
    sums.size[TERMS] = at + 2
    sums.start[t], sums.length[t] = at, 2
    sums.node[at], sums.shift[at], sums.sign[at] = a, max(-d, 0), 1
    sums.node[at + 1], sums.shift[at + 1] = b, max(d, 0)
    sums.sign[at + 1] = -1 if subtracts else 1
    set_form(sums, t)
    sums.level[t] = max(sums.level[a], sums.level[b]) + 1
    return t


@njit(cache=True)
def share(sums, rows, ceiling, seed):
    """Replace pairs that are held twice in `rows` by new nodes, until there are none.

    Rows stay within their `ceiling`, a level each; DIGITS is none. False if nodes ran out.
    """
    chance = np.zeros(1, np.int64)
    begin(chance, seed)
    terms, pairs = 0, 0
    for row in rows:
        terms += sums.length[row]
        pairs += sums.length[row] * (sums.length[row] - 1) // 2
    # Which rows hold a node: a list for each, of which some no longer do.
    held_start, held = np.zeros(sums.lo.size + 1, np.int64), np.zeros(sums.lo.size, np.int32)
    for row in rows:
        for at in range(sums.start[row], sums.start[row] + sums.length[row]):
            held[sums.node[at]] += 1
    top = 0
    for node in range(sums.size[NODES]):
        held_start[node] = top
        top += held[node]
        held[node] = 0
    holders = np.zeros(2 * terms + 1, np.int32)
    for row in rows:
        for at in range(sums.start[row], sums.start[row] + sums.length[row]):
            node = sums.node[at]
            last = held_start[node] + held[node] - 1
            if held[node] == 0 or holders[last] != row:
                holders[last + 1] = row
                held[node] += 1
    size = 1024
    while size < pairs:
        size *= 2
    table, used = new_table(size), 0
    for row in rows:
        start, end = sums.start[row], sums.start[row] + sums.length[row]
        for i in range(start, end):
            for j in range(start, i):
                key = pair_key(
                    sums.node[i], sums.shift[i], sums.sign[i],
                    sums.node[j], sums.shift[j], sums.sign[j],
                )  # fmt: skip
                at = place(table, key)
                if table[at, KEY] == NONE:
                    table[at, KEY] = key
                    used += 1
                table[at, COUNT] += 1
                if used * 3 > 2 * len(table):
                    table, used = grown(table)
    # Pairs by gain, as linked lists; a pair may be in several, and counts where it is right.
    heads = np.full(GAINS, NONE, np.int32)
    following, entries = np.zeros(1024, np.int32), np.zeros(1024, np.int64)
    made, best = 0, 0
    for at in range(len(table)):
        if table[at, COUNT] >= 2:
            if made == entries.size:
                following, entries = doubled(following), doubled(entries)
            gain = gain_of(sums, table[at, KEY], table[at, COUNT])
            entries[made], following[made] = table[at, KEY], heads[gain]
            heads[gain] = made
            made += 1
            best = max(best, gain)
    chosen, matching = np.zeros(CHOICES, np.int32), np.zeros(rows.size, np.int32)
    while True:
        choices = 0
        while best > 0 and choices == 0:
            entry = heads[best]
            while entry != NONE and choices < CHOICES:
                following_entry = following[entry]
                at = place(table, entries[entry])
                if table[at, KEY] != NONE and table[at, COUNT] >= 2:
                    gain = gain_of(sums, table[at, KEY], table[at, COUNT])
                    if gain == best:
                        twice = False
                        for c in range(choices):
                            twice |= entries[chosen[c]] == entries[entry]
                        if not twice:
                            chosen[choices] = entry
                            choices += 1
                    elif gain < best:
                        following[entry] = heads[gain]
                        heads[gain] = entry
                entry = following_entry
            heads[best] = entry
            if choices == 0:
                best -= 1
        if choices == 0:
            return True
        pick = below(chance, choices)
        for c in range(choices):
            if c != pick:
                following[chosen[c]] = heads[best]
                heads[best] = chosen[c]
        key = entries[chosen[pick]]
        a, b, d, subtracts = pair_of(key)
        matches = 0
        for at in range(held_start[a], held_start[a] + held[a]):
            row = holders[at]
            if find_pair(sums, row, a, b, d, subtracts, ceiling)[0] >= 0:
                matching[matches] = row
                matches += 1
        if matches == 0 or (matches == 1 and not held_twice(sums, matching[0], a, b, d, subtracts)):
            table[place(table, key), COUNT] -= BANNED
            continue
        if sums.size[NODES] == sums.lo.size or sums.size[TERMS] + 2 > sums.node.size:
            return False
        t = new_node(sums, a, b, d, subtracts)
        held_start[t] = top
        for m in range(matches):
            row = matching[m]
            while True:
                i, j = find_pair(sums, row, a, b, d, subtracts, ceiling)
                if i < 0:
                    break
                start, end = sums.start[row], sums.start[row] + sums.length[row]
                shift, sign = min(sums.shift[i], sums.shift[j]), sums.sign[i]
                for out in (i, j):
                    for k in range(start, end):
                        if k != out and not (out == j and k == i):
                            old = pair_key(
                                sums.node[out], sums.shift[out], sums.sign[out],
                                sums.node[k], sums.shift[k], sums.sign[k],
                            )  # fmt: skip
                            table[place(table, old), COUNT] -= 1
                for out in (max(i, j), min(i, j)):
                    end -= 1
                    sums.node[out], sums.shift[out] = sums.node[end], sums.shift[end]
                    sums.sign[out] = sums.sign[end]
                sums.node[end], sums.shift[end], sums.sign[end] = t, shift, sign
                sums.length[row] = end + 1 - start
                for k in range(start, end):
                    new = pair_key(t, shift, sign, sums.node[k], sums.shift[k], sums.sign[k])
                    at = place(table, new)
                    if table[at, KEY] == NONE:
                        table[at, KEY] = new
                        used += 1
                    table[at, COUNT] += 1
                    if table[at, COUNT] >= 2:
                        if made == entries.size:
                            following, entries = doubled(following), doubled(entries)
                        gain = gain_of(sums, new, table[at, COUNT])
                        entries[made], following[made] = new, heads[gain]
                        heads[gain] = made
                        made += 1
                        best = max(best, gain)
                    if used * 3 > 2 * len(table):
                        table, used = grown(table)
            holders[top] = row
            top += 1
            held[t] += 1


@njit(cache=True)
def doubled(array):
    """A copy with as much room again."""
    larger = np.zeros(array.size * 2, array.dtype)
    larger[: array.size] = array
    return larger
