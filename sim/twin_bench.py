"""The testbench of the twin: moves bytes between a terminal and the harness around a core.

Standard input is the terminal's other end, to be read and written. Time passes a byte at a time,
and stands still while neither the line nor the core has anything to do.
"""

import errno
import os
import select
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.handle import Immediate
from cocotb.triggers import Timer
from sylvan.sim.signals import CYCLE

TERMINAL = 0
READ_BYTES = 4096


@cocotb.test()
async def line(dut: Any) -> None:
    """Runs until nobody has the terminal open any more.

    $SYLVAN_BYTE are the cycles of a byte on the line, $SYLVAN_REST those of silence after which a
    core that has anything to say has said it.
    """
    byte, rest = int(os.environ["SYLVAN_BYTE"]), int(os.environ["SYLVAN_REST"])
    os.set_blocking(TERMINAL, False)
    Clock(dut.clk, CYCLE, unit="step", impl="gpi").start(start_high=False)
    await Timer(4 * CYCLE)
    dut.rst_next.value = Immediate(0)
    down, up = bytearray(), bytearray(b"\0")
    given, came, silent = 0, 0, 0
    while True:
        if silent > rest and not up:
            select.select([TERMINAL], [], [])
        try:
            down += _read()
        except EOFError:
            return
        if up:
            del up[: _write(bytes(up))]
        if down and int(dut.taken.value) == given >> 8:
            given = (~given & 0x100) | down.pop(0)
            dut.give.value = Immediate(given)
            silent = 0
        await Timer(byte * CYCLE)
        silent += byte
        now = int(dut.came.value)
        if now != came:
            came = now
            up.append(now & 0xFF)
            silent = 0


def _read() -> bytes:
    """What the host has sent, or nothing yet; EOFError where it is gone."""
    try:
        line = os.read(TERMINAL, READ_BYTES)
    except BlockingIOError:
        return b""
    except OSError as error:
        if error.errno == errno.EIO:
            raise EOFError from None
        raise
    if not line:
        raise EOFError
    return line


def _write(line: bytes) -> int:
    """How many of these bytes the host's side has room for."""
    try:
        return os.write(TERMINAL, line)
    except BlockingIOError:
        return 0
