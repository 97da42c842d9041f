from typing import Any

from amaranth import Module, Signal
from contracts.tables import AWKWARD, FORMATS, Fault, Formats, unary
from sylvan.hw.operators.base import start_result
from sylvan.hw.operators.elementwise import Neg as Hardware
from sylvan.model.operations.arithmetic import Neg
from torch import Tensor

CASES = unary(Neg(), AWKWARD, FORMATS)


def reference(o: Neg, phase: int, formats: Formats, a: Tensor) -> Tensor:
    return -a


REFUSED: list = []


def _lanes_swapped(elaborate: Any) -> Any:
    def wrong(self: Any, platform: Any) -> Any:
        m = Module()
        for lane, out in enumerate(self.o.lanes):
            neighbour = min(lane ^ 1, self.lanes - 1)
            held = Signal(out.shape())
            m.d.sync += held.eq(self.lane(self.a.lanes[neighbour]))
            m.d.comb += out.eq(held)
        start_result(m, self, self.a)
        return m

    return wrong


FAULTS = [
    Fault("neighbouring lanes are exchanged", Hardware, "elaborate", _lanes_swapped),
    Fault("one's complement", Hardware, "lane", lambda lane: lambda self, a: ~a),
    Fault("nothing is negated", Hardware, "lane", lambda lane: lambda self, a: a),
]
