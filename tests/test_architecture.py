"""Arrows between the rooms run one way, and heavy libraries stay in the rooms that need them.

ARROWS and LIBRARIES are the law; the rest parses every import statement of the packages (also those
inside functions and under TYPE_CHECKING) and names the file and line that breaks it.
"""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
FOLDERS: dict[str, str] = PROJECT["tool"]["setuptools"]["package-dir"]

PROGRAM = "errors files numbers arrays matrices operations program"
GOLDEN = PROGRAM + " storage builder interpret image"
MODEL = GOLDEN + " step data tasks evaluate quantize orthogonal recurrence recurrent layer train"

# room: (its modules, the rooms it may import besides itself). A new module of sylvan.model gets its
# place here; a new cell family, task, operator or board has one already.
ARROWS = {
    "errors": (r"sylvan\.model\.(errors|kinds)", ""),
    "files": (r"sylvan\.model\.files", "errors"),
    "numbers": (r"sylvan\.model\.numbers", "errors"),
    "arrays": (r"sylvan\.model\.arrays", "errors numbers"),
    "matrices": (r"sylvan\.model\.matrices", "errors numbers arrays"),
    "operations": (r"sylvan\.model\.operations(\.\w+)?", "errors numbers arrays matrices"),
    "program": (r"sylvan\.model\.program", "errors numbers arrays matrices operations"),
    "storage": (r"sylvan\.model\.(encoding|storage)", PROGRAM),
    "builder": (r"sylvan\.model\.builder", PROGRAM),
    "interpret": (r"sylvan\.model\.(interpret|ranges|units)", PROGRAM),
    "image": (r"sylvan\.model\.image", PROGRAM + " storage interpret"),
    "census": (r"sylvan\.model\.census", PROGRAM),
    "recurrent": (r"sylvan\.model\.(recurrent|normalized|stacked)", PROGRAM + " quantize"),
    "layer": (
        r"sylvan\.model\.(calibration|gated|cells\.\w+\.layer)",
        PROGRAM + " builder step quantize orthogonal recurrence recurrent",
    ),
    "step": (r"sylvan\.model\.cells(\.\w+)*", PROGRAM + " builder"),
    "data": (r"sylvan\.model\.(data|text)", "errors arrays numbers"),
    "tasks": (r"sylvan\.model\.(tasks(\.\w+)?|language)", PROGRAM + " data"),
    "evaluate": (r"sylvan\.model\.evaluate", GOLDEN + " tasks"),
    "quantize": (r"sylvan\.model\.quantize", PROGRAM),
    "orthogonal": (r"sylvan\.model\.orthogonal", "quantize"),
    "recurrence": (
        r"sylvan\.model\.(answers|kernels|lanes|loss|powers|proof|recurrence|threads|walsh)",
        GOLDEN,
    ),
    "train": (
        r"sylvan\.model\.(config|families|checkpoint|presets|batches|history|curves|"
        r"process|scoring|train|importing)",
        GOLDEN + " step tasks quantize recurrence recurrent layer",
    ),
    "export": (r"sylvan\.model\.(export|widths)", MODEL + " census"),
    "package": (r"sylvan\.model", ""),
    "adders": (r"sylvan\.hw\.adders(\.\w+)?", "errors files numbers arrays"),
    "hw": (r"sylvan\.hw(\.\w+)*", PROGRAM + " storage adders"),
    "sim": (r"sylvan\.sim(\.\w+)*", GOLDEN + " hw"),
    "boards": (r"sylvan\.boards(\.\w+)*", GOLDEN + " hw"),
    "pages": (r"sylvan\.pages(\.\w+)?", MODEL + " census hw"),
    "ip": (r"sylvan\.ip(\.\w+)?", GOLDEN + " hw sim"),
    "explore": (r"sylvan\.explore(\.\w+)?", MODEL + " census export hw"),
    "face": (r"sylvan(\.cli)?(\.\w+)?", MODEL + " census export hw sim boards pages explore ip"),
}

