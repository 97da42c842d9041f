"""AXI4-Stream around cores, spoken by cocotbext-axi: packets in and out under random pauses."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cocotb_tools.check_results import get_results
from cocotb_tools.runner import get_runner
from contracts.random_cores import random_core
from programs import random_inputs, small, summing
from sylvan.hw.axi import describe_axi, generate_axi
from sylvan.hw.plan import Plan
from sylvan.hw.schedule import Schedule
from sylvan.hw.verilog import generate
from sylvan.model.errors import UserError
from sylvan.model.interpret import run_stream
from sylvan.model.operations import Value

SEED = 5
TIMESTEPS = 30
PAUSES = [(0.0, 0.0), (0.1, 0.7), (0.6, 0.5)]


CASES = {
    "one context": lambda: Plan(small(), Schedule(2)),
    "symbols": lambda: Plan(random_core(10), Schedule(1)),
    "contexts": lambda: Plan(summing(2, 9, "every"), Schedule(2, contexts=3)),
    "transfers": lambda: Plan(summing(23, 13, "last"), Schedule(4)),
    "transfers and contexts": lambda: Plan(summing(20, 15, "every"), Schedule(20, contexts=4)),
    "padded transfers": lambda: Plan(summing(6, 13, "every"), Schedule(2, contexts=2)),
    "two layers": lambda: Plan(random_core(4, layers=2), Schedule(1)),
}


def elements(values: Any, value: Value, transfer: int) -> list[bytes]:
    """Transfers of so many of the smallest machine integers that hold the value, padded.

    To the first of 1, 2, 4, 8, 16 bytes that holds a whole transfer.
    """
    width = value.format.width
    size = next(size for size in (1, 2, 4, 8) if 8 * size >= width)
    signed = value.format.lo < 0
    whole = [int(v).to_bytes(size, "little", signed=signed) for v in values]
    parts = [b"".join(whole[k : k + transfer]) for k in range(0, len(whole), transfer)]
    bus = next(1 << k for k in range(10) if 1 << k >= transfer * size)
    return [part.ljust(bus, b"\0") for part in parts]


def packets(
    steps: list[int], vectors: list[list[bytes]], first: Any, last: Any, context: Any
) -> Iterator[dict[str, Any]]:
    """Vectors as packets that end where `last` is set; TUSER in a vector's first transfer alone."""
    data, tuser, tid = b"", [], []
    for step, (opening, *more) in zip(steps, vectors, strict=True):
        vector = b"".join([opening, *more])
        data += vector
        tuser += [int(first[step])] * len(opening) + [0] * (len(vector) - len(opening))
        tid += [int(context[step])] * len(vector)
        if last[step]:
            yield {"data": data.hex(), "tuser": tuser, "tid": tid}
            data, tuser, tid = b"", [], []
    assert not data, "the last timestep ends a packet"


def heeded(first: Any, last: Any, context: Any) -> list[bool]:
    """Where TUSER counts: in a context's first timestep, and in the next after one with TLAST."""
    outside, found = set(context.tolist()), []
    for one, ends, begins in zip(context.tolist(), last, first, strict=True):
        found.append(bool(begins) and one in outside)
        (outside.add if ends else outside.discard)(one)
    return found


def random_run(plan: Plan, rng: np.random.Generator) -> dict[str, Any]:
    """Sequences of several contexts at once, and what the golden model answers."""
    program = plan.program
    values = random_inputs(program, (TIMESTEPS,), int(rng.integers(1 << 30)))
    values = values.reshape(TIMESTEPS, -1)
    first, last = rng.random((2, TIMESTEPS)) < [[0.3], [0.35]]
    last[-1] = True
    context = rng.integers(0, plan.tag.contexts, TIMESTEPS)
    begins = heeded(first, last, context)
    answers = run_stream(program, values, begins, last, context)
    taken, given = plan.input_port, plan.output_port
    sent = [elements(x, taken.value, taken.per_transfer) for x in values]
    came = [elements(answer, given.value, given.per_transfer) for _, answer in answers]
    answered = [step for step, _ in answers]
    return {
        "sent": list(packets(list(range(TIMESTEPS)), sent, first, last, context)),
        "expected": list(packets(answered, came, begins, last, context)),
    }


def talk(
    plan: Plan, folder: Path, runs: list[dict[str, Any]], spoil: Callable[[str], str] = str
) -> str:
    """Plays runs through the wrapped core; what the bench complained of, or nothing."""
    folder.mkdir(exist_ok=True)
    (folder / "case.json").write_text(json.dumps({"seed": SEED, "runs": runs}))
    (folder / "core.v").write_text(generate(plan))
    (folder / "core_axi.v").write_text(spoil(generate_axi(plan, "core")))
    runner = get_runner("icarus")
    runner.build(
        sources=[folder / "core.v", folder / "core_axi.v"],
        hdl_toplevel="core_axi",
        build_dir=folder,
        build_args=["-g2005"],
        timescale=("1ns", "1ps"),
        log_file=folder / "build.log",
    )
    with suppress(SystemExit):
        runner.test(
            test_module="axi_bench",
            hdl_toplevel="core_axi",
            build_dir=folder,
            test_dir=folder,
            results_xml=str(folder / "results.xml"),
            extra_env={"AXI_CASE": str(folder / "case.json")},
            log_file=folder / "run.log",
        )
    tests, failed = get_results(folder / "results.xml")
    assert tests == 1
    return (folder / "run.log").read_text() if failed else ""


