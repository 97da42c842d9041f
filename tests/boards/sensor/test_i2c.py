# amaranth: UnusedElaboratable=no
"""The controller against the part's own end of the bus: what passes, and how fast."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from clocked import run_watched
from mpu6050 import PWR_MGMT_1, SMPLRT_DIV, WHO_AM_I, Mpu6050
from open_drain import ClockedWires, Wires
from sylvan.boards.sensor.i2c import Act, I2cController, clocks_per_quarter

WRITE, READ = 0x68 << 1, 0x68 << 1 | 1
Step = tuple[Act, int]
START: Step = (Act.START, 0)
STOP: Step = (Act.STOP, 0)


def sent(byte: int) -> Step:
    return Act.BYTE, byte << 1 | 1


def read(last: bool) -> Step:
    return Act.BYTE, 0x1FE | last


def acted(
    steps: Sequence[Step], bus: ClockedWires, stretch: int = 0, rest: int = 0
) -> list[tuple[int, bool]]:
    """Byte and acknowledgement of each step that is one. Each ninth fall of SCL is stretched."""
    dut: Any = bus.dut
    found = []
    held = 0

    def watch(ctx: Any) -> None:
        nonlocal held
        falls = sum(what == "fall" for _, what in bus.wires.changes)
        if stretch:
            held = stretch if falls % 9 == 1 and not bus.wires.scl and held == 0 else held
            bus.wires.holds_scl = held > 1
            held = max(held - 1, 1 if not bus.wires.scl or held > 1 else 0)
        bus.watch(ctx)

    async def run(ctx: Any) -> None:
        for act, bits in steps:
            ctx.set(dut.act, act)
            ctx.set(dut.send, bits)
            ctx.set(dut.valid, 1)
            await ctx.tick().until(dut.ready)
            ctx.set(dut.valid, 0)
            await ctx.tick().until(dut.ready)
            if act is Act.BYTE:
                value = ctx.get(dut.read)
                found.append((value >> 1, not value & 1))
            await ctx.tick().repeat(rest + 1)

    run_watched(dut, run, watch, bus.clock)
    return found


def on_bus(clocks: int, part: Mpu6050, clock_hz: float = 12e6) -> ClockedWires:
    return ClockedWires(I2cController(clocks), [part], 1 / clock_hz)


IDENTITY = [START, sent(WRITE), sent(WHO_AM_I), START, sent(READ), read(True), STOP]
WAKES = [START, sent(WRITE), sent(PWR_MGMT_1), sent(0x01), STOP]


@pytest.mark.parametrize("rest", [0, 1, 50])
@pytest.mark.parametrize("clocks", [2, 3, 8])
def test_registers_are_written_and_read(clocks: int, rest: int) -> None:
    part = Mpu6050()
    several = [START, sent(WRITE), sent(SMPLRT_DIV), sent(0x5A), sent(0x04), STOP]
    back = [START, sent(WRITE), sent(SMPLRT_DIV), START, sent(READ), read(False), read(True), STOP]
    found = acted([*IDENTITY, *WAKES, *several, *back], on_bus(clocks, part), rest=rest)
    assert found[:4] == [(WRITE, True), (WHO_AM_I, True), (READ, True), (0x68, False)]
    assert part.written == [(PWR_MGMT_1, 0x01), (SMPLRT_DIV, 0x5A), (SMPLRT_DIV + 1, 0x04)]
    assert found[-2:] == [(0x5A, True), (0x04, False)]


def test_nobody_acknowledges_where_nobody_is() -> None:
    part = Mpu6050(address=0x69)
    assert acted(IDENTITY, on_bus(2, part))[-1] == (0xFF, False)
    part = Mpu6050()
    part.present = False
    assert [acknowledged for _, acknowledged in acted(WAKES, on_bus(2, part))] == [False] * 3
    assert not part.written


@pytest.mark.parametrize("clock_hz", [1e6, 12e6, 12.5e6, 25e6])
def test_times_are_those_of_fast_mode(clock_hz: float) -> None:
    bus = on_bus(clocks_per_quarter(clock_hz), Mpu6050(), clock_hz)
    assert acted([*WAKES, *IDENTITY, *WAKES], bus)[6] == (0x68, False)
    assert bus.wires.changes and not bus.wires.faults()
    rises = [now for now, what in bus.wires.changes if what == "rise"]
    assert round((rises[8] - rises[1]) * clock_hz) == 7 * bus.dut.interval


def test_a_controller_that_is_too_fast_is_seen() -> None:
    bus = on_bus(clocks_per_quarter(12e6) - 1, Mpu6050())
    acted(WAKES, bus)
    assert any(fault.startswith("clock low") for fault in bus.wires.faults())


@pytest.mark.parametrize("stretch", [3, 40, 500])
def test_a_target_that_holds_the_clock_is_waited_for(stretch: int) -> None:
    part = Mpu6050()
    bus = on_bus(2, part, 1e6)
    found = acted([*WAKES, *IDENTITY], bus, stretch)
    assert found[-1] == (0x68, False) and part.written == [(PWR_MGMT_1, 0x01)]
    falls = [now for now, what in bus.wires.changes if what == "fall"]
    assert max(b - a for a, b in pairwise(falls)) * 1e6 > stretch


@pytest.mark.parametrize("cut", range(1, 60, 2))
def test_nine_clocks_and_a_stop_free_a_bus_that_was_left(cut: int) -> None:
    """A read of zeros is cut off anywhere, as by a reset of the board alone."""
    part = Mpu6050()
    part.registers[SMPLRT_DIV] = 0
    wires = Wires([part])
    now, levels = 0.0, []
    for byte in (None, WRITE, SMPLRT_DIV, None, READ, 0xFF):
        if byte is None:
            levels += [(0, 1), (1, 1), (1, 0)]
        else:
            for k in range(9):
                bit = 1 if k == 8 else byte >> 7 - k & 1
                levels += [(0, bit), (1, bit)]
    for scl, sda in levels[:cut]:
        now += 1e-5
        wires.settle(now, not scl, not sda)
    bus = on_bus(2, part)
    bus.wires.scl, bus.wires.sda = True, not part.pulls_sda
    part.lines(True, bus.wires.sda)
    found = acted([read(True), STOP, *IDENTITY], bus)
    assert found[1:] == [(WRITE, True), (WHO_AM_I, True), (READ, True), (0x68, False)]


def test_a_quarter_of_one_clock_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 2 clocks, got 1"):
        I2cController(1)
