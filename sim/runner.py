"""Compiles a core with what is around it and runs a testbench on it, in a folder of its own."""

import re
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from sylvan.model.errors import CheckError, UserError
from sylvan.model.files import cache_folder

from . import compile_cache
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
_DUMP = "waves.fst"
_WAVES = {"icarus": _DUMP, "verilator": "dump.vcd"}


class Case:
    """The module `top`, one simulator, one folder for all its files.

    `compile` before `test`; both raise CheckError with the end of the tool's log if the tool itself
    fails.
    """

    def __init__(self, simulator: Simulator, folder: Path, top: str, waves: bool = False) -> None:
        self.simulator = simulator
        self.folder = folder
        self.top = top
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

    @property
    def dump(self) -> str | None:
        """The waveform that `top` has to write: cocotb's way to dump from Icarus is
        SystemVerilog."""
        return _DUMP if self.waves and self.simulator.name == "icarus" else None

    def compile(self, texts: Mapping[str, str]) -> None:
        """Makes the executable (or what Icarus calls one) of Verilog files by name, unless nothing
        has changed."""
        sources = []
        icarus = self.simulator.name == "icarus"
        for name, text in texts.items():
            source = self.objects / name
            if not source.exists() or source.read_text() != text:
                source.write_text(text)
            sources.append(source)
        with nullcontext() if icarus else _verilator_environment(self.simulator):
            self._run(
                _runner(self.simulator).build,
                self.build_log,
                sources=sources,
                hdl_toplevel=self.top,
                build_dir=self.objects,
                build_args=_BUILD_ARGUMENTS[self.simulator.name],
                timescale=("1ns", "1ns"),
                always=icarus,
                waves=self.waves and not icarus,
            )

    def test(
        self, bench: str, given: Mapping[str, str], *, seed: int = 0, result: Path | None = None
    ) -> None:
        """Runs the testbench of a module, with what it is `given` in its environment.

        Where it writes a `result`, a run without one has failed, whatever else happens.
        """
        if result is not None:
            result.unlink(missing_ok=True)
        self._run(
            _runner(self.simulator).test,
            self.run_log,
            result=result,
            test_module=bench,
            hdl_toplevel=self.top,
            hdl_toplevel_lang="verilog",
            build_dir=self.objects,
            test_dir=self.folder,
            results_xml=str(self.folder / "results.xml"),
            waves=self.waves,
            seed=0,
            test_args=_random_start(self.simulator, seed),
            extra_env={
                **given,
                # cocotb would import pytest for nicer messages of assertions; that takes longer
                # than a short run.
                "COCOTB_REWRITE_ASSERTION_FILES": "",
            },
        )

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
