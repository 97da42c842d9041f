"""A constant matrix times whole vectors at once: its adder graph, unrolled in space."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from amaranth import Cat, Const, Module, Signal
from sylvan.model.numbers import Format

from ..adders import AdderGraph
from ..adders.graph import ZERO
from ..adders.signs import arranged
from ..beats import Tag, shape_of
from ..clock import Path
from .base import Cost, Operator, Port, start_result


class GraphMatVec(Operator):
    """`o = W (a0, a1, ...)`, all elements in one beat: an adder for each node of the graph.

    Parameters:
        graph: of W, on the intervals of the operands, one operand after the other.
        operands: lanes (or pattern of one beat) and format of each.
        result: format.
        levels: adders one after the other between two registers, 1 or more.
        constants: further inputs of the graph, which never change.
    Operands: a0, a1, ..., each a beat of all its lanes.
    Latency: `ceil(depth / levels)`, at least 1. Interval: 1.
    Cost: an adder for each node, of the bits of its sum that do not go past it, and for each output
        whose negative a node is; a node is kept in registers until the last that needs it, in one
        chain for all of them.
    """

    def __init__(
        self,
        graph: AdderGraph,
        operands: Sequence[Port],
        result: Format,
        tag: Tag,
        levels: int = 1,
        constants: Sequence[int] = (),
    ) -> None:
        self.constants = tuple(constants)
        if levels < 1:
            raise ValueError(f"levels must be at least 1, got {levels}")
        self.graph = arranged(graph)
        self.levels = levels
        self.latency = max(1, -(-graph.depth // levels))
        self.operands = tuple(f"a{k}" for k in range(len(operands)))
        ports = dict(zip(self.operands, operands, strict=True))
        super().__init__(ports, (len(graph.outputs), result), tag)

    def stage(self, node: int) -> int:
        """The cycle after the operand's in which a node's value is there, unregistered."""
        return max(0, int(self.graph.levels[node]) - 1) // self.levels

    def kept(self) -> list[int]:
        """For each node, the registers in its chain."""
        graph = self.graph
        kept = [0] * (graph.inputs + graph.adders)
        for at in range(graph.adders):
            for operand in (int(graph.a[at]), int(graph.b[at])):
                wait = self.stage(graph.inputs + at) - self.stage(operand)
                kept[operand] = max(kept[operand], wait)
        for node in graph.outputs.tolist():
            if node != ZERO:
                kept[node] = max(kept[node], self.latency - self.stage(node))
        for node in range(graph.inputs - len(self.constants), graph.inputs):
            kept[node] = 0
        return kept

    def sums(self) -> list[int]:
        """Bits of each adder: of its sum, less those that only one operand has and that go past."""
        graph = self.graph
        past = np.where(graph.subtracts, graph.shift_b, np.maximum(graph.shift_a, graph.shift_b))
        sums = zip(graph.formats[graph.inputs :], past.tolist(), strict=True)
        negated = (graph.formats[node] for node in graph.outputs[graph.output_sign < 0])
        return [
            *(shape_of(format).width - low for format, low in sums),
            *(shape_of(Format(-format.hi, -format.lo)).width for format in negated),
        ]

    @property
    def _subtracts(self) -> list[bool]:
        """Whether each of the adders subtracts."""
        negated = (self.graph.output_sign < 0).sum()
        return [*map(bool, self.graph.subtracts), *[True] * int(negated)]

    @property
    def cost(self) -> Cost:
        widths, kept = [shape_of(format).width for format in self.graph.formats], self.kept()
        registers = sum(width * count for width, count in zip(widths, kept, strict=True))
        # The first register of a sum is beside its adder.
        made = list(zip(widths, kept, strict=True))[self.graph.inputs :]
        waiting = registers - sum(width for width, count in made if count)
        sums = self.sums()
        inverted = sum(width for width, minus in zip(sums, self._subtracts, strict=True) if minus)
        return Cost(
            adder_bits=sum(sums),
            adders=len(sums),
            register_bits=registers,
            waiting_bits=waiting,
            inverted_bits=inverted,
        )

    @property
    def path(self) -> Path:
        """Adders in a row between two registers; as if all levels had as many."""
        depth = self.graph.depth
        return Path(min(self.levels, depth), sum(self.sums()) // max(depth, 1))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        graph, kept = self.graph, self.kept()
        chains: list[list[Any]] = []

        def arrive(node: int, value: Any) -> None:
            chain = [value]
            for delay in range(kept[node]):
                shape = shape_of(graph.formats[node])
                later = Signal(shape, name=f"node{node}_{delay + 1}", reset_less=True)
                m.d.sync += later.eq(chain[-1])
                chain.append(later)
            chains.append(chain)

        streams = [getattr(self, name) for name in self.operands]
        for node, lane in enumerate(lane for stream in streams for lane in stream.lanes):
            arrive(node, lane)
        chains += [[Const(value)] * (self.latency + 1) for value in self.constants]
        for at in range(graph.adders):
            node = graph.inputs + at
            here = self.stage(node)
            a, b = (int(operand[at]) for operand in (graph.a, graph.b))
            shifts = int(graph.shift_a[at]), int(graph.shift_b[at])
            first, second = chains[a][here - self.stage(a)], chains[b][here - self.stage(b)]
            # Kept, because yosys would turn two adders in a row into carry-save adders, which
            # take more cells than two carry chains and are no faster.
            keep = {"keep": True}
            total = Signal(shape_of(graph.formats[node]), name=f"node{node}", attrs=keep)
            m.d.comb += total.eq(_sum(first, second, *shifts, bool(graph.subtracts[at])))
            arrive(node, total)
        for number, node in enumerate(graph.outputs.tolist()):
            value: Any = 0
            if node != ZERO:
                value = chains[node][self.latency - self.stage(node)]
                value = value << int(graph.output_shift[number])
                value = value if graph.output_sign[number] > 0 else -value
            m.d.comb += self.o.lanes[number].eq(value)
        start_result(m, self, streams[0])
        return m


def _sum(a: Any, b: Any, shift_a: int, shift_b: int, subtracts: bool) -> Any:
    """`(a << shift_a) +- (b << shift_b)`; bits that only one operand has go past the adder."""
    low = max(shift_a, shift_b)
    if low and shift_b == low:
        above = a >> low
        return Cat(_lowest(a, low), above - b if subtracts else above + b).as_signed()
    if low and not subtracts:
        return Cat(_lowest(b, low), a + (b >> low)).as_signed()
    first, second = a << shift_a, b << shift_b
    return first - second if subtracts else first + second


def _lowest(value: Any, bits: int) -> Any:
    """The lowest bits of a value, which may have fewer: an `or` extends, a slice does not."""
    return (value | Const(0, bits))[:bits]
