"""What a plan should cost on a part, said before any tool has run.

A first estimate from what operators are made of; the report prints it beside the measurement.
"""

from typing import Any

from .operators.base import Cost
from .plan import Plan
from .targets import Target

ABSORBED = 0.5
"""Share of flip-flops that sit in the cell of the table or adder that feeds them."""
SMALL_MEMORY_BITS = 64
"""A block RAM is worth its place from so many bits on; smaller memories become logic."""


def estimate(plan: Plan, target: Target) -> dict[str, Any]:
    """Figures of the plan on the target under the report's keys; what cannot be said is None."""
    cycles = plan.describe()["cycles"]
    if not target.placed:
        return dict(cycles)
    total = sum(plan.cost.values(), Cost())
    blocks = [block_rams(width, depth, target) for width, depth in total.memories]
    in_logic = sum(
        width * depth for (width, depth), b in zip(total.memories, blocks, strict=True) if not b
    )
    luts = total.adder_bits + total.logic_bits + ABSORBED * total.register_bits + in_logic / 4
    return cycles | {
        "luts": round(luts),
        "ffs": total.register_bits,
        "brams": sum(blocks),
        "sprams": 0,
        "dsps": 0,
    }


def block_rams(width: int, depth: int, target: Target) -> int:
    """Block RAMs of a memory; 0 where it is so small that it becomes logic.

    A block may be half as wide and twice as deep, and so on down to 2 bits.
    """
    assert target.bram_bits is not None and target.bram_width is not None
    rows = target.bram_bits // target.bram_width
    shapes = [(target.bram_width >> k, rows << k) for k in range(6) if target.bram_width >> k > 1]
    blocks = min(-(-width // wide) * -(-depth // deep) for wide, deep in shapes)
    return blocks if width * depth > SMALL_MEMORY_BITS * blocks else 0
