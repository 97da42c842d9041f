"""A build as a package: written, simulated by its own testbench, and only then put in its place."""

import os
import re
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from sylvan.hw.axi import describe_axi, generate_axi
from sylvan.hw.plan import Plan
from sylvan.hw.report import load_report
from sylvan.hw.schedule import Schedule
from sylvan.hw.verilog import describe_ports, generate
from sylvan.model.errors import CheckError, UserError
from sylvan.model.files import parse_json, write_json
from sylvan.model.storage import load
from sylvan.sim.ports import Cycles, load_planned_cycles, load_ports
from sylvan.sim.simulators import find_simulator

from .bench import PASS, answers_file, stimulus_file, testbench
from .drawing import svg
from .fusesoc import core_file
from .interface import Interface, axi, plain
from .lint import handed_over
from .readme import instance, readme
from .vectors import SHORT, Vectors, hexadecimal, make_vectors
from .waves import cycles_of, picture

Contents = dict[str, tuple[str, str]]
"""Files by their place, with what each is and its text."""
KINDS = ("plain", "fusesoc")
FOLDER = "package"


def check_package(kind: str, name: str, state_port: bool) -> None:
    """Refuse what can be no package before anything is built.

    Raises UserError if there is no such kind, the name begins no identifier of Verilog, there is a
    state port, or Icarus, which simulates every package, is missing.
    """
    if kind not in KINDS:
        raise UserError(f"a package is {' or '.join(KINDS)}, got {kind}")
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name):
        raise UserError(
            "a package's name begins the names of its modules: a letter, then letters, digits and "
            f"underscores; got {name}. Give one with --name"
        )
    if state_port:
        raise UserError(
            "a package's testbench knows no state port: leave out --package, or --state-port"
        )
    find_simulator("icarus")


def write_package(build: Path, kind: str, name: str) -> Path:
    """Make the folder `package` of a build directory; one that is there is replaced.

    With AXI4-Stream where the build has it.

    Raises:
        UserError: as `check_package`.
        CheckError: if the core fails the testbench.
    """
    schedule = Schedule.from_keys(parse_json((build / "plan.json").read_text())["schedule"])
    check_package(kind, name, schedule.state_port)
    with tempfile.TemporaryDirectory(prefix=".package-", dir=build) as work:
        folder = Path(work, FOLDER)
        _fill(folder, build, Plan(load(build / "program"), schedule), kind, name)
        place = build / FOLDER
        if place.exists():
            os.replace(place, Path(work, "old"))
        os.replace(folder, place)
    return place


def _fill(folder: Path, build: Path, plan: Plan, kind: str, name: str) -> None:
    """Write all files, the picture and the page after a simulation."""
    core = f"{name}_core"
    described = describe_ports(plan, core)
    contents: Contents = {}
    wrapped = "axi" in parse_json((build / "ports.json").read_text())
    if wrapped:
        described["axi"] = describe_axi(plan, core)
        wrapper = f"rtl/{described['axi']['module']}.v"
        contents[wrapper] = "AXI4-Stream around the core", handed_over(generate_axi(plan, core))
    text = generate(plan, core)
    contents[f"rtl/{core}.v"] = "the core", handed_over(text)
    folder.mkdir()
    write_json(folder / "ports.json", described)
    ports, planned = load_ports(folder), load_planned_cycles(build)
    interface = axi(ports, described["axi"]) if wrapped else plain(ports)
    assignments = text.count("assign ") + text.count("<= ")
    vectors = make_vectors(build, ports, planned, interface, assignments)
    report, schedule = load_report(build / "report.json"), str(plan.schedule)
    if kind == "fusesoc":
        told = core_file(name, interface.module, list(contents), described, report, schedule)
        contents[f"{name}.core"] = "description for FuseSoC", told
    contents |= _bench(interface, vectors, planned)
    _write(folder, contents)
    wave = _simulated(folder, interface, vectors, ports.read)
    contents["doc/timing.svg"] = "the interface's timing", svg(wave)
    files = {file: what for file, (what, _) in contents.items()}
    files |= {"doc/timing.json": "its WaveDrom source", "ports.json": "the ports, for programs"}
    page = readme(name, interface, described, planned, report, schedule, files)
    contents["README.md"] = "this page", page
    _write(folder, contents)
    write_json(folder / "doc" / "timing.json", wave)


def _bench(interface: Interface, vectors: Vectors, planned: Cycles) -> Contents:
    """What is copied, and what is simulated."""
    module = interface.module
    sent = hexadecimal(vectors.stimulus, interface.input.bits)
    answered = hexadecimal(vectors.answers, interface.output.bits)
    return {
        f"{module}_instance.vh": ("an instance to copy", instance(interface)),
        f"sim/{module}_tb.v": ("self-checking testbench", testbench(interface, vectors, planned)),
        f"sim/{stimulus_file(module)}": ("what it sends", sent),
        f"sim/{answers_file(module)}": ("what must come back", answered),
    }


def _write(folder: Path, contents: Contents) -> None:
    for file, (_, text) in contents.items():
        place = folder / file
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)


def _simulated(folder: Path, interface: Interface, vectors: Vectors, read: str) -> dict[str, Any]:
    """Run the testbench on all vectors, and on the first ones for the picture."""
    _run(folder, interface.module)
    inputs, answers = vectors.short
    log = _run(folder, interface.module, {"INPUTS": inputs, "ANSWERS": answers}, "+trace")
    answered = range(SHORT) if read == "every" else [SHORT - 1]
    return picture(interface, cycles_of(log), answered)


def _run(
    folder: Path, module: str, parameters: dict[str, int] | None = None, *plusargs: str
) -> str:
    """What the testbench prints under Icarus, if it passes."""
    bench = f"{module}_tb"
    given = [f"-P{bench}.{key}={value}" for key, value in (parameters or {}).items()]
    rtl = sorted(path.name for path in (folder / "rtl").glob("*.v"))
    sources = [*(f"../rtl/{name}" for name in rtl), f"{bench}.v"]
    with tempfile.TemporaryDirectory() as work:
        made = Path(work, "bench.vvp")
        compiled = ["iverilog", "-g2005", "-s", bench, *given, "-o", made, *sources]
        said = ""
        for command in (compiled, ["vvp", "-N", made, *plusargs]):
            done = subprocess.run(
                [str(word) for word in command],
                cwd=folder / "sim",
                capture_output=True,
                text=True,
            )
            said = done.stdout + done.stderr
            if done.returncode:
                raise CheckError(f"the package fails its own testbench: {said[-500:]}")
    if f"\n{PASS}" not in f"\n{said}":
        raise CheckError(f"the package's testbench did not end with {PASS}: {said[-500:]}")
    return said
