from typing import Any

from contracts.tables import AWKWARD, LOPSIDED, NEGATIVE, SIGNED, UNSIGNED, Fault, Formats, binary
from sylvan.hw.operators.product import Product
from sylvan.model.numbers import Format
from sylvan.model.operations import Value
from sylvan.model.operations.arithmetic import Mul
from torch import Tensor

PAIRS = [
    (SIGNED, SIGNED),
    (LOPSIDED, UNSIGNED),
    (NEGATIVE, SIGNED),
    (NEGATIVE, NEGATIVE),
    (Format(-128, 127), Format(5, 5, -1)),
]
CASES = binary(Mul(), AWKWARD, PAIRS) + binary(
    Mul(), (1, 9), [(Format(0, 0), SIGNED), (UNSIGNED, UNSIGNED), (Format(-1, 0), Format(-1, 0, 3))]
)


def reference(o: Mul, phase: int, formats: Formats, a: Tensor, b: Tensor) -> Tensor:
    return a * b


REFUSED = [
    (
        lambda: Mul().infer((Value("a", 2, SIGNED), Value("b", 1, SIGNED))),
        "operands must have one size, but a has 2, b has 1 elements",
    ),
]


def _as_unsigned(product: Any) -> Any:
    return lambda self, m, name, a, b: product(self, m, name, a.as_unsigned(), b)


def _squares(product: Any) -> Any:
    return lambda self, m, name, a, b: product(self, m, name, b, b)


FAULTS = [
    Fault("a sign is not extended", Product, "of", _as_unsigned),
    Fault("squares", Product, "of", _squares),
]
