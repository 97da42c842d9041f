"""The LED that shows what lasts a clock."""

import pytest
from amaranth.sim import Simulator
from sylvan.boards.base.top import FLASH_S, Flash

CLOCK_HZ = 700.0


@pytest.mark.parametrize("at", range(0, 32, 5))
def test_a_strobe_is_seen_for_one_to_two_periods(at: int) -> None:
    flash = Flash(CLOCK_HZ)
    period = 2**flash.bits
    assert FLASH_S * CLOCK_HZ / 1.5 < period < FLASH_S * CLOCK_HZ * 1.5
    lit = []

    async def strobes(ctx):
        for cycle in range(6 * period):
            ctx.set(flash.strobe, cycle in (at, 3 * period + at, 3 * period + at + 7))
            lit.append(ctx.get(flash.lit))
            await ctx.tick()

    simulator = Simulator(flash)
    simulator.add_clock(1 / CLOCK_HZ)
    simulator.add_testbench(strobes)
    simulator.run()
    first = [cycle for cycle in range(3 * period) if lit[cycle]]
    assert first == list(range(at + 1, first[-1] + 1)) and period <= len(first) <= 2 * period
    again = [cycle for cycle in range(3 * period, 6 * period) if lit[cycle]]
    assert again == list(range(3 * period + at + 1, again[-1] + 1))
    assert period + 7 <= len(again) <= 2 * period + 7
