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
    "ice40": Weights(0.7687, 0.0949, 1.2305, 1.7391, 1.0288, 0.9675, 1.845, 0.0),
    "ecp5": Weights(0.8097, 1.0574, 0.0, 1.4868, 1.2066, 0.1555, 1.0993, 0.0),
    "xilinx": Weights(0.5679, 0.0045, 0.181, 0.9046, 1.0371, 0.2252, 0.7823, 0.0),
    "gowin": Weights(0.7674, 0.1244, 0.0, 1.44, 1.0421, 0.3085, 1.0354, 0.0),
}
DELAYS = {
    "ice40": CoreDelays(3.3903, (5.7999, 0.0564, 0.0107, 0.0)),
    "up5k": CoreDelays(7.5, (12.0, 0.12, 0.02, 0.0)),
    "ecp5": CoreDelays(2.709, (3.8217, 0.0179, 0.0289, 0.8272)),
}
# fitted: end
