"""Sampling, normalization and folding of gated layers, and their way to integers."""

import re
import warnings
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from contracts.gated_layers import SIZE, draw, make
from sylvan.model.cells.gates import sigmoid_curve, tanh_curve
from sylvan.model.cells.gru.layer import GRU
from sylvan.model.cells.lstm.layer import LSTM
from sylvan.model.config import Config
from sylvan.model.errors import UserError
from sylvan.model.export import export
from sylvan.model.gated import Gated
from sylvan.model.interpret import run
from sylvan.model.normalized import NORMALIZATIONS, Normalization, Projection, Quantization
from sylvan.model.numbers import Format
from sylvan.model.program import NumericInput, Program, SymbolInput
from sylvan.model.train import train
from sylvan.model.units import real_answers

FAMILIES: dict[str, type[Gated]] = {"lstm": LSTM, "gru": GRU}
INPUTS = ("numbers", "symbols", "silent", "embedded")
NUMERIC = NumericInput(SIZE, Format(-128, 127, -5), (1.0,) * SIZE, (0.0,) * SIZE)


def projection(rows: int = 40, columns: int = 30, **options: Any) -> Projection:
    how = {"weights": "ternary", "normalization": "none", "sampling": "stochastic"}
    quantization = Quantization(**{**how, "threshold": 1 / 3, "sparsity": None, **options})
    return Projection(rows, columns, quantization, torch.Generator().manual_seed(0)).double()


def raw(input: str, batch: int = 6, length: int = 25) -> np.ndarray:
    x = draw(input, batch, length)
    if input != "numbers":
        return x.numpy()
    return (x * 32).round().clamp(-128, 127).long().numpy()


def values(numbers: np.ndarray) -> torch.Tensor:
    given = torch.tensor(numbers)
    return given if given.ndim == 2 else given.double() / 32


def parameters(name: str, layer: Gated, numbers: np.ndarray, bits: int, **more: Any) -> Any:
    family = import_module(f"sylvan.model.cells.{name}.layer")
    source = SymbolInput(SIZE) if layer.symbols else NUMERIC
    return family.integer_parameters(layer, source, numbers, bits, **more)


def program(name: str, given: Any) -> Program:
    made: Program = import_module(f"sylvan.model.cells.{name}.step").program(given)
    return made


@pytest.mark.parametrize("weights", ["binary", "ternary"])
def test_sampled_weights_have_the_latent_ones_as_their_mean(weights: str) -> None:
    p = projection(weights=weights)
    torch.manual_seed(0)
    drawn = torch.stack([p.matrix().detach() for _ in range(4000)]) / p.unit
    levels = {-1.0, 1.0} if weights == "binary" else {-1.0, 0.0, 1.0}
    assert set(drawn.unique().tolist()) <= levels
    mean = (p.latent / p.unit).clamp(-1, 1)
    assert (drawn.mean(0) - mean).abs().max() < 5 / 4000**0.5
    (gradient,) = torch.autograd.grad(p.matrix().sum(), [p.latent])
    assert (gradient == 1).all(), "straight through"


def test_inference_draws_nothing_and_training_does() -> None:
    p = projection()
    assert not torch.equal(p.matrix(), p.matrix())
    p.eval()
    expected = p.latent.sign() * p.unit * (p.latent.abs() > p.unit / 3)
    assert torch.equal(p.matrix(), expected)
    b = projection(weights="binary", sampling="deterministic")
    assert torch.equal(b.matrix(), ((b.latent >= 0).double() * 2 - 1) * b.unit)


@pytest.mark.parametrize("sparsity", [0.0, 0.5, 0.75, 0.9])
def test_a_wanted_fraction_of_zeros_is_kept(sparsity: float) -> None:
    p = projection(sampling="deterministic", sparsity=sparsity)
    for _ in range(2):
        assert int((p.signs() == 0).sum()) == round(sparsity * p.latent.numel())
        assert torch.equal(p.matrix(), p.signs() * p.unit)
        with torch.no_grad():
            p.latent.mul_(torch.rand_like(p.latent))


@pytest.mark.parametrize("normalization", ["batch", "weight", "none"])
@pytest.mark.parametrize("weights", ["binary", "ternary"])
def test_folded_is_what_evaluation_computes(weights: str, normalization: str) -> None:
    layer = make(LSTM, "numbers", weights=weights, normalization=normalization).eval()
    v = torch.randn(9, layer.hidden, dtype=torch.float64)
    q, scale, offset = layer.recurrent.folded()
    assert set(q.unique().tolist()) <= {-1.0, 0.0, 1.0}
    wanted = layer.recurrent.normalized(v @ layer.recurrent.matrix().T)
    torch.testing.assert_close(scale * (v @ q.T) + offset, wanted)


