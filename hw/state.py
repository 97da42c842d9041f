# amaranth: UnusedElaboratable=no
"""The state port: the whole state of a context leaves the core as a stream, or comes in as one."""

from typing import Any

from amaranth import Array, Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from sylvan.model.storage import program_hash

from .beats import Tag
from .operators.base import Cost
from .plan import Plan
from .ports import StateImage
from .state_elements import StateElements
from .state_link import KNOWN, TOLD, ContextState, StateLink, element_ports

ANSWERS = "loaded", "refused", "lost"
"""How a load ended: the state is that of the image; an image that is not of this program, or has no
phase of it, or ends before its first element, has changed nothing; one that is too short or too
long, or has an element out of its format, has left the context fresh."""
LOADED, REFUSED, LOST = range(len(ANSWERS))
ANSWER_BITS = (len(ANSWERS) - 1).bit_length()
PORTS = {
    "i_save": (),
    "o_save": ("data", "last"),
    "i_load": ("data", "last"),
    "o_load": ("data",),
}
"""Payload of the streams of a state port, without the context that those which come in name."""


def streams(image: StateImage, tag: Tag) -> dict[str, Any]:
    """The streams of PORTS as members of a core."""
    found = {}
    for name, payload in PORTS.items():
        bits = ANSWER_BITS if name == "o_load" else image.bits
        shapes: dict[str, Any] = {"data": bits, "last": 1}
        members = {member: Out(shapes[member]) for member in payload}
        comes_in = name.startswith("i_")
        if tag.contexts > 1 and comes_in:
            members["context"] = Out(range(tag.contexts))
        signature = wiring.Signature({"valid": Out(1), "ready": In(1), **members})
        found[name] = (In if comes_in else Out)(signature)
    return found


