"""Pairs of terms: how many there are of each, and which is worth the most; compiled.

A pair is `a +- (b << d)`. Counts are kept up to date, not counted anew, so that the work of a
change is about the number of pairs that it changes.
"""

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from .chance import MIX, below
from .cost import full_adders
from .sums import IN_ROW, NODE, NONE, ROW, SHIFT, SIGN

KEY, COUNT = range(2)
USED, ENTRIES, BEST, SALT, NOISE = range(5)
"""Places in `Pairs.size`: used ones of the table and of the entries, the highest bucket that may
hold any; what chance adds to a gain: which numbers, and up to which, where 64 is one use more."""
NOISE_BITS = 20
CHOICES = 16
"""Best pairs among which chance decides: the first in order would always be the same."""
GAINS = 1 << 15
NODE_BITS, OFFSET = 24, 64


class Pairs(NamedTuple):
    """A table of pairs, and buckets of those that are held twice, by gain, as linked lists.

    table: (places, 2), rows of key and count. heads: (gains,), the first entry of each bucket.
    keys, following: (entries,), of each entry. A pair may be in several buckets, and counts where
    it is right. size: (5,), see `USED`.
    """

    table: Any
    heads: Any
    keys: Any
    following: Any
    size: Any


@njit(cache=True)
def no_pairs(most):
    """Room for about so many pairs."""
    places = 1 << 13
    while places < 2 * most:
        places *= 2
    table = np.zeros((places, 2), np.int64)
    table[:, KEY] = NONE
    return Pairs(
        table,
        np.full(GAINS, NONE, np.int32),
        np.zeros(places, np.int64),
        np.zeros(places, np.int32),
        np.zeros(5, np.int64),
    )


@njit(cache=True)
def pair_key(a, shift_a, sign_a, b, shift_b, sign_b):
    """A pair as an integer, whichever of its terms is named first."""
    if a > b or (a == b and shift_a > shift_b):
        a, b = b, a
        shift_a, shift_b = shift_b, shift_a
    between = shift_b - shift_a + OFFSET
    return ((np.int64(a) << NODE_BITS | b) << 8 | between) << 1 | (sign_a != sign_b)


@njit(cache=True)
def pair_of(key):
    """`(a, b, d, subtracts)` of a key: the pair `a +- (b << d)`, where d may be negative."""
    a, b = key >> (NODE_BITS + 9), (key >> 9) & ((1 << NODE_BITS) - 1)
    return a, b, ((key >> 1) & 255) - OFFSET, (key & 1) == 1


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
def gain_of(sums, pairs, key, count):
    """The bucket of a pair: more replaced first, and among these the narrower; and the noise."""
    a, b, d, subtracts = pair_of(key)
    bits = full_adders(
        sums.lo[a], sums.hi[a], sums.lo[b], sums.hi[b], max(-d, 0), max(d, 0), subtracts
    )
    drawn = ((key ^ pairs.size[SALT]) * MIX >> 32) & ((1 << NOISE_BITS) - 1)
    gain = (count - 1) * 64 - min(bits, 60) + (drawn * pairs.size[NOISE] >> NOISE_BITS)
    return max(1, min(gain, GAINS - 1))


@njit(cache=True)
def offer(sums, pairs, key, count):
    """Put a pair in its bucket; where there is no room for it, it is as if nobody held it."""
    size = pairs.size
    entry = size[ENTRIES]
    if entry == pairs.keys.size:
        return
    size[ENTRIES] += 1
    gain = gain_of(sums, pairs, key, count)
    pairs.keys[entry], pairs.following[entry] = key, pairs.heads[gain]
    pairs.heads[gain] = entry
    size[BEST] = max(size[BEST], gain)


@njit(cache=True)
def count_cell(sums, pairs, cell, by, offered):
    """Count the pairs of a cell with the others of its row; offer those that are held twice."""
    cells, table = sums.cells, pairs.table
    node, shift, sign, row = (
        cells[cell, NODE], cells[cell, SHIFT], cells[cell, SIGN], cells[cell, ROW],
    )  # fmt: skip
    other = cells[row, IN_ROW]
    while other != row:
        if other != cell:
            key = pair_key(
                node, shift, sign, cells[other, NODE], cells[other, SHIFT], cells[other, SIGN]
            )
            at = place(table, key)
            if table[at, KEY] == NONE:
                table[at, KEY] = key
                pairs.size[USED] += 1
            table[at, COUNT] += by
            if offered and table[at, COUNT] >= 2:
                offer(sums, pairs, key, table[at, COUNT])
        other = cells[other, IN_ROW]


@njit(cache=True)
def swept(pairs, more):
    """Drop the pairs that nobody holds where the table is filling up; whether `more` fit then."""
    table = pairs.table
    if (pairs.size[USED] + more) * 3 <= 2 * len(table):
        return True
    held = table[table[:, COUNT] != 0]
    table[:, KEY], table[:, COUNT] = NONE, 0
    for at in range(len(held)):
        table[place(table, held[at, KEY])] = held[at]
    pairs.size[USED] = len(held)
    return (pairs.size[USED] + more) * 3 <= 2 * len(table)


@njit(cache=True)
def offer_all(sums, pairs):
    """Offer every pair that is held twice."""
    table = pairs.table
    for at in range(len(table)):
        if table[at, COUNT] >= 2:
            offer(sums, pairs, table[at, KEY], table[at, COUNT])


@njit(cache=True)
def offer_none(pairs):
    """Empty all buckets."""
    pairs.size[ENTRIES], pairs.size[BEST] = 0, 0
    pairs.heads[:] = NONE


@njit(cache=True)
def take_best(sums, pairs, chance):
    """One of the pairs that are worth the most, out of its bucket; NONE where there is no pair."""
    heads, keys, following, table = pairs.heads, pairs.keys, pairs.following, pairs.table
    chosen, choices, best = np.zeros(CHOICES, np.int32), 0, pairs.size[BEST]
    while best > 0 and choices == 0:
        entry = heads[best]
        while entry != NONE and choices < CHOICES:
            after = following[entry]
            at = place(table, keys[entry])
            if table[at, KEY] != NONE and table[at, COUNT] >= 2:
                gain = gain_of(sums, pairs, keys[entry], table[at, COUNT])
                if gain == best:
                    twice = False
                    for c in range(choices):
                        twice |= keys[chosen[c]] == keys[entry]
                    if not twice:
                        chosen[choices] = entry
                        choices += 1
                elif gain < best:
                    following[entry], heads[gain] = heads[gain], entry
            entry = after
        heads[best] = entry
        if choices == 0:
            best -= 1
    pairs.size[BEST] = best
    if choices == 0:
        pairs.size[ENTRIES] = 0
        return np.int64(NONE)
    pick = below(chance, choices)
    for c in range(choices):
        if c != pick:
            following[chosen[c]], heads[best] = heads[best], chosen[c]
    return keys[chosen[pick]]