def test_a_single_product_is_normalized_by_what_was_learned_before() -> None:
    norm = Normalization(3, "batch")
    norm(torch.randn(50, 3) * 2 + 1)
    norm.learn()
    learned = norm.mean.clone(), norm.variance.clone()
    y, one = torch.randn(1, 3), torch.zeros(1, 1, dtype=torch.long)
    got = [norm(y), norm.lanes(y.T).T, norm.rows(y, one)]
    norm.learn()
    assert norm.passes == 1 and torch.equal(norm.mean, learned[0])
    assert torch.equal(norm.variance, learned[1])
    for normalized in got:
        torch.testing.assert_close(normalized, norm.eval()(y))


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
@pytest.mark.parametrize("input", INPUTS)
def test_a_sequence_alone_in_its_batch_is_learned_from(family: type[Gated], input: str) -> None:
    layer = make(family, input, normalization="batch", sampling="deterministic")
    norm = layer.recurrent.norm
    assert norm is not None
    layer(draw(input, 8, 25))
    learned = norm.variance.clone()
    layer(draw(input, 1, 25)).square().sum().backward()
    assert torch.equal(norm.variance, learned) and learned.min() > 0
    assert layer.recurrent.latent.grad is not None and layer.recurrent.latent.grad.abs().max() > 0


def test_running_statistics_are_shared_over_time_and_found_at_once() -> None:
    norm = Normalization(2, "batch")
    parts = [torch.randn(50, 2) * 3 + k for k in range(4)]
    for part in parts:
        norm(part)
    norm.learn()
    assert norm.passes == 1
    torch.testing.assert_close(norm.mean, torch.stack([p.mean(0) for p in parts]).mean(0))
    torch.testing.assert_close(
        norm.variance, torch.stack([p.var(0, correction=0) for p in parts]).mean(0)
    )
    norm.eval()
    norm(parts[0])
    norm.learn()
    assert norm.passes == 1, "evaluation learns nothing"


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("normalization", NORMALIZATIONS)
def test_streams_go_on_where_they_stopped(name: str, normalization: str) -> None:
    layer = make(FAMILIES[name], "symbols", normalization=normalization).eval()
    x = draw("symbols")
    whole, end = layer.follow(x, layer.begin(len(x)))
    first, state = layer.follow(x[:, :3], layer.begin(len(x)))
    second, state = layer.follow(x[:, 3:], state)
    torch.testing.assert_close(torch.cat([first, second], 1), whole)
    torch.testing.assert_close(state, end)
    assert len(state) == (2 if name == "lstm" else 1)


