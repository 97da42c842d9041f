"""The clock rate that adders in a row should reach on a part, said before any tool has run.

A path leaves a register, and for each adder in a row it takes a way through the fabric into the low
end of a carry chain; the bits of the widest chain are passed once, because the adders of a row pass
their carries side by side. Ways are longer in a larger design: as the side of the square that its
cells would fill.
"""

from dataclasses import dataclass
from math import sqrt

from .targets import Target


@dataclass(frozen=True)
class Path:
    """Adders in a row between two registers, and the bits of the widest one."""

    adders: int
    bits: int


@dataclass(frozen=True)
class Delays:
    """Nanoseconds: a path takes `register + adders * (adder + way * side) + bits * bit`."""

    register: float
    adder: float
    way: float
    bit: float


#: Fitted by bench/placed.py.
DELAYS = {"ecp5": Delays(register=1.0, adder=1.0, way=0.01, bit=0.035)}


def terms(path: Path, luts: int) -> tuple[float, float, float, float]:
    """What each of the delays is multiplied by."""
    return 1.0, path.adders, path.adders * sqrt(luts), path.bits


def fmax_mhz(path: Path, luts: int, target: Target) -> float | None:
    """MHz in a design of that many LUTs; None for a part whose delays are not known."""
    delays = DELAYS.get(str(target.family))
    if delays is None:
        return None
    parts = delays.register, delays.adder, delays.way, delays.bit
    return 1000 / sum(a * b for a, b in zip(parts, terms(path, luts), strict=True))
