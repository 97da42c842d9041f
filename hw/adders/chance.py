"""Random numbers inside compiled loops, the same for a seed wherever and whenever they run."""

from numba import njit
from numpy import int64

FACTOR, STEP = int64(6364136223846793005), int64(1442695040888963407)
"""Of Knuth's linear congruential generator MMIX."""
MIX = int64(-7046029254386353131)
"""Spreads near numbers over all bits: 2**64 divided by the golden ratio."""
BITS = 31


@njit(cache=True)
def begin(state, seed):
    """Start the generator `state`, an int64 array of one element; near seeds give far streams."""
    mixed = (seed + 1) * MIX
    state[0] = mixed ^ (mixed >> 29)


@njit(cache=True)
def below(state, bound):
    """A number from 0 to below `bound`, which is at most 2**31."""
    state[0] = state[0] * FACTOR + STEP
    return (((state[0] >> 32) & ((1 << BITS) - 1)) * bound) >> BITS


@njit(cache=True)
def fraction(state):
    """A number from 0 to below 1."""
    return below(state, 1 << BITS) / (1 << BITS)
