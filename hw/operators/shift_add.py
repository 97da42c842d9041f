"""Multiplying while a beat stays: a few rows in each of its cycles, summed in one place."""

from typing import Any

from amaranth import Cat, Module, Mux, Shape, Signal, Value
from sylvan.model.numbers import Format

from ..beats import Pattern, Tag, shape_of
from .addresses import Addresses, addresses_cost
from .base import Cost, Operator, start_result


class ShiftAdd(Operator):
    """`o = a * b`, by `rows` bits of the narrower factor in a cycle, the lowest first.

    Parameters: pattern, whose beats stay for more than one cycle; formats of a and b; result.
    Latency: `ceil(bits / rows)`, rows being as few as a beat has cycles for, `ceil(bits / dwell)`.
    Interval: `pattern.cycles`.
    Cost: per lane `rows` adders of the wider factor, registers for the sum, for bits that are to
        come and for the result.
    Refuses beats of a single cycle.
    """

    operands = ("a", "b")

    def __init__(self, pattern: Pattern, formats: list[Format], result: Format, tag: Tag) -> None:
        if pattern.dwell < 2:
            raise ValueError(f"rows are added while a beat stays, got {pattern}")
        self.pattern = pattern
        self.formats = formats
        self.result = result
        self.narrow, self.wide = sorted((shape_of(f) for f in formats), key=lambda s: s.width)
        self.rows = -(-self.narrow.width // pattern.dwell)
        self.latency = -(-self.narrow.width // self.rows)
        self.interval = pattern.cycles
        super().__init__(
            {"a": (pattern, formats[0]), "b": (pattern, formats[1])}, (pattern, result), tag
        )

    @property
    def cost(self) -> Cost:
        sums = self.rows * (self.wide.width + 1)
        passing = (self.latency - 1) * self.rows
        kept = self.wide.width + 1 + 2 * passing + shape_of(self.result).width
        lane = Cost(sums, self.rows, sums + passing, kept, waiting_bits=passing)
        return sum([lane] * self.pattern.lanes, addresses_cost(self.pattern))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.beat = beat = Addresses(self.pattern)
        m.d.comb += beat.start.eq(self.a.start)
        last, adds = Signal(), Signal()
        m.d.comb += [
            last.eq(beat.active & (beat.held == self.latency - 1)),
            adds.eq(beat.active & (beat.held < self.latency)),
        ]
        for k, (a, b, o) in enumerate(zip(self.a.lanes, self.b.lanes, self.o.lanes, strict=True)):
            narrow, wide = sorted((a, b), key=len)
            m.d.comb += o.eq(self._product(m, k, narrow, wide, beat.enters, adds, last))
        start_result(m, self, self.a)
        return m

    def _product(
        self, m: Module, k: int, narrow: Value, wide: Value, enters: Any, adds: Any, last: Any
    ) -> Signal:
        """The product of one lane, which stays until the next."""
        rows, passing = self.rows, (self.latency - 1) * self.rows
        whole = Shape(self.latency * rows, narrow.shape().signed)
        left = Signal(passing, name=f"left{k}", reset_less=True)
        sum = Signal(Shape(len(wide) + 1, True), name=f"sum{k}")
        low = Signal(passing, name=f"low{k}", reset_less=True)
        product = Signal(shape_of(self.result), name=f"lane{k}", reset_less=True)
        bits, total = (
            Signal(whole.width, name=f"bits{k}"),
            Signal(len(sum) + rows, name=f"total{k}"),
        )
        m.d.comb += [
            bits.eq(Mux(enters, narrow, left)),
            total.eq(self.total(sum, bits, wide, last if whole.signed else None)),
        ]
        m.d.sync += [left.eq(bits[rows:]), low.eq(Cat(low, total[:rows])[rows:])]
        with m.If(last):
            m.d.sync += [product.eq(Cat(low, total)), sum.eq(0)]
        with m.Elif(adds):
            m.d.sync += sum.eq(total[rows:])
        return product

    def total(self, sum: Value, bits: Value, wide: Value, negative: Value | None) -> Any:
        """The sum and the rows of a cycle; the highest bit of a signed factor weighs negatively."""
        *others, highest = [Mux(bits[row], wide, 0) << row for row in range(self.rows)]
        for other in others:
            sum = sum + other
        if negative is None:
            return sum + highest
        # The lowest bits, 1 and the sign, carry what a difference needs.
        turned = (highest ^ negative.replicate(len(highest)).as_signed()) << 1 | negative
        return ((sum << 1 | 1) + turned) >> 1
