"""The fast forms against the equation written out, and the way to integers against both."""

import math
import re
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest
import torch
from contracts.families.hadamrnn import fake_quantized
from sylvan.model.arrays import Constant
from sylvan.model.cells.hadamrnn.layer import FEW_SYMBOLS, HadamRNN, integer_parameters
from sylvan.model.cells.hadamrnn.step import program
from sylvan.model.errors import UserError
from sylvan.model.interpret import run
from sylvan.model.numbers import Format
from sylvan.model.program import NumericInput, SymbolInput
from sylvan.model.quantize import symmetric
from sylvan.model.units import real_answers

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
    u = symmetric(layer.audible(layer.input_weights), layer.weight_bits)
    weights, factors = layer.output_weights, torch.ones(1)
    if layer.tables:
        # Where 1/sqrt(2) is left over, the state is kept in units of sqrt(2) after even timesteps.
        odd = layer.block.bit_length() % 2 == 0
        units = [2**0.5 if odd and t % 2 == 0 else 1.0 for t in layer.reads]
        factors = torch.tensor(units, dtype=torch.float64)[:, None, None]
    v = symmetric(weights * factors, layer.weight_bits) / factors
    hadamard = torch.block_diag(*[hadamard_matrix(layer.block)] * (layer.hidden // layer.block))
    w = torch.diag(layer.signs) @ hadamard / math.sqrt(layer.block)
    h, answers, smooth = torch.zeros(len(x), layer.hidden, dtype=torch.float64), [], []
    total = layer.output_bias.expand(len(x), -1)
    for t in range(x.shape[1]):
        injected = u[:, x[:, t]].T if layer.symbols else x[:, t] @ u.T
        h = h @ w.T + injected + (layer.bias if layer.bias_at == "loop" else 0)
        g = layer.bias if layer.bias_at == "relu" else torch.zeros_like(h[0])
        if layer.reads:
            if t not in layer.reads:
                continue
            read = layer.reads.index(t)
            shifted = h + (g[read] if g.ndim == 2 else g)
            part = v / len(layer.reads) if layer.tied else v[read]
            total = total + torch.relu(shifted) @ part.T
            answers.append(total)
        else:
            shifted = h + g
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
    reading = (
        ("last", None, False),
        ("last", (0, 3, 6), False),
        ("last", (0, 2, 6), True),
        ("last", (8,), False),
        ("every", None, False),
    )
    for read, reads, tied in reading:
        more = {"symbols": symbols, "signs": signs, "bias": bias, "read": read, "reads": reads}
        more["tied"] = tied
        layer = make(hidden, block, **more).double()
        asked = -1 if read == "last" else slice(None)
        wanted, smooth = plain(layer, x)
        smooth = smooth.all(1) if reads else smooth[:, asked]
        wanted = wanted[:, asked]
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
    listed = make(16, 16, reads=[2, 5]).double()
    torch.testing.assert_close(listed(x[:1]), listed(x)[:1], rtol=1e-10, atol=1e-10)
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
    for (read, reads, tied), bias, bits, argmax in product(
        (
            ("last", None, False),
            ("every", None, False),
            ("last", [0, 5, 11], False),
            ("last", [1, 5, 11], True),
        ),
        ("relu", "loop"),
        (4, 12),
        (False, True),
    ):
        more = {"symbols": symbols, "read": read, "reads": reads, "bias": bias, "tied": tied}
        layer = make(hidden, block, weight_bits=3, **more)
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


@pytest.mark.parametrize("block", [16, 32])
@pytest.mark.parametrize("symbols", [False, True], ids=["numeric", "symbols"])
@pytest.mark.parametrize("bias", ["relu", "loop"])
@pytest.mark.parametrize("tied", [False, True], ids=["own", "tied"])
def test_the_sum_over_the_reads_follows_the_real_one(
    block: int, symbols: bool, bias: str, tied: bool
) -> None:
    """After each read; and all sums are in one unit, whatever the phases of the reads."""
    source = SymbolInput(3) if symbols else PIXELS
    raw = draw(symbols, length=40)
    reads = [4, 10, 12, 38] if tied else [3, 10, 11, 38]
    layer = make(block, block, symbols=symbols, bias=bias, reads=reads, tied=tied)
    net = program(integer_parameters(layer, source, raw, 20))
    assert len(set(net.readout.unit)) == 1
    real = real_answers(net, run(net, raw), raw.shape[1])
    with torch.no_grad():
        wanted = layer(values(raw, torch.float32)).numpy()
        steps = plain(layer.double(), values(raw, torch.float64))[0].numpy()
    assert np.abs(real[:, -1] - wanted).max() < 1e-3 * np.abs(wanted).max()
    assert np.abs(real - steps).max() < 1e-3 * np.abs(steps).max()


def test_the_sum_is_as_wide_as_it_must_be_and_no_wider() -> None:
    """One unit, V = 3, -2, 1 at three reads, features in 0..7, c = 5: -9 to 33.

    At most 5 + 21 after the first read; at least 5 - 14 after the second; 5 + 21 + 7 after all.
    """
    layer = HadamRNN(1, 1, 1, bias="loop", reads=[0, 1, 2], weight_bits=3)
    source = NumericInput(1, Format(-8, 7), (1.0,), (0.0,))
    given = integer_parameters(layer, source, np.full((1, 3, 1), 7), 4)
    given = replace(
        given,
        output_weights=np.array([[[3]], [[-2]], [[1]]]),
        output_bias=Constant(np.array([[5]]), given.state.exp),
    )
    net = program(given)
    exp = given.state.exp
    assert given.state == Format(-8, 7, exp)
    assert net.output.format == Format(-9, 33, exp)
    assert net.readout.states[0].initial.tolist() == [5]


def test_sequences_that_end_before_the_last_read_are_refused_and_longer_ones_are_not() -> None:
    layer = make(16, 16, reads=[2, 6])
    x = values(draw(False), torch.float32)
    torch.testing.assert_close(layer(x), layer(x[:, :7]))
    with pytest.raises(UserError, match=r"^the network reads timestep 6, .* 7 timesteps, got 6$"):
        layer(x[:, :6])


@pytest.mark.parametrize("length", [1, 15, 16, 17, 33])
def test_ranges_are_those_of_every_phase_whatever_the_length(length: int) -> None:
    """States are looked at a few timesteps at a time: the last look may hold one phase only."""
    layer = make(8, 8)
    raw = draw(False, length=length)
    parameters = integer_parameters(layer, PIXELS, raw, 12)
    with torch.no_grad():
        states, _ = layer.walk(values(raw, torch.float32), layer.begin(len(raw)))
    units = torch.tensor([[2.0**0.5, 1.0]]).repeat(1, length)[:, :length, None]
    peak = (states / units / parameters.state_unit).abs().max().item()
    assert parameters.state.hi / 2 < peak * 2.0**-parameters.state.exp <= parameters.state.hi


REFUSALS = [
    ({"reads": 3}, "reads must be a list of timesteps, got 3"),
    ({"reads": "3"}, "reads must be a list of timesteps, got '3'"),
    ({"reads": []}, "reads must be at least one"),
    ({"reads": [4, 4]}, "reads must increase from 0 or more, 4 does not"),
    ({"reads": [-1]}, "reads must increase from 0 or more, -1 does not"),
    ({"reads": [1.5]}, "reads must be an integer, got 1.5"),
    (
        {"reads": [1], "read": "every"},
        "reads are for tasks answered after the last step, not at every",
    ),
    ({"tied": True}, "tied says what several reads share: give reads, too"),
    (
        {"reads": [1, 4], "tied": True, "hidden": 32},
        "tied reads meet the state in one unit: with blocks of 32 the timesteps must be all even "
        "or all odd, got [1, 4]",
    ),
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
