"""A search that is worth a page, and what a second worker is worth: docs/exploration.md.

    python bench/exploration.py --data FOLDER [--page | --search | --scaling]

`--search` runs examples/explore-permuted-mnist.toml in runs/permuted-mnist-search, where what is
known is not done again; `--scaling` runs examples/explore-digits.toml from nothing, with one worker
and with two, twice; without either both are done. What came of it is kept in
bench/exploration.json, from which the page and its pictures are written; `--page` does that alone.
"""

import argparse
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from statistics import mean
from typing import Any

import exploration_page
from sylvan.model.files import parse_json, write_json

from sylvan.explore.exploration import explore, told
from sylvan.explore.search import Search

ROOT = Path(__file__).parent.parent
OUT = Path(__file__).with_suffix(".json")
SEARCH, SMALL = (
    ROOT / "examples" / f"explore-{name}.toml" for name in ("permuted-mnist", "digits")
)
FOLDER = ROOT / "runs" / "permuted-mnist-search"
WORKERS, ROUNDS = (1, 2), 2
KEPT = "network", "schedule", "figures", "estimate", "measured"
"""What is kept of a point of a front."""


def say(text: str, done: float | None) -> None:
    print(text, flush=True)


def spent(search: Search) -> dict[str, dict[str, float]]:
    """Results of each kind that the search rests on, and the seconds that they took, whenever."""
    results = [*search.builds.known.values(), *search.tests.values()]
    for found in search.founds:
        plans = [plan for of_part in found.plans.values() for plan in of_part]
        results += [result for result in (found.run, found.program, *plans) if result]
    kinds: dict[str, dict[str, float]] = defaultdict(dict)
    for result in results:
        kinds[result.kind][result.key] = result.seconds
    return {
        kind: {"count": len(seconds), "seconds": round(sum(seconds.values()))}
        for kind, seconds in kinds.items()
    }


def searched(data: Path | None) -> dict[str, Any]:
    """The large search: its networks and fronts."""
    search = explore(SEARCH, FOLDER, data=data, say=say)
    all_of_it = told(search)
    networks = {}
    for point in all_of_it["points"]:
        figures = {key: point["figures"][key] for key in ("accuracy", "storage_bits")}
        networks[point["program"]] = point["network"] | figures
    fronts = defaultdict(list)
    count = defaultdict(int)
    for point in all_of_it["points"]:
        count[point["target"]] += 1
        if point["front"]:
            fronts[point["target"]].append({key: point[key] for key in KEPT})
    return {
        "task": all_of_it["task"],
        "points": count,
        "networks": list(networks.values()),
        "fronts": fronts,
        "failures": len(all_of_it["failures"]),
        "spent": spent(search),
        "again": all_of_it["spent"],
    }


def front(search: Search) -> list[Any]:
    """Programs and schedules of the fronts of a search."""
    return [
        [target, *(point.identity for point in points)] for target, points in search.fronts.items()
    ]


def scaled() -> dict[str, Any]:
    """The small search from nothing, by workers; seconds are the mean of all rounds."""
    made: dict[str, Any] = {}
    fronts, took = [], defaultdict(list)
    for workers in WORKERS * ROUNDS:
        with tempfile.TemporaryDirectory(prefix="sylvan-explore-") as folder:
            start = time.perf_counter()
            search = explore(SMALL, Path(folder), workers=workers, say=say)
            seconds = time.perf_counter() - start
        fronts.append(front(search))
        took[workers].append(seconds)
        made[str(workers)] = {
            "seconds": round(mean(took[workers]), 1),
            "points": len(search.points),
            "networks": len(search.founds),
            "built": search.builds.count,
        }
    return made | {"same_front": all(found == fronts[0] for found in fronts)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--page", action="store_true")
    parser.add_argument("--search", action="store_true")
    parser.add_argument("--scaling", action="store_true")
    given = parser.parse_args()
    kept = parse_json(OUT.read_text()) if OUT.is_file() else {}
    everything = not (given.page or given.search or given.scaling)
    if given.search or everything:
        kept["search"] = searched(given.data)
        write_json(OUT, kept)
    if given.scaling or everything:
        kept["scaling"] = scaled()
        write_json(OUT, kept)
    exploration_page.write(kept)


if __name__ == "__main__":
    main()
