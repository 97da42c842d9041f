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
    "ice40": Weights(0.8352, 0.1813, 1.3179, 1.7207, 1.1142, 0.7784, 1.9234, 0.0),
    "ecp5": Weights(0.7843, 1.0396, 0.0, 1.4515, 1.2931, 0.1332, 1.1912, 1.6477),
    "xilinx": Weights(0.5592, 0.0069, 0.1597, 0.946, 0.8545, 0.3703, 0.8573, 0.0),
    "gowin": Weights(0.8106, 0.1241, 0.0, 1.4163, 1.0956, 0.184, 1.1063, 9.675),
}
DELAYS = {
    "ice40": CoreDelays(3.717, (5.1382, 0.0072, 0.0329, 0.0), 9.828),
    "up5k": CoreDelays(9.0563, (12.5126, 0.0169, 0.0859, 0.0855), 21.5795),
    "ecp5": CoreDelays(2.709, (3.3003, 0.0046, 0.039, 0.6444), 12.2035),
}
# fitted: end
