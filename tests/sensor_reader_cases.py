"""The reader against the part, in a simulator: samples in, timesteps out, and all that may fail."""

import os
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import cocotb
from mpu6050 import ACCEL_XOUT_H, INT_ENABLE, INT_STATUS, PWR_MGMT_1, Mpu6050, Mpu6500
from sensed import PER_COUNT, Bench, counted

SCALES = (0.407, 0.376, 0.37, 0.389, 0.384, 0.259)
OFFSETS = (0.811, 0.016, 0.07, 0.001, -0.001, 0.0)
WINDOW = 4
Part = {"MPU-6050": Mpu6050, "MPU-6500": Mpu6500}[os.environ.get("PART", "MPU-6050")]


def asked(sample: Sequence[float], channels: int) -> list[int]:
    """Elements, by the ranges and the declared scales alone."""
    found = []
    for k, count in enumerate(counted(sample)[:channels]):
        value = (count * Fraction(PER_COUNT[k]) - Fraction(OFFSETS[k])) / Fraction(SCALES[k]) * 32
        found.append(min(max(round(value), -128), 127))
    return found


class ReaderBench(Bench):
    """Takes timesteps and notes them with the sample that was read before; `failures` are the
    numbers of timesteps before each."""

    def __init__(self, dut: Any, part: Mpu6050 | None = None, **more: Any) -> None:
        millisecond = int(os.environ["MILLISECOND"])
        super().__init__(dut, part or Part(), millisecond, **more)
        self.given: list[tuple[list[int], bool, bool, int]] = []
        self.failures: list[int] = []
        dut.o_ready.value = 1

    async def start(self) -> None:
        await super().start()
        cocotb.start_soon(self._take())
        cocotb.start_soon(self._fail())

    async def _take(self) -> None:
        dut = self.dut
        channels = len(dut.o_data) // 8
        while True:
            await self.rises(dut.o_valid)
            word = int(dut.o_data.value)
            elements = [(word >> 8 * k & 0xFF ^ 0x80) - 0x80 for k in range(channels)]
            flags = bool(dut.o_first.value), bool(dut.o_last.value)
            self.given.append((elements, *flags, self.part.read))

    async def _fail(self) -> None:
        while True:
            await self.rises(self.dut.fails)
            self.failures.append(len(self.given))

    async def take(self, count: int) -> None:
        """So many timesteps more."""
        wanted = len(self.given) + count
        await self.until(lambda: len(self.given) >= wanted)

    async def fail(self, count: int) -> None:
        wanted = len(self.failures) + count
        await self.until(lambda: len(self.failures) >= wanted)

    def check(self) -> None:
        """What was given are the samples in their order, none left out; a failure begins anew."""
        position = before = -1
        for k, (elements, first, last, sample) in enumerate(self.given):
            position = 0 if not k or k in self.failures else (position + 1) % WINDOW
            right = asked(self.part.samples[sample], len(elements))
            assert elements == right, f"timestep {k} is {elements}, not {right}"
            assert (first, last) == (position == 0, position == WINDOW - 1), f"flags of {k}"
            assert first or sample == before + 1, f"timestep {k} is sample {sample}"
            before = sample


@cocotb.test()
async def samples_become_timesteps(dut: Any) -> None:
    bench = ReaderBench(dut)
    await bench.start()
    await bench.take(3 * WINDOW + 1)
    bench.check()
    assert not bench.failures and not int(dut.failing.value)
    assert bench.wires.changes and not bench.wires.faults()
    # Of the data that programs are trained on.
    part = bench.part
    found = part.ranges, part.low_pass_hz, part.sample_s
    right = [((2, 500), (hz, 20), 0.02) for hz in (20, 21)]
    assert found in right, f"ranges, filter and period are {found}"


@cocotb.test()
async def a_sample_waits_at_the_start(dut: Any) -> None:
    """It is replaced between its bit and its bytes: what replaces it is not read twice."""
    part = Mpu6050()
    bench = ReaderBench(dut, part)
    await bench.start()
    bench.measures = False
    await bench.until(lambda: bool(part.registers[INT_ENABLE]))
    part.measure(bench.random_sample())
    await bench.until(lambda: part.pointer == INT_STATUS + 1)
    part.measure(bench.random_sample())
    await bench.take(1)
    await bench.pass_ms(6)
    part.measure(bench.random_sample())
    await bench.take(1)
    bench.check()
    assert not bench.failures


