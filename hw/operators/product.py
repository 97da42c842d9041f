"""Multiplying in logic: a row of ands for each bit of the narrower factor, and carry chains."""

from collections.abc import Callable
from typing import Any

from amaranth import Module, Mux, Signal, Value
from sylvan.model.numbers import Format

from ..beats import shape_of
from .base import Cost


def product(a: Value, b: Value) -> Any:
    """`a * b`, exactly, as shifted rows summed pair by pair; never a DSP block.

    The top bit of a signed factor weighs negatively, so its row is subtracted. Written out
    because synthesis tools spend about twice the cells on a plain `*` of a few bits.
    Cost: that of `product_cost`.
    """
    return _summed(a, b, lambda level, k, total: total)


def product_latency(a: int, b: int) -> int:
    """Cycles of `pipelined_product` for factors of so many bits: one for each level of sums."""
    return max(1, (min(a, b) - 1).bit_length())


def pipelined_product(m: Module, name: str, a: Value, b: Value) -> Signal:
    """`product`, with a register behind every level of sums."""

    def register(level: int, k: int, total: Any) -> Signal:
        held = Signal(total.shape(), name=f"{name}_{level}_{k}", reset_less=True)
        m.d.sync += held.eq(total)
        return held

    made = _summed(a, b, register)
    return made if min(len(a), len(b)) > 1 else register(0, 0, made)


def _summed(a: Value, b: Value, keep: Callable[[int, int, Any], Any]) -> Any:
    """The sum of the rows, pair by pair; `keep` sees each sum with its level and place."""
    narrow, wide = (a, b) if len(a) <= len(b) else (b, a)
    rows: list[Any] = [Mux(narrow[k], wide, 0) << k for k in range(len(narrow))]
    # Only the last pair of each level has the row that weighs negatively, if there is one.
    negative, level = narrow.shape().signed, 0
    while len(rows) > 1:
        pairs = [rows[k : k + 2] for k in range(0, len(rows), 2)]
        sums = [sum(pair[1:], pair[0]) for pair in pairs]
        if negative and len(pairs[-1]) == 2:
            sums[-1], negative = pairs[-1][0] - pairs[-1][1], False
        rows = [keep(level, k, total) for k, total in enumerate(sums)]
        level += 1
    return -rows[0] if negative else rows[0]


def product_cost(a: Format, b: Format) -> Cost:
    """Cost of a product: rows, of a constant those where its bits are 1, and one sum in the end."""
    rows, wide, constant = _rows(a, b)
    if rows <= 1:
        return Cost(logic_bits=0 if constant else wide)
    return Cost(wide + rows, 1, product_bits=(rows - 1) * wide)


def _rows(a: Format, b: Format) -> tuple[int, int, bool]:
    """Rows of a product, their bits, and whether one factor is a constant."""
    for factor, other in ((a, b), (b, a)):
        if factor.lo == factor.hi:
            return abs(factor.lo).bit_count(), shape_of(other).width, True
    narrow, wide = sorted(shape_of(f).width for f in (a, b))
    return narrow, wide, False
