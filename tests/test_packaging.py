"""What a user installs: a wheel of one name, with the families, that needs no repository."""

import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
FOLDERS: dict[str, str] = PROJECT["tool"]["setuptools"]["package-dir"]


def run(*command: str | Path, cwd: Path) -> str:
    """Standard output of a command that must succeed; its complaint is the test's."""
    done = subprocess.run([str(c) for c in command], cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy of the tree: a build folder in the tree would leak old files."""
    source = tmp_path_factory.mktemp("source")
    for folder in FOLDERS.values():
        shutil.copytree(
            ROOT / folder, source / folder, ignore=shutil.ignore_patterns("__pycache__")
        )
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    out = tmp_path_factory.mktemp("wheel")
    command = ["-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", out, "."]
    run(sys.executable, *command, cwd=source)
    (built,) = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment that holds the wheel and a way to numpy, nothing else."""
    home = tmp_path_factory.mktemp("environment")
    run(sys.executable, "-m", "venv", "--without-pip", home, cwd=home)
    python = home / "bin" / "python"
    command = ["-m", "pip", "--python", python, "install", "--no-deps", "--no-index", wheel]
    run(sys.executable, *command, cwd=home)
    # Links instead of an install: numpy is big, and a test should not need a network.
    here = Path(sysconfig.get_path("platlib"))
    there = Path(
        run(
            python, "-c", "import sysconfig; print(sysconfig.get_path('platlib'))", cwd=home
        ).strip()
    )
    for path in here.glob("numpy*"):
        (there / path.name).symlink_to(path)
    return python


def test_the_wheel_claims_one_name(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names}
    version = PROJECT["project"]["version"]
    assert tops == {"sylvan", f"sylvan-{version}.dist-info"}


def test_every_source_file_is_in_the_wheel(wheel: Path) -> None:
    """Fails where a new sub-package is missing from the list in pyproject.toml."""
    expected = set()
    for package, folder in FOLDERS.items():
        files = [*(ROOT / folder).rglob("*.py"), *(ROOT / folder).rglob("py.typed")]
        if package == "sylvan.model":
            files += (ROOT / folder).glob("cells/*/README.md")
        if package == "sylvan":
            files += [*(ROOT / folder).glob("pages/*.css"), *(ROOT / folder).glob("pages/*.js")]
        for path in files:
            expected.add(
                package.replace(".", "/") + "/" + path.relative_to(ROOT / folder).as_posix()
            )
    names = {n for n in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in n}
    assert names == expected


def test_the_wheel_works_with_no_repository_near(installed: Path, tmp_path: Path) -> None:
    # The golden model is imported; the rooms that need an extra are only found.
    script = (
        "import sylvan.model.interpret, sylvan.model.cells, importlib.util, sys\n"
        "rooms = [importlib.util.find_spec('sylvan.' + name) for name in ('hw', 'sim', 'boards')]\n"
        "print(sylvan.model.interpret.__file__, *(room.origin for room in rooms),\n"
        "      *sylvan.model.cells.__path__)\n"
        "print(*sys.path)\n"
    )
    output = run(installed, "-c", script, cwd=tmp_path)
    files, path = output.splitlines()
    home = installed.parent.parent
    assert all(Path(file).is_relative_to(home) for file in files.split()), files
    assert str(ROOT) not in path


def test_the_wheel_brings_the_command(installed: Path) -> None:
    assert (installed.parent / "sylvan").is_file()


def test_every_dependency_is_pinned_and_portable() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    # No local version tags, addresses or files: the pins must mean the same on every machine.
    assert [pin for pin in pins if not re.fullmatch(r"[\w.-]+==[\w.]+", pin)] == []
    pinned = {pin.split("==")[0].lower() for pin in pins}
    project = PROJECT["project"]
    extras = project["optional-dependencies"].values()
    requirements = [*project["dependencies"], *(line for extra in extras for line in extra)]
    named = {re.split(r"[^\w.-]", requirement)[0].lower() for requirement in requirements}
    assert named - pinned == {"sylvan"}
