"""The bench of a sensor's gateware inside a simulator: its wires, and a part that measures."""

from collections.abc import Callable, Sequence
from math import pi
from random import Random
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.handle import Immediate
from cocotb.triggers import First, Timer
from cocotb.utils import get_sim_time
from mpu6050 import Mpu6050
from open_drain import Wires

CYCLE = 2
PER_COUNT = [1 / 16384] * 3 + [pi / 180 / 65.5] * 3
"""g and radians per second, at the ranges of the data that programs are trained on: 2 g and 500
degrees per second (PS-MPU-6000A-00, 6.1 and 6.2)."""


def real(counts: Sequence[int]) -> list[float]:
    """What a part of these ranges measures as such counts."""
    return [count * one for count, one in zip(counts, PER_COUNT, strict=True)]


def counted(sample: Sequence[float]) -> list[int]:
    """The counts that a part of these ranges gives."""
    nearest = [round(value / one) for value, one in zip(sample, PER_COUNT, strict=True)]
    return [min(max(count, -32768), 32767) for count in nearest]


def cycles() -> float:
    """Clocks since the beginning."""
    return get_sim_time("step") / CYCLE


class Bench:
    """Pulls the wires as all on them do, and lets the part measure as its registers say.

    Parameters: millisecond, in clocks; sample, the k-th in g and radians per second, by default
        random.
    """

    def __init__(
        self,
        dut: Any,
        part: Mpu6050,
        millisecond: int,
        sample: Callable[[int], list[float]] | None = None,
        clock_hz: float = 1e6,
    ) -> None:
        self.dut, self.part, self.millisecond, self.clock_hz = dut, part, millisecond, clock_hz
        self.wires = Wires([part])
        self.random = Random(0)
        self.sample = sample or (lambda k: self.random_sample())
        self.measured = 0
        self.measures = True

    def random_sample(self) -> list[float]:
        """Often at the ends of the ranges."""
        draw = self.random
        return real([draw.choice([-32768, 32767, draw.randrange(-20000, 20000)]) for _ in range(6)])

    async def start(self) -> None:
        """Clock, reset, and all that goes on by itself."""
        dut = self.dut
        dut.scl.value = dut.sda.value = 1
        dut.rst.value = 1
        Clock(dut.clk, CYCLE, unit="step", impl="gpi").start(start_high=False)
        await Timer(3 * CYCLE)
        dut.rst.value = 0
        cocotb.start_soon(self._pull())
        cocotb.start_soon(self._measure())

    def settle(self) -> None:
        """After something has changed on the wires."""
        dut = self.dut
        pulls = str(dut.scl_low.value) == "1", str(dut.sda_low.value) == "1"
        before = self.wires.scl, self.wires.sda
        now = self.wires.settle(cycles() / self.clock_hz, *pulls)
        if now != before:
            dut.scl.value, dut.sda.value = (Immediate(level) for level in now)

    async def _pull(self) -> None:
        while True:
            await First(self.dut.scl_low.value_change, self.dut.sda_low.value_change)
            self.settle()

    async def _measure(self) -> None:
        while True:
            period = self.part.sample_s * 1000 if self.part.awake else 1
            await self.pass_ms(period)
            if self.measures and self.part.present and self.part.awake:
                self.part.measure(self.sample(self.measured))
                self.measured += 1

    async def rises(self, signal: Any) -> None:
        """In the middle of the first clock in which it is up."""
        while True:
            await signal.rising_edge
            await Timer(CYCLE // 2)
            if str(signal.value) == "1":
                return

    async def pass_ms(self, milliseconds: float) -> None:
        """So many of what the gateware takes for a millisecond."""
        await Timer(max(round(milliseconds * self.millisecond), 1) * CYCLE)

    async def until(self, moment: Callable[[], bool], most_ms: float = 2000) -> None:
        """Looks every so often; an AssertionError says that the moment never came."""
        begun = cycles()
        while not moment():
            assert cycles() - begun < most_ms * self.millisecond, "the moment never came"
            await Timer(40 * CYCLE)
