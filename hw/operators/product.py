"""Multiplying in logic: a row of ands for each bit of the narrower factor, and carry chains."""

from typing import Any

from amaranth import Mux, Value


def product(a: Value, b: Value) -> Any:
    """`a * b`, exactly, as shifted rows summed pair by pair; never a DSP block.

    The top bit of a signed factor weighs negatively, so its row is subtracted. Written out
    because synthesis tools spend about twice the cells on a plain `*` of a few bits.
    Cost: `width(wide)` ands and adder bits for each bit of the narrower factor.
    """
    narrow, wide = (a, b) if len(a) <= len(b) else (b, a)
    rows: list[Any] = [Mux(narrow[k], wide, 0) << k for k in range(len(narrow))]
    signed = narrow.shape().signed
    negative: Any = rows.pop() if signed else 0
    while len(rows) > 1:
        pairs = [rows[k : k + 2] for k in range(0, len(rows), 2)]
        rows = [sum(pair[1:], pair[0]) for pair in pairs]
    positive: Any = rows[0] if rows else 0
    return positive - negative if signed else positive
