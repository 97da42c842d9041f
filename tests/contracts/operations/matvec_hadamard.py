from typing import Any

import numpy as np
import torch
from contracts.tables import NEGATIVE, SIGNED, UNSIGNED, Case, Fault, Formats
from sylvan.hw.operators.elementwise import SignFlip
from sylvan.hw.operators.hadamard import Hadamard as Hardware
from sylvan.hw.operators.hadamard import TimeStage
from sylvan.hw.operators.serial import WordClock
from sylvan.model.matrices import Hadamard
from sylvan.model.numbers import Format
from sylvan.model.operations import Value
from sylvan.model.operations.constants import MatVec
from torch import Tensor


def signed(size: int, how: str) -> np.ndarray:
    rng = np.random.default_rng(size)
    return {"plus": np.ones, "minus": lambda n: -np.ones(n)}.get(
        how, lambda n: rng.choice([-1, 1], n)
    )(size).astype(int)


# size, blocks: one, all, several, an odd number of them
SHAPES = [
    (1, (1,)),
    (20, (4, 1, 2)),
    (8, (8, 2)),
    (16, (16, 4)),
    (48, (16,)),
    (9, (1,)),
    (12, (4,)),
]
CASES = [
    Case(MatVec(Hadamard(block, signed(n, how))), ((n, f),))
    for n, blocks in SHAPES
    for block in blocks
    for how, f in (
        ("mixed", SIGNED),
        ("plus", UNSIGNED),
        ("minus", NEGATIVE),
        ("mixed", Format(-3, 12)),
        ("mixed", Format(5, 5, 1)),
    )
]


def reference(o: MatVec, phase: int, formats: Formats, a: Tensor) -> Tensor:
    assert isinstance(o.matrix, Hadamard)
    n, m = len(o.matrix.signs), o.matrix.block
    entries = [
        [(-1.0) ** (i % m & j % m).bit_count() if i // m == j // m else 0.0 for j in range(n)]
        for i in range(n)
    ]
    return a @ torch.tensor(entries, dtype=torch.float64).T * torch.tensor(o.matrix.signs.tolist())


A = Value("a", 8, SIGNED)
REFUSED = [
    (lambda: Hadamard(3, [1, 1, 1]), "block must be a power of two, got 3"),
    (lambda: Hadamard(4, [1] * 6), "6 signs are no multiple of the block 4"),
    (lambda: Hadamard(2, [1, 0]), r"signs must be \+1 or -1"),
    (lambda: Hadamard(1, []), "signs must be a non-empty integer array with 1 axes"),
    (
        lambda: MatVec(Hadamard(4, [1] * 4)).infer((A,)),
        "the matrix has 4 columns, a has 8",
    ),
]


def _strides_turned(elaborate: Any) -> Any:
    """Differences where sums belong: the stage's lanes are exchanged."""

    def wrong(self: Any, m: Any, lanes: Any, stride: int, result: Any) -> Any:
        right = elaborate(self, m, lanes, stride, result)
        return [right[k ^ stride] for k in range(self.lanes)]

    return wrong


def _shorter_line(init: Any) -> Any:
    def wrong(self: Any, lanes: int, delay: int, *others: Any, **told: Any) -> None:
        init(self, lanes, delay, *others, **told)
        self.delay = max(delay // 2, 1)

    return wrong


def _never_fresh(carried: Any) -> Any:
    return lambda self, name, value, cycles, fresh=0: carried(self, name, value, cycles, 1 - fresh)


FAULTS = [
    Fault("words begin with the wrong carry", WordClock, "carried", _never_fresh),
    Fault("a delay line is too short", TimeStage, "__init__", _shorter_line),
    Fault("lanes of a stage are exchanged", Hardware, "_space_stage", _strides_turned),
    Fault("signs are forgotten", SignFlip, "lane", lambda lane: lambda self, a, b: a),
    Fault(
        "one's complement", SignFlip, "lane", lambda lane: lambda self, a, b: lane(self, a, b) - b
    ),
]
