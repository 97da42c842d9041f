# amaranth: UnusedElaboratable=no
"""A constant matrix times a vector, nonzeros only: the words of a Packing, one per cycle."""

from typing import Any

import numpy as np
from amaranth import Array as Choices
from amaranth import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out
from sylvan.model.numbers import Format

from ..beats import Pattern, Tag, shape_of
from ..packing import APART, REST, Packing
from .addresses import Addresses, addresses_cost
from .base import Cost, Operator, connect_strobe, delay_strobe
from .constants import READ_LATENCY
from .delay import delayed, successor
from .matvec import prefix_format
from .product import product, product_cost
from .rom import Rom


def is_unit(weight: Format) -> bool:
    """Whether weights are -1, 0 and 1, so that a sign replaces the multiplier."""
    return weight.lo == -1 and weight.hi <= 1


class Lane(wiring.Component):
    """One lane: its copy of the operand, its accumulator, and the sums of its rows.

    Parameters: packing; source, weight, sums: formats.
    Members: place, element, store, In: the operand as it comes; word, In: place in the window,
        whether the chunk ends, weight; starts, In(1): with the word ahead of word 0; leaves,
        In(1) and beat, In: reads a result; o, Out: the result, two cycles later.
    """

    def __init__(self, packing: Packing, source: Format, weight: Format, sums: Format) -> None:
        self.packing = packing
        self.weight = weight
        word = packing.index_bits + shape_of(weight).width
        super().__init__(
            {
                "place": In(range(max(packing.matrix.shape[1], 2))),
                "element": In(shape_of(source)),
                "store": In(1),
                "word": In(word),
                "starts": In(1),
                "leaves": In(1),
                "beat": In(range(max(packing.slots, 2))),
                "o": Out(shape_of(sums)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        place, ends, weight = self._fields()
        slot = Signal(range(max(self.packing.slots, 2)))
        window = Signal(range(max(self.packing.windows, 2)))
        with m.If(ends):
            m.d.sync += slot.eq(successor(slot, self.packing.slots))
            with m.If(slot == self.packing.slots - 1):
                m.d.sync += window.eq(window + 1)
        with m.If(self.starts):
            m.d.sync += [slot.eq(0), window.eq(0)]
        column = Cat(place, window[: (self.packing.windows - 1).bit_length()])
        element = self._element(m, column)

        sums = Memory(
            shape=self.o.shape(),
            depth=max(self.packing.slots, 2),
            init=[],
            attrs={"no_rw_check": 1},
        )
        m.submodules.sums = sums
        write, read = sums.write_port(), sums.read_port()
        m.d.sync += self.o.eq(read.data)
        before: Any = 0
        m.d.comb += read.addr.eq(self.beat)
        if self.packing.windows > 1:
            m.d.comb += read.addr.eq(Mux(self.leaves, self.beat, slot))
            before = Mux(delayed(m, "first_window", window == 0, 2), 0, self.o)

        fresh, opens = Signal(), delayed(m, "opens", self.starts, 2)
        kept, total = Signal(self.o.shape(), reset_less=True), Signal(self.o.shape())
        m.d.comb += [
            total.eq(self._added(m, Mux(fresh, before, kept), element, weight)),
            write.addr.eq(delayed(m, "slot", slot, 2)),
            write.data.eq(total),
            write.en.eq(delayed(m, "ends", ends, 2)),
        ]
        m.d.sync += [kept.eq(total), fresh.eq(write.en | opens)]
        return m

    def _fields(self) -> tuple[Value, Value, Value]:
        """The place in the window, whether the chunk ends, and the weight."""
        bits = self.packing.index_bits - 1
        weight = self.word[bits + 1 :]
        return (
            self.word[:bits],
            self.word[bits],
            (weight.as_signed() if shape_of(self.weight).signed else weight),
        )

    def _element(self, m: Module, column: Value) -> Value:
        """The operand's element of the column, a cycle later."""
        depth = max(self.packing.matrix.shape[1], 2)
        copy = Memory(shape=self.element.shape(), depth=depth, init=[], attrs={"no_rw_check": 1})
        m.submodules.copy = copy
        write, read = copy.write_port(), copy.read_port()
        m.d.comb += [
            write.addr.eq(self.place),
            write.data.eq(self.element),
            write.en.eq(self.store),
            read.addr.eq(column),
        ]
        return Value.cast(read.data)

    def _added(self, m: Module, past: Any, element: Value, weight: Value) -> Any:
        """`past + weight * element`, a cycle after the element and two after the weight."""
        weight = delayed(m, "weight", weight, 1)
        if not is_unit(self.weight):
            return past + delayed(m, "term", Value.cast(product(weight, element)), 1)
        signed = element if element.shape().signed else Cat(element, 0).as_signed()
        masked, negative = Mux(weight[0], signed, 0), weight[-1]
        term = delayed(m, "term", Mux(negative, ~masked, masked), 1)
        carry = delayed(m, "carry", negative, 1)
        # -x is ~x + 1, and the 1 is carried in from a bit below.
        return (((past << 1) | carry) + ((term << 1) | carry)) >> 1


class PackedMatVec(Operator):
    """`o = W a`, P nonzeros a cycle: each lane with a copy of `a`, adding up the rows it owns.

    The operand is stored in all copies as it comes, and multiplied as soon as that. Sums of the
    rows wait in a memory per lane until they leave, the last one right after its end: in beats of
    all lanes, or row after row where the packing has a dwell.

    Parameters: packing, of W; source, result: formats.
    Operands: a, a single lane, pattern (columns, 1).
    Latency: `max(wait, 3) + leave + 2` of the packing. Interval: `cycles + 1`, or as long as the
        operand takes to arrive or the result to leave, or what keeps the vectors apart in the
        memories.
    Cost: P adders, with P multipliers where weights are not -1, 0 and 1; memories: P copies of the
        operand, P of `ceil(rows / P)` sums, and `cycles + 1` words of
        `P * (index bits + weight bits)`; a choice among P sums where single results leave.
    """

    def __init__(self, packing: Packing, source: Format, result: Format, tag: Tag) -> None:
        matrix, lanes = packing.matrix, packing.lanes
        self.packing = packing
        self.taken = Pattern(matrix.shape[1], 1)
        rows = matrix.shape[0]
        self.left = Pattern(rows, 1, packing.dwell) if packing.dwell else Pattern(rows, lanes)
        self.source = source
        self.weight = Format(min(int(matrix.min()), 0), max(int(matrix.max()), 0))
        self.sum = prefix_format(matrix, source)
        self.words = self._rom(tag)
        self.first_word = self.words.latency + REST
        self.begins = max(packing.wait, self.first_word)
        self.leaves = self.begins + packing.leave
        self.latency = self.leaves + READ_LATENCY
        self.interval = self._interval()
        super().__init__({"a": (1, source)}, (self.left.lanes, result), tag)

    def _rom(self, tag: Tag) -> Rom:
        """Each lane's part of a word: place in the window, then `ends`, then the weight."""
        packing = self.packing
        place = packing.index_bits - 1
        weights = packing.weights & ((1 << shape_of(self.weight).width) - 1)
        words = packing.columns % packing.window | packing.ends.astype(np.int64) << place
        words = np.pad(words | weights << packing.index_bits, [(REST, 0), (0, 0)])
        bits = packing.index_bits + shape_of(self.weight).width
        pattern = Pattern(words.size, packing.lanes)
        return Rom(words[None], pattern, Format(0, (1 << bits) - 1), tag)

    def _interval(self) -> int:
        """Least distance at which no vector meets the one before in a memory."""
        packing = self.packing
        columns = np.arange(self.taken.size)
        read = (packing.reads + max(packing.dwell, 1) - 1).max(axis=1)
        written = packing.finishes[0].min(axis=1) + APART
        apart = [
            self.words.interval,
            self.taken.cycles,
            self.left.cycles,
            # A column is stored after its last read, and a sum after its beat has left ...
            self.begins + int((packing.last_reads() - columns).max()) + 1,
            self.leaves - self.begins + int((read - written).max()) + 2,
        ]
        if packing.windows > 1:
            # ... which is before the one port reads sums for further windows.
            further = int(packing.starts[1].min())
            apart.append(self.leaves + self.left.cycles - self.begins - further)
        return max(apart)

    @property
    def cost(self) -> Cost:
        a, b, s = (shape_of(f).width for f in (self.source, self.weight, self.sum))
        lanes, slots = self.packing.lanes, self.packing.slots
        multiplies = Cost() if is_unit(self.weight) else product_cost(self.source, self.weight)
        place = (slots - 1).bit_length() + (self.packing.windows - 1).bit_length()
        lane = Cost(
            adder_bits=s + 1 + place,
            adders=2,
            logic_bits=a + s * (1 + bool(self.packing.turns.any())) + place,
            register_bits=2 * s + a + b + 3 * place,
            waiting_bits=s + b + 2 * place,
            memories=((a, self.taken.size), (s, slots)),
        )
        counting = addresses_cost(self.taken) + addresses_cost(self.left)
        if self.packing.dwell:
            counting += Cost(logic_bits=s * (lanes - 1) // 2)
        return sum([lane + multiplies] * lanes, self.words.cost + counting)

    @property
    def figures(self) -> dict[str, Any]:
        return {
            "packed_cycles": self.packing.cycles,
            "nonzeros": self.packing.nonzeros,
            "index_bits_per_nonzero": self.packing.index_bits_per_nonzero,
        }

    def elaborate(self, platform: object) -> Module:
        m = Module()
        packing = self.packing
        m.submodules.words = words = self.words
        m.submodules.taking = taking = Addresses(self.taken)
        m.submodules.leaving = leaving = Addresses(self.left, packing.lanes)
        # The packing's word 0 follows words of no weight.
        begun = self.begins - self.first_word
        connect_strobe(m, delay_strobe(m, "arrival", self.a, begun, self.interval), words.i)
        wait = self.leaves - begun - words.latency
        finished = delay_strobe(m, "finish", words.o, wait, self.interval)
        m.d.comb += [taking.start.eq(self.a.start), leaving.start.eq(finished.start)]
        lanes = [Lane(packing, self.source, self.weight, self.sum) for _ in range(packing.lanes)]
        rows: list[Any] = list(self.o.lanes)
        if packing.dwell:
            rows = [Signal.like(lane.o, name=f"row{k}") for k, lane in enumerate(lanes)]
        for k, lane in enumerate(lanes):
            m.submodules[f"lane{k}"] = lane
            m.d.comb += [
                lane.place.eq(taking.word),
                lane.element.eq(self.a.lanes[0]),
                lane.store.eq(taking.active),
                lane.word.eq(words.o.lanes[k]),
                lane.starts.eq(words.o.start),
                lane.leaves.eq(leaving.active),
                lane.beat.eq(leaving.word),
                rows[k].eq(lane.o),
            ]
        if packing.turns.any():
            turns = Const(sum(1 << slot for slot in np.flatnonzero(packing.turns).tolist()))
            turned = delayed(m, "turned", turns.bit_select(leaving.word, 1), READ_LATENCY)
            for out, own, next in zip(rows, lanes, [*lanes[1:], lanes[0]], strict=True):
                m.d.comb += out.eq(Mux(turned, next.o, own.o))
        if packing.dwell:
            part = delayed(m, "part", leaving.part, READ_LATENCY)
            m.d.comb += self.o.lanes[0].eq(Choices(rows)[part])
        result = delay_strobe(m, "timing", finished, READ_LATENCY, self.interval)
        connect_strobe(m, result, self.o)
        return m
