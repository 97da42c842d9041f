"""A good core passes on both simulators; every planted fault is caught, by its name."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from accumulator import accumulate, accumulator
from sylvan.model.errors import CheckError, UserError
from sylvan.sim.cosimulation import Result, simulate
from sylvan.sim.simulators import find_simulator
from sylvan.sim.stimulus import Timesteps

SIMULATORS = ("icarus", "verilator")


def run(build: Path, simulator: str = "icarus", read: str = "last", **options) -> Result:
    options = {"sequences": 20, "seed": 1} | options
    return simulate(
        build, simulator=simulator, golden=lambda steps: accumulate(steps, read), **options
    )


@pytest.mark.parametrize("simulator", SIMULATORS)
@pytest.mark.parametrize("read", ("last", "every"))
def test_agreement(tmp_path: Path, simulator: str, read: str) -> None:
    result = run(accumulator(tmp_path / "b", read=read), simulator, read, resets=8)
    measured = result.measured
    assert measured.cycles_per_step == (7 if read == "last" else 10)
    assert measured.closing_cycles == 10
    assert measured.latency_cycles == 6
    assert result.answers == result.timesteps if read == "every" else result.answers > 20
    assert "seed 1" in result.log.read_text()


# fault of accumulator.v, read, what the message says; one row for every rule that is checked
FAULTS = [
    ("DATA", "last", r"Wrong output in the run 'stress', cycle \d+: logits\[1\] of timestep \d+ "),
    ("DATA", "every", r"\(sequence \d+, answer 4\): expected -?\d+, got -?\d+\."),
    ("FLAG", "every", r"o_last with logits\[0\] of timestep \d+ .*: expected 0, got 1"),
    ("DATA_UNKNOWN", "last", r"logits\[1\] of timestep \d+ .* is unknown \(x\)"),
    ("VALID_UNKNOWN", "last", r"rule was broken .*: o_valid or i_ready is unknown \(x\)"),
    ("VALID_WAITS", "last", r"rule was broken .*: o_valid waits for o_ready"),
    ("VALID_FALLS", "last", r"rule was broken .*: o_valid fell before o_ready had come"),
    ("PAYLOAD_CHANGES", "last", r"rule was broken .*: the payload changed while o_valid waited"),
    ("DROPS", "last", r"Wrong output"),
    ("REPEATS", "last", r"Wrong output"),
    ("EXTRA", "last", r"Too many outputs .*: after all \d+ answers one more word came, -?\d+ \("),
    (
        "STALLS_ONCE",
        "last",
        r"core is stuck .*\(i_ready is 0, o_valid is 0\); next should come log",
    ),
    ("TRANSFER_SURVIVES", "last", r"Wrong output"),
    (
        "STATE_SURVIVES",
        "last",
        r"Wrong output in the run '(short sequences|(before|after) a reset)'",
    ),
]


@pytest.mark.parametrize("fault, read, message", FAULTS)
def test_fault_is_caught(tmp_path: Path, fault: str, read: str, message: str) -> None:
    with pytest.raises(CheckError, match=message):
        run(accumulator(tmp_path / "b", fault, read), read=read)


def test_fault_is_caught_by_verilator_too(tmp_path: Path) -> None:
    with pytest.raises(CheckError, match=r"the payload changed while o_valid waited"):
        run(accumulator(tmp_path / "b", "PAYLOAD_CHANGES"), "verilator")


def test_failure_says_how_to_repeat_it(tmp_path: Path) -> None:
    build = accumulator(tmp_path / "b", "DATA")
    with pytest.raises(CheckError) as caught:
        run(build, sequences=17, seed=5)
    again = f"sylvan sim {build} --simulator icarus --sequences 17 --seed 5 --waves"
    assert f"icarus {find_simulator('icarus').version}, seed 5.\n" in str(caught.value)
    assert str(caught.value).endswith(f"\nAgain, with a waveform: {again}")


def test_failure_names_its_waveform(tmp_path: Path) -> None:
    build = accumulator(tmp_path / "b", "DATA")
    with pytest.raises(CheckError, match=r"The waveform is in .*waves-icarus\.fst\.$"):
        run(build, waves=True)
    assert (build / "waves-icarus.fst").stat().st_size > 1000


@pytest.mark.parametrize(
    "promise, message",
    [
        ({"cycles_per_step": 8}, "cycles_per_step: the plan states 8, simulation measured 7"),
        ({"closing_cycles": 9}, "closing_cycles: the plan states 9, simulation measured 10"),
        ({"latency_cycles": 5}, "latency_cycles: the plan states 5, simulation measured 6"),
    ],
)
def test_planned_cycles_are_held_against_the_core(
    tmp_path: Path, promise: dict[str, int], message: str
) -> None:
    with pytest.raises(CheckError, match=message):
        run(accumulator(tmp_path / "b", **promise), sequences=4, resets=0)


# Verilator's library has to be compiled anew for waveforms, which takes longer than all else here.
@pytest.mark.parametrize("simulator", ["icarus", pytest.param("verilator", marks=pytest.mark.full)])
def test_waves(tmp_path: Path, simulator: str) -> None:
    build = accumulator(tmp_path / "with a space")
    result = run(build, simulator, waves=True, sequences=2, resets=0)
    assert result.waves is not None and result.waves.parent == build
    assert result.waves.stat().st_size > 1000


def test_given_inputs(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    given = Timesteps.of_sequences(rng.integers(-8, 8, (5, 4, 3)))
    result = run(accumulator(tmp_path / "b"), inputs=given, resets=0)
    assert result.timesteps >= 20


@pytest.mark.parametrize(
    "given, message",
    [
        (np.full((1, 2, 3), 8), r"raw inputs must lie in \[-8, 7\], got values from 8 to 8"),
        (
            np.zeros((1, 2, 4), int),
            r"the core takes 3 elements per timestep, got .* shape \(2, 4\)",
        ),
    ],
)
def test_impossible_inputs(tmp_path: Path, given: np.ndarray, message: str) -> None:
    with pytest.raises(UserError, match=message):
        run(accumulator(tmp_path / "b"), inputs=Timesteps.of_sequences(given))


def change(build: Path, file: str, *keys: str, value: object) -> None:
    data = json.loads((build / file).read_text())
    place = data
    for key in keys[:-1]:
        place = place[key]
    place[keys[-1]] = value
    (build / file).write_text(json.dumps(data))


def test_impossible_numbers(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="got seed -1 and 20 sequences"):
        run(accumulator(tmp_path / "b"), seed=-1)
    with pytest.raises(UserError, match="unknown simulator 'spice': expected one of icarus, veril"):
        run(tmp_path / "b", simulator="spice")


def test_golden_is_held_to_the_ports(tmp_path: Path) -> None:
    """A word of 8 bits says the same for 3 and 259."""
    build = accumulator(tmp_path / "b")

    def wide(steps: Timesteps) -> list[tuple[int, np.ndarray]]:
        return [(step, answer + 256) for step, answer in accumulate(steps, "last")]

    with pytest.raises(CheckError, match="but logits has 3 elements from -128 to 127"):
        simulate(build, golden=wide)
    with pytest.raises(CheckError, match="which is read 'last', should answer"):
        simulate(build, golden=lambda steps: accumulate(steps, "every"))


def test_no_such_build(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"there is no build directory .*`sylvan build` makes one"):
        run(tmp_path / "nowhere")
    with pytest.raises(UserError, match=r"is not a build directory: it has no ports\.json"):
        run(tmp_path)


@pytest.mark.parametrize(
    "file, keys, value, message",
    [
        ("plan.json", ["cycles", "latency_cycles"], None, '"cycles" needs the numbers'),
        ("plan.json", ["room"], 0, '"room" must be a number of timesteps'),
        ("ports.json", ["read"], "sometimes", 'read must be "every" or "last", not \'sometimes\''),
        ("ports.json", ["output", "format"], [-128, 128, 0], "which 8 signed bits cannot hold"),
        ("ports.json", ["input", "transfers"], 3, "3 elements of input do not make 3 transfers"),
        ("ports.json", ["input", "elements"], 0, "input has no elements or no bits"),
        ("ports.json", ["input", "elements_per_transfer"], 10**9, "more than its 3 elements"),
        ("ports.json", ["input", "format"], [], "Build it again"),
        ("ports.json", ["module"], "core;\n$finish", "is no name of a module"),
    ],
)
def test_contradictory_build(
    tmp_path: Path, file: str, keys: list[str], value: object, message: str
) -> None:
    build = accumulator(tmp_path / "b")
    change(build, file, *keys, value=value)
    with pytest.raises(UserError, match=rf"{file} is corrupt: .*{re.escape(message)}"):
        run(build)


def test_incomplete_build(tmp_path: Path) -> None:
    build = accumulator(tmp_path / "b")
    (build / "core.v").unlink()
    with pytest.raises(UserError, match=r"has no core\.v"):
        run(build)
    (build / "ports.json").write_text('{"module": "core", "read": "last"}')
    with pytest.raises(UserError, match=r"ports\.json is not complete: 'program_sha256'"):
        run(build)
    (build / "ports.json").write_text("{")
    with pytest.raises(UserError, match=r"ports\.json cannot be read: .* Build it again"):
        run(build)
    (build / "ports.json").write_text('{"period": 1e999}')
    with pytest.raises(UserError, match=r"ports\.json cannot be read: 1e999 is no finite number"):
        run(build)
    (build / "ports.json").write_text("[]")
    with pytest.raises(UserError, match=r"ports\.json is corrupt: expected an object"):
        run(build)


def test_core_that_does_not_compile(tmp_path: Path) -> None:
    build = accumulator(tmp_path / "b")
    (build / "core.v").write_text("module core; endmodul")
    with pytest.raises(
        CheckError, match=r"(?s)icarus .* failed\. Its log .* ends with:.*core\.v:1"
    ):
        run(build)
