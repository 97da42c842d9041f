"""The HadamRNN's program against its equation in real numbers, and the parameters it refuses."""

from dataclasses import replace

import numpy as np
import pytest
from programs import random_inputs
from sylvan.model.arrays import Constant
from sylvan.model.cells.hadamrnn.step import STEP_UNITS, HadamParameters, program
from sylvan.model.interpret import Machine, run
from sylvan.model.matrices import Hadamard
from sylvan.model.numbers import Format
from sylvan.model.program import NumericInput, SymbolInput

HIDDEN, CLASSES = 128, 5
NUMERIC = NumericInput(3, Format(-64, 63, -6), (1.0,) * 3, (0.0,) * 3)


def rounded(real: np.ndarray, exp: int) -> np.ndarray:
    return np.rint(np.ldexp(real, -exp)).astype(np.int64)


class Real:
    """A HadamRNN in floating point, h in units of the scale of U, and its integer parameters."""

    def __init__(self, block: int, symbols: bool, looped: bool) -> None:
        rng = np.random.default_rng(block)
        period = 1 + (block.bit_length() - 1) % 2
        self.block, self.symbols = block, symbols
        self.signs = rng.choice([-1, 1], HIDDEN)
        self.recurrence = Hadamard(block, self.signs).dense() / np.sqrt(block)
        self.bias = rng.uniform(-0.5, 0.5, HIDDEN)
        self.looped = looped
        self.u = rng.integers(-8, 8, (HIDDEN, 7 if symbols else 3))
        self.v = rng.integers(-8, 8, (CLASSES, HIDDEN))
        self.c = rng.uniform(-9, 9, CLASSES)
        # What a constant is divided by to stand in the unit that a step of each phase leaves.
        units = np.array(STEP_UNITS[period])[:, None]
        phased = period == 2 and not symbols
        table = rounded(self.u[None] / 8 / units[:, :, None], -12)
        bias = Constant(rounded(self.bias[None] / units, -12), -12)
        self.parameters = HadamParameters(
            input=SymbolInput(7) if symbols else NUMERIC,
            block=block,
            signs=self.signs,
            input_weights=table if symbols else self.u[None],
            input_exp=-12 if symbols else -3,
            input_factors=Constant(rounded(1 / units, -16), -16) if phased else None,
            scaled_input=Format.signed_bits(16, -14) if phased else None,
            state=Format.signed_bits(22, -12),
            bias=bias if looped else None,
            threshold=None if looped else bias,
            output_weights=self.v,
            output_exp=-3,
            output_bias=Constant(rounded(self.c[None] / units, -12), -12),
            output_unit=0.5,
            state_unit=0.25,
            read="every",
        )

    def states(self, inputs: np.ndarray) -> list[np.ndarray]:
        h, result = np.zeros(HIDDEN), []
        for x in inputs:
            h = self.recurrence @ h + (self.u[:, x] / 8 if self.symbols else self.u / 8 @ (x / 64))
            h = h + self.bias if self.looped else h
            result.append(h)
        return result

    def outputs(self, inputs: np.ndarray) -> np.ndarray:
        g = 0 if self.looped else self.bias
        return np.array([self.v / 8 @ np.maximum(h + g, 0) + self.c for h in self.states(inputs)])


@pytest.mark.parametrize("block", [1, 2, 4, 16, 32, 64, 128])
@pytest.mark.parametrize("symbols", [False, True], ids=["numeric", "symbols"])
@pytest.mark.parametrize("looped", [False, True], ids=["threshold", "bias"])
def test_the_program_is_the_equation(block: int, symbols: bool, looped: bool) -> None:
    """Raw states and answers, times their unit by phase, follow the real network."""
    real = Real(block, symbols, looped)
    net = program(real.parameters)
    assert net.period == (2 if block in (2, 32, 128) else 1)
    inputs = random_inputs(net, (9,))
    machine = Machine(net)
    unit = net.layers[0].states[0].unit
    given = inputs.reshape(9, -1)
    for t, (x, h) in enumerate(zip(given, real.states(inputs), strict=True)):
        machine.step(x[:, None])
        raw = machine.states["hidden"][:, 0]
        # The unit of a state is that of before the next step; 0.25 is the scale of U.
        np.testing.assert_allclose(
            np.ldexp(raw, -12) * unit[(t + 1) % net.period], h / 4, atol=0.01
        )
    scales = np.array([net.readout.unit[t % net.period] for t in range(9)])[:, None]
    answers = np.ldexp(run(net, inputs[None])[0].astype(float), net.output.format.exp) * scales
    np.testing.assert_allclose(answers, real.outputs(inputs) / 2, atol=0.5)


def test_argmax_answers_the_largest_logit() -> None:
    for read in ("every", "last"):
        logits = replace(Real(128, False, True).parameters, read=read)
        inputs = random_inputs(program(logits), (4, 5))
        labels = run(program(replace(logits, argmax=True)), inputs)
        assert np.array_equal(labels[..., 0], run(program(logits), inputs).argmax(-1))


def test_metadata_and_names_survive() -> None:
    net = program(Real(16, True, True).parameters, {"task": "copy"})
    assert net.metadata == {"task": "copy"}
    names = [node.result.name for node in net.nodes()]
    assert names[:4] == ["transformed", "recurrent", "injected", "total"]
    assert net.output.name == "logits"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"block": 12}, "block must be a power of two, got 12"),
        ({"block": 256}, "128 signs are no multiple of the block 256"),
        ({"input_factors": None}, "blocks of 128 have two phases: numeric input needs"),
        ({"scaled_input": None}, "numeric input needs input_factors and scaled_input"),
        (
            {"input_weights": np.zeros((HIDDEN, 3), int)},
            r"input_weights must have shape \(1, 128, 3\), got \(128, 3\)",
        ),
        (
            {"input": SymbolInput(7), "input_weights": np.zeros((1, HIDDEN, 7), int)},
            r"input_weights must have shape \(2, 128, 7\), got \(1, 128, 7\)",
        ),
        (
            {"output_weights": np.zeros((CLASSES, 64), int)},
            r"output_weights must have shape \(5, 128\), got \(5, 64\)",
        ),
        (
            {"output_bias": Constant(np.zeros((1, CLASSES), int), 0)},
            r"output_bias must have shape \(2, 5\), got \(1, 5\)",
        ),
        ({"bias": Constant(np.zeros((1, HIDDEN), int), 0)}, r"bias must have shape \(2, 128\)"),
        ({"threshold": Constant(np.zeros((2, 3), int), 0)}, r"threshold must have .* got \(2, 3\)"),
        ({"read": "first"}, "readout must read one of .* got 'first'"),
        ({"output_unit": float("nan")}, "unit of the readout needs 2 finite numbers"),
        ({"state_unit": 0.0}, "hidden needs 2 positive units"),
        ({"input_weights": np.full((1, HIDDEN, 3), 0.5)}, "weights must be .* got float64"),
    ],
)  # fmt: skip
def test_refused_parameters(changes: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        program(replace(Real(128, False, True).parameters, **changes))
