"""A build directory against the golden model: every output compared, every cycle count measured."""

import json
import shlex
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from sylvan.model.errors import CheckError, UserError
from sylvan.model.storage import load, program_hash

from .explain import explain
from .harness import TOP, harness
from .ports import Cycles, Ports, load_planned_cycles, load_ports, load_room
from .runner import Case
from .runs import Golden, Run, measured_cycles, plan_runs
from .simulators import find_simulator
from .state_runs import state_runs
from .stimulus import Timesteps, check_timesteps, random_inputs


@dataclass(frozen=True)
class Result:
    """A cosimulation in which everything agreed.

    `measured` are the cycles seen at the ports (equal to the plan's), `cycles` the clock cycles
    simulated in `seconds` (the compiling of `seconds_building` not counted), `timesteps`, `answers`
    and `requests` to a state port what was compared, `waves` the waveform.
    """

    simulator: str
    version: str
    seed: int
    timesteps: int
    answers: int
    requests: int
    measured: Cycles
    cycles: int
    seconds: float
    seconds_building: float
    waves: Path | None
    log: Path


def golden_of(build: Path, ports: Ports) -> Golden:
    """The golden model of the program inside a build directory."""
    from sylvan.model.interpret import run_stream

    program = load(build / "program")
    found = program_hash(program)
    if found != ports.program_sha256:
        raise UserError(
            f"{build} does not belong together: its ports.json is for the program "
            f"{ports.program_sha256[:12]}, its program folder holds {found[:12]}. "
            "Build it again."
        )

    def golden(steps: Timesteps) -> list[tuple[int, np.ndarray[Any, np.dtype[np.int64]]]]:
        return run_stream(program, steps.values, steps.first, steps.last, steps.context)

    return golden


def simulate(
    build: Path,
    *,
    simulator: str = "icarus",
    sequences: int = 20,
    seed: int = 0,
    waves: bool = False,
    inputs: Timesteps | None = None,
    resets: int = 16,
    golden: Golden | None = None,
    repeat: str | None = None,
    work: Path | None = None,
) -> Result:
    """Simulates the core of a build directory and compares it with golden in everything.

    Args:
        build: the directory that `sylvan build` wrote.
        simulator: "icarus" or "verilator".
        sequences: how many random sequences to send, where no `inputs` are given.
        seed: of all that is random.
        waves: write a waveform into `build`.
        inputs: the timesteps to send instead of random ones.
        resets: how often to reset the core at a random moment.
        golden: the golden model, where it is not that of the program in `build`.
        repeat: the command that repeats this, for messages; `sylvan sim` where inputs are random.
        work: the folder for the simulator's files, by default `build`/sim/`simulator`. Two
            simulations at the same time need two of them.

    Raises:
        UserError: a build directory or inputs that cannot be simulated, or a missing simulator.
        CheckError: the core differs from golden, breaks a rule of its streams, or takes other
            cycles than planned.
    """
    build = Path(build)
    ports = load_ports(build)
    planned = load_planned_cycles(build)
    if not (build / "core.v").is_file():
        raise UserError(f"{build} has no core.v. `sylvan build` makes one.")
    golden = golden or golden_of(build, ports)
    if seed < 0 or sequences < 1:
        raise UserError(
            f"a simulation needs a seed of at least 0 and at least 1 sequence, "
            f"got seed {seed} and {sequences} sequences."
        )
    found = find_simulator(simulator)
    rng = np.random.default_rng(seed)
    steps = random_inputs(ports, sequences, rng) if inputs is None else inputs
    steps = check_timesteps(ports, steps)
    runs = plan_runs(ports, planned, load_room(build), golden, steps, resets, rng)
    if ports.state is not None:
        runs += state_runs(ports, planned, load(build / "program"), resets, rng)

    case = Case(found, (work or build / "sim" / simulator).resolve(), TOP, waves)
    started = time.monotonic()
    core = (build / "core.v").read_text()
    case.compile({"core.v": core, f"{TOP}.v": harness(ports, dump=case.dump)})
    compiled = time.monotonic()
    seen = _play(case, _vectors(ports, planned, runs, seed))
    ended = time.monotonic()
    waveform = case.keep_waves(build) if waves else None

    if seen["failure"] is not None:
        said = explain(seen["failure"], ports, runs[seen["failure"]["run"]])
        if repeat is None and inputs is None:
            repeat = (
                f"sylvan sim {shlex.quote(str(build))} --simulator {simulator} "
                f"--sequences {sequences} --seed {seed}"
            )
        again = f"\nAgain, with a waveform: {repeat} --waves" if repeat else ""
        shown = f"\nThe waveform is in {waveform}." if waveform else again
        raise CheckError(f"{said}\nSimulator {found.name} {found.version}, seed {seed}.{shown}")
    measured = measured_cycles(ports, {run["name"]: run for run in seen["runs"]})
    _compare_cycles(planned, measured, f"{simulator} on {build}")
    whole = [run for run in runs if run.abort is None]
    return Result(
        simulator=found.name,
        version=found.version,
        seed=seed,
        timesteps=sum(len(run.steps) for run in whole),
        answers=sum(len(run.answers) for run in whole),
        requests=sum(len(run.requests) for run in whole),
        measured=measured,
        cycles=seen["cycles"],
        seconds=ended - compiled,
        seconds_building=compiled - started,
        waves=waveform,
        log=case.run_log,
    )


def _play(case: Case, vectors: dict[str, Any]) -> dict[str, Any]:
    """What the testbench saw of these vectors."""
    given, result = case.folder / "vectors.json", case.folder / "result.json"
    given.write_text(json.dumps(vectors))
    told = {"SYLVAN_VECTORS": str(given), "SYLVAN_RESULT": str(result)}
    case.test("sylvan.sim.testbench", told, seed=vectors["seed"], result=result)
    seen: dict[str, Any] = json.loads(result.read_text())
    return seen


def _vectors(ports: Ports, planned: Cycles, runs: list[Run], seed: int) -> dict[str, Any]:
    """The testbench's whole file."""
    noise = Random(seed)
    packed = [run.packed(ports, noise) for run in runs]
    streams = [stream for run in packed for stream in run["outputs"].values()]
    stalls = (wait for stream in streams for wait in stream["stalls"])
    longest = max(0, *(wait for run in packed for wait in run["gaps"]), *stalls)
    context = ports.context_bits
    state = {"save": context, "load": context + 1 + ports.state.data_bits} if ports.state else {}
    return {
        "seed": seed,
        "input_bits": ports.input.data_bits + ports.flag_bits,
        "state": state,
        # Without a transfer for so long, the core is stuck. Generous, because the plan may be what
        # is wrong.
        "patience": 2 * longest + 8 * planned.total + 200,
        "runs": packed,
    }


def _compare_cycles(planned: Cycles, measured: Cycles, where: str) -> None:
    wrong = [
        f"{name}: the plan states {stated:g}, simulation measured {seen:g}"
        for (name, stated), seen in zip(
            asdict(planned).items(), asdict(measured).values(), strict=True
        )
        if abs(stated - seen) > 1e-6
    ]
    if wrong:
        raise CheckError(f"The core takes other cycles than planned ({where}). {'; '.join(wrong)}.")
