"""Adder graphs beside those of da4ml, row by row into bench/adders.json: `make bench-adders`.

    python bench/adders.py [--sizes 16 32 64 128] [--seeds 5]

Both get the same matrix on signed 8-bit inputs and are asked for full-adder cells, once without a
bound of depth and once with the least depth there is plus 2. Rows that are in the file stay, so
that a run that was stopped goes on. Without da4ml (`pip install sylvan[bench]`) its columns are
null.
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
from sylvan.hw.adders import minimum_depth, optimize
from sylvan.model.arrays import Array
from sylvan.model.files import write_json
from sylvan.model.matrices import sylvester

OUT = Path(__file__).with_suffix(".json")
SIZES, SEEDS, DEPTH_MORE = (16, 32, 64, 128), 5, 2
KINDS: dict[str, Callable[[np.random.Generator, int], Array]] = {
    "binary": lambda random, n: random.choice([-1, 1], (n, n)),
    **{
        f"ternary {zeros} % zeros": lambda random, n, zeros=zeros: (
            random.choice([-1, 1], (n, n)) * (random.random((n, n)) >= zeros / 100)
        )
        for zeros in (33, 50, 75, 90)
    },
    **{
        f"{bits} bits": lambda random, n, bits=bits: random.integers(
            -(1 << bits - 1), 1 << bits - 1, (n, n)
        )
        for bits in (2, 3, 4)
    },
}
TURNED = "hadamard, rows and columns permuted and signed"
BLOCKS = "blocks of hadamard 16, permuted"


def structured(kind: str, size: int, seed: int) -> Array:
    """A matrix whose graph is known."""
    random = np.random.default_rng(seed)
    if kind == "hadamard":
        return sylvester(size)
    if kind == BLOCKS:
        matrix = np.kron(np.eye(size // 16, dtype=np.int64), sylvester(16))
        return matrix[random.permutation(size)][:, random.permutation(size)]
    matrix = sylvester(size)[random.permutation(size)][:, random.permutation(size)]
    return matrix * random.choice([-1, 1], size) * random.choice([-1, 1], (size, 1))


def cases(sizes: list[int], seeds: int) -> Iterator[tuple[str, int, int, int | None, Array]]:
    """(kind, n, seed, depth beyond the least or None, matrix)."""
    for size in (16, 32, 64, 128, 256, 512, 1024):
        for kind in ("hadamard", TURNED, *([BLOCKS] if size >= 64 else [])):
            yield kind, size, 0, None, structured(kind, size, 0)
    for size in sizes:
        for seed in range(seeds):
            for kind, draw in KINDS.items():
                matrix = draw(np.random.default_rng([seed, size]), size)
                for more in (None, DEPTH_MORE):
                    yield kind, size, seed, more, matrix


def ours(matrix: Array, more: int | None) -> dict[str, Any]:
    """Cost and seconds of this project's graph, which checks itself."""
    depth = None if more is None else minimum_depth(matrix) + more
    begun = time.perf_counter()
    graph = optimize(matrix, max_depth=depth)
    seconds = time.perf_counter() - begun
    return figures(graph.adders, graph.adder_bits, graph.depth, seconds)


def figures(adders: int, bits: float, depth: float, seconds: float) -> dict[str, Any]:
    """As a row of the file has them."""
    return {
        "adders": int(adders),
        "adder_bits": int(bits),
        "depth": int(depth),
        "seconds": round(seconds, 4),
    }


def theirs(matrix: Array, more: int | None) -> dict[str, Any] | None:
    """The same of da4ml's default search, or None where it is not installed or takes minutes."""
    try:
        from da4ml.cmvm import solve
    except ImportError:
        return None
    if len(matrix) > 128:
        return None
    inputs = [(-128.0, 127.0, 1.0)] * matrix.shape[1]
    begun = time.perf_counter()
    solution = solve(
        np.ascontiguousarray(matrix.T, np.float32),
        qintervals=inputs,
        adder_size=1,
        hard_dc=-1 if more is None else more,
    )
    seconds = time.perf_counter() - begun
    if not (solution.kernel == matrix.T).all():
        raise RuntimeError("da4ml's graph is not its matrix")
    adders = sum(op.opcode in (0, 1) for stage in solution.solutions for op in stage.ops)
    depth = depth_of(solution)
    return figures(adders, solution.cost, depth, seconds)


def depth_of(solution: Any) -> int:
    """Adders one after the other in da4ml's graph: its stages follow each other."""
    before: list[int] = []
    for stage in solution.solutions:
        levels: list[int] = []
        for op in stage.ops:
            if op.opcode == -1:
                levels.append(before[op.id0] if before else 0)
            else:
                operands = [levels[op.id0]] + ([levels[op.id1]] if op.opcode in (0, 1) else [])
                levels.append(max(operands) + (op.opcode in (0, 1)))
        before = [levels[i] if i >= 0 else 0 for i in stage.out_idxs]
    return max(before)


def table(rows: list[dict[str, Any]]) -> Iterator[str]:
    """A line for each kind, size and bound: means over the seeds, and the ratio of the cells."""
    yield "| matrix | n | depth | adders | cells | depth | s | da4ml cells | depth | s | ratio |"
    yield "|---|---:|---|---:|---:|---:|---:|---:|---:|---:|---:|"
    groups: dict[tuple[str, int, int | None], list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault((row["kind"], row["n"], row["depth_more"]), []).append(row)
    for (kind, size, more), found in groups.items():

        def average(key: str, found: list[dict[str, Any]] = found) -> float | None:
            values = [row[key] for row in found]
            return None if None in values else mean(values)

        own, peer = average("adder_bits"), average("da4ml_adder_bits")
        ratio = "" if own is None or not peer else f"{own / peer:.3f}"
        keys = ["adders", "adder_bits", "depth", "seconds"]
        keys += ["da4ml_adder_bits", "da4ml_depth", "da4ml_seconds"]
        cells = ["" if (v := average(key)) is None else f"{v:,.4g}" for key in keys]
        bound = "any" if more is None else f"least + {more}"
        yield f"| {kind} ({len(found)}) | {size} | {bound} | {' | '.join(cells)} | {ratio} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", nargs="*", type=int, default=list(SIZES))
    parser.add_argument("--seeds", type=int, default=SEEDS)
    given = parser.parse_args()
    # What another run searched for must not count as speed.
    os.environ["SYLVAN_CACHE"] = tempfile.mkdtemp()
    rows = json.loads(OUT.read_text()) if OUT.is_file() else []
    done = {(row["kind"], row["n"], row["seed"], row["depth_more"]) for row in rows}
    optimize([[3, 5], [5, 3]])
    optimize([[3, 5], [5, 3]], max_depth=4)
    for kind, size, seed, more, matrix in cases(given.sizes, given.seeds):
        if (kind, size, seed, more) in done:
            continue
        peer = theirs(matrix, more) or dict.fromkeys(("adders", "adder_bits", "depth", "seconds"))
        row = {"kind": kind, "n": size, "seed": seed, "depth_more": more, **ours(matrix, more)}
        row |= {f"da4ml_{key}": value for key, value in peer.items()}
        rows.append(row)
        write_json(OUT, rows)
        print(row, flush=True)
    print("\n".join(table(rows)))


if __name__ == "__main__":
    main()
