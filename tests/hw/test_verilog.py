"""The Verilog of a plan: the same bytes whenever and wherever, and a text that can be read."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from contracts.random_cores import random_core
from contracts.suite import cosimulate
from contracts.test_random_cores import random_plan
from sylvan.hw.plan import Plan
from sylvan.hw.schedule import Schedule
from sylvan.hw.verilog import describe_ports, generate
from sylvan.model.builder import Builder
from sylvan.model.matrices import Dense, Hadamard
from sylvan.model.numbers import Format
from sylvan.model.program import NumericInput, Program, SymbolInput
from sylvan.model.storage import load, program_hash, save

TESTS = Path(__file__).parent.parent
BYTE = Format.signed_bits(8)


def network(symbols: bool = False, read: str = "last") -> Program:
    """All kinds of parts: transform, signs, memory, constants by phase, products, queue."""
    source = SymbolInput(5) if symbols else NumericInput(3, BYTE, (0.5,) * 3, (1.0,) * 3)
    b = Builder(source, period=2)
    h = b.state("hidden", 8, BYTE, np.arange(8))
    turned = b.matvec(Hadamard(8, [1, -1] * 4), h, name="transformed")
    if symbols:
        x = b.lookup(np.arange(80).reshape(2, 5, 8), -3, b.input, name="injected")
    else:
        x = b.matvec(Dense(np.arange(24).reshape(8, 3) - 9), b.input, name="injected")
    total = b.add(b.exponent([-2, -1], turned, name="recurrent"), x, name="total")
    new = b.narrow(total, BYTE, name="hidden_next")
    b.write(h, new)
    features = b.relu(b.layer("rnn", new), name="features")
    logits = b.matvec(Dense(np.arange(32).reshape(4, 8) - 16), features, name="logits")
    return b.program(logits, read, unit=[2.0, 3.0])


FRESH = """
import sys
from pathlib import Path
from sylvan.hw.plan import Plan
from sylvan.hw.schedule import Schedule
from sylvan.hw.verilog import generate
from sylvan.model.storage import load
for folder in sys.argv[1:]:
    Path(folder, "again.v").write_text(generate(Plan(load(Path(folder)), Schedule(4))))
