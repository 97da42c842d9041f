"""Dense constant matrices times a vector, by multiply and accumulate in two dual orders.

Both take the weights as a stream of their own (a Rom), aligned with the operand by the timetable.
"""

from typing import Any

import numpy as np
from amaranth import Cat, Module, Mux, Signal, Value
from amaranth.lib import data
from sylvan.model.arrays import Array
from sylvan.model.numbers import Format

from ..beats import Pattern, Tag, shape_of
from .addresses import Addresses, addresses_cost
from .base import Cost, Operator, connect_strobe, delay_strobe, start_result, strobe_cost
from .delay import delay_cost, delayed
from .product import Product


def prefix_format(weights: Array, operand: Format) -> Format:
    """Interval of every partial sum `sum_{j <= k} w_ij a_j`, over all phases, rows i, columns k."""
    columns = weights.astype(object)
    corners = np.stack([columns * operand.lo, columns * operand.hi])
    lo = np.cumsum(corners.min(axis=0), axis=-1).min()
    hi = np.cumsum(corners.max(axis=0), axis=-1).max()
    return Format(min(int(lo), 0), max(int(hi), 0), operand.exp)


class InnerMatVec(Operator):
    """`o = W a`, row after row: P columns a cycle into an adder tree and one accumulator.

    For few rows. The operand passes once per row; the result is a single lane whose elements stay
    for `ceil(columns / P)` cycles each.

    Parameters:
        weights: W, integers (phases, rows, columns).
        lanes: P, columns per cycle.
        source, weight, result: formats.
    Operands: a, pattern (columns, P) repeated for every row; b, the weights in the same order.
    Latency: `ceil(columns / P) + ceil(log2 P)` and that of a product. Interval:
        `rows * ceil(columns / P)`.
    Cost: P multipliers, `P - 1` adders of the tree, an accumulator that can start from zero.
    """

    operands = ("a", "b")

    def __init__(
        self,
        weights: Array,
        lanes: int,
        source: Format,
        weight: Format,
        result: Format,
        tag: Tag,
        dsps: bool = False,
    ) -> None:
        _, self.rows, self.columns = weights.shape
        self.lanes = lanes
        self.passed = Pattern(self.columns, lanes, repeats=self.rows)
        self.beats = self.passed.beats
        self.source = source
        self.weight = weight
        self.sum = prefix_format(weights, source)
        self.weights = weights
        self.tree_levels = (lanes - 1).bit_length()
        self.product = Product(source, weight, dsps)
        self.latency = self.beats + self.tree_levels + self.product.latency
        self.interval = self.rows * self.beats
        super().__init__({"a": (lanes, source), "b": (lanes, weight)}, (1, result), tag)

    @property
    def cost(self) -> Cost:
        a, b = shape_of(self.source).width, shape_of(self.weight).width
        total = shape_of(self.sum).width
        # Lanes without a weight are gone from the netlist.
        lanes = sum(bool(self.weights[..., k :: self.lanes].any()) for k in range(self.lanes))
        tree = (lanes - 1) * (a + b + 1)
        row = Cost(register_bits=total, waiting_bits=total)
        if self.beats > 1:
            row += Cost(total, 1, register_bits=total) + addresses_cost(self.passed)
        arrival = strobe_cost(self.product.latency + self.tree_levels, self.interval, self.tag)
        products = [self.product.cost] * lanes
        held = self.product.latency * lanes * (a + b)
        terms = Cost(tree, lanes - 1, register_bits=held + tree)
        return sum(products, terms + row + arrival)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        bounds = self.source.times(self.weight.lo, self.weight.hi)
        terms: list[Any] = []
        for lane in range(self.lanes):
            term = Signal(shape_of(bounds), name=f"product{lane}")
            factors = self.a.lanes[lane], self.b.lanes[lane]
            m.d.comb += term.eq(self.product.of(m, f"rows{lane}", *factors))
            terms.append(term)
        for level in range(self.tree_levels):
            pairs = [terms[k : k + 2] for k in range(0, len(terms), 2)]
            terms = []
            for k, pair in enumerate(pairs):
                total = sum(pair[1:], pair[0])
                held = Signal(total.shape(), name=f"tree{level}_{k}", reset_less=True)
                m.d.sync += held.eq(total)
                terms.append(held)
        ahead = self.product.latency + self.tree_levels
        arrived = delay_strobe(m, "arrival", self.a, ahead, self.interval)
        self._accumulate(m, terms[0], arrived)
        return m

    def _accumulate(self, m: Module, term: Any, strobe: Any) -> None:
        """Sum `beats` terms per row; a finished row moves to the output and stays there."""
        row = Signal(self.o.lanes[0].shape(), reset_less=True)
        total = Signal(shape_of(self.sum))
        if self.beats == 1:
            m.d.comb += [total.eq(term), self.o.lanes[0].eq(row)]
            m.d.sync += row.eq(total)
        else:
            m.submodules.rows = rows = Addresses(self.passed)
            m.d.comb += [rows.start.eq(strobe.start), self.o.lanes[0].eq(row)]
            partial = Signal(total.shape(), reset_less=True)
            m.d.comb += total.eq(partial + term)
            m.d.sync += partial.eq(total)
            # It rests at 0, so that nothing is decided in front of the adder.
            with m.If(~rows.active | rows.ends):
                m.d.sync += partial.eq(0)
            with m.If(rows.ends):
                m.d.sync += row.eq(total)
        finished = delay_strobe(m, "timing", strobe, self.beats, self.interval)
        connect_strobe(m, finished, self.o)


