"""The numbers of the cost model, which bench/fit.py finds on cores that were built, and writes."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Weights:
    """LUTs of a part of that family for each of the counts of `cost.terms`."""

    adder_bit: float
    adder: float
    inverted_bit: float
    product_bit: float
    logic_bit: float
    waiting_bit: float
    held: float
    core: float


@dataclass(frozen=True)
class CoreDelays:
    """Of a whole core, nanoseconds: `row` for each adder in a row; or what `core` makes of the
    counts of `cost.delay_terms`. Of a microprogram `word`, from one word to the next."""

    row: float
    core: tuple[float, float, float, float]
    word: float


# fitted: begin
WEIGHTS = {
    "ice40": Weights(0.8499, 0.0726, 1.3198, 1.6606, 1.1133, 0.7509, 1.8859, 1.513),
    "ecp5": Weights(0.7725, 1.0199, 0.0, 1.4408, 1.346, 0.1781, 0.9572, 0.0),
    "xilinx": Weights(0.6566, 0.0, 0.0566, 0.8875, 0.8406, 0.3044, 0.8235, 0.0),
    "gowin": Weights(0.782, 0.0835, 0.0, 1.4206, 1.141, 0.2094, 0.9493, 13.5621),
}
DELAYS = {
    "ice40": CoreDelays(2.5, (5.6364, 0.0, 0.0248, 0.0), 10.4315),
    "up5k": CoreDelays(2.5, (5.0667, 0.0626, 0.2279, 0.3532), 20.514),
    "ecp5": CoreDelays(2.5, (3.6072, 0.0068, 0.0264, 0.8014), 12.7225),
}
# fitted: end