def random_runs(plan: Plan, pauses: list[tuple[float, float]]) -> list[dict[str, Any]]:
    rng = np.random.default_rng(SEED)
    return [random_run(plan, rng) | {"idle": i, "stall": o} for i, o in pauses]


@pytest.mark.parametrize("name", CASES)
def test_packets_are_answered_as_golden_does(name: str, tmp_path: Path) -> None:
    plan = CASES[name]()
    complaint = talk(plan, tmp_path / "axi", random_runs(plan, PAUSES))
    assert not complaint, complaint[-3000:]


@pytest.mark.parametrize("tuser", [0, 1])
def test_tuser_may_be_the_same_throughout_a_packet(tuser: int, tmp_path: Path) -> None:
    """As DMA engines have it: 1, and each packet starts anew; 0, and none does."""
    plan = CASES["transfers and contexts"]()
    program, rng = plan.program, np.random.default_rng(SEED)
    values = random_inputs(program, (TIMESTEPS,), 3).reshape(TIMESTEPS, -1)
    context = np.repeat(rng.integers(0, 4, TIMESTEPS // 5), 5)
    last = np.arange(TIMESTEPS) % 5 == 4
    begins = np.roll(last, 1) & bool(tuser)
    taken, given = plan.input_port, plan.output_port
    sent = [elements(x, taken.value, taken.per_transfer) for x in values]
    answers = run_stream(program, values, begins, last, context)
    came = [elements(y, given.value, given.per_transfer) for _, y in answers]
    order = list(range(TIMESTEPS))
    whole = [
        packet | {"tuser": [tuser] * len(packet["tuser"])}
        for packet in packets(order, sent, begins, last, context)
    ]
    expected = list(packets(order, came, begins, last, context))
    run = {"sent": whole, "expected": expected, "idle": 0.1, "stall": 0.7}
    complaint = talk(plan, tmp_path / "axi", [run])
    assert not complaint, complaint[-3000:]


def inverted(port: str, when: str = "1'b1") -> Callable[[str], str]:
    """A wrapper in which a port says the opposite, at times."""

    def spoil(text: str) -> str:
        spoilt, found = re.subn(
            rf"assign {port} = (.*);", rf"assign {port} = (\1) ^ ({when});", text
        )
        assert found == 1, text
        return spoilt

    return spoil


@pytest.mark.parametrize(
    ("port", "when", "complaint"),
    [
        ("m_axis_tlast", "1'b1", "packet 0: expected"),
        ("m_axis_tid", "1'b1", "packet 0: expected"),
        ("m_axis_tdata", "m_axis_tready", "the payload changed while TVALID waited"),
        ("m_axis_tvalid", "~aresetn", "TVALID is up in reset"),
        pytest.param("m_axis_tvalid", "~m_axis_tready", "TVALID", marks=pytest.mark.full),
    ],
)
def test_a_planted_fault_is_caught(port: str, when: str, complaint: str, tmp_path: Path) -> None:
    plan = CASES["transfers and contexts"]()
    runs = random_runs(plan, PAUSES[-1:])
    said = talk(plan, tmp_path / "axi", runs, inverted(port, when))
    assert complaint in said, said[-3000:]


def malformed(size: int, tid: list[int], transfer: int) -> dict[str, Any]:
    """A packet of so many bytes, with a TID for each transfer."""
    spread = [number for number in tid for _ in range(transfer)]
    packet = {"data": bytes(size).hex(), "tuser": [0] * size, "tid": spread[:size]}
    return {"sent": [packet], "expected": [], "idle": 0.2, "stall": 0.0, "malformed": True}


def test_what_is_no_timestep_raises_the_fault_until_reset(tmp_path: Path) -> None:
    plan = Plan(summing(20, 15, "every"), Schedule(20, contexts=3))
    transfer = plan.input_port.per_transfer * 2
    assert plan.input_port.transfers == 3
    (good,) = random_runs(plan, [(0.0, 0.0)])
    bad = [
        malformed(2 * transfer, [1, 1], transfer),
        malformed(3 * transfer, [1, 2, 1], transfer),
        malformed(3 * transfer, [3, 3, 3], transfer),
    ]
    complaint = talk(plan, tmp_path / "axi", [run for one in bad for run in (one, good)])
    assert not complaint, complaint[-3000:]


def test_a_fault_is_told_of_only_where_there_can_be_one() -> None:
    for contexts, size, there in ((1, 2, False), (4, 2, False), (3, 2, True), (1, 20, True)):
        plan = Plan(summing(size, 15, "every"), Schedule(size, contexts=contexts))
        assert describe_axi(plan, "core")["fault"] is there
        assert ("s_axis_fault" in generate_axi(plan, "core")) is there


def test_elements_are_machine_integers() -> None:
    plan = Plan(summing(20, 15, "every"), Schedule(20, contexts=3))
    assert describe_axi(plan, "digits") == {
        "module": "digits_axi",
        "tid_bits": 2,
        "fault": True,
        "input": {"slot_bits": 16, "tdata_bits": 128},
        "output": {"slot_bits": 32, "tdata_bits": 32},
    }


def test_a_state_port_is_refused() -> None:
    plan = Plan(small(), Schedule(2, state_port=True))
    with pytest.raises(UserError, match="are no AXI4-Stream: leave out --axi, or --state-port"):
        generate_axi(plan, "core")
