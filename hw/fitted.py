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
    "ecp5": Weights(0.7852, 1.0488, 0.0, 1.491, 1.2597, 0.1599, 1.0625, 0.0),
    "xilinx": Weights(0.5709, 0.0, 0.15, 0.9425, 0.8632, 0.3547, 0.8492, 0.0),
    "gowin": Weights(0.8035, 0.1308, 0.0, 1.4307, 1.1098, 0.1994, 1.0368, 5.6873),
}
DELAYS = {
    "ice40": CoreDelays(3.717, (5.1382, 0.0072, 0.0329, 0.0), 9.828),
    "up5k": CoreDelays(9.0563, (12.5126, 0.0169, 0.0859, 0.0855), 21.5795),
    "ecp5": CoreDelays(2.709, (3.3318, 0.0049, 0.0383, 0.6414), 12.2035),
}
# fitted: end
