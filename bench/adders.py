"""Adder graphs beside those of da4ml, into bench/adders.json and docs/adders.md.

    python bench/adders.py [--sizes 16 32 64 128] [--seeds 5]

Both get the same matrix on signed 8-bit inputs and are asked for few full-adder cells, once without
a bound of depth and once with one: the least depth there is plus 2, for da4ml `hard_dc=2`, which
counts from its own least. Cells of both are counted on exact intervals, seconds are processor time.
Rows that the present source of the search made stay in the file, so that a run that was stopped
goes on; others are made anew, and keep what da4ml found. Without it (`pip install sylvan[bench]`)
its columns are null.
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
from marks import put_between
from sylvan.hw.adders import AdderGraph, minimum_depth, optimize
from sylvan.hw.adders.cache import source
from sylvan.hw.adders.graph import GraphBuilder, Term
from sylvan.model.arrays import Array
from sylvan.model.files import write_json
from sylvan.model.matrices import sylvester

OUT = Path(__file__).with_suffix(".json")
PAGE = Path(__file__).parent.parent / "docs" / "adders.md"
CASE, PEER = ("kind", "n", "seed", "depth_more"), "da4ml_"
NOTHING = dict.fromkeys(("adders", "adder_bits", "depth", "seconds"))
MARKS = "<!-- table: begin -->", "<!-- table: end -->"
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
    begun = time.process_time()
    graph = optimize(matrix, max_depth=depth)
    seconds = time.process_time() - begun
    return figures(graph.adders, graph.adder_bits, graph.depth, seconds)


def figures(adders: int, bits: int, depth: int, seconds: float) -> dict[str, Any]:
    """As a row of the file has them."""
    return {
        "adders": adders,
        "adder_bits": bits,
        "depth": depth,
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
    begun = time.process_time()
    solution = solve(
        np.ascontiguousarray(matrix.T, np.float32),
        qintervals=inputs,
        adder_size=1,
        hard_dc=-1 if more is None else more,
    )
    seconds = time.process_time() - begun
    graph = converted(solution, len(inputs))
    graph.check(matrix)
    return figures(graph.adders, graph.adder_bits, graph.depth, seconds)


def converted(solution: Any, inputs: int) -> AdderGraph:
    """da4ml's graph as one of ours: it adds intervals up, and would be charged for that."""
    builder = GraphBuilder([(-128, 127)] * inputs)
    given: list[Term | None] = list(builder.inputs())
    for stage in solution.solutions:
        values: list[Term | None] = []
        for op in stage.ops:
            if op.opcode == -1:
                term = given[op.id0]
                values.append(None if term is None else term << stage.inp_shifts[op.id0])
            else:
                p, q = values[op.id0], values[op.id1]
                assert p is not None and q is not None
                q = q << op.data
                values.append(builder.add(p, -q if op.opcode else q))
        outputs = zip(stage.out_idxs, stage.out_shifts, stage.out_negs, strict=True)
        given = []
        for at, shift, negated in outputs:
            term = values[at] if at >= 0 else None
            given.append(None if term is None else (-term if negated else term) << shift)
    return builder.graph(given)


COLUMNS = {
    "adders": "{:,.0f}", "adder_bits": "{:,.0f}", "depth": "{:.0f}", "seconds": "{:.3g}",
    "da4ml_adders": "{:,.0f}", "da4ml_adder_bits": "{:,.0f}", "da4ml_depth": "{:.0f}",
    "da4ml_seconds": "{:.3g}",
}  # fmt: skip


def table(rows: list[dict[str, Any]]) -> Iterator[str]:
    """A line for each kind, size and bound: means over the seeds, and the ratio of the cells."""
    names = [key.replace("adder_bits", "cells").replace("_", " ") for key in COLUMNS]
    yield f"| matrix | n | seeds | depth wanted | {' | '.join(names)} | cells, ratio |"
    yield "|---|---:|---:|---|" + "---:|" * (len(COLUMNS) + 1)
    groups: dict[tuple[str, int, int | None], list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault((row["kind"], row["n"], row["depth_more"]), []).append(row)
    for (kind, size, more), found in groups.items():
        means = {
            key: mean(values) if None not in values else None
            for key in COLUMNS
            for values in [[row[key] for row in found]]
        }
        cells = [
            "" if means[key] is None else form.format(means[key]) for key, form in COLUMNS.items()
        ]
        own, peer = means["adder_bits"], means["da4ml_adder_bits"]
        ratio = f"{own / peer:.3f}" if own and peer else ""
        bound = "any" if more is None else f"least + {more}"
        yield f"| {kind} | {size} | {len(found)} | {bound} | {' | '.join(cells)} | {ratio} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", nargs="*", type=int, default=list(SIZES))
    parser.add_argument("--seeds", type=int, default=SEEDS)
    given = parser.parse_args()
    # What another run searched for must not count as speed.
    os.environ["SYLVAN_CACHE"] = tempfile.mkdtemp()
    rows = json.loads(OUT.read_text()) if OUT.is_file() else []
    found = {tuple(row[key] for key in CASE): row for row in rows}
    optimize([[3, 5], [5, 3]])
    optimize([[3, 5], [5, 3]], max_depth=4)
    for kind, size, seed, more, matrix in cases(given.sizes, given.seeds):
        case = kind, size, seed, more
        before = found.get(case, {})
        if before.get("source") == source():
            continue
        peer = {key: value for key, value in before.items() if key.startswith(PEER)}
        if not any(peer.values()):
            peer = {PEER + key: value for key, value in (theirs(matrix, more) or NOTHING).items()}
        row = dict(zip(CASE, case, strict=True)) | ours(matrix, more) | peer
        found[case] = row | {"source": source()}
        write_json(OUT, list(found.values()))
        print(row, flush=True)
    lines = "\n".join(table([row for row in found.values() if row.get("source") == source()]))
    print(lines)
    put_between(PAGE, MARKS, lines)


if __name__ == "__main__":
    main()
