from typing import Any

from contracts.tables import (
    AWKWARD,
    LOPSIDED,
    NEGATIVE,
    SIGNED,
    UNSIGNED,
    Case,
    Fault,
    Formats,
    factor,
)
from sylvan.hw.operators.elementwise import AddSub
from sylvan.hw.operators.product import Product
from sylvan.model.numbers import Format
from sylvan.model.operations import Value
from sylvan.model.operations.arithmetic import Lerp
from torch import Tensor

WEIGHT = Format(0, 16, -4)
CASES = [
    Case(Lerp(), ((n, z), (n, a), (n, b)))
    for n in AWKWARD
    for z, a, b in (
        (WEIGHT, SIGNED, UNSIGNED),
        (Format(0, 1), NEGATIVE, LOPSIDED),
        (Format(3, 3, -2), Format(5, 5), SIGNED),
    )
]


def reference(o: Lerp, phase: int, formats: Formats, z: Tensor, a: Tensor, b: Tensor) -> Tensor:
    return (1 - z) * a + z * b


A = Value("a", 2, SIGNED)
REFUSED = [
    (lambda: Lerp().infer((A, A, A)), r"the weight of lerp must lie in \[0, 1\], got"),
    (
        lambda: Lerp().infer((Value("z", 2, Format(0, 17, -4)), A, A)),
        r"the weight of lerp must lie in \[0, 1\], got Format\(lo=0, hi=17, exp=-4\)",
    ),
    (
        lambda: Lerp().infer((Value("z", 3, WEIGHT), A, A)),
        "operands must have one size, but z has 3, a has 2, a has 2 elements",
    ),
]


def _added(lane: Any) -> Any:
    return lambda self, a, b: lane(self, a, b) if not self.subtract else lane(self, a, -b)


FAULTS = [
    Fault("the ends' difference is their sum", AddSub, "lane", _added),
    Fault("the weight is one last place", Product, "of", factor(1)),
]
