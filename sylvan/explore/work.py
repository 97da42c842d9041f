"""What is done for a search, piece by piece, by any process that reaches its folder and storage.

Each piece looks first whether its result is known, and keeps it when it has one; what it needs are
the results of earlier pieces, and where one of those failed, so has it.
"""

import contextlib
import fcntl
import hashlib
import importlib.metadata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from .store import Result, Store

FOLDERS = {"run": "runs", "build": "builds"}
NAME = 16
"""Characters of a key that name a folder."""
MOST_SCORED = 2000
"""Sequences of a split that score a program: the first so many."""


@dataclass(frozen=True)
class Place:
    """Where a search keeps what it makes; every process finds it by the same path.

    Attributes:
        folder: of runs and builds. url: of the storage. data: folder of the data sets.
    """

    folder: Path
    url: str
    data: Path | None = None

    def folder_of(self, kind: str, key: str) -> Path:
        """The folder of a run or a build."""
        return self.folder / FOLDERS[kind] / key[:NAME]

    def name(self, folder: Path) -> str:
        """The folder as results name it."""
        return folder.relative_to(self.folder).as_posix()

    def holds_build(self, outcome: Any) -> bool:
        """Whether a build that results tell of is in the folder."""
        return (self.folder / outcome["folder"] / "report.json").is_file()

    @contextlib.contextmanager
    def alone(self, key: str) -> Iterator[None]:
        """One process at a time makes a result; a killed one leaves it to the next."""
        locks = self.folder / "locks"
        locks.mkdir(parents=True, exist_ok=True)
        with (locks / key[:NAME]).open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    @property
    def store(self) -> Store:
        """Its results."""
        return Store(self.url)


def run_of(config_tree: Any) -> Any:
    """What decides the weights of a training."""
    return {"config": config_tree, "versions": _versions("sylvan", "torch")}


def train(place: Place, config_tree: Any) -> Result:
    """Train a network, or go on with a training that was interrupted."""
    from sylvan.model.config import CHECKPOINT_FILE, METRICS_FILE, TRAINING_FILE, Config
    from sylvan.model.train import train as run_training

    config = Config.from_tree(config_tree, "the storage")

    def make(key: str) -> Any:
        folder = place.folder_of("run", key)
        if not all((folder / name).is_file() for name in (METRICS_FILE, CHECKPOINT_FILE)):
            begun = (folder / TRAINING_FILE).is_file()
            run_training(config, folder, data=place.data, resume=begun)
        return {"folder": place.name(folder)}

    def there(outcome: Any) -> bool:
        return (place.folder / outcome["folder"] / CHECKPOINT_FILE).is_file()

    return place.store.settle("run", run_of(config_tree), make, there, place.alone)


def outlook(place: Place, config_tree: Any, state_bits: int, asked: Any) -> Result:
    """Whether a network could do what is asked of the hardware, before it is trained."""
    from sylvan.model.config import Config
    from sylvan.model.tasks import load_task

    from .outlook import check, untrained

    config = Config.from_tree(config_tree, "the storage")

    def make(key: str) -> Any:
        task = load_task(config.task, data=place.data, **config.task_options)
        check(untrained(config, state_bits, task), asked)
        return {}

    what = run_of(config_tree) | {"state_bits": state_bits, "generator": generator()}
    return place.store.settle("outlook", what | {"asked": repr(asked)}, make)


def program_of(run_key: str, state_bits: int) -> Any:
    """What decides the integers of a program."""
    return {"run": run_key, "state_bits": state_bits, "versions": _versions("sylvan")}


def export(place: Place, run: Result, state_bits: int) -> Result:
    """Write the integer program of a run, and score it on validation data."""
    from sylvan.model.census import additions_per_step, storage_bits
    from sylvan.model.evaluate import evaluate
    from sylvan.model.export import load_trained, quantized
    from sylvan.model.storage import program_hash, save

    if run.failure is not None:
        return run

    def make(key: str) -> Any:
        folder = place.folder / run.outcome["folder"]
        trained = load_trained(folder, place.data)
        program = quantized(trained, state_bits)
        score = evaluate(program, trained.task, _first(trained.task.validation))
        program.metadata.update(score_name=trained.task.score_name, validation_score=score.score)
        return {
            "folder": place.name(save(program, folder / f"program-{state_bits}")),
            "sha256": program_hash(program),
            "score": score.score,
            "unit": score.unit,
            "storage_bits": storage_bits(program),
            "additions_per_step": additions_per_step(program),
        }

    def there(outcome: Any) -> bool:
        return (place.folder / outcome["folder"] / "program.json").is_file()

    return place.store.settle("program", program_of(run.key, state_bits), make, there)


