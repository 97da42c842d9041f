"""The fast forms against the equation written out, and the way to integers against both."""

import math
import re
from itertools import product
from typing import Any

import numpy as np
import pytest
import torch
from contracts.families.hadamrnn import fake_quantized
from sylvan.model.cells.hadamrnn.layer import FEW_SYMBOLS, HadamRNN, integer_parameters
from sylvan.model.cells.hadamrnn.step import program
from sylvan.model.evaluate import real_answers
from sylvan.model.interpret import run
from sylvan.model.numbers import Format
from sylvan.model.program import READS, NumericInput, SymbolInput
from sylvan.model.quantize import symmetric

SIZES = [(1, 1), (2, 2), (6, 2), (16, 16), (24, 8), (64, 16), (128, 128)]
"""(hidden, block): one unit, phases, several blocks, two factors of a large block."""
PIXELS = NumericInput(3, Format(-100, 100, -6), (1.0,) * 3, (0.0,) * 3)


def make(hidden: int, block: int, *, symbols: bool = False, seed: int = 0, **more: Any) -> HadamRNN:
    layer = HadamRNN(3, hidden, 4, block=block, symbols=symbols, seed=seed, **more)
    random = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        layer.bias.normal_(0, 0.3, generator=random)
        layer.output_bias.normal_(generator=random)
    return layer


