"""When a step fires: the one place where a core waits."""

from typing import Any

from amaranth import Const, Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from .beats import Strobe, Tag
from .contexts import by_context, write_own
from .operators.base import connect_strobe, delay_strobe
from .operators.delay import successor
from .plan import Plan


class ContextState(wiring.Signature):
    """What is known of a context's state apart from its vectors, read and set by the state port.

    Members: context, Out; fresh, phase, In: of that context; set, Out(1): they become set_fresh
        and set_phase, Out.
    """

    def __init__(self, tag: Tag) -> None:
        phase = range(max(tag.period, 2))
        members = {"context": Out(range(max(tag.contexts, 2))), "fresh": In(1), "phase": In(phase)}
        super().__init__({**members, "set": Out(1), "set_fresh": Out(1), "set_phase": Out(phase)})


class Sequencer(wiring.Component):
    """Fires the steps: input collected, the plan's distances kept, room for the answer.

    Members: full, flags, In: an input may fire; answered, In(1): an answer has left; fires, Out(1):
        a step does, in the cycle before its first; step, readout, Out(Strobe): cycle 0 of the
        bodies; rested, Out(Strobe): its context may fire again in the cycle after the next; where
        the schedule has a state port, state, In(ContextState): reads and sets what is known here of
        a context's state, while no step is on its way.
    """

    def __init__(self, plan: Plan) -> None:
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
        every = plan.program.readout.read == "every"
        context = self._context_of(self.flags)
        room = Signal(range(plan.answers + 1), init=plan.answers)
        # What decides is known a cycle ahead: whether there is room, and no distance left to keep.
        has_room, spaced = Signal(init=1), Signal(init=1)
        wait = Signal(range(max(pace.closing_interval, 2)))
        fresh = by_context("fresh", 1, tag.contexts, init=1)
        phase = Signal(range(max(tag.period, 2)))
        following = by_context("following", phase.shape(), tag.contexts)
        reads, begins_anew = Signal(), Signal()
        m.d.comb += [
            reads.eq(1 if every else self.flags.last),
            self.fires.eq(self.full & spaced & (~reads | has_room)),
            begins_anew.eq(self.flags.first | fresh[context]),
            phase.eq(Mux(begins_anew, 0, following[context])),
        ]
        with m.If(~spaced):
            m.d.sync += [wait.eq(wait - 1), spaced.eq(wait == 1)]
        m.d.sync += self.step.start.eq(self.fires)
        with m.If(self.fires):
            m.d.sync += [
                wait.eq(Mux(reads, pace.closing_interval - 1, pace.interval - 1)),
                spaced.eq(Mux(reads, pace.closing_interval == 1, pace.interval == 1)),
                self.step.tag.phase.eq(phase),
                self.step.tag.init.eq(begins_anew),
                *(self.step.tag[name].eq(self.flags[name]) for name in tag.flags),
            ]
        read = Signal()
        m.d.sync += read.eq(self.fires & reads)
        # What a step leaves behind is written a cycle later, if the next that asks is no sooner.
        fired = self.fires, context, phase
        if pace.rest > 1:
            fired = self.step.start, self._context_of(self.step.tag), self.step.tag.phase
        with m.If(fired[0]):
            write_own(m, fresh, fired[1], 0)
            write_own(m, following, fired[1], successor(fired[2], tag.period))
        if plan.schedule.state_port:
            self._serve_state(m, fresh, following)
        answers = read if pace.closing_interval > 1 else self.fires & reads
        m.d.sync += [
            room.eq(room - answers + self.answered),
            has_room.eq(Mux(answers, room > 1, has_room) | self.answered),
        ]
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

    def _serve_state(self, m: Module, fresh: Any, following: Any) -> None:
        """What the state port asks for; the phase of a fresh context is 0."""
        state = self.state
        m.d.comb += [
            state.fresh.eq(fresh[state.context]),
            state.phase.eq(following[state.context]),
        ]
        with m.If(state.set):
            write_own(m, fresh, state.context, state.set_fresh)
            write_own(m, following, state.context, state.set_phase)

    def _begin_readout(self, m: Module, read: Signal) -> None:
        """The readout's strobe; its reads of the state never mean the initial one."""
        gated = Strobe(self.plan.tag).create()
        m.d.comb += [
            gated.start.eq(read),
            gated.tag.eq(self.step.tag),
            gated.tag.init.eq(0),
        ]
        pace = self.plan.pace
        later = delay_strobe(m, "readout_timing", gated, pace.readout_begins, pace.closing_interval)
        connect_strobe(m, later, self.readout)
