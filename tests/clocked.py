"""A component simulated by Amaranth's own simulator, with a clock."""

from typing import Any

from amaranth.sim import Simulator


def run_clocked(component: Any, bench: Any) -> None:
    """Run a testbench to its end."""
    simulator = Simulator(component)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()


def run_watched(component: Any, bench: Any, watch: Any, clock: float = 1e-6) -> None:
    """Run a testbench, and call `watch` with its context before every rising edge until it ends."""
    ended = False

    async def run(ctx: Any) -> None:
        nonlocal ended
        await bench(ctx)
        ended = True

    async def look(ctx: Any) -> None:
        while not ended:
            watch(ctx)
            await ctx.tick()

    simulator = Simulator(component)
    simulator.add_clock(clock)
    simulator.add_testbench(run)
    simulator.add_testbench(look)
    simulator.run()