@pytest.mark.parametrize("name", FAMILIES)
def test_weights_made_anew_are_no_news(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """cuDNN warns of them in these words, at each process's first step."""
    right = getattr(torch._VF, name)

    def warns(*arguments: Any) -> Any:
        warnings.warn("RNN module weights are not part of single contiguous chunk", stacklevel=1)
        return right(*arguments)

    monkeypatch.setattr(torch._VF, name, warns)
    layer = make(FAMILIES[name], "numbers", normalization="none").eval()
    x = draw("numbers", 3, 5)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        states, _ = layer.walk(x, layer.begin(3))
    torch.testing.assert_close(states, layer.one_by_one(x, layer.begin(3))[0])


def test_more_symbols_than_are_worth_one_hot_vectors() -> None:
    layer = LSTM(300, 6, 2, symbols=True, normalization="weight").double().eval()
    assert not layer.fits_fused
    x = torch.randint(0, 300, (4, 5))
    wanted = LSTM.steps(layer, x, layer.begin(4))
    torch.testing.assert_close(layer.walk(x, layer.begin(4))[0][:, -1], list(wanted)[-1][0])


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("input", INPUTS)
@pytest.mark.parametrize("normalization", ["batch", "weight", "none"])
def test_golden_equals_the_independent_fake_quantizer(
    name: str, input: str, normalization: str
) -> None:
    """Bit for bit, for the integers of real layers, also where few state bits saturate."""
    numbers = raw(input)
    fake = import_module(f"contracts.families.{name}").fake_quantized
    layer = make(FAMILIES[name], input, normalization=normalization, gate_bits=7)
    for bits, argmax in ((4, False), (12, True), (14, False)):
        # Calibrated on two sequences of six: the others may saturate.
        given = parameters(name, layer, numbers[:2], bits, argmax=argmax)
        assert given.hidden.width == bits
        assert np.array_equal(run(program(name, given), numbers), fake(given, numbers))


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("input", INPUTS)
@pytest.mark.parametrize("normalization", ["batch", "weight", "none"])
@pytest.mark.parametrize(("gate_bits", "bound"), [(8, 0.15), (12, 0.015)])
def test_the_integer_network_follows_the_real_one(
    name: str, input: str, normalization: str, gate_bits: int, bound: float
) -> None:
    """With 18 bits of state; four more bits of argument make the answers so much closer."""
    numbers = raw(input)
    layer = make(FAMILIES[name], input, 16, normalization=normalization, gate_bits=gate_bits)
    net = program(name, parameters(name, layer, numbers, 18))
    got = real_answers(net, run(net, numbers), numbers.shape[1])
    wanted = layer(values(numbers)).detach().numpy()
    assert np.abs(got - wanted).max() < bound * np.abs(wanted).max()


@pytest.mark.parametrize("bits", [6, 8, 10])
def test_the_tables_are_within_half_a_step_of_their_functions(bits: int) -> None:
    for curve, real, slope in (
        (sigmoid_curve(bits), lambda x: 1 / (1 + np.exp(-x)), 1 / 4),
        (tanh_curve(bits), np.tanh, 1),
    ):
        x = np.linspace(curve.operand.lo, curve.operand.hi, 9999)
        looked_up = curve.entries[np.rint(x).astype(int) - curve.operand.lo] * 2.0**curve.exp
        error = np.abs(looked_up - real(x * 2.0**curve.operand.exp)).max()
        assert error <= slope * 2.0**curve.operand.exp / 2 + 2.0**curve.exp / 2
        # What is beyond the last entry is as good as at it.
        assert 1 - looked_up[-1] <= 2.0**curve.exp
    assert sigmoid_curve(bits).entries.min() == 0 and sigmoid_curve(8).entries.max() == 256


@pytest.mark.parametrize("name", FAMILIES)
def test_what_has_no_integers_says_why(name: str) -> None:
    numbers = raw("numbers")
    for options, message in (
        ({"weights": "float"}, "weights='float' is the full-precision reference"),
        ({"normalization": "layer"}, "layer normalization divides by the spread of each timestep"),
    ):
        with pytest.raises(ValueError, match=f"^{message}"):
            parameters(name, make(FAMILIES[name], "numbers", **options), numbers, 12)
    layer = make(FAMILIES[name], "numbers")
    with pytest.raises(ValueError, match=r"^state bits must lie in 2\.\.32, got 1$"):
        parameters(name, layer, numbers, 1)
    with torch.no_grad():
        layer.recurrent.latent[0, 0] = float("nan")
    with pytest.raises(ValueError, match=r"^recurrent\.latent holds NaN or infinite weights$"):
        parameters(name, layer, numbers, 12)


REFUSALS = [
    ({"weights": "quaternary"}, "weights must be one of ('float', 'binary', 'ternary'), got "),
    ({"normalization": "group"}, "normalization must be one of ('batch', 'weight', 'layer', "),
    ({"sampling": "random"}, "sampling must be one of ('stochastic', 'deterministic'), got "),
    ({"threshold": 1.0}, "threshold must lie in 0..1 (1 excluded), got 1.0"),
    ({"sampling": "deterministic", "sparsity": 1.5}, "sparsity must lie in 0..1 (1 excluded)"),
    ({"sparsity": 0.5}, "sparsity is kept by ternary weights with sampling 'deterministic', got"),
    ({"gate_bits": 2}, "gate_bits must lie in 4..14, got 2"),
    ({"weight_bits": 0}, "weight bits must lie in 1..16, got 0"),
]


@pytest.mark.parametrize(("change", "message"), REFUSALS)
def test_refusals(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        GRU(3, 4, 2, **change)


def test_loaded_variances_are_checked() -> None:
    layer = make(GRU, "numbers")
    layer.check()
    with torch.no_grad():
        layer.get_buffer("recurrent.norm.variance")[0] = -1
    with pytest.raises(ValueError, match=r"^recurrent\.norm\.variance holds negative variances$"):
        layer.check()


@pytest.mark.parametrize("name", FAMILIES)
def test_trained_and_exported(name: str, tmp_path: Path) -> None:
    sizes = {"length": 24, "train": 64, "validation": 16, "test": 16}
    options = {"normalization": "weight"} if name == "gru" else {}
    config = Config(
        "copy", name, hidden=8, epochs=1, batch=32, task_options=sizes, cell_options=options
    )
    train(config, tmp_path / "run")
    exported = export(tmp_path / "run", state_bits=14)
    assert abs(exported.integer_score.loss - exported.float_score.loss) < 0.05


def test_a_float_network_is_refused_as_a_user_is(tmp_path: Path) -> None:
    sizes = {"length": 24, "train": 32, "validation": 16, "test": 16}
    config = Config(
        "copy",
        "lstm",
        hidden=4,
        epochs=1,
        batch=32,
        task_options=sizes,
        cell_options={"weights": "float", "normalization": "none"},
    )
    train(config, tmp_path / "run")
    with pytest.raises(UserError, match="weights='float' is the full-precision reference"):
        export(tmp_path / "run", state_bits=12)
