"""The one cocotb testbench: plays runs of words into a core and compares what comes out.

It runs inside the simulator and knows neither programs nor elements: `sylvan.sim.cosimulation`
decides what is sent, how long each transfer waits, and which words must come back (vectors.json),
and reads what was seen (result.json).

Python is woken for transfers, not for cycles. The clock rises at odd times and falls at even ones;
every task here looks and writes at even times, when all is settled: what it writes reaches the core
at the next rising edge (see `sylvan.sim.harness`), and a ready that is up now will be sampled then.
"""

import json
import os
import random
from pathlib import Path
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.handle import Immediate
from cocotb.triggers import Event, Timer
from cocotb.utils import get_sim_time
from sylvan.sim.asking import Asking
from sylvan.sim.harness import FAULTS
from sylvan.sim.signals import CYCLE, HALF, level, now, payload, send


class Failure(Exception):
    """The core did something wrong; `record` goes into the result file."""

    def __init__(self, kind: str, **record: Any) -> None:
        super().__init__(kind)
        self.record = {"kind": kind, **record}


class Run:
    """One run: reset, then inputs with their gaps against expected outputs with their stalls.

    It ends when all outputs came and nothing followed for `drain` cycles, or at `abort` cycles
    where that is given, or at the first failure.
    """

    def __init__(self, dut: Any, case: dict[str, Any], run: dict[str, Any], seed: str) -> None:
        self.dut = dut
        self.case = case
        self.run = run
        self.random = random.Random(seed)
        self.valid = 1 << case["input_bits"]
        self.over = Event()
        self.failure: Failure | None = None
        self.sent: list[int] = []
        self.readies = {"o": dut.ready_next}
        self.asking = Asking(dut, case["state"], run["requests"])
        if case["state"]:
            self.readies |= {"o_save": dut.saved_next, "o_load": dut.loaded_next}
        self.received: dict[str, list[int]] = {name: [] for name in self.readies}
        self.running = 1 + len(self.readies)
        self.probing = False

    async def play(self) -> dict[str, Any]:
        """Runs to the end and returns what was seen; raises the Failure if there was one."""
        await self.reset()
        tasks = [
            cocotb.start_soon(self.guard(work))
            for work in (
                self.drive(),
                *(self.collect(*stream) for stream in self.readies.items()),
                self.watch(),
                self.watchdog(),
            )
        ]
        if self.run["abort"] is not None:
            tasks.append(cocotb.start_soon(self.end_after(self.run["abort"])))
        await self.over.wait()
        for task in tasks:
            task.cancel()
        self.asking.cancel()
        if self.failure is not None:
            self.failure.record["cycle"] = now()
            raise self.failure
        if get_sim_time("step") % CYCLE:
            await Timer(HALF)
        return {"name": self.run["name"], "sent": self.sent, "received": self.received["o"]}

    async def guard(self, work: Any) -> None:
        try:
            await work
        except Failure as failure:
            self.failure = self.failure or failure
            self.over.set()

    async def reset(self) -> None:
        """Holds reset under random inputs: a transfer in a cycle of reset never happened."""
        dut = self.dut
        dut.rst_next.value = Immediate(1)
        for _ in range(self.run["reset"]):
            dut.i_next.value = Immediate(self.random.getrandbits(self.case["input_bits"] + 1))
            for ready_next in self.readies.values():
                ready_next.value = Immediate(self.random.getrandbits(1))
            self.asking.disturb(self.random)
            await Timer(CYCLE)
        self.asking.rest()
        dut.rst_next.value = Immediate(0)

    async def drive(self) -> None:
        """Sends every input word after its gap; between words the payload is noise.

        A request for the state comes before the word that it has the number of, alone or beside
        the word before.
        """
        i_next, i_ready = self.dut.i_next, self.dut.i_ready
        for index, (word, gap) in enumerate(zip(self.run["inputs"], self.run["gaps"], strict=True)):
            if gap or self.asking.holds(index):
                i_next.value = Immediate(self.noise())
            await self.asking.ask(index)
            if gap:
                await Timer(gap * CYCLE)
            self.asking.offer(index + 1)
            await send(i_next, i_ready, self.valid | word)
            self.sent.append(now())
        i_next.value = Immediate(self.noise())
        await self.asking.ask(len(self.run["inputs"]))
        await self.one_done()

    async def collect(self, name: str, ready_next: Any) -> None:
        """Takes every expected word after its stall and compares it; anything more is too much.

        With a stall, ready comes up only after valid was seen: a core whose valid waits for ready
        never moves on.
        """
        valid, port = getattr(self.dut, f"{name}_valid"), getattr(self.dut, name)
        expected = self.run["outputs"][name]
        for index, (word, stall) in enumerate(
            zip(expected["words"], expected["stalls"], strict=True)
        ):
            ready_next.value = Immediate(not stall)
            await self.next_valid(valid)
            if stall and self.probing:
                raise Failure("valid waits", stream=name)
            if stall > 1:
                await Timer((stall - 1) * CYCLE)
            if stall:
                ready_next.value = Immediate(1)
                await Timer(CYCLE)
            came = payload(port)
            if came != word:
                raise Failure("wrong", stream=name, output=index, got=came)
            self.received[name].append(now())
        ready_next.value = Immediate(1)
        await self.one_done()
        await self.next_valid(valid)
        raise Failure("extra", stream=name, got=payload(port))

    async def next_valid(self, o_valid: Any) -> None:
        await Timer(CYCLE)
        while not level(o_valid):
            await o_valid.rising_edge
            await Timer(HALF)

    async def one_done(self) -> None:
        """Called by driver and collectors at their end; the last waits for what must not come."""
        self.running -= 1
        if self.running == 0:
            cocotb.start_soon(self.end_after(self.run["drain"]))

    async def end_after(self, cycles: int) -> None:
        await Timer(cycles * CYCLE)
        self.over.set()

    async def watch(self) -> None:
        """The rules that the harness checks at every cycle."""
        fault = self.dut.fault
        if int(fault.value) == 0:
            await fault.value_change
        raise Failure("rule", text=FAULTS[int(fault.value)])

    async def watchdog(self) -> None:
        """Ends a run in which nothing moves any more, and says who waits for whom."""
        seen = -1
        while self.running == 0 or self.moved() != seen:
            seen = self.moved()
            await Timer(self.case["patience"] * CYCLE)
        dut = self.dut
        state = {
            "sent": len(self.sent),
            "received": len(self.received["o"]),
            "i_ready": str(dut.i_ready.value),
            "o_valid": str(dut.o_valid.value),
        }
        # Does ready bring the valid that did not come by itself? Then the collector complains
        # first.
        self.probing = True
        for ready_next in self.readies.values():
            ready_next.value = Immediate(1)
        await Timer(4 * CYCLE)
        raise Failure("stuck", **state)

    def moved(self) -> int:
        """Transfers so far, on all streams."""
        return len(self.sent) + sum(map(len, self.received.values())) + self.asking.moves

    def noise(self) -> int:
        return self.random.getrandbits(self.case["input_bits"])


@cocotb.test()
async def streams(dut: Any) -> None:
    """Plays every run of $SYLVAN_VECTORS and writes what was seen to $SYLVAN_RESULT."""
    case = json.loads(Path(os.environ["SYLVAN_VECTORS"]).read_text())
    cocotb.log.info("seed %s", case["seed"])
    result: dict[str, Any] = {"runs": [], "failure": None}
    Clock(dut.clk, CYCLE, unit="step", impl="gpi").start(start_high=False)
    try:
        for index, run in enumerate(case["runs"]):
            result["runs"].append(await Run(dut, case, run, f"{case['seed']}/{index}").play())
    except Failure as failure:
        result["failure"] = failure.record | {"run": len(result["runs"])}
    result["cycles"] = now()
    Path(os.environ["SYLVAN_RESULT"]).write_text(json.dumps(result))
    assert result["failure"] is None, result["failure"]
