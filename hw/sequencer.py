"""When a step fires: the one place where a core waits."""

from typing import Any

from amaranth import Const, Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from .beats import Strobe
from .contexts import by_context, write_own
from .layer import LayerPlan
from .operators.base import connect_strobe, delay_strobe
from .operators.delay import successor
from .state_link import ContextState


class Sequencer(wiring.Component):
    """Fires the steps: input collected, the plan's distances kept, room for the answer (or for the
    vector that is handed on).

    Members: full, flags, In: an input may fire; answered, In(1): an answer has left; fires, Out(1):
        a step does, in the cycle before its first; step, readout, Out(Strobe): cycle 0 of the
        bodies; rested, Out(Strobe): its context may fire again in the cycle after the next; where
        the schedule has a state port, state, In(ContextState): reads and sets what is known here of
        a context's state, while no step is on its way.
    """

    def __init__(self, plan: LayerPlan) -> None:
        self.plan = plan
        tag = plan.tag
        members: dict[str, Any] = {
            "full": In(1),
            "flags": In(data.StructLayout(tag.flags)),
            "answered": In(1),
            "fires": Out(1),
            "step": Out(Strobe(tag)),
            "readout": Out(Strobe(tag)),
            "rested": Out(Strobe(tag)),
        }
        if plan.schedule.state_port:
            members["state"] = In(ContextState(tag))
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        plan, pace, tag = self.plan, self.plan.pace, self.plan.tag
        context = self._context_of(self.flags)
        room = Signal(range(plan.answers + 1), init=plan.answers)
        # What decides is known a cycle ahead: whether there is room, and no distance left to keep.
        has_room, spaced = Signal(init=1), Signal(init=1)
        wait = Signal(range(max(pace.closing_interval, 2)))
        fresh = by_context("fresh", 1, tag.contexts, init=1)
        phase = Signal(range(max(tag.period, 2)))
        following = by_context("following", phase.shape(), tag.contexts)
        side = by_context("side", 1, tag.contexts if tag.sides > 1 else 0)
        reads, begins_anew = Signal(), Signal()
        # All layers keep the same distances, also those that are not read themselves.
        closes = self.flags.last if plan.hands_on else reads
        m.d.comb += [
            reads.eq(1 if plan.answers_every else self.flags.last),
            self.fires.eq(self.full & spaced & (~reads | has_room)),
            begins_anew.eq(self.flags.first | fresh[context]),
            phase.eq(Mux(begins_anew, 0, following[context])),
        ]
        with m.If(~spaced):
            m.d.sync += [wait.eq(wait - 1), spaced.eq(wait == 1)]
        m.d.sync += self.step.start.eq(self.fires)
        with m.If(self.fires):
            m.d.sync += [
                wait.eq(Mux(closes, pace.closing_interval - 1, pace.interval - 1)),
                spaced.eq(Mux(closes, pace.closing_interval == 1, pace.interval == 1)),
                self.step.tag.phase.eq(phase),
                self.step.tag.init.eq(begins_anew),
                *(self.step.tag[name].eq(self.flags[name]) for name in tag.flags),
            ]
            if tag.sides > 1:
                m.d.sync += self.step.tag.side.eq(side[context])
        read = Signal()
        m.d.sync += read.eq(self.fires & reads)
        # What a step leaves behind is written a cycle later, if the next that asks is no sooner.
        fired = self.fires, context, phase
        if pace.rest > 1:
            fired = self.step.start, self._context_of(self.step.tag), self.step.tag.phase
        with m.If(fired[0]):
            write_own(m, fresh, fired[1], 0)
            write_own(m, following, fired[1], successor(fired[2], tag.period))
            write_own(m, side, fired[1], ~self.step.tag.side if tag.sides > 1 else 0)
        if plan.schedule.state_port:
            self._serve_state(m, fresh, following, side)
        answers = read if plan.answer_interval > 1 else self.fires & reads
        m.d.sync += [
            room.eq(room - answers + self.answered),
            has_room.eq(Mux(answers, room > 1, has_room) | self.answered),
        ]
        if plan.readout:
            self._begin_readout(m, read)
        if tag.contexts > 1:
            # The step fired a cycle before its strobe.
            waits = max(pace.rest - 3, 0)
            rested = delay_strobe(m, "rest", self.step, waits, pace.interval)
            connect_strobe(m, rested, self.rested)
        return m

    def _context_of(self, flags: Any) -> Any:
        """The context among flags."""
        return flags.context if self.plan.tag.contexts > 1 else Const(0, 1)

    def _serve_state(self, m: Module, fresh: Any, following: Any, side: Any) -> None:
        """What the state port asks for; the phase of a fresh context is 0."""
        state = self.state
        m.d.comb += [
            state.fresh.eq(fresh[state.context]),
            state.phase.eq(following[state.context]),
        ]
        if self.plan.tag.sides > 1:
            m.d.comb += state.side.eq(side[state.context])
        with m.If(state.set):
            write_own(m, fresh, state.context, state.set_fresh)
            write_own(m, following, state.context, state.set_phase)

    def _begin_readout(self, m: Module, read: Signal) -> None:
        """The readout's strobe; its reads are of the state that the step leaves behind."""
        gated = Strobe(self.plan.tag).create()
        m.d.comb += [
            gated.start.eq(read),
            gated.tag.eq(self.step.tag),
            gated.tag.init.eq(0),
        ]
        if self.plan.tag.sides > 1:
            m.d.comb += gated.tag.side.eq(~self.step.tag.side)
        begins, interval = self.plan.readout_begins, self.plan.pace.closing_interval
        later = delay_strobe(m, "readout_timing", gated, begins, interval)
        connect_strobe(m, later, self.readout)