def draw(symbols: bool, batch: int = 5, length: int = 9, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    if symbols:
        return rng.integers(0, 3, (batch, length))
    return rng.integers(-100, 101, (batch, length, 3))


def values(raw: np.ndarray, dtype: torch.dtype) -> torch.Tensor:
    return torch.tensor(raw) if raw.ndim == 2 else torch.tensor(raw / 64, dtype=dtype)


def plain(layer: HadamRNN, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The equation, one timestep after the other, with W as a dense matrix: every answer.

    And where no ReLU meets a zero, whose slope is anybody's: quantized columns cancel now and then.
    """
    u = symmetric(layer.audible_weights(), layer.weight_bits)
    v = symmetric(layer.output_weights, layer.weight_bits)
    hadamard = torch.block_diag(*[hadamard_matrix(layer.block)] * (layer.hidden // layer.block))
    w = torch.diag(layer.signs) @ hadamard / math.sqrt(layer.block)
    h, answers, smooth = torch.zeros(len(x), layer.hidden, dtype=torch.float64), [], []
    for t in range(x.shape[1]):
        injected = u[:, x[:, t]].T if layer.symbols else x[:, t] @ u.T
        h = h @ w.T + injected + (layer.bias if layer.bias_at == "loop" else 0)
        shifted = h + layer.bias if layer.bias_at == "relu" else h
        answers.append(torch.relu(shifted) @ v.T + layer.output_bias)
        smooth.append((shifted.abs() > 1e-9).all(1, keepdim=True))
    return torch.stack(answers, 1), torch.stack(smooth, 1)


def hadamard_matrix(size: int) -> torch.Tensor:
    signs = [[(-1.0) ** (i & j).bit_count() for j in range(size)] for i in range(size)]
    return torch.tensor(signs, dtype=torch.float64)


@pytest.mark.parametrize(("hidden", "block"), SIZES)
@pytest.mark.parametrize("signs", ["fixed", "learned"])
@pytest.mark.parametrize("bias", ["relu", "loop"])
@pytest.mark.parametrize("symbols", [False, True], ids=["numeric", "symbols"])
def test_fast_forms_have_the_values_and_gradients_of_the_equation(
    hidden: int, block: int, signs: str, bias: str, symbols: bool
) -> None:
    x = values(draw(symbols), torch.float64)
    for read in READS:
        layer = make(hidden, block, symbols=symbols, signs=signs, bias=bias, read=read).double()
        asked = -1 if read == "last" else slice(None)
        wanted, smooth = (answers[:, asked] for answers in plain(layer, x))
        got = layer(x)
        torch.testing.assert_close(got, wanted, rtol=1e-10, atol=1e-10)
        weights = torch.randn(wanted.shape, dtype=torch.float64) * smooth
        trained = list(layer.parameters())
        for a, b in zip(
            torch.autograd.grad((got * weights).sum(), trained, retain_graph=True),
            torch.autograd.grad((wanted * weights).sum(), trained),
            strict=True,
        ):
            torch.testing.assert_close(a, b, rtol=1e-8, atol=1e-8)


def test_walking_and_the_kernel_agree_where_the_layer_chooses_between_them() -> None:
    """More columns than sequences, and more symbols than are worth one-hot vectors, are walked."""
    x = values(draw(False), torch.float64)
    layer = make(16, 16).double()
    torch.testing.assert_close(layer(x[:1]), layer(x)[:1], rtol=1e-10, atol=1e-10)
    many = HadamRNN(FEW_SYMBOLS + 1, 16, 4, symbols=True, read="last").double()
    few = HadamRNN(FEW_SYMBOLS, 16, 4, symbols=True, read="last").double()
    with torch.no_grad():
        many.input_weights[:, :FEW_SYMBOLS] = few.input_weights
        many.input_weights[:, FEW_SYMBOLS] = 0
        many.output_weights[:] = few.output_weights
        many.get_buffer("fixed_signs")[:] = few.signs
    symbols = torch.randint(0, FEW_SYMBOLS, (FEW_SYMBOLS, 7))
    torch.testing.assert_close(many(symbols), few(symbols), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize(("hidden", "block"), SIZES)
def test_fixed_signs_are_drawn_from_the_seed_with_product_one_in_each_block(
    hidden: int, block: int
) -> None:
    for seed in range(5):
        signs = make(hidden, block, seed=seed).signs
        assert set(signs.tolist()) <= {-1.0, 1.0}
        assert (signs.reshape(-1, block).prod(1) == 1).all()
        assert torch.equal(signs, make(hidden, block, seed=seed).signs)
    if block > 16:
        assert not torch.equal(make(hidden, block).signs, make(hidden, block, seed=1).signs)


def test_a_silent_symbol_only_turns_the_state() -> None:
    layer = make(16, 16, symbols=True, silent=0, read="last")
    with torch.no_grad():
        layer.input_weights[:, 0] = 1e9
    quiet = torch.zeros(2, 7, dtype=torch.int64)
    for batch in (quiet, quiet.repeat(2, 1)):
        assert not layer.final(batch).any()
    parameters = integer_parameters(layer, SymbolInput(3), draw(True), 12)
    assert not parameters.input_weights[..., 0].any()


@pytest.mark.parametrize(("hidden", "block"), [*SIZES, (512, 512)])
@pytest.mark.parametrize("symbols", [False, True], ids=["numeric", "symbols"])
def test_golden_equals_the_independent_fake_quantizer(
    hidden: int, block: int, symbols: bool
) -> None:
    """Bit for bit, also where few state bits saturate and round everywhere."""
    source = SymbolInput(3) if symbols else PIXELS
    raw = draw(symbols, batch=4, length=12)
    for read, bias, bits, argmax in product(
        ("last", "every"), ("relu", "loop"), (4, 12), (False, True)
    ):
        layer = make(hidden, block, symbols=symbols, read=read, bias=bias, weight_bits=3)
        # Calibrated on two sequences of four: the others may saturate.
        parameters = integer_parameters(layer, source, raw[:2], bits, argmax)
        assert parameters.state.width == bits
        golden = run(program(parameters), raw)
        assert np.array_equal(golden, fake_quantized(parameters, raw)), (read, bias, bits, argmax)


@pytest.mark.parametrize("block", [16, 32, 64, 128, 512])
@pytest.mark.parametrize("symbols", [False, True], ids=["numeric", "symbols"])
@pytest.mark.parametrize("bias", ["relu", "loop"])
def test_the_integer_network_follows_the_real_one(block: int, symbols: bool, bias: str) -> None:
    """With 20 bits of state the answers of 40 steps are the float layer's, times their unit."""
    source = SymbolInput(3) if symbols else PIXELS
    raw = draw(symbols, length=40)
    layer = make(block, block, symbols=symbols, read="every", bias=bias)
    net = program(integer_parameters(layer, source, raw, 20))
    real = real_answers(net, run(net, raw), raw.shape[1])
    with torch.no_grad():
        wanted = layer(values(raw, torch.float32)).numpy()
    assert np.abs(real - wanted).max() < 1e-3 * np.abs(wanted).max()


REFUSALS = [
    ({"hidden": 0}, "hidden must be a whole number >= 1, got 0"),
    ({"hidden": 24, "block": 16}, "block must be a power of two that divides 24, got 16"),
    ({"hidden": 24}, "block must be a power of two that divides 24, got 24"),
    ({"weight_bits": 0}, "weight bits must lie in 1..16, got 0"),
    ({"read": "first"}, "read must be one of ('every', 'last'), got 'first'"),
    ({"bias": "none"}, "bias must be one of ('relu', 'loop'), got 'none'"),
    ({"signs": "drawn"}, "signs must be one of ('fixed', 'learned'), got 'drawn'"),
    ({"dropout": 1.0}, "dropout must lie in 0..1 (1 excluded), got 1.0"),
    (
        {"dropout": 0.5, "read": "every"},
        "dropout is for networks that are read at their last step",
    ),
    ({"silent": 0}, "silent must be one of the 3 symbols of the input: 0"),
    ({"symbols": True, "silent": 3}, "silent must be one of the 3 symbols of the input: 3"),
]


@pytest.mark.parametrize(("change", "message"), REFUSALS)
def test_refusals(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        HadamRNN(**{"inputs": 3, "hidden": 16, "outputs": 2} | change)


def test_integers_refuse_weights_that_are_no_numbers_and_impossible_state_bits() -> None:
    layer = make(16, 16)
    with pytest.raises(ValueError, match=r"^state bits must lie in 2\.\.32, got 1$"):
        integer_parameters(layer, PIXELS, draw(False), 1)
    with torch.no_grad():
        layer.output_weights[0, 0] = float("nan")
    with pytest.raises(ValueError, match=r"^output_weights holds NaN or infinite weights$"):
        integer_parameters(layer, PIXELS, draw(False), 12)


def test_dropout_is_for_training_alone() -> None:
    x = values(draw(False), torch.float32)
    plain, dropped = make(64, 16), make(64, 16, dropout=0.5)
    wanted = plain(x)
    assert not torch.allclose(dropped(x), wanted)
    assert torch.equal(dropped.eval()(x), wanted)
