"""The clock rate that an adder graph alone should reach on a part, before any tool has run.

A core has other slow paths besides, so that of a whole core is told by `cost.fmax_mhz`, coarsely.

A path leaves a register; for each adder in a row it goes a way through the fabric and along a carry
chain. A way goes across the adders that work side by side: as far as the side of the square that
they fill. And a part that is full of flip-flops has no place left near to where they belong.

How many bits a chain has says little: one more takes 0.04 ns, and sums of one design differ by few.
"""

from dataclasses import dataclass
from math import sqrt

from .targets import Target


@dataclass(frozen=True)
class Path:
    """Adders in a row between two registers, and bits of the sums side by side with each."""

    adders: int
    abreast: int


@dataclass(frozen=True)
class GraphDelays:
    """Of a graph alone, nanoseconds:
    `register + adders * (adder + way * sqrt(abreast)) + full * share**2`."""

    register: float
    adder: float
    way: float
    full: float


#: Fitted by bench/placed.py.
DELAYS = {"ecp5": GraphDelays(register=1.8075, adder=1.5918, way=0.0226, full=2.8571)}


def terms(path: Path, registers: int, target: Target) -> tuple[float, float, float, float]:
    """What each of the delays is multiplied by, in a design of that many flip-flops."""
    assert target.ffs is not None
    way = path.adders * sqrt(path.abreast)
    return 1.0, float(path.adders), way, (registers / target.ffs) ** 2


def fmax_mhz(path: Path, registers: int, target: Target) -> float | None:
    """MHz in a design of that many flip-flops; None for a part whose delays are not known."""
    delays = DELAYS.get(str(target.family))
    if delays is None:
        return None
    parts = delays.register, delays.adder, delays.way, delays.full
    found = zip(parts, terms(path, registers, target), strict=True)
    return 1000 / sum(delay * times for delay, times in found)
