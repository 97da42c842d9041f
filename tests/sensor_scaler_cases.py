"""Every count of every channel through the scaler, in a simulator."""

import os
from typing import Any

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.handle import Immediate
from cocotb.triggers import Timer
from sensed import CYCLE
from sylvan.boards.sensor.scaling import COUNTS


@cocotb.test()
async def every_count(dut: Any) -> None:
    """One sample after the other; between two of them, as in the reader, it is rewound."""
    right = np.load(os.environ["RIGHT"])
    interval = int(os.environ["INTERVAL"])
    dut.rst.value, dut.starts.value, dut.rewinds.value, dut.count.value = 1, 0, 0, 0
    Clock(dut.clk, CYCLE, unit="step", impl="gpi").start(start_high=False)
    await Timer(3 * CYCLE)
    dut.rst.value = Immediate(0)
    for count, elements in zip(COUNTS, right.tolist(), strict=True):
        dut.rewinds.value = Immediate(1)
        await Timer(CYCLE)
        dut.rewinds.value = Immediate(0)
        dut.count.value = Immediate(count)
        for element in elements:
            dut.starts.value = Immediate(1)
            await Timer(CYCLE)
            dut.starts.value = Immediate(0)
            await Timer((interval - 1) * CYCLE)
            assert dut.element.value.to_signed() == element, f"count {count}"
