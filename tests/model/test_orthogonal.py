"""Membership of the orthogonal group, Bjorck's iteration and projUNN against their definitions."""

import pytest
import torch
from sylvan.model.orthogonal import Bjorck, Orthogonal, haar, low_rank, moved

SIZES = [1, 2, 7, 16, 33]


def test_membership_is_of_the_orthogonal_group_only() -> None:
    w = haar(20, torch.Generator().manual_seed(0)).double()
    w = torch.linalg.qr(w).Q
    assert Orthogonal.in_manifold(w)
    assert not Orthogonal.in_manifold(w * 1.001)
    assert Orthogonal.in_manifold(w * 1.001, tolerance=0.01)
    assert not Orthogonal.in_manifold(torch.full((2, 2), float("nan")))
    assert not Orthogonal.in_manifold(torch.zeros(3, 3))


@pytest.mark.parametrize("hidden", SIZES)
@pytest.mark.parametrize("spread", [0.01, 1.0, 30.0])
def test_bjorck_converges_to_the_orthogonal_factor(hidden: int, spread: float) -> None:
    """Also from a latent matrix far off, of any size; gradients are those of the polar factor."""
    random = torch.Generator().manual_seed(hidden)
    noise = torch.randn(hidden, hidden, generator=random, dtype=torch.float64)
    latent = haar(hidden, random).double() + spread * noise
    left, _, right = torch.linalg.svd(latent)
    got = Bjorck()(latent)
    assert Orthogonal.in_manifold(got, 1e-12)
    torch.testing.assert_close(got, left @ right, rtol=0, atol=1e-9)
    if spread < 1:
        latent.requires_grad_()
        assert torch.autograd.gradcheck(Bjorck(), latent, atol=1e-5)


def test_bjorck_gives_tangent_gradients_where_the_latent_matrix_is_orthogonal() -> None:
    w = torch.linalg.qr(haar(9, torch.Generator().manual_seed(3)).double()).Q.requires_grad_()
    weights = torch.randn(9, 9, dtype=torch.float64)
    (gradient,) = torch.autograd.grad((Bjorck()(w) * weights).sum(), w)
    skew = w.detach().T @ gradient
    torch.testing.assert_close(skew, -skew.T)


@pytest.mark.parametrize("hidden", SIZES)
@pytest.mark.parametrize("rank", [1, 2, 5])
def test_projunn_moves_along_the_group_as_its_equation_says(hidden: int, rank: int) -> None:
    rank = min(rank, hidden)
    random = torch.Generator().manual_seed(rank)
    w = torch.linalg.qr(haar(hidden, random).double()).Q
    for size in (0.0, 1e-3, 1.0):
        a, b = size * torch.randn(2, hidden, rank, generator=random, dtype=torch.float64)
        change = w.T @ a @ b.T
        wanted = w @ torch.matrix_exp((change - change.T) / 2)
        torch.testing.assert_close(moved(w, a, b), wanted, rtol=0, atol=1e-12)


def test_low_rank_is_nearly_the_closest() -> None:
    random = torch.Generator().manual_seed(0)
    for rank in (1, 2, 3):
        matrix = torch.randn(12, 12, generator=random, dtype=torch.float64)
        a, b = low_rank(matrix, rank)
        left, values_, right = torch.linalg.svd(matrix)
        best = (left[:, :rank] * values_[:rank]) @ right[:rank]
        assert (matrix - a @ b.T).norm() < 1.05 * (matrix - best).norm()
        thin = torch.randn(12, rank, dtype=torch.float64) @ torch.randn(rank, 12).double()
        a, b = low_rank(thin, rank)
        torch.testing.assert_close(a @ b.T, thin)
    assert not (
        torch.matmul(*[m if k == 0 else m.T for k, m in enumerate(low_rank(matrix * 0, 2))])
    ).any()
