"""Packed words of random matrices, into bench/packing.json and docs/adders.md.

    python bench/packing.py [--sizes 64 128 256 512 1024] [--seeds 20]

No hardware: a packing is known at generation time. The bound is ceil(nonzeros / P) * 1.15 + log2 n
+ 8 cycles; `worst` is the largest share of it over the seeds. `done` counts from the arrival of the
operand's first element, one per cycle, to the read of the last beat of results.
"""

import argparse
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
from marks import put_between
from sylvan.hw.packing import pack
from sylvan.model.arrays import Array
from sylvan.model.files import write_json

OUT = Path(__file__).with_suffix(".json")
PAGE = Path(__file__).parent.parent / "docs" / "adders.md"
MARKS = "<!-- packing: begin -->", "<!-- packing: end -->"
SIZES, SEEDS = (64, 128, 256, 512, 1024), 20
KINDS: dict[str, tuple[tuple[int, ...], Callable[[np.random.Generator, int], Array]]] = {
    "ternary": ((33, 50, 75, 90), lambda random, n: random.choice([-1, 1], (n, n))),
    "binary": ((0,), lambda random, n: random.choice([-1, 1], (n, n))),
    "4 bits": ((0, 50), lambda random, n: random.integers(-8, 8, (n, n))),
}


def row(kind: str, size: int, lanes: int, zeros: int, seeds: int) -> dict[str, Any]:
    """Figures of one kind, size and number of lanes, over the seeds."""
    found = []
    for seed in range(seeds):
        random = np.random.default_rng([seed, size, zeros])
        matrix = KINDS[kind][1](random, size) * (random.random((size, size)) >= zeros / 100)
        found.append(pack(matrix, lanes))
    worst = max(found, key=lambda packing: packing.cycles / packing.promise)
    return {
        "kind": kind,
        "n": size,
        "lanes": lanes,
        "zeros": zeros,
        "seeds": seeds,
        "nonzeros": mean(packing.nonzeros for packing in found),
        "cycles": mean(packing.cycles for packing in found),
        "cycles_max": max(packing.cycles for packing in found),
        "bound": mean(packing.promise for packing in found),
        "worst": worst.cycles / worst.promise,
        "fill": mean(packing.fill for packing in found),
        "index_bits_per_nonzero": mean(packing.index_bits_per_nonzero or 0 for packing in found),
        "done": mean(packing.wait + packing.leave + packing.slots for packing in found),
        "turned": sum(bool(packing.turns.any()) for packing in found),
    }


COLUMNS = {
    "nonzeros": "{:,.0f}", "cycles": "{:,.0f}", "cycles_max": "{:,}", "bound": "{:,.0f}",
    "worst": "{:.3f}", "fill": "{:.3f}", "index_bits_per_nonzero": "{:.2f}", "done": "{:,.0f}",
    "turned": "{}",
}  # fmt: skip


def table(rows: list[dict[str, Any]]) -> Iterator[str]:
    """A line for each row."""
    names = [name.replace("_", " ") for name in COLUMNS]
    yield f"| matrix | n | lanes | zeros | {' | '.join(names)} |"
    yield "|---|" + "---:|" * (len(COLUMNS) + 3)
    for row in rows:
        cells = [form.format(row[key]) for key, form in COLUMNS.items()]
        name = f"{row['kind']} | {row['n']} | {row['lanes']} | {row['zeros']} %"
        yield f"| {name} | {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", nargs="*", type=int, default=list(SIZES))
    parser.add_argument("--seeds", type=int, default=SEEDS)
    given = parser.parse_args()
    rows = []
    for kind, (shares, _) in KINDS.items():
        for size in given.sizes:
            for zeros in shares:
                for lanes in sorted({8, size // 8}):
                    rows.append(row(kind, size, lanes, zeros, given.seeds))
                    print(json.dumps(rows[-1]), flush=True)
    write_json(OUT, rows)
    lines = "\n".join(table(rows))
    put_between(PAGE, MARKS, lines)


if __name__ == "__main__":
    main()
