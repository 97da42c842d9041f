"""Two vectors as one: the second begins where the first ends, where need be within a beat."""

from typing import Any

from amaranth import Module, Mux, Signal
from sylvan.model.numbers import Format

from ..beats import Pattern, Tag, shape_of
from .base import Cost, Operator, delay_strobe, start_result
from .delay import delay_cost, delayed


class Concat(Operator):
    """`o = a, then b`, at the binary point of the result.

    Parameters: sizes of a and b; formats of a and b; pattern of the result, on whose lanes, as far
        as they go, a and b pass; result, its format.
    Operand b starts in the beat of its first element: `size(a) // lanes` beats after a.
    Latency: 1; of a single beat 0. Interval: `pattern.cycles`.
    Cost: a register for every bit of a beat, and a selector where both vectors pass; registers for
        elements of b that pass a beat later. Of a single beat none.
    """

    operands = ("a", "b")

    def __init__(
        self,
        sizes: tuple[int, int],
        formats: tuple[Format, Format],
        pattern: Pattern,
        result: Format,
        tag: Tag,
    ) -> None:
        self.pattern = pattern
        self.formats = formats
        self.result = result
        beats, self.first = divmod(sizes[0], pattern.lanes)
        self.offsets = (0, beats * pattern.dwell)
        self.wired = pattern.beats == 1
        self.latency = int(not self.wired)
        self.interval = pattern.cycles
        orders = (Pattern(n, min(n, pattern.lanes), pattern.dwell) for n in sizes)
        inputs = dict(zip(self.operands, zip(orders, formats, strict=True), strict=True))
        super().__init__(inputs, (pattern, result), tag)

    @property
    def cost(self) -> Cost:
        if self.wired:
            return Cost()
        bits = self.pattern.lanes * shape_of(self.result).width
        held = delay_cost(shape_of(self.formats[1]).width, self.pattern.dwell)
        return sum([held] * len(self._later), Cost(logic_bits=bits, register_bits=bits))

    @property
    def _later(self) -> range:
        """Lanes of b whose elements pass in the beat after their own."""
        return range(self.pattern.lanes - self.first, len(self.b.lanes))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        first, lanes = self.first, self.pattern.lanes
        a, b = (
            [lane << (format.exp - self.result.exp) for lane in operand.lanes]
            for operand, format in zip((self.a, self.b), self.formats, strict=True)
        )
        for k in self._later:
            b[k] = delayed(m, f"later{k}_", b[k], self.pattern.dwell)
        if self.wired:
            m.d.comb += [o.eq(lane) for o, lane in zip(self.o.lanes, a + b, strict=True)]
            start_result(m, self, self.a)
            return m
        begun = self._since(m, "begun", self.b)
        passed = begun
        if first:
            beat = delay_strobe(m, "beat", self.b, self.pattern.dwell, self.interval)
            passed = self._since(m, "passed", beat)
        for k, o in enumerate(self.o.lanes):
            place = (k - first) % lanes
            lane: Any = a[k] if k < len(a) else 0
            if place < len(b):
                lane = Mux(begun if k >= first else passed, b[place], lane)
            held = Signal(shape_of(self.result), name=f"lane{k}", reset_less=True)
            m.d.sync += held.eq(lane)
            m.d.comb += o.eq(held)
        start_result(m, self, self.a)
        return m

    def _since(self, m: Module, name: str, strobe: Any) -> Signal:
        """Whether `strobe` has come for this vector."""
        past, since = Signal(name=f"{name}_past"), Signal(name=name)
        m.d.sync += past.eq(since)
        m.d.comb += since.eq(strobe.start | (past & ~self.a.start))
        return since
