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
    table: float
    held: float
    core: float


@dataclass(frozen=True)
class Delays:
    """Nanoseconds: for each adder in a row, and in `core` for each count of `cost.delay_terms`."""

    row: float
    core: tuple[float, float, float, float]


# fitted: begin
WEIGHTS = {
    "ice40": Weights(0.9323, 0.0709, 0.8736, 2.1321, 0.9207, 0.9561, 1.1077, 1.5117, 0.0),
    "ecp5": Weights(0.8896, 1.0544, 0.0, 2.325, 1.0888, 0.0993, 1.0432, 1.2429, 4.4681),
    "xilinx": Weights(0.7796, 0.0, 0.0, 1.0668, 1.1116, 0.0, 1.1392, 0.9298, 0.0),
    "gowin": Weights(0.9118, 0.0321, 0.0, 2.0754, 1.053, 0.0075, 1.0101, 1.21, 3.824),
}
DELAYS = {
    "ice40": Delays(3.4883, (6.6463, 0.106, 0.0049, 0.3082)),
    "ecp5": Delays(2.7116, (5.1117, 0.0762, 0.0141, 0.6598)),
}
# fitted: end