# library: the rooms that may import it. One that is not named here may be imported anywhere but in
# the rooms of STANDARD_LIBRARY_ONLY.
LIBRARIES = {
    "amaranth": "hw boards",
    "amaranth_boards": "hw boards",
    "serial": "boards",
    "cocotb": "sim",
    "cocotb_tools": "sim",
    "torch": "quantize orthogonal recurrence recurrent layer train export",
    "numba": "recurrence adders",
    "llvmlite": "recurrence",
    "sklearn": "tasks",
    "safetensors": "train",
    "matplotlib": "train export face",
    "optuna": "explore",
    "distributed": "explore",
    "dask": "explore",
    "psutil": "explore",
    "sqlalchemy": "explore",
    "plotly": "pages",
    "pyosys": "hw",
    "typer": "face",
}
STANDARD_LIBRARY_ONLY = "errors files numbers"


def modules_under(root: Path) -> dict[str, Path]:
    """Every module of the packages under `root`, by its full name."""
    found = {}
    for package, folder in FOLDERS.items():
        for path in sorted((root / folder).rglob("*.py")):
            parts = path.relative_to(root / folder).with_suffix("").parts
            found[".".join((package, *(p for p in parts if p != "__init__")))] = path
    return found


def room_of(module: str) -> str | None:
    """The first room of ARROWS that the module belongs to."""
    return next((room for room, (rule, _) in ARROWS.items() if re.fullmatch(rule, module)), None)