class OuterMatVec(Operator):
    """`o = W a`, column after column: one element times P rows a cycle, sums circulating.

    For few columns. The operand is a single lane whose elements stay while the rows pass; the
    result leaves in beats during the last column.

    Parameters: weights, integers (phases, rows, columns); lanes: P, rows per cycle.
    Operands: a, a single lane, each element held for `ceil(rows / P)` cycles;
        b, the weights column by column in beats of P rows.
    Latency: `(columns - 1) * ceil(rows / P)` and that of a product, one more where sums circulate.
    Interval: `columns * ceil(rows / P)`.
    Cost: P multipliers; with several columns P adders and `ceil(rows / P)` words of sums.
    """

    operands = ("a", "b")

    def __init__(
        self,
        weights: Array,
        lanes: int,
        source: Format,
        weight: Format,
        result: Format,
        tag: Tag,
        dsps: bool = False,
    ) -> None:
        _, self.rows, self.columns = weights.shape
        self.lanes = lanes
        self.beats = Pattern(self.rows, lanes).beats
        self.source = source
        self.weight = weight
        self.sum = prefix_format(weights, source)
        self.circulates = self.columns > 1
        self.product = Product(source, weight, dsps)
        self.latency = (self.columns - 1) * self.beats + self.product.latency + self.circulates
        self.interval = self.columns * self.beats
        super().__init__({"a": (1, source), "b": (lanes, weight)}, (lanes, result), tag)

    @property
    def cost(self) -> Cost:
        a, b = shape_of(self.source).width, shape_of(self.weight).width
        cost = sum(
            [self.product.cost] * self.lanes,
            Cost(register_bits=self.product.latency * self.lanes * (a + b)),
        )
        if self.circulates:
            bits, left = self.lanes * shape_of(self.sum).width, (self.beats - 1).bit_length()
            cost += Cost(bits + left, self.lanes + 1, bits + left, bits + left)
            cost += delay_cost(bits, self.beats - 1)
        return cost

    def elaborate(self, platform: object) -> Module:
        m = Module()
        bounds = self.source.times(self.weight.lo, self.weight.hi)
        results = []
        for k, weight in enumerate(self.b.lanes):
            term = Signal(shape_of(bounds), name=f"product{k}")
            m.d.comb += term.eq(self.product.of(m, f"columns{k}", weight, self.a.lanes[0]))
            results.append(term)
        if self.circulates:
            arrived = delay_strobe(m, "arrival", self.a, self.product.latency, self.interval)
            results = self._circulate(m, results, arrived.start)
        m.d.comb += [out.eq(x) for out, x in zip(self.o.lanes, results, strict=True)]
        start_result(m, self, self.a)
        return m

    def _circulate(self, m: Module, terms: list[Signal], start: Value) -> list[Signal]:
        """Add each column's terms to the sums of the column before; the first starts from zero."""
        left, runs = Signal(range(max(self.beats, 2))), Signal()
        opening = start | runs
        with m.If(start):
            m.d.sync += [left.eq(self.beats - 1), runs.eq(self.beats > 1)]
        with m.Elif(runs):
            m.d.sync += [left.eq(left - 1), runs.eq(left != 1)]
        shape = shape_of(self.sum)
        sums = [Signal(shape, name=f"sum{k}", reset_less=True) for k in range(self.lanes)]
        layout = data.ArrayLayout(shape, self.lanes)
        back = data.View(layout, delayed(m, "back", Cat(*sums), self.beats - 1))
        for total, term, past in zip(sums, terms, back, strict=True):
            m.d.sync += total.eq(term + Mux(opening, 0, past))
        return sums
