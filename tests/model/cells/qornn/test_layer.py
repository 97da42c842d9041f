"""The fast forms against the equation written out, W on the orthogonal group, and the integers."""

import re
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from contracts.families.qornn import fake_quantized
from sylvan.model.cells.qornn.layer import QORNN, integer_parameters
from sylvan.model.cells.qornn.step import ACTIVATIONS, program
from sylvan.model.checkpoint import load_checkpoint
from sylvan.model.config import Config
from sylvan.model.errors import UserError
from sylvan.model.export import export
from sylvan.model.history import load_training, save_training
from sylvan.model.interpret import run
from sylvan.model.numbers import Format
from sylvan.model.orthogonal import Orthogonal
from sylvan.model.program import READS, NumericInput, SymbolInput
from sylvan.model.quantize import symmetric
from sylvan.model.train import History, train
from sylvan.model.units import real_answers

SIZES = [1, 2, 7, 16, 33]
STRATEGIES = ["bjorck", "projunn"]
PIXELS = NumericInput(3, Format(-100, 100, -6), (1.0,) * 3, (0.0,) * 3)
INPUTS: dict[str, dict[str, Any]] = {
    "numeric": {},
    "symbols": {"symbols": True, "silent": 1},
    "embedded": {"symbols": True, "silent": 1, "embedding": 2},
}


def make(hidden: int, input: str = "numeric", *, seed: int = 0, **more: Any) -> QORNN:
    layer = QORNN(3, hidden, 4, seed=seed, **INPUTS[input] | more)
    random = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        layer.bias.normal_(0, 0.3, generator=random)
        layer.output_bias.normal_(generator=random)
    return layer


def draw(input: str, batch: int = 5, length: int = 9) -> np.ndarray:
    rng = np.random.default_rng(length)
    if input != "numeric":
        return rng.integers(0, 3, (batch, length))
    return rng.integers(-100, 101, (batch, length, 3))


def values(raw: np.ndarray, dtype: torch.dtype) -> torch.Tensor:
    return torch.tensor(raw) if raw.ndim == 2 else torch.tensor(raw / 64, dtype=dtype)


def plain(layer: QORNN, x: torch.Tensor) -> torch.Tensor:
    """The equation, one timestep after the other: every answer."""
    w, bits = layer.recurrent_weights, layer.weight_bits
    u, v = layer.input_weights, layer.output_weights
    if layer.embedding is None and layer.symbols:
        u = u * torch.tensor([1.0, 0.0, 1.0])
    if bits is not None:
        u, v = symmetric(u, bits), symmetric(v, bits)
    vectors = torch.eye(3, dtype=u.dtype)
    if layer.embedding is not None:
        vectors = symmetric(layer.embedding, 8) * torch.tensor([[1.0], [0.0], [1.0]])
    h, answers = torch.zeros(len(x), layer.hidden, dtype=torch.float64), []
    for t in range(x.shape[1]):
        a = h @ w.T + (vectors[x[:, t]] if layer.symbols else x[:, t]) @ u.T
        if layer.activation == "modrelu":
            h = a.sign() * torch.relu(a.abs() + layer.bias)
        elif layer.activation == "relu":
            h = torch.relu(a + layer.bias)
        else:
            h = a + layer.bias if layer.bias_at == "loop" else a
        linear = layer.activation == "linear"
        seen = torch.relu(h + layer.bias if layer.bias_at == "relu" else h) if linear else h
        answers.append(seen @ v.T + layer.output_bias)
    return torch.stack(answers, 1)


