"""Multiplying: rows of ands for the bits of the narrower factor, summed, or a DSP block."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from amaranth import Module, Mux, Signal, Value
from sylvan.model.numbers import Format

from ..beats import shape_of
from .base import Cost

BLOCK_BITS = 16
"""Bits of a factor, its sign among them, that the DSP blocks of every family take."""
BLOCK_ROWS, BLOCK_RESULT = 4, 12
"""Rows and bits of a product from which on a block is worth it; of fewer bits yosys makes logic."""


def product(a: Value, b: Value) -> Any:
    """`a * b`, exactly, as shifted rows summed pair by pair; never a DSP block.

    The top bit of a signed factor weighs negatively, so its row is subtracted. Written out
    because synthesis tools spend about twice the cells on a plain `*` of a few bits.
    Cost: that of `product_cost`.
    """
    return _summed(a, b, lambda level, k, total: total)


@dataclass(frozen=True)
class Product:
    """`a * b`, exactly, in a pipeline.

    Parameters: a, b, formats of the factors; dsps, whether a DSP block may make it.
    Latency: in logic a cycle for each level of sums, of a block 2.
    Cost: that of `product_cost`, or one block; the registers are the user's to count.
    """

    a: Format
    b: Format
    dsps: bool = False

    @property
    def in_block(self) -> bool:
        """Whether a block makes it: it is allowed, large enough to be worth it, and fits one."""
        rows, _, constant = _rows(self.a, self.b)
        signed = self.a.signed or self.b.signed
        widths = [shape_of(f).width + (signed and not f.signed) for f in (self.a, self.b)]
        worth = not constant and rows >= BLOCK_ROWS and sum(widths) >= BLOCK_RESULT
        return self.dsps and worth and max(widths) <= BLOCK_BITS

    @property
    def latency(self) -> int:
        if self.in_block:
            return 2
        narrow = min(shape_of(factor).width for factor in (self.a, self.b))
        return max(1, (narrow - 1).bit_length())

    @property
    def cost(self) -> Cost:
        return Cost(dsps=1) if self.in_block else product_cost(self.a, self.b)

    def of(self, m: Module, name: str, a: Value, b: Value) -> Signal:
        """The product of two values, `latency` cycles later."""

        def register(level: int, k: int, total: Any) -> Signal:
            held = Signal(total.shape(), name=f"{name}_{level}_{k}", reset_less=True)
            m.d.sync += held.eq(total)
            return held

        if not self.in_block:
            made = _summed(a, b, register)
            return made if min(len(a), len(b)) > 1 else register(0, 0, made)
        a, b = register(0, 0, a), register(0, 1, b)
        # Kept, because yosys loses a product on iCE40 that two registers follow.
        made = Signal((a * b).shape(), name=name, reset_less=True, attrs={"keep": 1})
        m.d.sync += made.eq(a * b)
        return made


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
