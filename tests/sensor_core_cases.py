"""The whole design in a simulator, seen as a board sees it: two wires, and pins that light LEDs."""

import os
from typing import Any

import cocotb
import numpy as np
from mpu6050 import Mpu6050
from sensed import Bench


class CoreBench(Bench):
    """The part measures windows, one after the other, in the order they are read."""

    def __init__(self, dut: Any, part: Mpu6050 | None = None) -> None:
        with np.load(os.environ["WINDOWS"]) as given:
            self.windows, self.labels = given["windows"].tolist(), given["labels"].tolist()
        self.wanted = int(os.environ["WANTED"])
        self.begun = 0
        super().__init__(
            dut, part or Mpu6050(), int(os.environ["MILLISECOND"]), lambda k: self.next_sample()
        )

    @property
    def length(self) -> int:
        return len(self.windows[0])

    def next_sample(self) -> list[float]:
        window, place = divmod(self.part.reads - self.begun, self.length)
        return list(self.windows[window % len(self.windows)][place])

    def again(self) -> None:
        """From the first window on."""
        self.begun = self.part.reads

    async def read(self, samples: int) -> None:
        """Until so many were read since the first window began."""
        await self.until(lambda: self.part.reads - self.begun >= samples, 25 * samples + 300)

    async def follow(self, windows: int) -> None:
        """The pin is up while golden's last answer is the wanted one: looked at when the second
        sample of the next window is on its way, and again at its end."""
        dut, length = self.dut, self.length
        for k in range(windows):
            for samples in ((k + 1) * length + 2, (k + 2) * length):
                await self.read(samples)
                hit = self.labels[k] == self.wanted
                assert int(dut.hit.value) == hit, f"window {k}, {samples} samples: not {hit}"
            assert not int(dut.failing.value)


@cocotb.test()
async def windows_are_answered(dut: Any) -> None:
    bench = CoreBench(dut)
    await bench.start()
    await bench.follow(len(bench.windows))


@cocotb.test()
async def unplugged_in_a_window(dut: Any) -> None:
    """The pin falls, and no window goes on with what comes after."""
    part = Mpu6050()
    bench = CoreBench(dut, part)
    await bench.start()
    up = bench.labels.index(bench.wanted)
    await bench.read((up + 1) * bench.length + bench.length // 2)
    assert int(dut.hit.value) and not int(dut.failing.value)
    part.present = False
    bench.settle()
    await bench.until(lambda: bool(int(dut.failing.value)))
    assert not int(dut.hit.value)
    part.power()
    part.present = True
    bench.settle()
    bench.again()
    await bench.read(2)
    assert not int(dut.failing.value) and not int(dut.hit.value)
    await bench.follow(up + 1)


@cocotb.test()
async def another_part(dut: Any) -> None:
    bench = CoreBench(dut, Mpu6050(identity=0x70))
    await bench.start()
    await bench.pass_ms(300)
    assert int(dut.failing.value) and not int(dut.hit.value) and not bench.part.reads
