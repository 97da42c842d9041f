"""Narrowing digit by digit: rounds as the digits pass, and knows at a word's end what it clamps."""

from typing import Any

from amaranth import Array, Cat, Const, Module, Mux, Signal
from sylvan.model.numbers import Format, Overflow, Rounding

from ..beats import Pattern, Tag, digits, digits_of
from .addresses import Addresses, addresses_cost
from .base import Cost, Operator, connect_strobe, delay_strobe
from .narrow import Narrowing
from .serial import WordClock, add_digits, shifted_digits


def can_pass(target: Format, overflow: Overflow) -> bool:
    """Whether a number saturates, or its lowest bits are its place in `target`."""
    return overflow is Overflow.SATURATE or target.lo in (0, -target.hi - 1)


class SerialNarrow(Operator):
    """`o = a` rounded to the binary point of `target`; over and under tell where it is clamped.

    One half is added with the digit that it belongs to; whether all that is dropped is zero after
    that, a tie, is known when the first digit leaves. Each digit that leaves is compared with that
    of both ends of the target, the lowest first.

    Parameters: pattern of the operand; narrowing.
    Latency: `s // D + 1` for s dropped bits, one more where D does not divide s, one more where it
        rounds or the binary point moves up. Interval: `pattern.cycles`.
    Cost: an adder, a tie and two comparisons of a digit for each lane.
    Refuses words too short, and an interval to wrap into that is not one of plain bits.
    """

    def __init__(self, pattern: Pattern, narrowing: Narrowing, tag: Tag) -> None:
        digit = pattern.digit
        self.pattern = pattern
        self.narrowing = narrowing
        if not can_pass(narrowing.target, narrowing.overflow):
            raise ValueError(
                f"digits cannot wrap into [{narrowing.target.lo}, {narrowing.target.hi}]"
            )
        self.raised = max(narrowing.source.exp - narrowing.target.exp, 0)
        self.far, self.near = divmod(narrowing.dropped, digit)
        self.adds = bool(narrowing.half or self.raised)
        self.leaving = leaving_digits(narrowing, digit)
        self.signed = narrowing.rounded.signed or narrowing.target.signed
        self.ends = {"over": narrowing.over, "under": narrowing.under}
        needed = narrow_digits(narrowing, digit)
        if needed > pattern.dwell:
            raise ValueError(
                f"narrowing takes {needed} digits of {digit} bits, a word has {pattern.dwell}"
            )
        self.latency = self.adds + self.far + (self.near > 0) + 1
        self.interval = pattern.cycles
        result = pattern.settling(self.leaving)
        super().__init__({"a": (pattern, narrowing.source)}, (result, narrowing.target), tag)

    @property
    def cost(self) -> Cost:
        bits, ends = self.pattern.lanes * self.pattern.digit, sum(self.ends.values())
        logic = bits * (2 * self.adds + ends) + self.pattern.lanes
        registers = bits * 2 + self.pattern.lanes * (2 + ends) + self.latency
        counting = addresses_cost(self.pattern) + addresses_cost(self.pattern)
        return counting + Cost(logic_bits=logic, register_bits=registers)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        digit = self.pattern.digit
        clock = WordClock(m, self.a.start, self.pattern)
        held = clock.place.held
        half = Signal(digit)
        m.d.comb += half.eq(self._digits(self.narrowing.half)[held])
        before, at = Signal(), Signal()
        m.d.comb += [before.eq(held < self.far), at.eq(held == self.far)]
        if self.adds:
            later = [Signal(name=f"{s.name}_later") for s in (before, at)]
            m.d.sync += [s.eq(now) for s, now in zip(later, (before, at), strict=True)]
            before, at = later
        leaves = delay_strobe(m, "timing", self.a, self.latency, self.interval)
        connect_strobe(m, leaves, self.o)
        m.submodules.leaving = leaving = Addresses(self.pattern.words)
        m.d.comb += leaving.start.eq(leaves.start)
        target = {"over": self.narrowing.target.hi, "under": self.narrowing.target.lo}
        ends = {name: self._digits(raw)[leaving.held] for name, raw in target.items()}
        top = Signal()
        m.d.comb += top.eq((leaving.held == self.leaving - 1) & self.signed)
        for k, a in enumerate(self.a.lanes):
            total = self._total(clock, k, a, half)
            out = self._rounded(clock, k, total, before, at)
            m.d.comb += self.o.lanes[k].eq(self._wrapped(out, leaving.held))
            for name, end in ends.items():
                if self.ends[name]:
                    beyond = self._beyond(clock, f"{name}{k}", out, end, top, name == "over")
                    m.d.comb += getattr(self.o, name)[k].eq(beyond)
        return m

    def _digits(self, raw: int) -> Any:
        """The digits of a number, to be chosen by their place."""
        digit, count = self.pattern.digit, self.pattern.dwell
        return Array(Const(value, digit) for value in digits_of(raw, digit, count))

    def _total(self, clock: WordClock, lane: int, a: Any, half: Any) -> Any:
        """The operand at the finer binary point, and one half."""
        if not self.adds:
            return a
        total = Signal(len(a), name=f"total{lane}", reset_less=True)
        fine = shifted_digits(clock, f"raised{lane}", a, self.raised, 0)
        if self.narrowing.half:
            fine = add_digits(clock, f"half{lane}", fine, half, False, 0)
        clock.m.d.sync += total.eq(fine)
        return total

    def _rounded(self, clock: WordClock, lane: int, total: Any, before: Any, at: Any) -> Any:
        """The digits that are left, of a tie the even one."""
        digit, near = self.pattern.digit, self.near
        first: Any = at
        kept = total
        if near:
            previous = Signal(digit, name=f"previous{lane}", reset_less=True)
            first = Signal(name=f"first{lane}")
            clock.m.d.sync += [previous.eq(total), first.eq(at)]
            kept = Cat(previous[near:], total[:near])
        if self.narrowing.rounding is Rounding.HALF_EVEN and self.narrowing.dropped:
            tie = Signal(name=f"tie{lane}", init=1, reset_less=True)
            here = Signal(name=f"here{lane}")
            dropped = Mux(before, total, Mux(at, total[:near], 0))
            clock.m.d.comb += here.eq(tie & (dropped == 0))
            clock.m.d.sync += tie.eq(Mux(clock.going(int(self.adds)), here, 1))
            kept = Cat(kept[0] & ~(first & tie), kept[1:])
        out = Signal(digit, name=f"lane{lane}", reset_less=True)
        clock.m.d.sync += out.eq(kept)
        return out

    def _wrapped(self, out: Any, place: Any) -> Any:
        """The digit of the target's sign, where it has bits of what is wrapped away above that."""
        target, digit = self.narrowing.target, self.pattern.digit
        bits = target.width - (digits(target, digit) - 1) * digit
        if self.narrowing.overflow is not Overflow.WRAP or not 0 <= bits < digit:
            return out
        sign = out[bits - 1] if target.signed else Const(0, 1)
        last = Cat(out[:bits], sign.replicate(digit - bits))
        return Mux(place == digits(target, digit) - 1, last, out)

    def _beyond(
        self, clock: WordClock, name: str, out: Any, end: Any, top: Any, above: bool
    ) -> Any:
        """Whether the digits until now are above or below those of the end; the sign is turned."""
        digit = self.pattern.digit
        turned = top << digit - 1
        a, b = (out ^ turned)[:digit], (end ^ turned)[:digit]
        beyond = Signal(name=f"{name}_now")
        so_far = clock.carried(name, beyond, self.latency)
        clock.m.d.comb += beyond.eq(((a > b) if above else (a < b)) | ((a == b) & so_far))
        return beyond


def leaving_digits(narrowing: Narrowing, digit: int) -> int:
    """Digits by which the rounded number and the target are compared, with a sign if one has it."""
    formats = (narrowing.rounded, narrowing.target)
    lo, hi = min(f.lo for f in formats), max(f.hi for f in formats)
    return digits(Format(lo, hi), digit)


def narrow_digits(narrowing: Narrowing, digit: int) -> int:
    """Digits of a word in which all that counts has passed."""
    dropped = -(-narrowing.dropped // digit)
    return max(digits(narrowing.sum, digit), dropped + leaving_digits(narrowing, digit))
