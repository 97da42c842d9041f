# amaranth: UnusedElaboratable=no
"""Products in logic, every pair of small factors, against Python's own."""

from itertools import product as pairs

import pytest
from amaranth.hdl import Module, Shape, Signal, signed, unsigned
from amaranth.sim import Simulator, SimulatorContext
from clocked import run_clocked
from sylvan.hw.beats import Pattern, Tag
from sylvan.hw.operators.base import Cost
from sylvan.hw.operators.product import Product, product
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


def format_of(shape: Shape) -> Format:
    return Format(values(shape)[0], values(shape)[-1])


def check_pipeline(left: Shape, right: Shape, dsps: bool) -> None:
    """Every product, one a cycle."""
    a, b, found = Signal(left), Signal(right), Signal(signed(12))
    made = Product(format_of(left), format_of(right), dsps)
    assert made.in_block == dsps
    m = Module()
    m.d.comb += found.eq(made.of(m, "product", a, b))
    given = list(pairs(values(left), values(right)))
    seen = []

    async def bench(ctx: SimulatorContext) -> None:
        for x, y in [*given, *[(0, 0)] * made.latency]:
            ctx.set(a, x)
            ctx.set(b, y)
            seen.append(ctx.get(found))
            await ctx.tick()

    run_clocked(m, bench)
    assert seen[made.latency :] == [x * y for x, y in given]


@pytest.mark.parametrize(("left", "right"), list(pairs(SHAPES, SHAPES)))
def test_every_product_in_a_pipeline(left: Shape, right: Shape) -> None:
    check_pipeline(left, right, dsps=False)


WIDE = Format(-30000, 30000), Format(-9, 9), Format(0, 200), Format(0, 65535), Format(-4, 3)


def test_a_block_is_taken_where_it_is_worth_it_and_fits() -> None:
    blocks = {
        (k, j)
        for k, a in enumerate(WIDE)
        for j, b in enumerate(WIDE)
        if Product(a, b, True).in_block
    }
    # An unsigned factor of 16 bits needs one more beside a signed one; of 3 bits, or with a result
    # of 10, a block is not worth it.
    assert blocks == {
        (0, 0),
        (0, 1),
        (0, 2),
        (1, 0),
        (1, 2),
        (2, 0),
        (2, 1),
        (2, 2),
        (2, 3),
        (3, 2),
        (3, 3),
    }
    assert not Product(WIDE[0], WIDE[0]).in_block, "nobody asked for one"
    assert not Product(WIDE[0], Format(77, 77), True).in_block
    assert Product(WIDE[0], WIDE[1], True).cost == Cost(dsps=1)


@pytest.mark.parametrize("left, right", [(signed(4), signed(8)), (signed(5), unsigned(6))])
def test_every_product_of_a_block(left: Shape, right: Shape) -> None:
    check_pipeline(left, right, dsps=True)


@pytest.mark.parametrize("dwell", [2, 3, 5, 6])
@pytest.mark.parametrize(("left", "right"), list(pairs(SHAPES, SHAPES)))
def test_every_product_while_a_beat_stays(left: Shape, right: Shape, dwell: int) -> None:
    """Beats back to back: a product stays as long as they do."""
    given = list(pairs(values(left), values(right)))
    formats = [format_of(left), format_of(right)]
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

    run_clocked(made, bench)
    assert seen[made.latency :] == [x * y for x, y in given for _ in range(dwell)]


def test_rows_are_added_while_a_beat_stays() -> None:
    with pytest.raises(ValueError, match=r"rows are added while a beat stays, got Pattern\(size=4"):
        ShiftAdd(Pattern(4, 1), [Format(0, 1)] * 2, Format(0, 1), Tag(1))
