"""Where timesteps of several contexts come in, and wait for the state that their last step leaves.

A queue in order of arrival: a context that comes again too early holds up those behind it, as its
host could have foreseen; one that never comes holds up nobody.
"""

from typing import Any

from amaranth import Array, Cat, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from .beats import Strobe, shape_of
from .border import stream
from .layer import LayerPlan
from .operators.delay import successor


def by_context(name: str, shape: Any, contexts: int, init: int = 0) -> Array:
    """A register for each context."""
    return Array(Signal(shape, name=f"{name}{k}", init=init) for k in range(contexts))


def write_own(m: Module, registers: Array, context: Any, value: Any) -> None:
    """Write that of a context. An Array would write it by a table of all contexts for each."""
    for k, register in enumerate(registers):
        with m.If(context == k):
            m.d.sync += register.eq(value)


class ContextQueue(wiring.Component):
    """Gathers inputs, and says when the first in the queue has rested for long enough.

    Three places, so that a timestep a cycle can pass with every decision a register: one that
    gathers transfers and takes up what cannot move on, one where the context's rest is looked up,
    and one that is ready to fire.

    Members: i, In(stream); full, Out(1): the first may fire, with flags, Out: those of its last
    transfer; fires, In(1): it does, and is at vector, Out, until the next; rested, In(Strobe): a
    context may fire in the cycle after the next; where there is a state port, collected, Out(1): a
    timestep is there and has not fired.
    Latency: 2 from the last transfer to full.
    """

    def __init__(self, plan: LayerPlan) -> None:
        self.port = plan.input_port
        self.tag = plan.tag
        self.interval = plan.pace.interval
        self.rests = plan.pace.rest > self.interval
        layout = data.ArrayLayout(shape_of(self.port.value.format), self.port.value.size)
        members: dict[str, Any] = {
            "i": In(stream(self.port.transfer_bits, self.tag)),
            "full": Out(1),
            "flags": Out(data.StructLayout(self.tag.flags)),
            "fires": In(1),
            "rested": In(Strobe(self.tag)),
            "vector": Out(layout),
        }
        self.awaited = plan.schedule.state_port
        if self.awaited:
            members["collected"] = Out(1)
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        asked, first, gone = (
            Signal(self.port.transfer_bits * self.port.transfers, name=name, reset_less=True)
            for name in ("asked", "first", "gone")
        )
        asked_flags = Signal.like(self.flags, name="asked_flags", reset_less=True)
        first_flags = Signal.like(self.flags, name="first_flags", reset_less=True)
        asks, waits, stuck, free, fired = (Signal() for _ in range(5))
        m.d.sync += fired.eq(self.fires)
        # Where no step follows at once, the queue moves on a cycle later, and nothing hurries.
        leaves = self.fires if self.interval == 1 else fired
        m.d.comb += stuck.eq(waits & ~leaves)
        self._gather(m, asks, stuck, asked, asked_flags)
        m.d.sync += waits.eq(asks | stuck)
        with m.If(~stuck):
            m.d.sync += [first.eq(asked), first_flags.eq(asked_flags)]
        with m.If(self.fires):
            m.d.sync += gone.eq(first)
        if self.rests:
            contexts = asked_flags.context, first_flags.context
            self._look_up(m, free, asks, stuck, fired, *contexts)
        else:
            m.d.comb += free.eq(waits)
        m.d.comb += [
            self.full.eq(free),
            self.flags.eq(first_flags),
            Value.cast(self.vector).eq(gone),
        ]
        if self.awaited:
            # What is gathered and cannot move on waits behind one that asks.
            m.d.comb += self.collected.eq(asks | waits)
        return m

    def _gather(self, m: Module, asks: Any, stuck: Any, asked: Any, asked_flags: Any) -> None:
        """Transfers become a timestep, which goes on at once or waits where it was gathered."""
        held = Signal.like(asked, name="held", reset_less=True)
        held_flags = Signal.like(asked_flags, name="held_flags", reset_less=True)
        gathered, completes = Signal(), Signal()
        accepts = self.i.valid & ~gathered
        arrived = Cat(held[self.port.transfer_bits :], self.i.data)
        flags = Cat(getattr(self.i, name) for name in self.tag.flags)
        m.d.comb += [self.i.ready.eq(~gathered), completes.eq(accepts)]
        if self.port.transfers > 1:
            count = Signal(range(self.port.transfers))
            m.d.comb += completes.eq(accepts & (count == self.port.transfers - 1))
            with m.If(accepts):
                m.d.sync += count.eq(successor(count, self.port.transfers))
        with m.If(accepts):
            m.d.sync += [held.eq(arrived), Value.cast(held_flags).eq(flags)]
        m.d.sync += [
            asks.eq(gathered | completes | (asks & stuck)),
            gathered.eq((gathered | completes) & asks & stuck),
        ]
        with m.If(~asks | ~stuck):
            m.d.sync += [
                asked.eq(Mux(gathered, held, arrived)),
                Value.cast(asked_flags).eq(Mux(gathered, Value.cast(held_flags), flags)),
            ]

    def _look_up(
        self, m: Module, free: Any, asks: Any, stuck: Any, fired: Any, asked: Any, first: Any
    ) -> None:
        """Let the first in the queue be free once it has rested.

        Known in the cycle it becomes the first, of all that happens until then.
        """
        resting = by_context("resting", 1, self.tag.contexts)
        rested = self.rested.tag.context
        left = Signal.like(first, name="left", reset_less=True)
        m.d.sync += left.eq(first)
        wakes, woken = Signal(), Signal.like(first, name="woken", reset_less=True)
        m.d.sync += [wakes.eq(self.rested.start), woken.eq(rested)]
        with m.If(fired):
            write_own(m, resting, left, 1)
        # Where the rest is the shortest there is, both are in one cycle, and it is over.
        with m.If(self.rested.start):
            write_own(m, resting, rested, 0)
        rests = resting[asked] | (fired & (left == asked))
        if self.interval == 1:
            rests |= self.fires & (first == asked)
        m.d.sync += free.eq(Mux(stuck, free | (wakes & (woken == first)), asks & ~rests))
