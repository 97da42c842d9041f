"""Runs inside a simulator: AXI4-Stream parties that are not ours on both sides of a wrapped core.

$AXI_CASE names a file: runs, each of packets to send and packets to expect, and how often each side
pauses. A monitor of our own watches the rule that a receiver relies on and does not check: what is
offered stays until it is taken.
"""

import itertools
import json
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import RisingEdge, with_timeout
from cocotbext.axi import AxiStreamBus, AxiStreamFrame, AxiStreamSink, AxiStreamSource

QUIET = 200
"""Cycles without a further answer at the end of a run."""


def pauses(rng: random.Random, share: float) -> Iterator[bool]:
    return (rng.random() < share for _ in itertools.count())


async def watch(dut: Any) -> None:
    """TVALID stays and the payload with it until TREADY; no TVALID in reset."""
    names = [name for name in ("tdata", "tlast", "tuser", "tid") if hasattr(dut, f"m_axis_{name}")]
    waiting = None
    while True:
        await RisingEdge(dut.aclk)
        if not int(dut.aresetn.value):
            assert not int(dut.m_axis_tvalid.value), "TVALID is up in reset"
            waiting = None
            continue
        valid = int(dut.m_axis_tvalid.value)
        payload = [int(getattr(dut, f"m_axis_{name}").value) for name in names] if valid else None
        if waiting is not None:
            assert valid, "TVALID fell before TREADY had come"
            assert payload == waiting, "the payload changed while TVALID waited for TREADY"
        waiting = payload if valid and not int(dut.m_axis_tready.value) else None


def as_packet(frame: AxiStreamFrame) -> dict[str, Any]:
    """What came, byte by byte."""
    return {
        "data": bytes(frame.tdata).hex(),
        "tuser": frame.tuser,
        "tid": frame.tid or [0] * len(frame),
    }


async def nothing_moves(dut: Any, source: Any) -> None:
    """But an answer that waits already, whatever is sent."""
    waits = int(dut.m_axis_tvalid.value) and not int(dut.m_axis_tready.value)
    size, taken = len(dut.s_axis_tdata) // 8, 0
    source.send_nowait(AxiStreamFrame(bytes(8 * size)))
    for _ in range(QUIET):
        await RisingEdge(dut.aclk)
        assert not int(dut.s_axis_tready.value), "an input is taken after a fault"
        taken += int(dut.m_axis_tvalid.value) and int(dut.m_axis_tready.value)
    assert taken <= waits, "an answer is given after a fault"
    source.clear()


async def play(dut: Any, source: Any, sink: Any, run: dict[str, Any], seed: str) -> None:
    dut.aresetn.value = 0
    for _ in range(3):
        await RisingEdge(dut.aclk)
    dut.aresetn.value = 1
    source.set_pause_generator(pauses(random.Random(seed + "i"), run["idle"]))
    sink.set_pause_generator(pauses(random.Random(seed + "o"), run["stall"]))
    for packet in run["sent"]:
        sides = {side: packet[side] for side in ("tuser", "tid")}
        await source.send(AxiStreamFrame(bytes.fromhex(packet["data"]), **sides))
    if run.get("malformed"):
        for _ in range(QUIET):
            await RisingEdge(dut.aclk)
            if int(dut.s_axis_fault.value):
                break
        assert int(dut.s_axis_fault.value), "a malformed input was not told of"
        await nothing_moves(dut, source)
        sink.clear()
        return
    for number, expected in enumerate(run["expected"]):
        came = as_packet(await with_timeout(sink.recv(compact=False), 300, "us"))
        assert came == expected, f"packet {number}: expected {expected}, got {came}"
    for _ in range(QUIET):
        await RisingEdge(dut.aclk)
    assert sink.empty() and sink.idle(), "more came than was expected"
    assert not (hasattr(dut, "s_axis_fault") and int(dut.s_axis_fault.value)), (
        "a fault out of nowhere"
    )


@cocotb.test()
async def packets(dut: Any) -> None:
    case = json.loads(Path(os.environ["AXI_CASE"]).read_text())
    dut.aresetn.value = 0
    Clock(dut.aclk, 2, unit="ns").start()
    ends = dut.aclk, dut.aresetn
    source = AxiStreamSource(
        AxiStreamBus.from_prefix(dut, "s_axis"), *ends, reset_active_level=False
    )
    sink = AxiStreamSink(AxiStreamBus.from_prefix(dut, "m_axis"), *ends, reset_active_level=False)
    watching = cocotb.start_soon(watch(dut))
    for number, run in enumerate(case["runs"]):
        await play(dut, source, sink, run, f"{case['seed']}/{number}")
    watching.cancel()
