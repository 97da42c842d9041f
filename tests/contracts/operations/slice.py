from typing import Any

from contracts.tables import AWKWARD, FORMATS, SIGNED, Case, Fault, Formats
from sylvan.hw.operators import slice as hardware
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


def _from_the_beginning(init: Any) -> Any:
    def wrong(self: Any, taken: Any, pattern: Any, start: int, *others: Any) -> None:
        init(self, taken, pattern, start, *others)
        self.first = 0

    return wrong


def _a_beat_early(init: Any) -> Any:
    def wrong(self: Any, taken: Any, *others: Any) -> None:
        init(self, taken, *others)
        self.latency -= min(self.latency, taken.dwell)

    return wrong


def _not_kept(delayed: Any) -> Any:
    return lambda m, name, value, cycles: value


FAULTS = [
    Fault("a beat early", hardware.Slice, "__init__", _a_beat_early),
    Fault("from the first lane on", hardware.Slice, "__init__", _from_the_beginning),
    Fault("elements of one beat for those of two", hardware, "delayed", _not_kept),
]
