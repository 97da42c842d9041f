"""Formats, rounding and overflow, exhaustively at small widths, against exact fractions."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from amaranth.hdl import Shape
from reference import ROUND, into
from sylvan.model.numbers import (
    MAX_EXPONENT,
    Format,
    Overflow,
    Rounding,
    hull,
    narrow,
    overflow,
    round_shift,
)
from sylvan.model.operations import Value
from sylvan.model.operations.moves import Narrow

EVERY_ROUNDING = pytest.mark.parametrize("rounding", Rounding, ids=lambda r: r.value)
EVERY_OVERFLOW = pytest.mark.parametrize("mode", Overflow, ids=lambda o: o.value)
INTERVALS = [(lo, hi) for lo in range(-9, 10) for hi in range(lo, 10)]
SMALL = [Format(lo, hi, exp) for lo in range(-3, 4) for hi in range(lo, 4) for exp in (-1, 0, 2)]


# ---- rounding and overflow


@EVERY_ROUNDING
@pytest.mark.parametrize("shift", range(-3, 9))
def test_rounding_is_that_of_fractions(rounding: Rounding, shift: int) -> None:
    raws = range(-(1 << 7), (1 << 7) + 1)
    expected = [ROUND[rounding](Fraction(raw) / Fraction(2) ** shift) for raw in raws]
    assert [round_shift(raw, shift, rounding) for raw in raws] == expected
    for dtype in (np.int32, np.int64):
        given = np.array(raws, dtype)
        got = round_shift(given, shift, rounding)
        assert got.dtype == dtype
        assert got.tolist() == expected
        assert given.tolist() == list(raws), "the operand was changed"


@pytest.mark.parametrize(
    ("rounding", "expected"),
    [
        # Quarters:          -7  -6  -5  -4  -3 -2 -1  0  1  2  3  4  5  6  7; ties at -6, -2, 2, 6
        (Rounding.HALF_EVEN, [-2, -2, -1, -1, -1, 0, 0, 0, 0, 0, 1, 1, 1, 2, 2]),
        (Rounding.HALF_UP, [-2, -1, -1, -1, -1, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2]),
        (Rounding.FLOOR, [-2, -2, -2, -1, -1, -1, -1, 0, 0, 0, 0, 1, 1, 1, 1]),
    ],
)
def test_rounding_by_hand(rounding: Rounding, expected: list[int]) -> None:
    assert [round_shift(raw, 2, rounding) for raw in range(-7, 8)] == expected


def test_half_to_even_has_no_bias() -> None:
    """Over whole periods of the dropped bits the errors cancel; half up leaves half an LSB."""
    for shift in range(1, 7):
        raws = range(-(4 << shift), 4 << shift)
        drift = {
            rounding: sum((round_shift(raw, shift, rounding) << shift) - raw for raw in raws)
            for rounding in Rounding
        }
        assert drift[Rounding.HALF_EVEN] == 0
        assert drift[Rounding.HALF_UP] == 4 << shift  # 8 ties, each half an LSB too high
        assert drift[Rounding.FLOOR] == -8 * sum(range(1 << shift))


@EVERY_OVERFLOW
def test_overflow_is_the_nearest_or_the_congruent_value(mode: Overflow) -> None:
    raws = range(-40, 41)
    for lo, hi in INTERVALS:
        span = hi - lo + 1
        if mode is Overflow.WRAP and span & (span - 1):
            continue  # wrapping is defined for 2**k values
        gots = [overflow(raw, Format(lo, hi), mode) for raw in raws]
        for dtype in (np.int32, np.int64):
            array = overflow(np.array(raws, dtype), Format(lo, hi), mode)
            assert array.dtype == dtype and array.tolist() == gots
        for raw, got in zip(raws, gots, strict=True):
            assert got == into(raw, Format(lo, hi), mode)
            assert lo <= got <= hi
            if lo <= raw <= hi:
                assert got == raw
            elif mode is Overflow.SATURATE:
                assert got == (lo if raw < lo else hi)
            else:
                assert (got - raw) % span == 0


@EVERY_ROUNDING
@EVERY_OVERFLOW
def test_narrow_of_every_format_to_every_format(rounding: Rounding, mode: Overflow) -> None:
    """Every raw value of up to 7 bits, every distance of the binary points, every target.

    As ints, and as the arrays that the golden model narrows by this same function.
    """
    targets = {Format.signed_bits(bits) for bits in range(1, 8)}
    if mode is Overflow.SATURATE:
        targets |= {Format.signed_bits(bits, symmetric=True) for bits in range(1, 8)}
    targets |= {Format.unsigned_bits(bits) for bits in range(8)}
    for shift in range(-3, 8):
        source_exp = shift % 3 - 2
        rounded = {
            raw: ROUND[rounding](Fraction(raw) / Fraction(2) ** shift) for raw in range(-64, 128)
        }
        source = Format(-64, 127, source_exp)
        for target in sorted(targets):
            moved = Format(target.lo, target.hi, source_exp + shift)
            expected = [into(nearest, target, mode) for nearest in rounded.values()]
            assert [narrow(raw, source, moved, rounding, mode) for raw in rounded] == expected
            operation = Narrow(moved, rounding, mode)
            for dtype in (np.int32, np.int64):
                raws = np.array(list(rounded), dtype)[None]
                got = operation.evaluate([raws], [Value("a", 1, source)], moved, 0)
                assert got.dtype == dtype and got[0].tolist() == expected, (source, moved)


# ---- formats


def test_width_and_sign_by_brute_force() -> None:
    def held(bits: int, signed: bool) -> range:
        if signed:
            return range(-(1 << bits) // 2, (1 << bits) // 2) if bits else range(1)
        return range(1 << bits)

    for lo, hi in INTERVALS:
        signed = lo < 0
        widths = [w for w in range(10) if lo in held(w, signed) and hi in held(w, signed)]
        assert (Format(lo, hi).width, Format(lo, hi).signed) == (widths[0], signed), (lo, hi)


@pytest.mark.parametrize("top", [1, 2, 3, 7, 8, 9, 1 << 31, (1 << 49) - 1, 1 << 49, 1 << 61])
def test_width_is_the_one_that_hardware_takes(top: int) -> None:
    """Amaranth's shape of `range(lo, hi + 1)`, which the RTL is made of."""
    for lo, hi in [(0, top), (-top, 0), (-top, top), (-top, top - 1), (-1, top), (top, top)]:
        shape = Shape.cast(range(lo, hi + 1))
        assert (Format(lo, hi).width, Format(lo, hi).signed) == (shape.width, shape.signed)


