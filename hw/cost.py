"""What a plan should cost on a part, said before any tool has run.

A first estimate from what operators are made of; the report prints it beside the measurement.
"""

from dataclasses import dataclass
from typing import Any

from .operators.base import Cost
from .plan import Plan
from .report import CYCLES
from .targets import Target

UNSAID = 0.5
"""Cells for each flip-flop, for what costs leave out: lone flip-flops, carry chains, control.

But for iCE40 flip-flops are apart, so an operator that says its adders has said all its LUTs there.
"""


SMALL_MEMORY_BITS = 64
"""On iCE40, whose LUTs hold constants only, smaller memories become logic, mostly flip-flops."""
BLOCK_WEIGHT = 128
"""What yosys takes a block RAM to be worth, in the units of `LutMemory.weight`."""


@dataclass(frozen=True)
class LutMemory:
    """What a family makes of LUTs: one of `shapes` (width, depth) of `luts` LUTs; yosys' weight."""

    shapes: tuple[tuple[int, int], ...]
    luts: int
    weight: int


LUT_MEMORIES = {
    "ecp5": LutMemory(((4, 16),), luts=4, weight=4),
    "xilinx": LutMemory(((6, 32), (3, 64)), luts=4, weight=8),
    "gowin": LutMemory(((4, 16),), luts=6, weight=4),
}


def estimate(plan: Plan, target: Target) -> dict[str, Any]:
    """Figures of the plan on the target under the report's keys; what cannot be said is None."""
    cycles = {key: getattr(plan, key) for key in CYCLES}
    if not target.mapped:
        return cycles
    costs = plan.cost
    total = sum(costs.values(), Cost())
    blocks = [block_rams(width, depth, target) for width, depth in total.memories]
    in_logic = [size for size, b in zip(total.memories, blocks, strict=True) if not b]
    held = sum(in_luts(width, depth, target)[1] for width, depth in in_logic)
    apart = target.family != "ice40"
    vague = (cost.register_bits for cost in costs.values() if not (apart and cost.adders))
    return cycles | {
        "luts": round(luts(total, target) + UNSAID * sum(vague) + held),
        # What a memory in LUTs is asked for is held by a register of its own.
        "ffs": total.register_bits + sum(width for width, _ in in_logic),
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
    return blocks if in_luts(width, depth, target)[0] > BLOCK_WEIGHT * blocks else 0


def in_luts(width: int, depth: int, target: Target) -> tuple[float, float]:
    """Weight and LUTs of a memory without block RAM.

    Where it is made of several, one below the other, a LUT makes two of the choices between them.
    """
    kind = LUT_MEMORIES.get(str(target.family))
    if kind is None:
        bits = width * depth
        return BLOCK_WEIGHT * bits / SMALL_MEMORY_BITS, bits / 4
    ways = []
    for wide, deep in kind.shapes:
        rows = -(-depth // deep)
        count = -(-width // wide) * rows
        choices = width * (rows - 1) / 2
        ways.append((kind.weight * count + choices, kind.luts * count + choices))
    return min(ways)
