"""From a sensor's counts to a program's input: constants that are right for every count.

A count stands for `count * lsb`, and the program asks for the integer nearest to
`(real - offset) / scale / 2**exp`, half to even, clamped to its format: `clamp(nearest(a * count +
b))` with exact fractions a and b. Here these become integers, wide enough that no count is rounded
another way; a declared scale such as 0.407 brings some counts within 2**-50 of a half.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from sylvan.model.errors import UserError
from sylvan.model.numbers import Format
from sylvan.model.program import NumericInput

COUNT_BITS = 16
COUNTS = range(-(1 << (COUNT_BITS - 1)), 1 << (COUNT_BITS - 1))


@dataclass(frozen=True)
class Affine:
    """`a * count + b`, with a above 0, for a format: a channel of an input, in its steps."""

    a: Fraction
    b: Fraction
    format: Format

    @classmethod
    def of(cls, source: NumericInput, channel: int, lsb: Fraction) -> "Affine":
        """That of a channel whose counts are so many of its unit."""
        scale = source.scale[channel]
        if scale < 0:
            raise UserError(
                f"channel {channel} of the program's input should have a scale above 0 to be read "
                f"from a sensor, got {scale}"
            )
        start = source.steps(channel, Fraction(0))
        return cls(source.steps(channel, lsb) - start, start, source.format)

    @property
    def nearest_half(self) -> Fraction:
        """How near to a half the values come, of all counts that are not clamped anyway."""
        bottom = self.a.denominator * self.b.denominator
        slope, start = (int(value * bottom) for value in (self.a, self.b))
        low, high = (self.format.lo - 1) * bottom, (self.format.hi + 1) * bottom
        # Twice the distance from a half, as numerators over `bottom`, modulo 2.
        twice = [
            (2 * (count * slope + start) + bottom) % (2 * bottom)
            for count in COUNTS
            if low < count * slope + start < high
        ]
        near = min((min(above, 2 * bottom - above) for above in twice), default=bottom)
        return Fraction(near, 2 * bottom)

    @property
    def fraction_bits(self) -> int | None:
        """Bits behind the point of two constants that round every count as a and b do.

        None where no number of bits is enough: some value is a half, and a or b no binary fraction.
        """
        nearest = self.nearest_half
        if not nearest:
            longest = max(self.a.denominator, self.b.denominator)
            bits = longest.bit_length() - 1
            return bits if longest == 1 << bits else None
        # Each constant is off by half a last bit at most, and the nearest half is farther away.
        return int((len(COUNTS) // 2 + 1) / (2 * nearest)).bit_length()


@dataclass(frozen=True)
class Scaling:
    """`count -> (count * factor + addend) >> fraction_bits`, clamped to a format.

    Where only zeros are shifted out, the lowest bit of what is left is cleared before that: a half
    goes to even. `addend` holds the half that rounds.
    """

    factor: int
    addend: int
    fraction_bits: int
    format: Format

    def nearest(self, count: int) -> int:
        """The result before it is clamped."""
        total = count * self.factor + self.addend
        whole = total >> self.fraction_bits
        return whole & ~1 if total == whole << self.fraction_bits else whole

    def scaled(self, count: int) -> int:
        """What a count becomes."""
        return min(max(self.nearest(count), self.format.lo), self.format.hi)

    @property
    def whole_bits(self) -> int:
        """Of the result before it is clamped, with its sign."""
        ends = (self.nearest(COUNTS[0]), self.nearest(COUNTS[-1]))
        return max((end if end >= 0 else ~end).bit_length() for end in ends) + 1


def scalings(source: NumericInput, lsbs: Sequence[Fraction]) -> list[Scaling]:
    """One for each channel of the input, all with the same fraction bits.

    Raises UserError for a channel that no integers round as the program asks.
    """
    channels = [Affine.of(source, channel, lsb) for channel, lsb in enumerate(lsbs)]
    needed = [channel.fraction_bits for channel in channels]
    for channel, bits in enumerate(needed):
        if bits is None:
            raise UserError(
                f"channel {channel} of the program's input: its scale {source.scale[channel]} and "
                f"offset {source.offset[channel]} put counts of the sensor exactly between two "
                "steps, which no binary constants round; another scale, such as "
                f"{source.scale[channel] * (1 + 1e-9)}, will do"
            )
    most = max(bits for bits in needed if bits is not None)
    return [
        Scaling(round(x.a * 2**most), round(x.b * 2**most) + (1 << most >> 1), most, source.format)
        for x in channels
    ]
