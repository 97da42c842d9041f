"""Products in logic, every pair of small factors, against Python's own."""

from itertools import product as pairs

import pytest
from amaranth.hdl import Module, Shape, Signal, signed, unsigned
from amaranth.sim import Simulator, SimulatorContext
from sylvan.hw.operators.product import pipelined_product, product, product_latency

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
