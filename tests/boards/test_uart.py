# amaranth: UnusedElaboratable=no
"""Bytes on wires, against a model that sets and reads bits at real times."""

from typing import Any

import pytest
from clocked import run_watched
from sylvan.boards.link.uart import UartReceiver, UartTransmitter, clocks_per_bit
from sylvan.model.errors import UserError

CLOCK = 1e-7


def received(clocks: int, off: float, data: bytes, phase: float) -> bytes:
    """What a receiver makes of bytes whose bits take `1 + off` times what they should."""
    dut = UartReceiver(clocks)
    found = bytearray()
    bit = CLOCK * clocks * (1 + off)

    async def send(ctx: Any) -> None:
        ctx.set(dut.rx, 1)
        await ctx.delay(CLOCK * (20 + phase))
        for byte in data:
            for level in [0, *(byte >> k & 1 for k in range(8)), 1]:
                ctx.set(dut.rx, level)
                await ctx.delay(bit)
        await ctx.delay(CLOCK * 20)

    def collect(ctx: Any) -> None:
        if ctx.get(dut.o.valid):
            found.append(ctx.get(dut.o.data))

    run_watched(dut, send, collect, CLOCK)
    return bytes(found)


AWKWARD = bytes([0, 255, 0x55, 0xAA, 1, 128, 254, 127, *range(0, 256, 7)])


@pytest.mark.parametrize("phase", [0.01, 0.5, 0.99])
@pytest.mark.parametrize("off", [-0.02, 0.0, 0.02])
@pytest.mark.parametrize("clocks", [4, 5, 16])
def test_a_sender_that_is_two_percent_off_is_understood(
    clocks: int, off: float, phase: float
) -> None:
    assert received(clocks, off, AWKWARD, phase) == AWKWARD


@pytest.mark.parametrize("clocks", [4, 5, 7, 8, 104])
def test_the_tolerance_is_what_it_says(clocks: int) -> None:
    """Bytes without a rest between them, a little inside and a little outside."""
    data = AWKWARD[:12]
    tolerance = UartReceiver(clocks).tolerance
    assert tolerance >= 0.025
    for phase in (0.01, 0.99):
        for off in (1 / (1 + tolerance - 0.001) - 1, tolerance - 0.001):
            assert received(clocks, off, data, phase) == data
    assert any(
        received(clocks, off, data, phase) != data
        for off in (1 / (1 + tolerance + 0.004) - 1, tolerance + 0.004)
        for phase in (0.01, 0.99)
    )


def test_a_glitch_and_a_break_are_no_bytes() -> None:
    dut = UartReceiver(8)
    found = []

    async def send(ctx: Any) -> None:
        ctx.set(dut.rx, 1)
        await ctx.tick().repeat(20)
        for level, cycles in [(0, 2), (1, 100), (0, 200), (1, 20)]:
            ctx.set(dut.rx, level)
            await ctx.tick().repeat(cycles)
        for level in [0, 1, 0, 0, 0, 0, 0, 1, 0, 1]:
            ctx.set(dut.rx, level)
            await ctx.tick().repeat(8)
        await ctx.tick().repeat(20)

    def collect(ctx: Any) -> None:
        if ctx.get(dut.o.valid):
            found.append(ctx.get(dut.o.data))

    run_watched(dut, send, collect, CLOCK)
    assert found == [0x41]


@pytest.mark.parametrize("clocks", [4, 5])
def test_bytes_are_sent_bit_by_bit(clocks: int) -> None:
    dut = UartTransmitter(clocks)
    levels: list[int] = []

    async def give(ctx: Any) -> None:
        ctx.set(dut.i.valid, 1)
        for byte in AWKWARD:
            ctx.set(dut.i.data, byte)
            await ctx.tick().until(dut.i.ready)
        ctx.set(dut.i.valid, 0)
        await ctx.tick().repeat(12 * clocks)

    run_watched(dut, give, lambda ctx: levels.append(ctx.get(dut.tx)), CLOCK)
    start = levels.index(0)
    for k, byte in enumerate(AWKWARD):
        begins = start + k * 10 * clocks
        bits = [0, *(byte >> n & 1 for n in range(8)), 1]
        assert levels[begins : begins + 10 * clocks] == [b for b in bits for _ in range(clocks)]
    assert 0 not in levels[begins + 10 * clocks :]


@pytest.mark.parametrize(
    ("clock_hz", "baud", "clocks"),
    [
        (12e6, 3_000_000, 4),
        (48e6, 3_000_000, 16),
        (25e6, 1_000_000, 25),
        (12e6, 115_200, 104),
        (25e6, 115_200, 217),
        (12e6, 921_600, 13),
        (12.2e6, 3_000_000, 4),
    ],
)
def test_clocks_of_a_bit(clock_hz: float, baud: int, clocks: int) -> None:
    assert clocks_per_bit(clock_hz, baud) == clocks


@pytest.mark.parametrize(
    ("clock_hz", "baud", "would_do"),
    [
        (25e6, 3_000_000, "3125000 or 2777778"),
        (12e6, 4_000_000, "3000000 or 2400000"),
        (12.3e6, 3_000_000, "3075000 or 2460000"),
    ],
)
def test_a_rate_the_clock_cannot_make_is_refused(clock_hz: float, baud: int, would_do: str) -> None:
    with pytest.raises(UserError, match=f"makes no {baud} baud: .* {would_do} would do"):
        clocks_per_bit(clock_hz, baud)


def test_no_rate_at_all_is_refused() -> None:
    with pytest.raises(UserError, match="makes no 0 baud"):
        clocks_per_bit(12e6, 0)
