"""The queue of answers has the room that the plan counts on, for every number of elements."""

from collections import deque
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from amaranth import Module
from amaranth.lib.fifo import SyncFIFOBuffered
from clocked import run_clocked
from contracts.suite import cosimulate
from sylvan.hw.border import fifo_depth
from sylvan.hw.plan import Plan
from sylvan.hw.schedule import Schedule
from sylvan.model.builder import Builder
from sylvan.model.matrices import Dense
from sylvan.model.numbers import Format
from sylvan.model.program import NumericInput, Program


@pytest.mark.parametrize("elements", range(1, 8))
def test_what_fits_is_taken_at_any_moment(elements: int) -> None:
    """Writes whenever there is room, in bursts and after pauses, against every way to read."""
    m = Module()
    m.submodules.fifo = fifo = SyncFIFOBuffered(width=16, depth=fifo_depth(elements))
    rng = np.random.default_rng(elements)
    held: deque[int] = deque()

    async def bench(context: Any) -> None:
        for cycle in range(3000):
            eager, greedy = ((1, 0), (1, 1), (0.5, 0.5), (0.9, 0.2), (0.2, 0.9))[cycle // 40 % 5]
            writes = len(held) < elements and rng.random() < eager
            reads = rng.random() < greedy
            context.set(fifo.w_en, writes)
            context.set(fifo.w_data, cycle)
            context.set(fifo.r_en, reads)
            if writes:
                assert context.get(fifo.w_rdy), f"cycle {cycle}: refused with {len(held)} held"
            if reads and context.get(fifo.r_rdy):
                assert context.get(fifo.r_data) == held.popleft()
            if writes:
                held.append(cycle)
            await context.tick()

    run_clocked(m, bench)


def constant() -> Program:
    """Two elements leave the readout in successive cycles, long after the last answer."""
    b = Builder(NumericInput(2, Format(-8, 7), (1.0,) * 2, (0.0,) * 2))
    h = b.state("h", 8, Format(-8, 7))
    b.write(h, b.narrow(b.matvec(Dense(np.ones((8, 8), int)), h), h.format))
    b.layer("layer", h)
    return b.program(b.const([[1, 2]], 0), "every")


def wide() -> Program:
    """Two logits of all 96 columns at once, from an input of many transfers."""
    n, format = 96, Format(-(2**31), 2**31 - 1)
    b = Builder(NumericInput(n, format, (1.0,) * n, (0.0,) * n))
    h = b.state("h", n, Format(-128, 127, 24))
    new = b.narrow(b.add(h, b.input), h.format)
    b.write(h, new)
    b.layer("layer", new)
    weights = np.arange(2 * n).reshape(2, n) % 3 - 1
    return b.program(b.matvec(Dense(weights), b.input), "every")


@pytest.mark.parametrize(("program", "lanes"), [(constant(), 1), (wide(), 96)])
def test_one_answer_of_two_elements_in_two_cycles(
    program: Program, lanes: int, tmp_path: Path
) -> None:
    plan = Plan(program, Schedule(lanes))
    (layer,) = plan.layers
    assert (layer.answers, layer.queue_depth, layer.answer.pattern.dwell) == (1, 2, 1)
    assert cosimulate(plan, tmp_path / "build").answers
