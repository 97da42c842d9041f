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
    "ice40": Weights(0.8271, 0.1802, 1.3193, 1.723, 1.0902, 0.8044, 1.9303, 0.0),
    "ecp5": Weights(0.7743, 1.0482, 0.0, 1.4594, 1.3429, 0.1497, 1.0115, 0.0),
    "xilinx": Weights(0.6055, 0.0103, 0.1577, 0.9362, 1.0525, 0.1733, 0.7882, 0.0),
    "gowin": Weights(0.7928, 0.131, 0.0, 1.4357, 1.0664, 0.2483, 1.0478, 0.0),
}
DELAYS = {
    "ice40": CoreDelays(3.717, (5.1327, 0.0073, 0.033, 0.0), 10.4),
    "up5k": CoreDelays(9.0563, (12.5056, 0.0169, 0.086, 0.086), 21.3),
    "ecp5": CoreDelays(2.709, (3.3332, 0.0051, 0.0381, 0.6423), 12.7),
}
# fitted: end
