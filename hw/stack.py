"""A plan as hardware: a core for each layer, all at work at the same time, and the state port."""

from itertools import pairwise

from amaranth import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .border import stream
from .core import Core
from .microcode.engine import Engine
from .plan import Plan
from .state import StatePort
from .state import streams as state_streams


class Stack(wiring.Component):
    """The cores of a plan, each of which hands vectors on to the next, and its state port.

    Members: i, In(stream), of the first core; o, Out(stream), of the last; where the schedule has
        a state port, i_save, o_save, i_load, o_load: its streams.
    Latency and interval: the plan's.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        members = {
            "i": In(stream(plan.input_port.transfer_bits, plan.tag)),
            "o": Out(stream(plan.output_port.transfer_bits, plan.tag)),
        }
        if plan.schedule.state_port:
            members |= state_streams(plan.state_image, plan.tag)
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        cores = [Core(layer) for layer in self.plan.layers]
        for core in cores:
            m.submodules[core.plan.layer.name] = core
        if self.plan.schedule.state_port:
            self._place_state_port(m, cores)
        else:
            wiring.connect(m, wiring.flipped(self.i), cores[0].i)
        for before, after in pairwise(cores):
            wiring.connect(m, before.o, after.i)
        wiring.connect(m, cores[-1].o, wiring.flipped(self.o))
        return m

    def _place_state_port(self, m: Module, cores: list[Core]) -> None:
        """The state port, which reaches all cores, and through which input comes in."""
        # No layer has this name: theirs begin with a letter.
        m.submodules["_state_port"] = port = StatePort(self.plan)
        for name in state_streams(self.plan.state_image, self.plan.tag):
            wiring.connect(m, getattr(port, name), wiring.flipped(getattr(self, name)))
        for k, core in enumerate(cores):
            wiring.connect(m, getattr(port, f"layer{k}"), core.state)
        first = cores[0].i
        m.d.comb += [
            *(getattr(first, name).eq(getattr(self.i, name)) for name in self.plan.tag.flags),
            first.data.eq(self.i.data),
            first.valid.eq(self.i.valid & port.open),
            self.i.ready.eq(first.ready & port.open),
            port.ready.eq(first.ready),
        ]


def hardware(plan: Plan) -> Core | Stack | Engine:
    """The hardware of a plan: a core is enough for one layer without a state port."""
    if plan.engine:
        return Engine(plan.engine)
    alone = len(plan.layers) == 1 and not plan.schedule.state_port
    return Core(plan.layers[0]) if alone else Stack(plan)
