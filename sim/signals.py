"""What tasks of the testbench do with wires: see `sylvan.sim.testbench` for when they may."""

from typing import Any

from cocotb.handle import Immediate
from cocotb.triggers import Timer
from cocotb.utils import get_sim_time

HALF = 1
CYCLE = 2


def now() -> int:
    """The current clock cycle."""
    return get_sim_time("step") // CYCLE


def level(signal: Any) -> bool:
    """Whether a wire is up; an unknown one is not (the harness reports it)."""
    return str(signal.value) == "1"


def payload(signal: Any) -> int | None:
    """The word on the output, None where bits of it are unknown."""
    try:
        return int(signal.value)
    except ValueError:
        return None


async def send(port_next: Any, ready: Any, word: int) -> None:
    """Offers a word until it is taken; what is offered then is up to the caller."""
    port_next.value = Immediate(word)
    await Timer(CYCLE)
    while not level(ready):
        await ready.rising_edge
        await Timer(HALF)