@pytest.mark.parametrize("hidden", SIZES)
@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("input", INPUTS)
def test_fast_forms_have_the_values_and_gradients_of_the_equation(
    hidden: int, strategy: str, activation: str, input: str
) -> None:
    x = values(draw(input), torch.float64)
    options = {"strategy": strategy, "activation": activation}
    for read, bits in product(READS, (None, 4)):
        bias = "loop" if bits else "relu"
        layer = make(hidden, input, read=read, weight_bits=bits, bias=bias, **options).double()
        wanted = plain(layer, x)
        wanted = wanted[:, -1] if read == "last" else wanted
        got = layer(x)
        torch.testing.assert_close(got, wanted, rtol=1e-9, atol=1e-9)
        weights = torch.randn(wanted.shape, dtype=torch.float64)
        trained = list(layer.parameters())
        for a, b in zip(
            torch.autograd.grad((got * weights).sum(), trained, retain_graph=True),
            torch.autograd.grad((wanted * weights).sum(), trained),
            strict=True,
        ):
            torch.testing.assert_close(a, b, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("hidden", SIZES)
def test_starts_are_orthogonal_and_drawn_from_the_seed(hidden: int) -> None:
    for strategy, start in product(STRATEGIES, ("haar", "henaff")):
        a, b, c = (
            make(hidden, strategy=strategy, start=start, seed=seed).recurrent_weights
            for seed in (1, 1, 2)
        )
        assert Orthogonal.in_manifold(a)
        assert torch.equal(a, b)
        assert hidden == 1 or not torch.equal(a, c)


@pytest.mark.parametrize("rank", [1, 3])
def test_projunn_learns_a_rotation_and_stays_on_the_group(rank: int) -> None:
    layer = make(8, strategy="projunn", rank=rank, divider=1.0)
    turn = torch.randn(8, 8, generator=torch.Generator().manual_seed(5)) / 4
    target = layer.recurrent_weights.detach() @ torch.matrix_exp(turn - turn.T)
    optimizer, losses = layer.optimizer(0.01), []
    for step in range(600):
        for group in optimizer.param_groups:
            group["lr"] = 0.05 * (1 - step / 600)
        loss = (layer.recurrent_weights - target).square().sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        assert Orthogonal.in_manifold(layer.recurrent_weights)
    assert losses[-1] < 0.01 * losses[0]


def test_post_training_quantization_is_of_evaluation_only() -> None:
    full, late, early = make(16), make(16, ptq_bits=3), make(16, weight_bits=3)
    x = values(draw("numeric"), torch.float32)
    for layer in (full, late, early):
        layer.train()
    assert torch.equal(late(x), full(x))
    for layer in (full, late, early):
        layer.eval()
    assert torch.equal(late(x), early(x))
    assert not torch.allclose(late(x), full(x))


@pytest.mark.parametrize("hidden", SIZES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("input", INPUTS)
def test_golden_equals_the_independent_fake_quantizer(
    hidden: int, activation: str, input: str
) -> None:
    """Bit for bit, also where few state bits saturate and round everywhere."""
    source = PIXELS if input == "numeric" else SymbolInput(3)
    raw = draw(input, batch=4, length=12)
    for read, bits, state_bits, argmax in product(
        ("last", "every"), (2, 5), (4, 12), (False, True)
    ):
        quantized = {"weight_bits" if bits == 2 else "ptq_bits": bits}
        bias = "relu" if read == "last" else "loop"
        layer = make(hidden, input, activation=activation, read=read, bias=bias, **quantized)
        # Calibrated on two sequences of four: the others may saturate.
        parameters = integer_parameters(layer, source, raw[:2], state_bits, argmax)
        assert parameters.state.width == state_bits
        assert layer.training, "calibration leaves the layer as it was"
        golden = run(program(parameters), raw)
        assert np.array_equal(golden, fake_quantized(parameters, raw))


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("input", INPUTS)
@pytest.mark.parametrize("bits", [2, 4, 8])
def test_the_integer_network_follows_the_real_one(activation: str, input: str, bits: int) -> None:
    """With 20 bits of state the answers of 40 steps are the float layer's, times their unit."""
    source = PIXELS if input == "numeric" else SymbolInput(3)
    raw = draw(input, length=40)
    layer = make(32, input, read="every", weight_bits=bits, activation=activation)
    net = program(integer_parameters(layer, source, raw, 20))
    real = real_answers(net, run(net, raw), raw.shape[1])
    with torch.no_grad():
        wanted = layer(values(raw, torch.float32)).numpy()
    assert np.abs(real - wanted).max() < 2e-3 * np.abs(wanted).max()


def test_a_silent_symbol_only_turns_the_state() -> None:
    layer = make(16, "symbols", weight_bits=4)
    with torch.no_grad():
        layer.input_weights[:, 1] = 1e9
    quiet = torch.ones(2, 7, dtype=torch.int64)
    for batch in (quiet, quiet.repeat(2, 1)):
        assert not layer.final(batch).any()
    parameters = integer_parameters(layer, SymbolInput(3), draw("symbols"), 12)
    assert not parameters.input_weights[:, 1].any()


TASK = {"length": 20, "train": 96, "validation": 16, "test": 16}


def config(**options: Any) -> Config:
    bits = options.pop("weight_bits", None)
    return Config(
        "copy", "qornn", 12, weight_bits=bits, epochs=2, batch=32, rate=0.01,
        task_options=TASK, cell_options=options,
    )  # fmt: skip


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_trained_loaded_and_exported(strategy: str, tmp_path: Path) -> None:
    for folder, options in (
        ("early", {"weight_bits": 4, "activation": "modrelu"}),
        ("late", {"ptq_bits": 6, "activation": "relu", "start": "henaff"}),
    ):
        train(config(strategy=strategy, **options), tmp_path / folder)
        layer, _ = load_checkpoint(tmp_path / folder)
        assert isinstance(layer, QORNN)
        assert Orthogonal.in_manifold(layer.orthogonal_weights)
        export(tmp_path / folder, 12)
    train(config(strategy=strategy), tmp_path / "full")
    with pytest.raises(UserError, match="full precision has no integers: train with weight_bits"):
        export(tmp_path / "full", 12)


def test_a_stranger_s_recurrent_weights_must_be_orthogonal() -> None:
    layer = make(6, strategy="projunn", weight_bits=4)
    layer.check()
    tensors = layer.state_dict()
    tensors["parametrizations.recurrent_weights.original"] *= 1.1
    layer.load_state_dict(tensors)
    with pytest.raises(ValueError, match="recurrent weights are not orthogonal"):
        layer.check()
    singular = make(6, strategy="bjorck")
    with torch.no_grad():
        singular.latent.zero_()
    with pytest.raises(ValueError, match="recurrent weights are not orthogonal"):
        singular.check()
    with pytest.raises(ValueError, match="must be an orthogonal matrix"):
        singular.recurrent_weights = torch.ones(6, 6)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_an_interrupted_run_goes_on_bit_for_bit(strategy: str, tmp_path: Path) -> None:
    x = values(draw("numeric"), torch.float32)
    layer = make(8, strategy=strategy, weight_bits=4)
    optimizer = layer.optimizer(0.01)

    def steps(layer: QORNN, optimizer: torch.optim.Optimizer, count: int) -> None:
        for _ in range(count):
            optimizer.zero_grad()
            layer(x).square().sum().backward()
            optimizer.step()

    steps(layer, optimizer, 3)
    save_training(tmp_path, config(), layer, optimizer, History())
    steps(layer, optimizer, 3)
    other = make(8, strategy=strategy, weight_bits=4, seed=3)
    resumed = other.optimizer(0.01)
    load_training(tmp_path, config(), other, resumed)
    steps(other, resumed, 3)
    for a, b in zip(layer.parameters(), other.parameters(), strict=True):
        assert torch.equal(a, b)


REFUSALS = [
    ({"hidden": 0}, "hidden must be a whole number >= 1, got 0"),
    ({"strategy": "cayley"}, "strategy must be one of ('bjorck', 'projunn'), got 'cayley'"),
    (
        {"activation": "tanh"},
        "activation must be one of ('linear', 'relu', 'modrelu'), got 'tanh'",
    ),
    ({"start": "zero"}, "start must be one of ('haar', 'henaff'), got 'zero'"),
    ({"bias": "none"}, "bias must be one of ('relu', 'loop'), got 'none'"),
    ({"weight_bits": 1}, "weight_bits must lie in 2..8, got 1"),
    ({"ptq_bits": 9}, "ptq_bits must lie in 2..8, got 9"),
    (
        {"ptq_bits": 4, "weight_bits": 4},
        "ptq_bits quantizes after training, weight_bits in it: give one",
    ),
    ({"horizon": 100}, "horizon must be a power of two up to 1024, got 100"),
    ({"rank": 17}, "rank must lie in 1..16, got 17"),
    ({"divider": 0}, "divider must be positive, got 0"),
]


@pytest.mark.parametrize(("change", "message"), REFUSALS)
def test_refusals(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        QORNN(**{"inputs": 3, "hidden": 16, "outputs": 2} | change)


def test_integers_refuse_weights_that_are_no_numbers_and_impossible_state_bits() -> None:
    layer = make(16, weight_bits=4)
    with pytest.raises(ValueError, match=r"^state bits must lie in 2\.\.32, got 1$"):
        integer_parameters(layer, PIXELS, draw("numeric"), 1)
    with torch.no_grad():
        layer.output_weights[0, 0] = float("nan")
    with pytest.raises(ValueError, match=r"^output_weights holds NaN or infinite weights$"):
        integer_parameters(layer, PIXELS, draw("numeric"), 12)
