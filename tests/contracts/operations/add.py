from typing import Any

from contracts.tables import (
    AWKWARD,
    FORMATS,
    LOPSIDED,
    NEGATIVE,
    SIGNED,
    UNSIGNED,
    Fault,
    Formats,
    binary,
)
from sylvan.hw.operators.elementwise import AddSub
from sylvan.model.numbers import Format
from sylvan.model.operations import Value
from sylvan.model.operations.arithmetic import Add
from torch import Tensor

PAIRS = [
    (SIGNED, UNSIGNED),
    (LOPSIDED, NEGATIVE),
    (UNSIGNED, Format(-1, 0, 2)),
    (NEGATIVE, Format(5, 5, -1)),
    (SIGNED, Format(-100, 100, -5)),
]
CASES = binary(Add(), AWKWARD, PAIRS) + binary(Add(), (1, 8), [(f, SIGNED) for f in FORMATS])


def reference(o: Add, phase: int, formats: Formats, a: Tensor, b: Tensor) -> Tensor:
    return a + b


REFUSED = [
    (
        lambda: Add().infer((Value("a", 3, SIGNED), Value("b", 4, SIGNED))),
        "operands must have one size, but a has 3, b has 4 elements",
    ),
]


def _carry_lost(lane: Any) -> Any:
    def wrong(self: Any, a: Any, b: Any) -> Any:
        low = lane(self, a, b)[: self.result.width - 1]
        return low.as_signed() if self.result.signed else low

    return wrong


def _not_aligned(lane: Any) -> Any:
    return lambda self, a, b: a + b


FAULTS = [
    Fault("the top bit of a sum is lost", AddSub, "lane", _carry_lost),
    Fault("binary points are not aligned", AddSub, "lane", _not_aligned),
    Fault("a sum is a difference", AddSub, "lane", lambda lane: lambda self, a, b: a - b),
]
