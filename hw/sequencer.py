"""When a step fires: the one place where a core waits."""

from amaranth import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .beats import Strobe
from .operators.base import connect_strobe, delay_strobe
from .operators.delay import successor
from .plan import Plan


class Sequencer(wiring.Component):
    """Fires the steps: input collected, the plan's distance kept, room for the answer.

    Members: full, first, last, In(1): the collector's; answered, In(1): an answer has left;
        step, readout, Out(Strobe): cycle 0 of the bodies.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        period = plan.program.period
        super().__init__(
            {
                "full": In(1),
                "first": In(1),
                "last": In(1),
                "answered": In(1),
                "step": Out(Strobe(period)),
                "readout": Out(Strobe(period)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        plan, period = self.plan, self.plan.program.period
        every = plan.program.readout.read == "every"
        room = Signal(range(plan.answers + 1), init=plan.answers)
        wait = Signal(range(max(plan.closing_cycles, 2)))
        fresh = Signal(init=1)
        phase, following = Signal(range(max(period, 2))), Signal(range(max(period, 2)))
        fire, reads, begins_anew = Signal(), Signal(), Signal()
        m.d.comb += [
            reads.eq(1 if every else self.last),
            fire.eq(self.full & (wait == 0) & (~reads | (room != 0))),
            begins_anew.eq(self.first | fresh),
            phase.eq(Mux(begins_anew, 0, following)),
        ]
        with m.If(wait != 0):
            m.d.sync += wait.eq(wait - 1)
        m.d.sync += self.step.start.eq(fire)
        with m.If(fire):
            closing = Mux(reads, plan.closing_cycles - 1, plan.cycles_per_step - 1)
            m.d.sync += [
                wait.eq(closing),
                fresh.eq(0),
                following.eq(successor(phase, period)),
                self.step.tag.phase.eq(phase),
                self.step.tag.init.eq(begins_anew),
                self.step.tag.first.eq(self.first),
                self.step.tag.last.eq(self.last),
            ]
        m.d.sync += room.eq(room - (fire & reads) + self.answered)
        self._begin_readout(m, every)
        return m

    def _begin_readout(self, m: Module, every: bool) -> None:
        """The readout's strobe; its reads of the state never mean the initial one."""
        gated = Strobe(self.plan.program.period).create()
        m.d.comb += [
            gated.start.eq(self.step.start if every else self.step.start & self.step.tag.last),
            gated.tag.eq(self.step.tag),
            gated.tag.init.eq(0),
        ]
        later = delay_strobe(
            m, "readout_timing", gated, self.plan.readout_begins, self.plan.closing_cycles
        )
        connect_strobe(m, later, self.readout)
