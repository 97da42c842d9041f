"""What an addition costs; compiled."""

from numba import njit

DIGITS = 64
"""More than the places that a value is ever shifted by, and than any level: stands for no limit."""


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
