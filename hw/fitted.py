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
    counts of `cost.delay_terms`."""

    row: float
    core: tuple[float, float, float, float]


# fitted: begin
WEIGHTS = {
    "ice40": Weights(0.7816, 0.0157, 1.2139, 1.5057, 1.0664, 1.0327, 1.7494, 0.0),
    "ecp5": Weights(0.8233, 0.998, 0.0, 1.9135, 1.0685, 0.1546, 1.0542, 0.0),
    "xilinx": Weights(0.709, 0.0, 0.0, 0.9209, 0.9034, 0.2405, 0.7528, 0.0),
    "gowin": Weights(0.8332, 0.0027, 0.0, 1.8303, 0.9395, 0.2365, 0.9674, 0.0),
}
DELAYS = {
    "ice40": CoreDelays(3.374, (5.1263, 0.0118, 0.0269, 0.0)),
    "up5k": CoreDelays(8.7653, (12.9813, 0.064, 0.0087, 1.0)),
    "ecp5": CoreDelays(2.6648, (3.4104, 0.0288, 0.0186, 0.9411)),
}
# fitted: end