@cocotb.test()
async def unplugged_in_the_middle(dut: Any) -> None:
    """Anywhere in a sample's bytes: so many edges after it was measured."""
    part = Mpu6050()
    bench = ReaderBench(dut, part)
    await bench.start()
    for moment in range(5, 800, 131):
        await bench.take(WINDOW + 2)
        measured = len(part.samples)
        await bench.until(lambda: len(part.samples) > measured)  # noqa: B023
        edges = len(bench.wires.changes) + moment
        await bench.until(lambda: len(bench.wires.changes) >= edges)  # noqa: B023
        part.present = False
        bench.settle()
        await bench.fail(2)
        assert int(dut.failing.value)
        part.power()
        part.present = True
        bench.settle()
    await bench.take(WINDOW + 2)
    bench.check()
    assert len(bench.failures) >= 14 and not int(dut.failing.value)


@cocotb.test()
async def only_a_wire_opens(dut: Any) -> None:
    """The rest of a sample reads as ones, and nobody is found awake after it."""
    for register in (ACCEL_XOUT_H + 1, ACCEL_XOUT_H + 2, ACCEL_XOUT_H + 5):
        part = Mpu6050()
        bench = ReaderBench(dut, part)
        await bench.start()
        await bench.take(WINDOW - 1)
        await bench.until(lambda: part.pointer == register)  # noqa: B023
        bench.wires.targets.clear()
        bench.settle()
        await bench.fail(2)
        assert set(bench.failures) == {WINDOW - 1}
        bench.check()


@cocotb.test()
async def another_part(dut: Any) -> None:
    bench = ReaderBench(dut, Mpu6050(identity=0x70))
    await bench.start()
    await bench.fail(5)
    assert not bench.given and not bench.part.written and int(dut.failing.value)


@cocotb.test()
async def another_address(dut: Any) -> None:
    bench = ReaderBench(dut, Mpu6050(address=0x69))
    await bench.start()
    await bench.fail(5)
    assert not bench.given and not bench.part.written


@cocotb.test()
async def configuration_is_lost(dut: Any) -> None:
    """After a gap in its supply the part sleeps, or says nothing of its samples."""
    part = Part()
    bench = ReaderBench(dut, part)
    await bench.start()
    await bench.take(WINDOW + 2)
    part.power()
    await bench.take(2 * WINDOW)
    bench.check()
    assert bench.failures == [WINDOW + 2]


@cocotb.test()
async def one_byte_is_not_acknowledged(dut: Any) -> None:
    part = Mpu6050()
    bench = ReaderBench(dut, part)
    await bench.start()
    await bench.take(WINDOW + 1)
    part.address = 0x69
    await bench.fail(1)
    part.address = 0x68
    await bench.take(WINDOW + 1)
    bench.check()
    assert bench.failures == [WINDOW + 1]


@cocotb.test()
async def a_line_is_held_down(dut: Any) -> None:
    for line in ("holds_scl", "holds_sda"):
        bench = ReaderBench(dut)
        await bench.start()
        await bench.take(WINDOW + 1)
        setattr(bench.wires, line, True)
        bench.settle()
        await bench.fail(3)
        setattr(bench.wires, line, False)
        bench.settle()
        await bench.take(WINDOW + 1)
        bench.check()
        assert bench.failures == [WINDOW + 1] * 3


@cocotb.test()
async def the_board_alone_is_reset(dut: Any) -> None:
    """At many moments, in writes and reads; the part still is where it was."""
    bench = ReaderBench(dut)
    await bench.start()
    for moment in range(20, 3000, 597):
        await bench.until(lambda: len(bench.wires.changes) >= moment)  # noqa: B023
        dut.rst.value = 1
        await bench.pass_ms(0.1)
        bench.failures.append(len(bench.given))
        dut.rst.value = 0
    await bench.take(2 * WINDOW)
    bench.check()
    assert bench.part.registers[PWR_MGMT_1] == 0x01


@cocotb.test()
async def the_core_takes_its_time(dut: Any) -> None:
    """A timestep that waits stays as it is; after more than a sample the window is dropped."""
    bench = ReaderBench(dut)
    await bench.start()
    await bench.take(2)
    dut.o_ready.value = 0
    await bench.take(1)
    word = int(dut.o_data.value)
    await bench.pass_ms(30)
    assert int(dut.o_valid.value) and int(dut.o_data.value) == word
    dut.o_ready.value = 1
    await bench.take(WINDOW + 1)
    bench.check()
    assert bench.failures == [3]
