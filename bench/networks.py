"""The networks that hardware is measured on: HadamRNN on one pixel a timestep, with drawn weights.

12-bit state, 4-bit U, 8-bit input, one block; 10 classes from a ReLU at the last step, as permuted
MNIST has them. What hardware costs does not depend on what was learnt, so nothing is trained.
"""

import numpy as np
from sylvan.model.arrays import Constant
from sylvan.model.builder import Builder
from sylvan.model.cells.hadamrnn.step import HadamParameters, step
from sylvan.model.cells.hadamrnn.step import program as whole
from sylvan.model.matrices import Dense
from sylvan.model.numbers import Format
from sylvan.model.program import NumericInput, Program

STATE_BITS, WEIGHT_BITS, INPUT_EXP = 12, 4, -8
SEED = 0


def parameters(n: int) -> HadamParameters:
    """A HadamRNN of n units; the input is as fine as the transformed state, as exports have it."""
    random = np.random.default_rng([SEED, n])
    stages = n.bit_length() - 1
    phased = stages % 2 == 1
    state = Format.signed_bits(STATE_BITS, INPUT_EXP + (stages + 1) // 2)
    ends = -(1 << WEIGHT_BITS - 1), 1 << WEIGHT_BITS - 1
    return HadamParameters(
        input=NumericInput(1, Format(0, 255, INPUT_EXP), (1.0,), (0.0,)),
        block=n,
        signs=random.choice([-1, 1], n),
        input_weights=random.integers(*ends, (1, n, 1)),
        input_exp=0,
        # 1 / sqrt(2) on every other timestep.
        input_factors=Constant(np.array([[46341], [65536]]), -16) if phased else None,
        scaled_input=Format(0, 255, INPUT_EXP) if phased else None,
        state=state,
        bias=None,
        threshold=Constant(random.integers(-100, 100, (1 + phased, n)), state.exp),
        output_weights=random.integers(*ends, (10, n)),
        output_exp=0,
        output_bias=Constant(random.integers(-99, 99, (1 + phased, 10)), state.exp),
        output_unit=1.0,
        state_unit=1.0,
        read="last",
        argmax=True,
    )


def network(n: int) -> Program:
    """The whole network."""
    return whole(parameters(n))


def recurrence(n: int) -> Program:
    """The network without its readout: the last step is answered by one unit of the state."""
    p = parameters(n)
    b = Builder(p.input, p.period)
    h = b.state("hidden", n, p.state)
    new = step(b, p, b.input, h)
    b.write(h, new)
    one = Dense(np.eye(1, n, dtype=np.int64))
    unit = b.matvec(one, b.layer("recurrence", new), name="unit")
    return b.program(unit, "last", [1.0] * p.period)
