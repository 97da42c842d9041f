"""The hardware of a microprogram."""

from typing import Any

from amaranth import Array as Choices
from amaranth import Const, Module, Mux, Signal, Value, signed, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from ..beats import shape_of
from ..border import stream
from ..operators.constants import constants
from ..operators.delay import successor
from .instructions import FIELDS, FRESH, LESS, TOLD, encoded
from .plan import WEIGHT_BITS, EnginePlan


class Engine(wiring.Component):
    """An adder, a memory, two counters and a microprogram.

    Members: i, In(stream): the input of a timestep in `plan.input_port.transfers` transfers, which
        are taken over where they stand; o, Out(stream): the answer, an element per transfer, for
        which all waits.
    A word of the microprogram takes two cycles, the next one begins in the second. Reset, at any
    moment, forgets everything: the state starts anew with the next timestep.
    Latency and interval: the plan's, a cycle for each word that passes. Cost: that of the plan, for
    w bits of the accumulator about 2 w LUTs, and as many again to count and to decide.
    """

    def __init__(self, plan: EnginePlan) -> None:
        self.plan = plan
        super().__init__(
            {
                "i": In(stream(plan.input_port.transfer_bits, plan.tag)),
                "o": Out(stream(plan.output_port.transfer_bits, plan.tag)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        self.sum = Signal(signed(self.plan.sum_bits))
        self._fetch(m)
        self._count(m)
        self._begin(m)
        self._prepare(m)
        self._accumulate(m)
        self._write(m)
        self._answer(m)
        return m

    def _fetch(self, m: Module) -> None:
        """The word that is carried out; `goes` says whether it really is in this cycle."""
        words = self.plan.microprogram.instructions
        bits = self.plan.field_bits
        layout = data.StructLayout({name: unsigned(width) for name, width in bits.items()})
        m.submodules.words = memory = constants(layout, [encoded(word, bits) for word in words])
        port = memory.read_port()
        self.word = port.data
        self.at, self.following = Signal(range(len(words))), Signal(range(len(words)))
        self.fetched, self.goes, self.advances = Signal(), Signal(), Signal()
        m.d.comb += [
            port.addr.eq(self.following),
            self.goes.eq(self.fetched & self.advances & ~(self._said("wait") & ~self.i.valid)),
        ]
        m.d.sync += [self.fetched.eq(1), self.at.eq(self.following)]

    def _said(self, name: str) -> Any:
        """A field of the word; 0 where no word makes use of it."""
        assert name in FIELDS, name
        return self.word[name] if name in self.plan.field_bits else Const(0)

    def _count(self, m: Module) -> None:
        """The counters of loops, and the place of the next word."""
        limit = self._said("limit")
        sizes = range(self.plan.longest_loop)
        self.element, self.row = Signal(sizes), Signal(sizes)
        self.ends = Signal()
        ends_row = Signal()
        in_element, in_row = self._said("loop_element"), self._said("loop_row")
        m.d.comb += [
            self.ends.eq(in_element & (self.element == limit)),
            ends_row.eq(in_row & (self.row == limit)),
        ]
        with m.If(self.goes & in_element):
            on = self.element + 1
            m.d.sync += self.element.eq(Mux(self.ends & ~self._said("keep"), 0, on))
        with m.If(self.goes & in_row):
            m.d.sync += self.row.eq(Mux(ends_row, 0, self.row + 1))
        again = (in_element & ~self.ends) | (in_row & ~ends_row)
        self.last = Signal()
        begins_anew = self._said("jump") | (self._said("leave") & ~self.last)
        with m.If(~self.fetched):
            m.d.comb += self.following.eq(0)
        with m.Elif(~self.goes):
            m.d.comb += self.following.eq(self.at)
        with m.Elif(again):
            m.d.comb += self.following.eq(self._said("target"))
        with m.Elif(begins_anew):
            m.d.comb += self.following.eq(0)
        with m.Else():
            m.d.comb += self.following.eq(self.at + 1)

    def _begin(self, m: Module) -> None:
        """What is known of a timestep from its beginning on."""
        period = self.plan.program.period
        unused = Signal(init=1)
        self.fresh, self.first = Signal(), Signal()
        self.phase = Signal(range(max(period, 2)))
        anew = self.i.first | unused
        with m.If(self.goes & self._said("begin")):
            m.d.sync += [
                unused.eq(0),
                self.fresh.eq(anew),
                self.phase.eq(Mux(anew, 0, successor(self.phase, period))),
                self.first.eq(self.i.first),
                self.last.eq(self.i.last),
            ]

    def _prepare(self, m: Module) -> None:
        """What the word's second cycle is told."""
        bit = self._weigh(m)
        said = self._said
        self.factor = Signal(max(self.plan.work.factor_bits, 1), reset_less=True)
        skip, guard = said("skip"), said("guard")
        skipped = Value.cast(skip).bit_select(self.phase, 1)
        weighed = (bit | ~said("gate")) & (self.factor[-1] | ~said("factored"))
        self.less = Signal()
        allowed = Mux(guard == FRESH, self.fresh, Mux(guard == LESS, self.less, 1))
        told = {name: said(name) for name in TOLD}
        told |= {
            "add": said("add") & ~skipped & weighed,
            "flip": said("negative") ^ (said("sign") & bit),
            "write": said("write") & allowed,
            "ready": said("take") & self.ends,
        }
        self.later = {name: Signal(name=f"then_{name}") for name in told}
        self.later["store"] = Signal.like(said("store"), name="then_store", reset_less=True)
        with m.If(self.advances):
            m.d.sync += [self.later[name].eq(value & self.goes) for name, value in told.items()]
            m.d.sync += self.later["store"].eq(said("store"))
        m.d.comb += self.i.ready.eq(self.later["ready"])

    def _weigh(self, m: Module) -> Value:
        """The bit of weights that a word gets: read ahead, so that it is there with the word."""
        bit = Signal(reset_less=True)
        weights = self.plan.weight_words
        if not weights:
            return bit
        m.submodules.weights = memory = constants(unsigned(WEIGHT_BITS), weights)
        port = memory.read_port()
        ahead = Signal(range(WEIGHT_BITS * len(weights)))
        low = Signal(range(WEIGHT_BITS), reset_less=True)
        takes = self.goes & (self._said("gate") | self._said("sign"))
        m.d.comb += [port.addr.eq(ahead[len(low) :]), port.en.eq(takes)]
        with m.If(takes):
            m.d.sync += [ahead.eq(ahead + 1), low.eq(ahead), bit.eq(port.data.bit_select(low, 1))]
        with m.If(self.goes & self._said("begin")):
            m.d.sync += ahead.eq(0)
        return bit

    def _accumulate(self, m: Module) -> None:
        """The memory's element, or the accumulator itself, is added or subtracted."""
        plan, later = self.plan, self.later
        shape = signed(plan.element_bits)
        memory = Memory(
            shape=shape,
            depth=max(plan.microprogram.depth, 2),
            init=plan.microprogram.initial,
            # No word reads what the word before it writes; and LUTs are what is to be saved.
            attrs={"no_rw_check": 1, "ram_style": "block"},
        )
        m.submodules.memory = memory
        self.writes, port = memory.write_port(), memory.read_port()
        index = Mux(self._said("by_row"), self.row, self.element)
        summed = self.sum[: len(port.addr)] & self._said("by_sum").replicate(len(port.addr))
        m.d.comb += port.addr.eq(self._said("read") | index | summed)
        with m.If(self.goes & self._said("ends")):
            m.d.sync += self.factor.eq(self.factor << 1)
        with m.If(later["hold"] & self.advances):
            m.d.sync += self.factor.eq(port.data)
        operand = Mux(later["double"], self.sum, port.data)
        turned = Signal(signed(plan.sum_bits))
        m.d.comb += turned.eq(operand ^ later["flip"].replicate(plan.sum_bits).as_signed())
        with m.If(self.advances):
            with m.If(later["clear"]):
                m.d.sync += self.sum.eq(0)
            with m.Elif(later["add"]):
                m.d.sync += self.sum.eq(self.sum + turned + later["flip"])
            with m.If(later["compare"]):
                m.d.sync += self.less.eq(self.sum < 0)

    def _write(self, m: Module) -> None:
        """The accumulator's ways into the memory, and that of an input."""
        plan = self.plan
        index = Mux(self._said("spread"), self.element << 1, self.element)
        address = Signal.like(self.writes.addr, reset_less=True)
        with m.If(self.advances):
            m.d.sync += address.eq(self._said("place") | index)
        ways: list[Any] = [self.sum]
        for number, narrowing in enumerate(plan.microprogram.narrowings, 1):
            total = Signal(shape_of(narrowing.sum), name=f"sum{number}")
            rounded = Signal(shape_of(narrowing.rounded), name=f"rounded{number}")
            m.d.comb += [total.eq(self.sum), rounded.eq(narrowing.rounded_of(total))]
            ways.append(narrowing.in_range(rounded, *narrowing.beyond(rounded)))
        stored = Signal(signed(plan.element_bits))
        m.d.comb += stored.eq(Choices(ways)[self.later["store"]] if len(ways) > 1 else self.sum)
        m.d.comb += [
            self.writes.addr.eq(address),
            self.writes.en.eq(self.later["write"] & self.advances),
            self.writes.data.eq(Mux(self.later["take"], self._taken(m), stored)),
        ]

    def _taken(self, m: Module) -> Value:
        """The element of the transfer whose turn it is."""
        port = self.plan.input_port
        format = shape_of(port.value.format)
        elements = data.View(data.ArrayLayout(format, port.per_transfer), self.i.data)
        if port.per_transfer == 1:
            return elements[0]
        turn = Signal(range(port.per_transfer))
        with m.If(self.later["ready"]):
            m.d.sync += turn.eq(0)
        with m.Elif(self.later["take"]):
            m.d.sync += turn.eq(turn + 1)
        return elements[turn]

    def _answer(self, m: Module) -> None:
        """An element goes out, and all waits until it has."""
        label = Signal(range(self.plan.longest_loop), reset_less=True)
        chooses = self.plan.chooses
        if chooses:
            with m.If(self.goes & self._said("begin")):
                m.d.sync += label.eq(0)
            with m.Elif(self.goes & self._said("choose") & self.less):
                m.d.sync += label.eq(self.row)
        m.d.comb += [
            self.o.valid.eq(self.later["emit"]),
            self.o.data.eq(label if chooses else self.sum),
            self.o.first.eq(self.first),
            self.o.last.eq(self.last),
            self.advances.eq(~self.later["emit"] | self.o.ready),
        ]
