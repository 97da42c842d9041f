# amaranth: UnusedElaboratable=no
"""Products in logic, every pair of small factors, against Python's own."""

from itertools import product as pairs

import pytest
from amaranth.hdl import Module, Shape, Signal, signed, unsigned
from amaranth.sim import Simulator, SimulatorContext
from sylvan.hw.beats import Pattern, Tag
from sylvan.hw.operators.product import pipelined_product, product, product_latency
from sylvan.hw.operators.shift_add import ShiftAdd
from sylvan.model.numbers import Format

SHAPES = [signed(1), unsigned(1), signed(2), unsigned(3), signed(4), unsigned(5)]


def values(shape: Shape) -> range:
    """Every value of a shape."""
    low = -(1 << shape.width - 1) if shape.signed else 0
    return range(low, low + (1 << shape.width))


@pytest.mark.parametrize(("left", "right"), list(pairs(SHAPES, SHAPES)))
def test_every_product(left: Shape, right: Shape) -> None:
    a, b, found = Signal(left), Signal(right), Signal(signed(12))
    m = Module()
    m.d.comb += found.eq(product(a, b))

    async def bench(ctx: SimulatorContext) -> None:
        for x, y in pairs(values(left), values(right)):
            ctx.set(a, x)
            ctx.set(b, y)
            assert ctx.get(found) == x * y

    simulator = Simulator(m)
    simulator.add_testbench(bench)
    simulator.run()


@pytest.mark.parametrize(("left", "right"), list(pairs(SHAPES, SHAPES)))
def test_every_product_in_a_pipeline(left: Shape, right: Shape) -> None:
    a, b, found = Signal(left), Signal(right), Signal(signed(12))
    m = Module()
    m.d.comb += found.eq(pipelined_product(m, "product", a, b))
    latency = product_latency(left.width, right.width)
    given = list(pairs(values(left), values(right)))
    seen = []

    async def bench(ctx: SimulatorContext) -> None:
        for x, y in [*given, *[(0, 0)] * latency]:
            ctx.set(a, x)
            ctx.set(b, y)
            seen.append(ctx.get(found))
            await ctx.tick()

    simulator = Simulator(m)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    assert seen[latency:] == [x * y for x, y in given]


@pytest.mark.parametrize("dwell", [2, 3, 5, 6])
@pytest.mark.parametrize(("left", "right"), list(pairs(SHAPES, SHAPES)))
def test_every_product_while_a_beat_stays(left: Shape, right: Shape, dwell: int) -> None:
    """Beats back to back: a product stays as long as they do."""
    given = list(pairs(values(left), values(right)))
    formats = [Format(values(shape)[0], values(shape)[-1]) for shape in (left, right)]
    result = formats[0].times(formats[1].lo, formats[1].hi)
    made = ShiftAdd(Pattern(len(given), 1, dwell), formats, result, Tag(1))
    width = min(left.width, right.width)
    assert (made.rows, made.latency) == (-(-width // dwell), -(-width // -(-width // dwell)))
    seen = []

    async def bench(ctx: SimulatorContext) -> None:
        for cycle in range(len(given) * dwell + made.latency):
            x, y = given[min(cycle // dwell, len(given) - 1)]
            ctx.set(made.a.start, cycle == 0)
            ctx.set(made.a.lanes[0], x)
            ctx.set(made.b.lanes[0], y)
            seen.append(ctx.get(made.o.lanes[0]))
            await ctx.tick()

    simulator = Simulator(made)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    assert seen[made.latency :] == [x * y for x, y in given for _ in range(dwell)]


def test_rows_are_added_while_a_beat_stays() -> None:
    with pytest.raises(ValueError, match=r"rows are added while a beat stays, got Pattern\(size=4"):
        ShiftAdd(Pattern(4, 1), [Format(0, 1)] * 2, Format(0, 1), Tag(1))
