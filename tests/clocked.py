"""A component simulated by Amaranth's own simulator, with a clock."""

from typing import Any

from amaranth.sim import Simulator


def run_clocked(component: Any, bench: Any) -> None:
    """Run a testbench to its end."""
    simulator = Simulator(component)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
