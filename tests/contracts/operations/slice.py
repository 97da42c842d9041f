from contracts.tables import AWKWARD, FORMATS, SIGNED, Case, Formats
from sylvan.model.operations import Value
from sylvan.model.operations.moves import Slice
from torch import Tensor

CASES = [
    Case(Slice(start, stop), ((n, f),))
    for n in AWKWARD
    for start, stop in {(0, n), (0, 1), (n - 1, n), (n // 3, n // 3 + (n + 1) // 2)}
    for f in FORMATS
]


def reference(o: Slice, phase: int, formats: Formats, a: Tensor) -> Tensor:
    return a[:, o.start : o.stop]


A = Value("a", 4, SIGNED)
REFUSED = [
    (lambda: Slice(0, 5).infer((A,)), r"slice \[0, 5\) is not inside the 4 of a"),
    (lambda: Slice(2, 2).infer((A,)), r"slice \[2, 2\) is not inside the 4 of a"),
    (lambda: Slice(-1, 2).infer((A,)), r"slice \[-1, 2\) is not inside the 4 of a"),
    (lambda: Slice(0.0, 2), "start of slice must be an integer, got 0.0"),
]
FAULTS = None
