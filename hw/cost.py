"""What a plan should cost on a part, said before any tool has run.

A first estimate from what operators are made of; the report prints it beside the measurement.
"""

from typing import Any

from .operators.base import Cost
from .plan import Plan
from .targets import Target

UNSAID = 0.5
"""Cells for each flip-flop, for what costs leave out: lone flip-flops, carry chains, control.

An ECP5 keeps flip-flops apart, so an operator that says its adders has said all its LUTs there.
"""
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
    apart = target.family == "ecp5"
    vague = (cost.register_bits for cost in plan.cost.values() if not (apart and cost.adders))
    return cycles | {
        "luts": round(luts(total, target) + UNSAID * sum(vague) + in_logic / 4),
        "ffs": total.register_bits,
        "brams": sum(blocks),
        "sprams": 0,
        "dsps": 0,
    }


def luts(cost: Cost, target: Target) -> int:
    """LUTs of arithmetic and logic; on ECP5 a carry chain begins with one that carries in."""
    entries = cost.adders if target.family == "ecp5" else 0
    return cost.adder_bits + entries + cost.logic_bits


def block_rams(width: int, depth: int, target: Target) -> int:
    """Block RAMs of a memory; 0 where it is so small that it becomes logic.

    A block may be half as wide and twice as deep, and so on down to 2 bits.
    """
    assert target.bram_bits is not None and target.bram_width is not None
    rows = target.bram_bits // target.bram_width
    shapes = [(target.bram_width >> k, rows << k) for k in range(6) if target.bram_width >> k > 1]
    blocks = min(-(-width // wide) * -(-depth // deep) for wide, deep in shapes)
    return blocks if width * depth > SMALL_MEMORY_BITS * blocks else 0
