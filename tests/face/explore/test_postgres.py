"""A search on a real PostgreSQL server, with workers killed: nothing is lost, nothing is twice."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import explored
import pytest

from sylvan.explore.exploration import explore

PLACES = sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin")), reverse=True)
BINARIES = {
    name: shutil.which(name, path=os.pathsep.join([*PLACES, os.environ.get("PATH", "")]))
    for name in ("initdb", "pg_ctl")
}


def who() -> str | None:
    """The user that a server runs as: itself it refuses to be root."""
    return "postgres" if os.getuid() == 0 else None


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """Of a server that listens in a folder alone."""
    missing = [name for name, path in BINARIES.items() if path is None]
    if missing:
        pytest.skip(f"no PostgreSQL server here: {' and '.join(missing)} not found")
    with tempfile.TemporaryDirectory(prefix="sylvan-postgres-") as name:
        folder = Path(name)
        if who():
            shutil.chown(folder, who())
        data, options = folder / "data", f"-k {folder} -c listen_addresses= -c fsync=off"

        def run(*command: object) -> None:
            done = subprocess.run(
                list(map(str, command)), user=who(), cwd=folder, capture_output=True, text=True,
                timeout=120,
            )  # fmt: skip
            assert done.returncode == 0, done.stderr

        run(BINARIES["initdb"], "-D", data, "-A", "trust", "-U", "sylvan", "--no-sync")
        control = BINARIES["pg_ctl"], "-D", data, "-w", "-l", folder / "log"
        run(*control, "-o", options, "start")
        try:
            yield f"postgresql+psycopg://sylvan@/postgres?host={folder}"
        finally:
            run(*control, "-m", "immediate", "stop")


def test_killed_workers_lose_nothing(url: str, tmp_path: Path) -> None:
    with explored.killing_two(url) as killed:
        found = explore(explored.spec(tmp_path), tmp_path / "out", storage=url, workers=2)
    assert len(killed) == 2
    kept = explored.kept(url)
    assert kept.pop("test") >= 1 and kept == explored.WHOLE
    assert list(found.failures) == []
    again = explore(explored.spec(tmp_path), tmp_path / "out", storage=url, workers=1)
    assert (again.trained, again.reused) == (0, 2)


@pytest.mark.full
def test_two_searches_at_once_share_what_they_find(url: str, tmp_path: Path) -> None:
    """Of another spec, in folders of their own, as on two machines."""
    spec = explored.spec(tmp_path, ("[4, 8]", "[2, 16]"))
    before = explored.kept(url)
    both = [
        subprocess.Popen(explored.command(spec, tmp_path / name, url), stdout=subprocess.DEVNULL)
        for name in ("one", "other")
    ]
    assert [process.wait(timeout=300) for process in both] == [0, 0]
    made = explored.kept(url) - before
    assert made.pop("test") >= 1 and made == explored.WHOLE