class StatePort(wiring.Component):
    """Saves and loads the state of a context, in all layers, as an image (`ports.StateImage`).

    A request is one to save, or the first transfer of an image to load. It is taken when all that
    was collected before has been stepped in all layers and read out; from when it is there until
    its image has passed, new input waits. Between two requests the input has its turn, and so have
    both kinds of them. What follows a fault in an image, up to its `last`, is dropped while the
    input goes on.

    Members:
        i_save, In(stream): a request; o_save, Out(stream): the image.
        i_load, In(stream): an image, for the context of its first transfer; o_load, Out(stream):
            LOADED, REFUSED or LOST. Until that is taken the next image waits.
        open, Out(1): input may come in; ready, In(1): it would be taken.
        layer<k>, Out(StateLink): to the core of layer k.
    Latency: from the last step of any layer that fires to the request's transfer
        `plan.quiet_cycles`, up to a power of two; then that of StateElements for each element.
    Cost: that of StateElements, a counter of `plan.quiet_cycles`, and the hash in look-up tables.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.image = plan.state_image
        members = streams(self.image, plan.tag)
        links = {f"layer{k}": Out(StateLink(layer)) for k, layer in enumerate(plan.layers)}
        super().__init__({**members, "open": Out(1), "ready": In(1), **links})
        self._links = [getattr(self, name) for name in links]

    @property
    def cost(self) -> Cost:
        image, plan = self.image, self.plan
        registers = 12 + plan.tag.size + plan.quiet_cycles.bit_length()
        logic = 40 + 2 * image.bits + plan.quiet_cycles.bit_length()
        own = Cost(logic_bits=logic, register_bits=registers)
        return own + StateElements(plan).cost if image.states else own

    def elaborate(self, platform: object) -> Module:
        m = Module()
        state, given, last_part = self._shared(m), self.i_load.data, self.image.hash_transfers
        answer, loads, prefers_load = Signal(ANSWER_BITS), Signal(), Signal()
        context = Signal.like(state.context)
        load_waits, takes_load, quiet = Signal(), Signal(), self._quiet(m)
        part, fresh, phase = Signal(range(last_part + 1)), Signal(), Signal.like(state.phase)
        hash_word = Array(self.image.hash_words(program_hash(self.plan.program)))[part]
        ends_head = part == last_part
        m.d.comb += [
            self.o_load.data.eq(answer),
            state.context.eq(context),
            load_waits.eq(self.i_load.valid & ~self.o_load.valid),
            takes_load.eq(load_waits & (prefers_load | ~self.i_save.valid)),
        ]
        with m.If(self.o_load.ready):
            m.d.sync += self.o_load.valid.eq(0)
        walk = self._walk(m, loads, state) if self.image.states else None
        with m.FSM():
            with m.State("OPEN"):
                m.d.comb += self.open.eq(1)
                # A cycle in which input would be taken is its turn, whether any came or not.
                with m.If((self.i_save.valid | load_waits) & self.ready):
                    m.next = "WAIT"
            with m.State("WAIT"), m.If(quiet):
                m.d.comb += self.i_save.ready.eq(~takes_load)
                m.d.sync += [loads.eq(takes_load), prefers_load.eq(~takes_load)]
                if self.plan.tag.contexts > 1:
                    asked = Mux(takes_load, self.i_load.context, self.i_save.context)
                    m.d.sync += context.eq(asked)
                m.next = "HEAD"
            with m.State("HEAD"):
                kept = Cat(state.fresh, state.phase)
                m.d.comb += [
                    self.o_save.valid.eq(~loads),
                    self.o_save.data.eq(Mux(ends_head, kept, hash_word)),
                    self.o_save.last.eq(ends_head & (not self.image.states)),
                    self.i_load.ready.eq(loads),
                ]
                phases = Mux(given[0], 1, self.plan.program.period)
                legal = Mux(ends_head, given[1:] < phases, given == hash_word)
                with m.If(Mux(loads, self.i_load.valid, self.o_save.ready)):
                    m.d.sync += [part.eq(part + 1), fresh.eq(given[0]), phase.eq(given[1:])]
                    with m.If(ends_head):
                        m.d.sync += part.eq(0)
                        m.next = "END"
                        if walk is not None:
                            m.next = "ELEMENT"
                            with m.If(~loads):
                                m.d.comb += walk.go.eq(1)
                                m.next = "WALK"
                    with m.If(loads & (~legal | (self.i_load.last != self.o_save.last))):
                        m.d.sync += part.eq(0)
                        self._fail(m, answer, REFUSED)
            if walk is not None:
                self._pass_elements(m, walk, state, loads, answer)
            with m.State("END"):
                with m.If(loads):
                    m.d.comb += [state.set.eq(1), state.set_fresh.eq(fresh)]
                    m.d.comb += state.set_phase.eq(phase)
                    m.d.sync += [answer.eq(LOADED), self.o_load.valid.eq(1)]
                m.next = "OPEN"
            with m.State("DROP"):
                m.d.comb += [self.open.eq(1), self.i_load.ready.eq(1)]
                with m.If(self.i_load.valid & self.i_load.last):
                    m.d.sync += self.o_load.valid.eq(1)
                    m.next = "OPEN"
        return m

    def _shared(self, m: Module) -> Any:
        """A context's state in all layers, which take every timestep together: known of the first,
        set in each."""
        first = self._links[0].own
        state = ContextState(self.plan.tag).create(path=("shared",))
        m.d.comb += [getattr(state, name).eq(getattr(first, name)) for name in KNOWN]
        for link in self._links:
            m.d.comb += [getattr(link.own, name).eq(getattr(state, name)) for name in TOLD]
        return state

    def _quiet(self, m: Module) -> Any:
        """Whether nothing is collected, and the last step that fired has ended with its readout."""
        bits = (self.plan.quiet_cycles - 1).bit_length()
        # Up to a power of two, which one bit tells.
        waited = Signal(bits + 1, init=1 << bits)
        with m.If(Cat(link.fires for link in self._links).any()):
            m.d.sync += waited.eq(0)
        with m.Elif(~waited[bits]):
            m.d.sync += waited.eq(waited + 1)
        return ~self._collected & waited[bits]

    @property
    def _collected(self) -> Any:
        """Whether a timestep is there in any layer that has not fired."""
        return Cat(link.collected for link in self._links).any()

    def _walk(self, m: Module, loads: Any, state: Any) -> StateElements:
        m.submodules.elements = walk = StateElements(self.plan)
        elements = [
            getattr(link, name)
            for link, layer in zip(self._links, self.plan.layers, strict=True)
            for name in element_ports(layer.state_memories)
        ]
        for k, element in enumerate(elements):
            wiring.connect(m, wiring.flipped(element), getattr(walk, f"element{k}"))
        tag = self.plan.tag
        m.d.comb += [
            walk.loads.eq(loads),
            walk.given.eq(self.i_load.data),
            walk.tag.init.eq(state.fresh & ~loads),
        ]
        if tag.contexts > 1:
            m.d.comb += walk.tag.context.eq(state.context)
        if tag.sides > 1:
            m.d.comb += walk.tag.side.eq(state.side)
        return walk

    def _pass_elements(
        self, m: Module, walk: StateElements, state: Any, loads: Any, answer: Any
    ) -> None:
        """While elements come in the context is fresh: no part of an image is ever run."""
        with m.State("ELEMENT"):
            m.d.comb += [
                self.o_save.valid.eq(~loads),
                self.o_save.data.eq(walk.found),
                self.o_save.last.eq(walk.final),
                self.i_load.ready.eq(loads),
            ]
            with m.If(loads & self.i_load.valid):
                m.d.comb += [state.set.eq(1), state.set_fresh.eq(1)]
                with m.If(walk.legal & (self.i_load.last == walk.final)):
                    m.d.comb += walk.go.eq(1)
                    m.next = "WALK"
                with m.Else():
                    m.d.comb += walk.rewind.eq(1)
                    self._fail(m, answer, LOST)
            with m.If(~loads & self.o_save.ready):
                m.d.comb += walk.next.eq(1)
                with m.If(walk.final):
                    m.next = "END"
                with m.Else():
                    m.d.comb += walk.go.eq(1)
                    m.next = "WALK"
        with m.State("WALK"), m.If(walk.done):
            m.d.comb += walk.next.eq(loads)
            m.next = "ELEMENT"
            with m.If(loads & walk.final):
                m.next = "END"

    def _fail(self, m: Module, answer: Any, code: int) -> None:
        """The load is over; what is left of the image is dropped."""
        m.d.sync += answer.eq(code)
        m.next = "DROP"
        with m.If(self.i_load.last):
            m.d.sync += self.o_load.valid.eq(1)
            m.next = "OPEN"
