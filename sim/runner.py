"""Compiles a core with its harness and plays vectors into it, in a folder of its own."""

import json
import re
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from sylvan.model.errors import CheckError, UserError
from sylvan.model.files import cache_folder

from . import compile_cache
from .harness import TOP, harness
from .ports import Ports
from .simulators import Simulator

# Arguments for the compilers beside cocotb's own.
_BUILD_ARGUMENTS = {
    # cocotb asks for SystemVerilog, where Icarus gives registers their initial values before time
    # 0. No event comes of that, and Yosys's Verilog waits for it: outputs would stay unknown.
    "icarus": ["-g2005"],
    # Only the harness is looked at from Python (it says so in comments): all else may be optimised
    # away. Uninitialised registers get random values, which shows what a reset forgets.
    "verilator": ["--no-public-flat-rw", "--x-initial", "unique", "-Wno-fatal", "-Wno-WIDTH"],
}
_ENVIRONMENT = threading.Lock()
_WAVES = {"icarus": "waves.fst", "verilator": "dump.vcd"}


class Case:
    """One core, one simulator, one folder for all its files.

    `compile` before `play`; both raise CheckError with the end of the tool's log if the tool itself
    fails.
    """

    def __init__(self, simulator: Simulator, folder: Path, core: Path, waves: bool) -> None:
        self.simulator = simulator
        self.folder = folder
        self.core = core
        self.waves = waves
        self.build_log = folder / "build.log"
        self.run_log = folder / "run.log"
        folder.mkdir(parents=True, exist_ok=True)
        # GNU make cannot work where a path has a space in it, and a waveform wants another
        # executable.
        self.objects = folder / ("objects-waves" if waves else "objects")
        if re.search(r"\s", str(self.objects)):
            self._elsewhere = tempfile.TemporaryDirectory(prefix="sylvan-sim-")
            self.objects = Path(self._elsewhere.name)
        self.objects.mkdir(exist_ok=True)

    def compile(self, ports: Ports) -> None:
        """Makes the executable (or what Icarus calls one), unless nothing has changed."""
        sources = []
        icarus = self.simulator.name == "icarus"
        # cocotb's own way to dump from Icarus is written in SystemVerilog.
        top = harness(ports, dump=_WAVES["icarus"] if self.waves and icarus else None)
        for name, text in (("core.v", self.core.read_text()), (f"{TOP}.v", top)):
            source = self.objects / name
            if not source.exists() or source.read_text() != text:
                source.write_text(text)
            sources.append(source)
        with nullcontext() if icarus else _verilator_environment(self.simulator):
            self._run(
                _runner(self.simulator).build,
                self.build_log,
                sources=sources,
                hdl_toplevel=TOP,
                build_dir=self.objects,
                build_args=_BUILD_ARGUMENTS[self.simulator.name],
                timescale=("1ns", "1ns"),
                always=icarus,
                waves=self.waves and not icarus,
            )

    def play(self, vectors: dict[str, Any]) -> dict[str, Any]:
        """Runs the testbench on these vectors and returns its result file."""
        (self.folder / "vectors.json").write_text(json.dumps(vectors))
        result = self.folder / "result.json"
        result.unlink(missing_ok=True)
        self._run(
            _runner(self.simulator).test,
            self.run_log,
            result=result,
            test_module="sylvan.sim.testbench",
            hdl_toplevel=TOP,
            hdl_toplevel_lang="verilog",
            build_dir=self.objects,
            test_dir=self.folder,
            results_xml=str(self.folder / "results.xml"),
            waves=self.waves,
            seed=0,
            test_args=_random_start(self.simulator, vectors["seed"]),
            extra_env={
                "SYLVAN_VECTORS": str(self.folder / "vectors.json"),
                "SYLVAN_RESULT": str(result),
                # cocotb would import pytest for nicer messages of assertions; that takes longer
                # than a short run.
                "COCOTB_REWRITE_ASSERTION_FILES": "",
            },
        )
        return json.loads(result.read_text())

    def keep_waves(self, build: Path) -> Path:
        """Moves the waveform to where people look for it."""
        source = self.folder / _WAVES[self.simulator.name]
        target = build / f"waves-{self.simulator.name}{source.suffix}"
        shutil.move(source, target)
        return target

    def _run(self, step: Any, log: Path, result: Path | None = None, **arguments: Any) -> None:
        """Calls cocotb's runner, which fails by exceptions of several kinds, SystemExit among them.

        Where there is a `result`, it was the core that failed, not the tool.
        """
        try:
            step(**arguments, log_file=log)
        except (RuntimeError, SystemExit):
            failed = True
        else:
            failed = False
        if not result.exists() if result else failed:
            end = log.read_text(errors="replace").splitlines()[-12:] if log.exists() else []
            raise CheckError(
                f"{self.simulator.name} {self.simulator.version} failed. Its log {log} ends with:\n"
                + "\n".join(end)
            )


@contextmanager
def _verilator_environment(simulator: Simulator) -> Iterator[None]:
    """What cocotb's runner and `make` look for in the environment, which all threads share."""
    with _ENVIRONMENT, simulator.in_path(), compile_cache.in_use(cache_folder() / "objects"):
        yield


def _runner(simulator: Simulator) -> Any:
    # Imported here, because it takes a good part of a second and only a simulation needs it.
    try:
        from cocotb_tools.runner import get_runner
    except ImportError:
        raise UserError(
            f"simulation needs cocotb, which is not installed: {sys.executable} -m pip install "
            "'sylvan[sim]'"
        ) from None
    return get_runner(simulator.name)


def _random_start(simulator: Simulator, seed: int) -> list[str]:
    if simulator.name != "verilator":
        return []
    return ["+verilator+rand+reset+2", f"+verilator+seed+{seed % (2**31 - 1) + 1}"]
