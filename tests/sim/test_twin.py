"""The simulated twin: real Verilog behind a pseudo-terminal, which leaves nothing behind."""

import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from linked_builds import remembering, write_linked_build
from programs import random_inputs
from sylvan.boards.link.client import Link
from sylvan.boards.link.session import Timestep
from sylvan.model.errors import CheckError, UserError
from sylvan.model.interpret import run
from sylvan.sim.twin import twin as simulate

from sylvan.twins import twin

PROGRAM = remembering(2, "every")


@pytest.fixture(scope="module", name="build")
def _build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("twin") / "build"
    return write_linked_build(folder, PROGRAM, 2_400_000, contexts=3)


@pytest.fixture(name="folders", autouse=True)
def _folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where the twins of a test have their files: nothing of them is there at its end."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    yield tmp_path
    assert not list(tmp_path.glob("sylvan-*"))
    assert not simulators()


def simulators() -> list[psutil.Process]:
    """Processes of twins, this process's own."""
    children = psutil.Process().children(recursive=True)
    return [child for child in children if any("sylvan-twin-" in word for word in child.cmdline())]


def comes_to_rest(patience: float = 30.0) -> bool:
    """Whether there is a third of a second in which no twin takes any of the processor's time."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        before = [process.cpu_times() for process in simulators()]
        time.sleep(0.3)
        if [process.cpu_times() for process in simulators()] == before:
            return True
    return False


def test_the_twin_answers_as_golden_does_and_rests_between(build: Path) -> None:
    inputs = random_inputs(PROGRAM, (3, 4), 0)
    with twin(build) as port:
        for _ in range(2):
            with Link(port, build, check=True) as link:
                assert link.contexts == 3
                # One that is left is no part of what follows.
                assert next(link.stream(Timestep([1, 2]) for _ in range(9))).number == 0
                assert link.run(inputs).tolist() == run(PROGRAM, inputs).tolist()
        with pytest.raises(UserError, match="the board runs program"):
            Link(port, remembering(1, "every"), baud=3_000_000)
        assert len(simulators()) == 2 and comes_to_rest()


@pytest.mark.full
def test_another_speed_of_the_line_and_the_last_step(tmp_path: Path) -> None:
    program = remembering(3, "last")
    build = write_linked_build(tmp_path / "build", program, baud=12_000_000 // 13)
    inputs = random_inputs(program, (2, 3), 0)
    with twin(build) as port, Link(port, build, check=True) as link:
        assert link.run(inputs).tolist() == run(program, inputs).tolist()


@pytest.mark.full
def test_under_verilator(build: Path) -> None:
    inputs = random_inputs(PROGRAM, (9, 100), 0)
    with twin(build, "verilator") as port, Link(port, build, check=True) as link:
        assert link.run(inputs).tolist() == run(PROGRAM, inputs).tolist()


def test_a_simulator_that_dies(build: Path) -> None:
    inputs = random_inputs(PROGRAM, (2, 50), 0)
    with (
        pytest.raises(CheckError, match=r"the twin's simulator ended: icarus .* failed"),
        twin(build) as port,
        Link(port, build) as link,
    ):
        link.run(inputs[:, :2])
        for process in simulators():
            if process.name() == "vvp":
                process.kill()
        link.run(inputs)


def test_a_parent_that_is_killed_leaves_no_simulator(build: Path, folders: Path) -> None:
    script = (
        "import sys, time, sylvan\n"
        "with sylvan.twin(sys.argv[1]) as port:\n"
        "    print(port, flush=True)\n"
        "    time.sleep(60)\n"
    )
    command = [sys.executable, "-c", script, str(build)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None and parent.stdout.readline().startswith("/dev/")
        left = psutil.Process(parent.pid).children(recursive=True)
        assert {process.name() for process in left} >= {"vvp"}
        parent.send_signal(signal.SIGKILL)
    _, alive = psutil.wait_procs(left, 10)
    assert not alive


def test_what_cannot_be_simulated(build: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="unknown simulator 'spice'"), twin(build, "spice"):
        pass
    with pytest.raises(UserError, match=r"has no link\.json"), twin(tmp_path):
        pass
    (tmp_path / "linked.v").write_text("module linked(input clk, rst, rx, output tx); oops")
    with (
        pytest.raises(CheckError, match=r"simulator ended: icarus .* failed"),
        simulate(tmp_path / "linked.v", 4, 1000),
    ):
        pass