"""


def test_the_same_plan_gives_the_same_bytes(tmp_path: Path) -> None:
    """In this process, and in a fresh one with other hashes, from the stored program."""
    programs = [network(), network(symbols=True), random_core(7)]
    texts = [generate(Plan(program, Schedule(4))) for program in programs]
    assert generate(Plan(programs[0], Schedule(4))) == texts[0]
    folders = [save(p, tmp_path / str(k)) for k, p in enumerate(programs)]
    assert [load(folder) for folder in folders] == programs
    env = os.environ | {"PYTHONHASHSEED": "4711"}
    command = [sys.executable, "-c", FRESH, *map(str, folders)]
    subprocess.run(command, env=env, cwd=tmp_path, check=True)
    assert [(folder / "again.v").read_text() for folder in folders] == texts


def test_the_text_says_what_it_is() -> None:
    program = network()
    plan = Plan(program, Schedule(4))
    text = generate(plan)
    header = text[: text.index("\n\n")]
    assert all(line.startswith("//") for line in header.splitlines())
    assert program_hash(program)[:16] in header and "4 lanes" in header
    assert "i_data carries 3 element(s) of 8 bits, signed" in header
    lo, hi, exp = program.output.format.lo, program.output.format.hi, program.output.format.exp
    assert f"raw values {lo} to {hi} stand for unit * raw * 2**{exp}; unit 2.0, 3.0 by" in header
    assert (
        "raw values -128 to 127 stand for offset + scale * raw * 2**0; offset 1.0, scale 0.5\n"
        in (header)
    )
    assert f"cycles per step {plan.cycles_per_step}, of a step that is answered" in header


def test_the_text_says_what_raw_values_stand_for() -> None:
    def header(source: NumericInput | SymbolInput, units: list[float]) -> str:
        b = Builder(source, len(units))
        b.layer("passing", b.input)
        text = generate(Plan(b.program(b.input, "every", unit=units), Schedule(1)))
        return text[: text.index("\n\n")]

    told = header(NumericInput(3, BYTE, (0.5, 0.25, 1.0), (1.0,) * 3), [0.125])
    assert "; offset 1.0, scale 0.5, 0.25, 1.0 by element\n" in told
    assert "stand for unit * raw * 2**0; unit 0.125\n" in told
    told = header(NumericInput(5, BYTE, (1.0, 2.0, 3.0, 4.0, 5.0), (0.0,) * 5), [2.0] * 9)
    assert "offset 0.0, scale by element in ports.json\n" in told and "; unit 2.0\n" in told
    told = header(SymbolInput(7), [1.0, 2.0])
    assert "the values are symbols, 0 to 6\n" in told
    assert "unit 1.0, 2.0 by phase (timesteps since the state started anew, modulo 2)\n" in told


def test_names_of_the_program_survive_and_those_of_this_machine_do_not() -> None:
    text = generate(Plan(network(), Schedule(4)))
    for name in ("hidden_memory", "transformed", "injected", "total", "hidden_next", "features"):
        assert re.search(rf"\b{name}\b", text), name
    assert str(TESTS.parent) not in text and "src =" not in text


@pytest.mark.parametrize("seed", [None, 0, 2, 7, 14], ids=str)
def test_what_crosses_a_border_has_a_name(seed: int | None) -> None:
    """A register or a memory's word of which modules take slices would be called `port$597$0`.

    The seeds have inputs in beats, wide words, and delays in registers (7) and in a memory (0).
    """
    if seed is None:
        plan = Plan(network(), Schedule(4))
    else:
        plan = random_plan(seed, random_core(seed))
    assert not re.findall(r"port\$\S*|\$signature\S*", generate(plan))


def test_the_module_has_the_stated_ports_and_name() -> None:
    text = generate(Plan(network(), Schedule(4)), "digits")
    (ports,) = re.findall(r"^module digits\((.*?)\);", text, re.MULTILINE | re.DOTALL)
    sides = [
        f"{side}_{name}" for side in "io" for name in ("valid", "ready", "data", "first", "last")
    ]
    assert {port.strip() for port in ports.split(",")} == {"clk", "rst", *sides}
    assert re.search(r"input \[23:0\] i_data;", text)


def test_ports_are_described() -> None:
    program = network(read="every")
    ports = describe_ports(Plan(program, Schedule(2)), "digits")
    format = program.output.format
    assert ports["module"] == "digits" and ports["program_sha256"] == program_hash(program)
    assert ports["input"] == {
        "kind": "numeric",
        "elements": 3,
        "elements_per_transfer": 3,
        "transfers": 1,
        "element_bits": 8,
        "signed": True,
        "data_bits": 24,
        "format": [-128, 127, 0],
        "scale": [0.5] * 3,
        "offset": [1.0] * 3,
    }
    assert ports["output"] == {
        "name": "logits",
        "elements": 4,
        "elements_per_transfer": 1,
        "transfers": 4,
        "element_bits": format.width,
        "signed": True,
        "data_bits": format.width,
        "format": [format.lo, format.hi, format.exp],
        "unit": [2.0, 3.0],
    }
    assert (ports["read"], ports["period"]) == ("every", 2)
    symbols = describe_ports(Plan(network(symbols=True), Schedule(2)))["input"]
    assert symbols["kind"] == "symbol" and symbols["element_bits"] == 3
    assert not {"scale", "offset"} & set(symbols)


NAMES = [
    *("clk", "i_valid", "o_data", "module", "reg", "begin", "core", "fifo"),
    *("step", "readout", "always", "wire", "lane0", "step_0"),
]


@pytest.mark.parametrize("simulator", ["icarus", pytest.param("verilator", marks=pytest.mark.full)])
def test_values_may_be_called_like_ports_and_keywords(tmp_path: Path, simulator: str) -> None:
    b = Builder(NumericInput(3, BYTE, (1.0,) * 3, (0.0,) * 3))
    rst, i_data = b.state("rst", 3, BYTE), b.state("i_data", 3, BYTE)
    value = b.input
    for k, name in enumerate(NAMES):
        value = b.narrow(b.add(value, (rst, i_data, b.input)[k % 3]), BYTE, name=name)
    b.write(rst, value)
    b.write(i_data, rst)
    b.layer("o_ready", value)
    answer = b.add(b.input, b.const([[1, 2, 3]], 0, name="endmodule"), name="o_valid")
    plan = Plan(b.program(answer, "every"), Schedule(2))
    cosimulate(plan, tmp_path / "build", simulator, sequences=3, resets=1)