def imports_of(module: str, path: Path, known: dict[str, Path]) -> Iterator[tuple[int, str]]:
    """Line and module of everything the file imports; `from a import b` is a.b if that is one."""
    package = module.split(".") if path.name == "__init__.py" else module.split(".")[:-1]
    for node in ast.walk(ast.parse(path.read_text(), str(path))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            source = ".".join([*above, *([node.module] if node.module else [])])
            for alias in node.names:
                inner = f"{source}.{alias.name}"
                yield node.lineno, inner if inner in known else source


def why_forbidden(room: str, target: str) -> str | None:
    """Why a module of `room` may not import `target`, or None where it may."""
    library = target.split(".")[0]
    if library == "sylvan":
        there = room_of(target)
        if there is None or (there != room and there not in ARROWS[room][1].split()):
            return f"{room} must not import {there} ({target})"
    elif library not in sys.stdlib_module_names:
        if room in STANDARD_LIBRARY_ONLY.split():
            return f"{room} is standard library only, no {library}"
        if room not in LIBRARIES.get(library, room).split():
            return f"{library} belongs to {LIBRARIES[library]}, not to {room}"
    return None


def faults(root: Path) -> list[str]:
    """Every import under `root` that breaks the law, as `file:line: reason`."""
    known = modules_under(root)
    found = []
    for module, path in known.items():
        room = room_of(module)
        if room is None:
            found.append(f"{path.relative_to(root)}:1: {module} has no place in ARROWS")
            continue
        for line, target in imports_of(module, path, known):
            if reason := why_forbidden(room, target):
                found.append(f"{path.relative_to(root)}:{line}: {reason}")
    return list(dict.fromkeys(found))


def test_arrows_run_one_way() -> None:
    assert not faults(ROOT), "\n".join(faults(ROOT))


def test_every_library_is_a_declared_dependency() -> None:
    project = PROJECT["project"]
    extras = project["optional-dependencies"].values()
    requirements = [*project["dependencies"], *(line for extra in extras for line in extra)]
    declared = {re.split(r"[^\w.-]", line)[0].lower() for line in requirements}
    providers = packages_distributions()
    known = modules_under(ROOT)
    for module, path in known.items():
        for line, target in imports_of(module, path, known):
            library = target.split(".")[0]
            if library != "sylvan" and library not in sys.stdlib_module_names:
                names = {name.lower() for name in providers.get(library, [])}
                assert names & declared, f"{path}:{line}: {library} is no dependency in pyproject"


def test_helpers_of_the_tests_have_names_of_their_own() -> None:
    """`python -m pytest` puts the root on the path, where `sim` is a package that hides tests/sim.

    A helper that test files share therefore lies in tests/ itself, or in a folder such as
    contracts/ that has no namesake in the root.
    """
    rooms = set(FOLDERS.values())
    for path in sorted((ROOT / "tests").rglob("*.py")):
        for line, target in imports_of("tests", path, {}):
            room = target.split(".")[0]
            assert room == "sylvan" or room not in rooms, f"{path}:{line}: import of {target}"


@pytest.mark.parametrize(
    ("path", "code", "reason"),
    [
        ("model/numbers.py", "import numpy", "numbers is standard library only, no numpy"),
        ("model/errors.py", "from .numbers import Format", "errors must not import numbers"),
        ("model/operations/add.py", "from .. import program", "operations must not import program"),
        ("model/program.py", "from ..hw import plan", "program must not import hw"),
        ("model/interpret.py", "def f():\n    import torch", "torch belongs to quantize"),
        ("model/cells/toy/step.py", "from . import layer", "step must not import layer"),
        ("model/cells/toy/step.py", "from ...export import x", "step must not import export"),
        ("model/unheard_of.py", "", "sylvan.model.unheard_of has no place in ARROWS"),
        ("hw/operators/add.py", "import sylvan.model.interpret", "hw must not import interpret"),
        ("hw/core.py", "import torch.nn", "torch belongs to quantize orthogonal recurrence"),
        ("hw/core.py", "from sylvan import sim", "hw must not import sim"),
        ("sim/run.py", "import amaranth.sim", "amaranth belongs to hw boards, not to sim"),
        ("boards/icebreaker.py", "from sylvan.sim import run", "boards must not import sim"),
        ("sim/run.py", "from sylvan import cli", "sim must not import face (sylvan.cli)"),
        ("sim/run.py", "from sylvan import __version__", "sim must not import face (sylvan)"),
        ("sylvan/cli/hardware.py", "import cocotb", "cocotb belongs to sim, not to face"),
    ],
)
def test_a_planted_arrow_is_found(tmp_path: Path, path: str, code: str, reason: str) -> None:
    # The other end of every planted arrow exists, as it does in the tree.
    for other in (
        "model/numbers.py",
        "model/program.py",
        "model/cells/toy/layer.py",
        "hw/plan.py",
        "sim/__init__.py",
        "sylvan/cli/__init__.py",
        path,
    ):
        (tmp_path / other).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / other).touch()
    (tmp_path / path).write_text(code)
    found = faults(tmp_path)
    assert len(found) == 1 and reason in found[0] and found[0].startswith(path), found


@pytest.mark.parametrize(
    ("rooms", "missing"),
    [
        (GOLDEN + " step evaluate package", "torch amaranth cocotb sklearn matplotlib typer rich"),
        ("hw", "torch cocotb cocotb_tools sklearn matplotlib typer"),
    ],
    ids=["golden", "hardware"],
)
def test_imports_without_the_heavy_libraries(rooms: str, missing: str, tmp_path: Path) -> None:
    """What the parser cannot see, such as a face that is not lazy, a real interpreter does."""
    modules = [m for m in modules_under(ROOT) if room_of(m) in rooms.split()]
    assert modules
    script = (
        "import importlib, sys\n"
        "for name in sys.argv[1].split():\n"
        "    sys.modules[name] = None\n"
        "for name in sys.argv[2].split():\n"
        "    importlib.import_module(name)\n"
    )
    command = [sys.executable, "-c", script, missing, " ".join(modules)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_no_folder_of_the_tests_hides_the_package() -> None:
    import sylvan

    assert sylvan.__file__ == str(ROOT / "sylvan" / "__init__.py")
