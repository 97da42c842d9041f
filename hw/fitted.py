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
    "ice40": Weights(0.771, 0.0926, 1.2321, 1.7376, 1.0309, 0.9615, 1.8404, 0.0),
    "ecp5": Weights(0.8135, 1.0544, 0.0, 1.4864, 1.1947, 0.1557, 1.099, 0.0),
    "xilinx": Weights(0.5744, 0.0, 0.1789, 0.9023, 1.0351, 0.2185, 0.7749, 0.0),
    "gowin": Weights(0.7724, 0.1219, 0.0, 1.4385, 1.0409, 0.3027, 1.0305, 0.0),
}
DELAYS = {
    "ice40": CoreDelays(3.3903, (5.7986, 0.0563, 0.0108, 0.0)),
    "ecp5": CoreDelays(2.709, (3.8227, 0.0179, 0.0289, 0.8274)),
}
# fitted: end
