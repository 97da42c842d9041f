"""Several layers as hardware: a core for each, all at work at the same time."""

from itertools import pairwise

from amaranth import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .border import stream
from .core import Core
from .plan import Plan


class Stack(wiring.Component):
    """The hardware of a plan of several layers, each of which hands vectors on to the next.

    Members: i, In(stream), of the first core; o, Out(stream), of the last.
    Latency and interval: the plan's.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        super().__init__(
            {
                "i": In(stream(plan.input_port.transfer_bits, plan.tag)),
                "o": Out(stream(plan.output_port.transfer_bits, plan.tag)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        cores = [Core(layer) for layer in self.plan.layers]
        for core in cores:
            m.submodules[core.plan.layer.name] = core
        wiring.connect(m, wiring.flipped(self.i), cores[0].i)
        for before, after in pairwise(cores):
            wiring.connect(m, before.o, after.i)
        wiring.connect(m, cores[-1].o, wiring.flipped(self.o))
        return m