def test(place: Place, program: Result) -> Result:
    """Score a program on test data, which chooses nothing."""
    from sylvan.model.evaluate import evaluate
    from sylvan.model.storage import load
    from sylvan.model.tasks import load_task

    def make(key: str) -> Any:
        found = load(place.folder / program.outcome["folder"])
        meta = found.metadata
        task = load_task(meta["task"], data=place.data, **meta["task_options"])
        return {"score": evaluate(found, task, _first(task.test)).score}

    what = {"program": program.key, "sequences": MOST_SCORED}
    return place.store.settle("test", what, make)


def plan(
    place: Place,
    program: Result,
    target: str,
    contexts: int | None,
    dsps: bool,
    clock_hz: float | None,
) -> Result:
    """All schedules that make sense for a program on a part, and what each should cost there."""
    from sylvan.hw.front import explore
    from sylvan.hw.targets import target as find_target
    from sylvan.model.storage import load

    if program.failure is not None:
        return program

    def make(key: str) -> Any:
        found = load(place.folder / program.outcome["folder"])
        points = explore(
            found, find_target(target), clock_hz=clock_hz, contexts=contexts, dsps=dsps
        )
        return [[dict(point.keys), dict(point.estimate)] for point in points]

    asked = {"target": target, "contexts": contexts, "dsps": dsps, "clock_hz": clock_hz}
    what = {"program": program.outcome["sha256"], "generator": generator()} | asked
    return place.store.settle("plans", what, make)


def build_of(program: Result, target: str, keys: Any, clock_hz: float | None) -> Any:
    """What decides the figures of a core that is built."""
    return {
        "program": program.outcome["sha256"],
        "target": target,
        "schedule": keys,
        "clock_hz": clock_hz,
        "generator": generator(),
        "tools": tools(target),
    }


def build(place: Place, program: Result, target: str, keys: Any, clock_hz: float | None) -> Result:
    """Build a core, placed with one seed where its part is placed."""
    from sylvan.hw.build import build as run_build
    from sylvan.hw.schedule import Schedule
    from sylvan.hw.synthesis import SEEDS
    from sylvan.hw.targets import target as find_target
    from sylvan.hw.tools import Workers
    from sylvan.model.storage import load

    def make(key: str) -> Any:
        folder = place.folder_of("build", key)
        with Workers(1) as workers:
            report = run_build(
                load(place.folder / program.outcome["folder"]),
                Schedule.from_keys(keys),
                find_target(target),
                folder,
                clock_hz=clock_hz,
                workers=workers,
                seeds=SEEDS[:1],
            )
        return {"folder": place.name(folder), "measured": report["measured"]}

    what = build_of(program, target, keys, clock_hz)
    return place.store.settle("build", what, make, place.holds_build, place.alone)


def _first(split: Any) -> Any:
    """What of a split scores a program."""
    return replace(split, inputs=split.inputs[:MOST_SCORED], targets=split.targets[:MOST_SCORED])


@lru_cache
def generator() -> str:
    """What makes plans and Verilog, as a hash of its sources: estimates change with it."""
    import sylvan.hw

    root = Path(sylvan.hw.__path__[0])
    told = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        told.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return told.hexdigest()[:NAME]


@lru_cache
def tools(target: str) -> dict[str, str]:
    """Versions of the tools that build for a part. Raises UserError if one is missing."""
    from sylvan.hw.targets import target as find_target
    from sylvan.hw.tools import find

    part = find_target(target)
    names = ["yosys", *([f"nextpnr-{part.family}"] if part.placed else [])]
    return {name: find(name).version for name in names}


@lru_cache
def _versions(*packages: str) -> dict[str, str]:
    # What comes after + says where a package was built, not what it computes.
    return {name: importlib.metadata.version(name).split("+")[0] for name in packages}
