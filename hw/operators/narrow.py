"""Narrowing in hardware: the only operator that rounds or clamps."""

from typing import Any

from amaranth import Cat, Const, Module, Mux, Signal, Value
from sylvan.model.numbers import Format, Overflow, Rounding, round_shift

from ..beats import Tag, shape_of
from .base import Cost, Operator, start_result


class Narrowing:
    """What narrowing does to a format.

    Parameters: source and target format; rounding and overflow mode.
    Attributes:
        dropped: fraction bits that are lost; half: what is added before.
        sum, rounded: formats before and after they are dropped.
        over, under: whether a value can be above or below what the target holds, and so be clamped.
    """

    def __init__(
        self, source: Format, target: Format, rounding: Rounding, overflow: Overflow
    ) -> None:
        self.source = source
        self.target = target
        self.rounding = rounding
        self.overflow = overflow
        self.dropped = max(target.exp - source.exp, 0)
        half = 0 if rounding is Rounding.FLOOR or not self.dropped else 1 << (self.dropped - 1)
        fine = source.aligned(min(source.exp, target.exp))
        self.half = half
        self.sum = Format(fine.lo + half, fine.hi + half, fine.exp)
        # A tie at an end goes to the even neighbour, which may lie below what the shift leaves.
        lo, hi = (round_shift(end, self.dropped, rounding) for end in (fine.lo, fine.hi))
        self.rounded = Format(lo, hi, target.exp)
        clamps = overflow is Overflow.SATURATE
        self.over = clamps and hi > target.hi
        self.under = clamps and lo < target.lo

    def rounded_of(self, total: Signal) -> Value:
        """A value of `sum`, one half added already, without the fraction bits."""
        kept = total >> self.dropped
        if self.rounding is not Rounding.HALF_EVEN or not self.dropped:
            return kept
        tie = total[: self.dropped] == 0
        even = Cat(kept[0] & ~tie, kept[1:])
        return even.as_signed() if self.sum.signed else even

    def beyond(self, value: Value) -> tuple[Any, Any]:
        """Whether a value is above and below what is left of it."""
        over = above(value, self.target.hi) if self.over else Const(0, 1)
        under = below(value, self.target.lo) if self.under else Const(0, 1)
        return over, under

    def in_range(self, value: Value, over: Any, under: Any) -> Any:
        """A value of `rounded`, brought into what the target holds."""
        lo, hi = self.target.lo, self.target.hi
        if self.overflow is Overflow.WRAP:
            # The span is a power of two, so only the bits below it count.
            bits = (hi - lo).bit_length()
            # A slice does not extend a sign; adding a zero of that many bits does.
            offset = (value - lo + Const(0, bits))[:bits]
            return offset + lo
        result = value
        if self.over:
            result = Mux(over, hi, result)
        if self.under:
            result = Mux(under, lo, result)
        return result


class Narrow(Operator):
    """`o = a` rounded to the binary point of `target` and brought into its interval.

    Half to even as a circuit: add one half, drop the s fraction bits, and where all of those were
    zero after the addition (a tie) clear the lowest bit that is left.

    Parameters: lanes; narrowing; added, whether one half has been added to `a` before.
    Latency: 2, the sum and the choice of an end; where one half was added before, what is beyond an
        end has the first cycle to itself. 1 where there is nothing to add. Interval: 1.
    Cost: per lane, `width(a)` adder bits where it adds, `width(o)` logic and one for each end that
        clamps, registers for each stage.
    """

    def __init__(self, lanes: int, narrowing: Narrowing, tag: Tag, added: bool = False) -> None:
        self.lanes = lanes
        self.narrowing = narrowing
        self.added = narrowing.half > 0 and added
        self.adds = narrowing.half > 0 and not added
        self.latency = 2 if narrowing.half else 1
        source = narrowing.sum if added else narrowing.source
        super().__init__({"a": (lanes, source)}, (lanes, narrowing.target), tag)

    @property
    def cost(self) -> Cost:
        wide, narrow = shape_of(self.narrowing.sum).width, shape_of(self.narrowing.target).width
        ends = self.narrowing.over + self.narrowing.under
        return Cost(
            adder_bits=self.lanes * wide * self.adds,
            adders=self.lanes * self.adds,
            logic_bits=self.lanes * (narrow + ends) if ends or self.narrowing.dropped else 0,
            register_bits=self.lanes * (wide * self.adds + (narrow + 2) * self.added + narrow),
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        for lane in range(self.lanes):
            total = Signal(shape_of(self.narrowing.sum), name=f"sum{lane}", reset_less=True)
            fine = self.a.lanes[lane] << (self.a.signature.format.exp - self.narrowing.sum.exp)
            if self.adds:
                m.d.sync += total.eq(fine + self.narrowing.half)
            else:
                m.d.comb += total.eq(fine)
            rounded = Signal(shape_of(self.narrowing.rounded), name=f"rounded{lane}")
            held = Signal(shape_of(self.narrowing.target), name=f"lane{lane}", reset_less=True)
            over, under = self.narrowing.beyond(rounded)
            value: Any = rounded
            if self.added:
                later = Signal.like(rounded, name=f"value{lane}", reset_less=True)
                flags = Signal(2, name=f"beyond{lane}", reset_less=True)
                m.d.sync += [later.eq(rounded), flags.eq(Cat(over, under))]
                value, over, under = later, flags[0], flags[1]
            m.d.comb += [rounded.eq(self.narrowing.rounded_of(total)), self.o.lanes[lane].eq(held)]
            m.d.sync += held.eq(self.narrowing.in_range(value, over, under))
        start_result(m, self, self.a)
        return m


def above(value: Any, hi: int) -> Any:
    """`value > hi`; of an end just below a power of two the bits from there on tell."""
    bits = (hi + 1).bit_length() - 1
    if hi < 0 or hi + 1 != 1 << bits:
        return value > hi
    beyond = value[bits:].any()
    return ~value[-1] & beyond if value.shape().signed else beyond


def below(value: Any, lo: int) -> Any:
    """`value < lo`; of a power of two, or one more, with a sign, the bits from there on tell."""
    bits = (-lo).bit_length()
    if lo >= 0 or not value.shape().signed:
        return value < lo
    if lo == -(1 << bits - 1):
        return value[-1] & ~value[bits - 1 :].all()
    if lo == 1 - (1 << bits):
        return value[-1] & (~value[bits:].all() | ~value[:bits].any())
    return value < lo
