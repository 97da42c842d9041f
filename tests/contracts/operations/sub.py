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
from sylvan.model.operations.arithmetic import Sub
from torch import Tensor

PAIRS = [
    (UNSIGNED, SIGNED),
    (NEGATIVE, LOPSIDED),
    (UNSIGNED, UNSIGNED),
    (Format(5, 5, -1), NEGATIVE),
    (Format(-100, 100, -5), SIGNED),
]
CASES = binary(Sub(), AWKWARD, PAIRS) + binary(Sub(), (1, 8), [(SIGNED, f) for f in FORMATS])


def reference(o: Sub, phase: int, formats: Formats, a: Tensor, b: Tensor) -> Tensor:
    return a - b


REFUSED = [
    (
        lambda: Sub().infer((Value("a", 2, SIGNED), Value("b", 1, SIGNED))),
        "operands must have one size, but a has 2, b has 1 elements",
    ),
]


def _the_other_way_round(lane: Any) -> Any:
    return lambda self, a, b: lane(self, b, a)


def _start_early(original: Any) -> Any:
    return 0


FAULTS = [
    Fault("operands are exchanged", AddSub, "lane", _the_other_way_round),
    Fault("a result is announced a cycle early", AddSub, "latency", _start_early),
]
