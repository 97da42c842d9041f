# amaranth: UnusedElaboratable=no
"""Every count of every channel, against fractions: in integers, and in the gateware."""

import math
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from clocked import run_clocked
from simulated import bench, played
from sylvan.boards.sensor.part import MPU6050
from sylvan.boards.sensor.scaler import Scaler
from sylvan.boards.sensor.scaling import COUNTS, Affine, Scaling, scalings
from sylvan.model.arrays import Array
from sylvan.model.errors import UserError
from sylvan.model.numbers import Format
from sylvan.model.program import NumericInput
from sylvan.model.storage import load

PROGRAM = load(Path(__file__).parents[3] / "gallery" / "har-motion")
LSBS = [Fraction(1, 16384)] * 3 + [Fraction(math.pi) / 180 / Fraction(131, 2)] * 3
G = LSBS[0]


def asked(source: NumericInput, channel: int, lsb: Fraction, count: int) -> int:
    """The nearest, half to even as `round` does, clamped."""
    real = count * lsb
    value = (real - Fraction(source.offset[channel])) / Fraction(source.scale[channel])
    nearest = round(value / Fraction(2) ** source.format.exp)
    return min(max(nearest, source.format.lo), source.format.hi)


def sent(source: NumericInput, lsbs: list[Fraction]) -> Array:
    """What a host sends that is given what each count of all channels stands for, in doubles."""
    return source.raw(np.outer(COUNTS, [float(lsb) for lsb in lsbs]))


def wrong_counts(source: NumericInput, found: list[Scaling], lsbs: list[Fraction]) -> int:
    """Of all channels."""
    return sum(
        scaling.scaled(count) != asked(source, channel, lsb, count)
        for channel, (scaling, lsb) in enumerate(zip(found, lsbs, strict=True))
        for count in COUNTS
    )


def one(scale: float, offset: float, bits: int = 8, exp: int = -5) -> NumericInput:
    return NumericInput(1, Format.signed_bits(bits, exp), (scale,), (offset,))


def test_what_a_count_of_the_part_stands_for() -> None:
    assert [lsb for _, lsb in MPU6050.channels] == LSBS


def test_every_count_of_the_gallery_program() -> None:
    source = PROGRAM.input
    assert isinstance(source, NumericInput)
    assert not wrong_counts(source, scalings(source, LSBS), LSBS)


AWKWARD = [
    one(1.0, 0.0),  # many counts are halves
    one(1.0, 0.5),
    one(0.5, -1 / 64, 4, -2),
    one(0.407, 0.811),  # some counts are within 2**-50 of a half
    one(1e-3, 0.0, 16, -9),  # a count is many steps
    one(3.0, 100.0, 5, 0),  # all are clamped
    one(1.0, 0.0, 1, 3),
]


def test_a_host_sends_what_the_sensor_does() -> None:
    """Of the third channel doubles alone would get six counts wrong, as that of -20544."""
    source = PROGRAM.input
    assert isinstance(source, NumericInput)
    found = sent(source, LSBS)
    channels = scalings(source, LSBS)
    right = [[channel.scaled(count) for channel in channels] for count in COUNTS]
    assert np.array_equal(found, right)
    assert found[COUNTS.index(-20544), 2] == -115
    for awkward in AWKWARD:
        (scaling,) = scalings(awkward, [G])
        assert sent(awkward, [G])[:, 0].tolist() == [scaling.scaled(count) for count in COUNTS]


@pytest.mark.parametrize("source", AWKWARD)
def test_every_count_of_awkward_inputs(source: NumericInput) -> None:
    assert not wrong_counts(source, scalings(source, [G]), [G])


def test_fewer_bits_would_not_do() -> None:
    """The decimals 0.407 and 0.811 have halves; their nearest doubles miss them by a hair."""
    source = one(0.407, 0.811)
    (found,) = scalings(source, [G])
    assert 60 <= found.fraction_bits <= 70
    less = 24
    affine = Affine.of(source, 0, G)
    addend = round(affine.b * 2**less) + (1 << less >> 1)
    rough = Scaling(round(affine.a * 2**less), addend, less, source.format)
    assert 0 < wrong_counts(source, [rough], [G]) < 100


def test_a_planted_sign_of_the_offset_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    right = Affine.of.__func__  # type: ignore[attr-defined]

    def planted(cls: type[Affine], *given: Any) -> Affine:
        made = right(cls, *given)
        return Affine(made.a, -made.b, made.format)

    monkeypatch.setattr(Affine, "of", classmethod(planted))
    source = one(0.407, 0.811)
    assert wrong_counts(source, scalings(source, [G]), [G]) > 10_000


def test_what_no_constants_scale_is_refused() -> None:
    with pytest.raises(UserError, match=r"channel 0 .* its scale 0.375 and offset 0.0 put counts"):
        scalings(one(0.375, 0.0), [G])
    with pytest.raises(UserError, match=r"channel 0 .* should have a scale above 0 .*, got -1.0"):
        scalings(one(-1.0, 0.0), [G])


def gateware(source: NumericInput, lsbs: list[Fraction], every: int) -> None:
    """Each `every`-th count of all channels, in turns, and the ends."""
    found = scalings(source, lsbs)
    dut = Scaler(found)
    counts = [*COUNTS[::every], *COUNTS[-2:], -1, 0, 1]

    async def run(ctx: Any) -> None:
        async def element(count: int) -> int:
            ctx.set(dut.count, count)
            ctx.set(dut.starts, 1)
            await ctx.tick()
            ctx.set(dut.starts, 0)
            for _ in range(dut.interval - 1):
                assert ctx.get(dut.busy)
                await ctx.tick()
            assert not ctx.get(dut.busy)
            return int(ctx.get(dut.element))

        async def rewind() -> None:
            ctx.set(dut.rewinds, 1)
            await ctx.tick()
            ctx.set(dut.rewinds, 0)

        # In the middle of the last channel's product.
        await element(-1)
        ctx.set(dut.starts, 1)
        await ctx.tick().repeat(7)
        ctx.set(dut.starts, 0)
        await rewind()
        for count in counts:
            for channel, lsb in enumerate(lsbs):
                assert await element(count) == asked(source, channel, lsb, count)
            await rewind()

    run_clocked(dut, run)


def test_the_gateware_scales_the_gallery_program() -> None:
    source = PROGRAM.input
    assert isinstance(source, NumericInput)
    gateware(source, LSBS, 2039)


@pytest.mark.parametrize("source", AWKWARD)
def test_the_gateware_scales_awkward_inputs(source: NumericInput) -> None:
    gateware(source, [G], 511)


@pytest.mark.full
def test_the_gateware_scales_every_count(tmp_path: Path) -> None:
    source = PROGRAM.input
    assert isinstance(source, NumericInput)
    right = [[asked(source, c, lsb, count) for c, lsb in enumerate(LSBS)] for count in COUNTS]
    np.save(tmp_path / "right.npy", np.array(right))
    dut = Scaler(scalings(source, LSBS))
    text = bench(dut, "scaler", {name: getattr(dut, name) for name in dut.signature.members})
    told = {"RIGHT": tmp_path / "right.npy", "INTERVAL": dut.interval}
    module = "sensor_scaler_cases"
    found = played(text, module, tmp_path, "verilator", **told)  # type: ignore[arg-type]
    assert found == {"every_count": ""}
