from amaranth import Mux
from contracts.tables import AWKWARD, FORMATS, Fault, Formats, unary
from sylvan.hw.operators.elementwise import Relu as Hardware
from sylvan.model.operations.arithmetic import Relu
from torch import Tensor

CASES = unary(Relu(), AWKWARD, FORMATS)


def reference(o: Relu, phase: int, formats: Formats, a: Tensor) -> Tensor:
    return a.relu()


REFUSED: list = []
FAULTS = [
    Fault("the sign is not looked at", Hardware, "lane", lambda lane: lambda self, a: a),
    Fault(
        "one passes as well as zero",
        Hardware,
        "lane",
        lambda lane: lambda self, a: Mux(a < 1, 1, a) if self.formats[0].hi else 0,
    ),
]
