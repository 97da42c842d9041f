"""A small search that tests run, and what its storage holds."""

import contextlib
import os
import random
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import psutil
from sqlalchemy import select

from sylvan.explore.store import RESULTS, Store

SPEC = """\
[task]
name = "digits"

[numeric]
hidden = [4, 8]
state_bits = [8, 10]
epochs = 1

[targets]
parts = ["ice40-up5k"]

[constraints]
steps_per_s = ">= 1k"

[objectives]
accuracy = "max"
luts = "min"

[search]
builds = 0
"""

NETWORKS = 4
WHOLE = {"outlook": NETWORKS, "run": 2, "program": NETWORKS, "plans": NETWORKS}
"""What a search of the spec keeps, besides test scores: networks of a size share their training."""


def spec(folder: Path, *changes: tuple[str, str]) -> Path:
    """The spec in a file, with some of its text changed."""
    text = SPEC
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    path = folder / "small.toml"
    path.write_text(text)
    return path


def kept(url: str) -> Counter[str]:
    """How many results there are of each kind."""
    with Store(url).engine.connect() as connection:
        return Counter(row.kind for row in connection.execute(select(RESULTS.c.kind)))


def command(spec: Path, out: Path, url: str | None = None) -> list[str]:
    """A search as a process of its own."""
    storage = ["--storage", url] if url else []
    said = ["explore", str(spec), "--out", str(out), *storage]
    return [sys.executable, "-m", "sylvan", *said]


def workers_of(process: int) -> list[psutil.Process]:
    """The processes that work for a search, not those that watch over them."""
    try:
        children = psutil.Process(process).children(recursive=True)
        return [c for c in children if "spawn_main" in " ".join(c.cmdline()) and not c.children()]
    except psutil.NoSuchProcess:
        return []


@contextlib.contextmanager
def killing_two(url: str) -> Iterator[list[int]]:
    """Kill two workers of this process from the first result on; their process numbers."""
    killed: list[int] = []
    choose, over = random.Random(1), threading.Event()

    def kill() -> None:
        while len(killed) < 2 and not over.wait(choose.uniform(0.5, 2)):
            there = workers_of(os.getpid())
            if len(there) == 2 and kept(url):
                victim = choose.choice(there)
                with contextlib.suppress(psutil.NoSuchProcess):
                    victim.kill()
                    killed.append(victim.pid)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        yield killed
    finally:
        over.set()
        killer.join()