def test_width_agrees_with_hardware_on_every_small_interval() -> None:
    for lo, hi in INTERVALS:
        shape = Shape.cast(range(lo, hi + 1))
        assert (Format(lo, hi).width, Format(lo, hi).signed) == (shape.width, shape.signed)


def test_formats_of_bits() -> None:
    assert Format.signed_bits(4, -2) == Format(-8, 7, -2)
    assert Format.signed_bits(4, symmetric=True) == Format(-7, 7, 0)
    assert Format.signed_bits(1) == Format(-1, 0)
    assert Format.unsigned_bits(4, 3) == Format(0, 15, 3)
    assert Format.unsigned_bits(0) == Format(0, 0)
    for bits in range(1, 70):
        assert Format.signed_bits(bits).width == bits
        assert Format.unsigned_bits(bits).width == bits


def test_magnitude_and_membership() -> None:
    assert Format(-8, 7).magnitude == 8
    assert Format(-2, 7).magnitude == 7
    assert Format(3, 5).magnitude == 5
    assert [raw for raw in range(-5, 6) if Format(-2, 3).contains(raw)] == [-2, -1, 0, 1, 2, 3]


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Format(1, 0), ValueError, r"Format needs lo <= hi, got \[1, 0\]"),
        (lambda: Format(0.0, 1), TypeError, r"Format.lo must be an int, not 0.0"),
        (lambda: Format(0, True), TypeError, r"Format.hi must be an int, not True"),
        (lambda: Format(0, 1, np.int64(2)), TypeError, r"Format.exp must be an int, not "),
        (lambda: Format(0, 1, 1 << 40), ValueError, r"Format.exp must lie within \+-1024, got 1"),
        (lambda: Format(0, 1, -MAX_EXPONENT - 1), ValueError, r"within \+-1024, got -1025"),
        (lambda: Format.signed_bits(0), ValueError, "a signed format needs at least 1 bit, got 0"),
        (lambda: Format.unsigned_bits(-1), ValueError, "at least 0 bits, got -1"),
        (lambda: Format(0, 1, 0).aligned(1), ValueError, r"cannot align 2\*\*0 to the coarser 2"),
    ],
)
def test_refused_formats(make, error, message) -> None:
    with pytest.raises(error, match=message):
        make()


# ---- interval arithmetic: right (every result inside) and tight (both ends reached)


def reals(f: Format) -> list[Fraction]:
    return [raw * Fraction(2) ** f.exp for raw in range(f.lo, f.hi + 1)]


def ends(f: Format) -> tuple[Fraction, Fraction]:
    return f.lo * Fraction(2) ** f.exp, f.hi * Fraction(2) ** f.exp


@pytest.mark.parametrize(
    ("symbol", "combine", "on_reals"),
    [
        ("+", lambda a, b: a + b, lambda x, y: x + y),
        ("-", lambda a, b: a - b, lambda x, y: x - y),
        ("*", lambda a, b: a.times(b.lo, b.hi, b.exp), lambda x, y: x * y),
    ],
)
def test_interval_of_two(symbol, combine, on_reals) -> None:
    for a, b in product(SMALL, SMALL[::4]):
        results = [on_reals(x, y) for x in reals(a) for y in reals(b)]
        assert ends(combine(a, b)) == (min(results), max(results)), f"{a} {symbol} {b}"
        lsb = Fraction(2) ** combine(a, b).exp
        assert all((result / lsb).denominator == 1 for result in results)


def test_interval_of_one() -> None:
    for a in SMALL:
        assert ends(-a) == (-ends(a)[1], -ends(a)[0])
        assert (-a).exp == a.exp
        for exp in range(a.exp - 3, a.exp + 1):
            assert ends(a.aligned(exp)) == ends(a)
            assert a.aligned(exp).exp == exp


def test_hull_is_the_smallest_interval_around_all() -> None:
    for formats in product(SMALL[::5], SMALL[::7], SMALL[::9]):
        values = [x for f in formats for x in reals(f)]
        assert ends(hull(formats)) == (min(values), max(values))
        assert hull(formats).exp == min(f.exp for f in formats)
    assert hull(iter([Format(1, 2)])) == Format(1, 2)
