# amaranth: UnusedElaboratable=no
"""What a plan should cost on a part, said before any tool has run.

Counts of what a core is made of, weighed as bench/fit.py found it on cores that were built; the
report prints the estimate beside the measurement.
"""

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from math import sqrt
from typing import Any

from .control import control_cost
from .fitted import DELAYS, WEIGHTS, CoreDelays
from .operators.base import Cost
from .plan import Plan
from .report import CYCLES
from .state import StatePort
from .targets import Target

BLOCK_WEIGHTS = {"ice40": 64, "ecp5": 128, "xilinx": 128, "gowin": 128}
"""What yosys takes a block RAM to be worth, in the units of `LutMemory.weight`."""
LOGIC_WEIGHT = 1
"""And a bit of a memory that becomes flip-flops."""


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
    total = total_cost(plan)
    cells, blocks = round(luts(total, target)), brams(total, target)
    around = target.around
    return cycles | {
        "luts": cells + around.luts,
        "ffs": flip_flops(total, target) + around.ffs,
        "brams": blocks + around.brams,
        "sprams": 0,
        "dsps": total.dsps,
        "fmax_mhz": fmax_mhz(plan, cells, blocks, target),
    }


def total_cost(plan: Plan) -> Cost:
    """Cost of a whole core."""
    controls = [control_cost(layer) for layer in plan.layers]
    port = StatePort(plan).cost if plan.schedule.state_port else Cost()
    return sum([*plan.cost.values(), *controls], port)


def terms(cost: Cost, target: Target) -> tuple[float, ...]:
    """What each of the `Weights` is multiplied by."""
    held = sum(in_luts(*s, target)[1] for s in cost.memories if not block_rams(*s, target))
    sums = cost.adder_bits, cost.adders, cost.inverted_bits, cost.product_bits
    counts = *sums, cost.logic_bits, cost.waiting_bits, held, 1
    return tuple(map(float, counts))


def luts(cost: Cost, target: Target) -> float:
    """LUTs of a whole core."""
    return weighed(astuple(WEIGHTS[str(target.family)]), terms(cost, target))


def weighed(weights: Sequence[float], counts: Sequence[float]) -> float:
    """The sum of what is counted, each by its weight."""
    return sum(weight * count for weight, count in zip(weights, counts, strict=True))


def flip_flops(cost: Cost, target: Target) -> int:
    """Flip-flops: what a memory in LUTs is asked for is held by a register of its own."""
    in_logic = (size for size in cost.memories if not block_rams(*size, target))
    return cost.register_bits + sum(width for width, _ in in_logic)


def brams(cost: Cost, target: Target) -> int:
    """Block RAMs of all memories."""
    blocks = sum(block_rams(*size, target) for size in cost.memories)
    return blocks + sum(_blocks(*size, target) for size in cost.roms)


def path(plan: Plan) -> tuple[int, float]:
    """Adders in a row between two registers, as far as operators say, and bits of the widest sums.

    Both the most of any operator; of the sums of one, the mean. Of a microprogram, none.
    """
    if plan.engine:
        return 0, 0.0
    operators = [part.operator for part in plan.parts if part.operator is not None]
    rows = max((operator.path.adders for operator in operators if operator.path), default=1)
    costs = (operator.cost for operator in operators)
    return rows, max((cost.adder_bits / cost.adders for cost in costs if cost.adders), default=0.0)


def delay_terms(bits: float, cells: float, blocks: int) -> tuple[float, ...]:
    """What each of the delays of a core is multiplied by where no adders are in a row.

    Bits of its widest sums; ways, which grow with the side of the square that its LUTs fill; and a
    block RAM, as far as its reads are slow.
    """
    return 1.0, bits, sqrt(cells), float(blocks > 0)


def period_ns(delays: CoreDelays, rows: int, terms: Sequence[float]) -> float:
    """A clock period: that of adders in a row, or of the rest of a core; or of a microprogram."""
    if not rows:
        return delays.word
    return max(delays.row * rows, weighed(delays.core, terms))


def fmax_mhz(plan: Plan, cells: float, blocks: int, target: Target) -> float | None:
    """MHz of a plan of so many LUTs and block RAMs; None on a part that is not placed."""
    delays = DELAYS.get(str(target.timing))
    if delays is None:
        return None
    rows, bits = path(plan)
    return 1000 / period_ns(delays, rows, delay_terms(bits, cells, blocks))


def block_rams(width: int, depth: int, target: Target) -> int:
    """Block RAMs of a memory; 0 where it is so small that it becomes logic."""
    blocks = _blocks(width, depth, target)
    least = BLOCK_WEIGHTS[str(target.family)] * blocks
    return blocks if in_luts(width, depth, target)[0] > least else 0


def _blocks(width: int, depth: int, target: Target) -> int:
    """The fewest blocks: one may be half as wide and twice as deep, and so on down to 2 bits."""
    assert target.bram_bits is not None and target.bram_width is not None
    rows = target.bram_bits // target.bram_width
    shapes = [(target.bram_width >> k, rows << k) for k in range(6) if target.bram_width >> k > 1]
    return min(-(-width // wide) * -(-depth // deep) for wide, deep in shapes)


def in_luts(width: int, depth: int, target: Target) -> tuple[float, float]:
    """Weight and LUTs of a memory without block RAM.

    Where it is made of several, one below the other, a LUT makes two of the choices between them.
    """
    kind = LUT_MEMORIES.get(str(target.family))
    if kind is None:
        bits = width * depth
        return LOGIC_WEIGHT * bits, bits
    ways = []
    for wide, deep in kind.shapes:
        rows = -(-depth // deep)
        count = -(-width // wide) * rows
        choices = width * (rows - 1) / 2
        ways.append((kind.weight * count + choices, kind.luts * count + choices))
    return min(ways)
