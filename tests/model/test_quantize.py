"""Quantizers and ranges against their definitions, by hand and over many values."""

import math
from collections.abc import Callable

import pytest
import torch
from sylvan.model.orthogonal import defect, haar, henaff
from sylvan.model.quantize import (
    growth,
    orthogonal_integers,
    range_exponent,
    sign,
    symmetric,
    symmetric_integers,
)

BY_HAND = [
    # bits, weights, integers, unit: the largest magnitude is clamped where it is positive
    (4, [1.0, -1.0, 0.5, 0.0625, 0.1875], [7, -8, 4, 0, 2], 1 / 8),
    (2, [-2.0, 2.0, 0.9, 0.4], [-2, 1, 1, 0], 1.0),
    (1, [3.0, -3.0, 1.4, -1.6], [1, -1, 0, -1], 3.0),
    (4, [0.0, 0.0], [0, 0], 1 / 8),
]


@pytest.mark.parametrize(("bits", "weights", "integers", "unit"), BY_HAND)
def test_symmetric_by_hand(
    bits: int, weights: list[float], integers: list[int], unit: float
) -> None:
    latent = torch.tensor(weights, dtype=torch.float64, requires_grad=True)
    q, found = symmetric_integers(latent, bits)
    assert q.tolist() == integers and found.item() == pytest.approx(unit)
    quantized = symmetric(latent, bits)
    assert torch.equal(quantized, q * found)
    (gradient,) = torch.autograd.grad((quantized * torch.arange(len(weights))).sum(), latent)
    assert gradient.tolist() == list(range(len(weights)))


def test_sign_is_never_zero_and_straight_through() -> None:
    latent = torch.tensor([-0.1, 0.0, 2.0], requires_grad=True)
    assert sign(latent).tolist() == [-1.0, 1.0, 1.0]
    (gradient,) = torch.autograd.grad(sign(latent) @ torch.tensor([1.0, 2.0, 3.0]), latent)
    assert gradient.tolist() == [1.0, 2.0, 3.0]


@pytest.mark.parametrize("bits", range(2, 9))
@pytest.mark.parametrize("start", [haar, henaff])
def test_the_grid_of_an_orthogonal_matrix_keeps_the_energy_and_its_range(
    bits: int, start: Callable[[int, torch.Generator], torch.Tensor]
) -> None:
    for hidden in (1, 2, 7, 64):
        w = start(hidden, torch.Generator().manual_seed(bits))
        q, alpha = orthogonal_integers(w, bits)
        assert torch.equal(q, q.round())
        assert q.abs().max() <= 2 ** (bits - 1) - 1
        torch.testing.assert_close((q * alpha).norm(), torch.tensor(hidden**0.5), rtol=1e-4, atol=0)
        raw = alpha.item() * 2.0**40
        while raw >= 2**16:
            raw /= 2
        assert raw * 2 ** (raw < 2**15) % 1 == 0, "alpha has 16 bits"
    errors = []
    for more in range(bits, 9):
        q, alpha = orthogonal_integers(w, more)
        errors.append(torch.linalg.matrix_norm(defect(q * alpha), 2).item())
    assert errors[0] >= errors[-1]


@pytest.mark.parametrize("horizon", [1, 2, 16, 1024])
def test_a_random_state_is_as_large_after_the_horizon(horizon: int) -> None:
    w = haar(24, torch.Generator().manual_seed(horizon)).double()
    torch.testing.assert_close(growth(w, horizon), torch.tensor(1.0).double(), rtol=1e-6, atol=0)
    q, alpha = orthogonal_integers(w, 3, horizon)
    after = torch.linalg.matrix_power(q * alpha, horizon)
    assert abs(after.norm().item() / 24**0.5 - 1) < 2e-5 * horizon


@pytest.mark.parametrize("bits", [2, 3, 8, 12, 32])
def test_a_range_holds_its_peak_and_half_of_it_would_not(bits: int) -> None:
    top = (1 << (bits - 1)) - 1
    for peak in (1e-9, 0.1, 0.99, 1.0, 1.5, top - 0.6, top + 0.4, top + 0.6, top + 1.0, 3e9):
        peak = abs(peak)
        exp = range_exponent(peak, bits)
        assert round(math.ldexp(peak, -exp)) <= top < round(math.ldexp(peak, 1 - exp))


def test_ranges_by_hand_and_refused() -> None:
    assert [range_exponent(peak, 12) for peak in (0.0, 1.0, 2047.0, 2048.0)] == [-11, -10, 0, 1]
    with pytest.raises(ValueError, match="a signed value needs at least 2 bits, got 1"):
        range_exponent(1.0, 1)
    for peak in (math.nan, math.inf, -1.0):
        with pytest.raises(ValueError, match=f"a range needs a finite peak >= 0, got {peak}"):
            range_exponent(peak, 12)


@pytest.mark.parametrize("bits", [0, 17])
def test_impossible_weight_bits(bits: int) -> None:
    with pytest.raises(ValueError, match=f"weight bits must lie in 1..16, got {bits}"):
        symmetric(torch.ones(2), bits)
