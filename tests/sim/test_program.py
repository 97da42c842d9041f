"""Build directories made from programs: golden is the interpreter, the core is generated."""

from pathlib import Path

import numpy as np
import pytest
from accumulator import accumulate, accumulator
from sylvan.hw.build import write_sources
from sylvan.hw.plan import Plan
from sylvan.hw.schedule import Schedule
from sylvan.model.builder import Builder
from sylvan.model.errors import UserError
from sylvan.model.matrices import Dense, Hadamard
from sylvan.model.numbers import Format, Overflow
from sylvan.model.program import NumericInput, Program, SymbolInput
from sylvan.model.storage import program_hash, save
from sylvan.sim.cosimulation import golden_of, simulate
from sylvan.sim.ports import load_ports
from sylvan.sim.stimulus import random_inputs


def accumulating_program() -> Program:
    """What accumulator.v computes."""
    b = Builder(NumericInput(3, Format(-8, 7, 0), (1.0,) * 3, (0.0,) * 3))
    s = b.state("s", 3, Format(-128, 127, 0))
    tripled = b.add(b.add(s, s), s)
    s_next = b.narrow(b.add(tripled, b.input), s.format, overflow=Overflow.WRAP)
    b.write(s, s_next)
    b.layer("accumulate", s_next)
    return b.program(b.input, "last")


def test_program_of_the_build_is_golden(tmp_path: Path) -> None:
    program = accumulating_program()
    build = accumulator(tmp_path / "b", sha256=program_hash(program))
    save(program, build / "program")
    ports = load_ports(build)
    steps = random_inputs(ports, 30, np.random.default_rng(0))
    for (t, answer), (u, expected) in zip(
        golden_of(build, ports)(steps), accumulate(steps, "last"), strict=True
    ):
        assert t == u and (answer == expected).all()
    simulate(build, sequences=4, resets=1)


def test_program_of_another_build(tmp_path: Path) -> None:
    build = accumulator(tmp_path / "b")
    with pytest.raises(UserError):
        simulate(build)
    save(accumulating_program(), build / "program")
    with pytest.raises(UserError, match=r"ports\.json is for the program 000000000000, its"):
        simulate(build)


def symbol_argmax() -> Program:
    """A Hadamard recurrence over symbols that answers with the index of its largest logit."""
    rng = np.random.default_rng(0)
    b = Builder(SymbolInput(5))
    h = b.state("h", 4, Format(-512, 511, 0))
    turned = b.exponent(-1, b.matvec(Hadamard(4, np.array([1, -1, -1, 1])), h))
    h_next = b.narrow(b.add(turned, b.lookup(rng.integers(-9, 9, (1, 5, 4)), 0, b.input)), h.format)
    b.write(h, h_next)
    b.layer("rnn", h_next)
    logits = b.matvec(Dense(rng.integers(-7, 8, (3, 4))), b.relu(b.input), name="logits")
    return b.program(b.argmax(logits, name="winner"), "last")


@pytest.mark.parametrize("simulator", ["icarus", "verilator"])
def test_generated_core(tmp_path: Path, simulator: str) -> None:
    """With SystemVerilog's rules for time 0, Icarus left the sequencer of this core unknown."""
    write_sources(Plan(symbol_argmax(), Schedule(lanes=2)), tmp_path / "b")
    result = simulate(tmp_path / "b", simulator=simulator)
    assert result.answers > 20
