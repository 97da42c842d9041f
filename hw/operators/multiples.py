"""A column of constants times one element: few multiples, made once and handed to all lanes."""

import numpy as np
from amaranth import Array as Choices
from amaranth import Module, Signal
from sylvan.model.arrays import Array
from sylvan.model.numbers import Format

from ..beats import Pattern, Tag, shape_of
from .addresses import Addresses, addresses_cost
from .base import Cost, Operator, start_result


class Pick(Operator):
    """`o[e] = a[index[e]]`: for every lane of every beat one of the elements of `a`, which stay.

    Parameters: index, integers (size,); pattern of the result; format of an element; elements of
        `a`, all on lanes of their own, held for the beats of the result.
    Latency: 1. Interval: `pattern.cycles`.
    Cost: for every bit of a lane a selector of as many elements as its beats pick, half a LUT for
        each, and a register.
    """

    def __init__(
        self, index: Array, pattern: Pattern, format: Format, elements: int, tag: Tag
    ) -> None:
        self.index = index
        self.pattern = pattern
        self.format = format
        self.interval = pattern.cycles
        super().__init__({"a": (elements, format)}, (pattern, format), tag)

    @property
    def cost(self) -> Cost:
        width, lanes = shape_of(self.format).width, self.pattern.lanes
        picked = [len(np.unique(self.index[k::lanes])) for k in range(lanes)]
        logic = sum(width * count // 2 for count in picked if count > 1)
        registers = Cost(logic_bits=logic, register_bits=lanes * width)
        return registers + addresses_cost(self.pattern)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.addresses = addresses = Addresses(self.pattern)
        m.d.comb += addresses.start.eq(self.a.start)
        for k, out in enumerate(self.o.lanes):
            picked = self.index[k :: self.pattern.lanes].tolist()
            picked += picked[:1] * (self.pattern.beats - len(picked))
            held = Signal(shape_of(self.format), name=f"lane{k}", reset_less=True)
            m.d.sync += held.eq(Choices(self.a.lanes[at] for at in picked)[addresses.word])
            m.d.comb += out.eq(held)
        start_result(m, self, self.a)
        return m
