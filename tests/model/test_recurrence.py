"""Fast forms against their definitions, and what must not depend on threads or devices."""

import re
from typing import Any

import pytest
import torch
from sylvan.model import answers as answering
from sylvan.model import lanes, loss, proof, recurrence, threads
from sylvan.model.answers import answers
from sylvan.model.kernels import kernel, last_state
from sylvan.model.proof import prove
from sylvan.model.recurrence import inject, walk
from torch import Tensor

SIZES = [(1, 1), (2, 1), (2, 2), (20, 4), (24, 8), (16, 16), (128, 128), (512, 512)]
"""(n, block): one unit, diagonal W, blocks within a vector, radix 8 and 16, three passes."""


@pytest.mark.parametrize(("n", "block"), SIZES)
@pytest.mark.parametrize("batch", [1, 3, 17])
def test_fast_forms_equal_the_definition(n: int, block: int, batch: int) -> None:
    for length in (1, 2, 7, 40) if n < 512 else (2, 9):
        prove(n, block, batch, length)


@pytest.mark.parametrize("columns", [1, 2, 16, 17, 40])
def test_few_and_many_columns_or_symbols(columns: int) -> None:
    """More than 16 symbols in one segment are looked up instead of multiplied."""
    prove(20, 4, 18, 40, columns=columns)


def test_the_proof_finds_a_planted_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    right = last_state
    monkeypatch.setattr(proof, "last_state", lambda x, *rest: right(x, *rest) + x.sum() * 1e-8)
    with pytest.raises(AssertionError, match=r"last_state: value is off by .*n=4 block=2 batch=3"):
        prove(4, 2, 3, 5)


def results(dtype: torch.dtype) -> list[Tensor]:
    """Values and gradients of everything that is shared out."""
    random = torch.Generator().manual_seed(3)

    def draw(*shape: int) -> Tensor:
        return torch.randn(shape, generator=random).to(dtype).requires_grad_()

    n, block, batch, length, classes = 32, 16, 50, 30, 5
    signs = torch.randint(0, 2, (n,), generator=random).to(dtype).mul(2).sub(1).requires_grad_()
    u, g, v, c, z = draw(n, 3), draw(n), draw(classes, n), draw(classes), draw(batch, length, n)
    symbols = torch.randint(0, 3, (batch, length), generator=random)
    logits = answers(symbols, u, signs, block, g=g, v=v, c=c)
    targets = torch.randint(0, classes, (batch, length), generator=random)
    total = loss.cross_entropy(logits, targets)
    states, powers = walk(z, signs, block), kernel(u, signs, block, length)
    found = [logits, total, states, powers]
    for value in (total, (states**2).sum(), (powers**2).sum()):
        found += torch.autograd.grad(value, (u, signs, g, v, c, z), materialize_grads=True,
                                     allow_unused=True)  # fmt: skip
    return found


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_no_bit_depends_on_the_number_of_threads(
    dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = []
    for count in ("1", "2", "7"):
        monkeypatch.setattr(threads, "cores", lambda count=count: int(count))
        monkeypatch.setenv("OMP_NUM_THREADS", count)
        kept.append(results(dtype))
    for other in kept[1:]:
        assert all(torch.equal(a, b) for a, b in zip(kept[0], other, strict=True))


def test_what_the_compiled_loops_do_not_serve_is_computed_in_torch() -> None:
    """Half precision here stands for other devices: same path, no accelerator needed."""
    symbols = torch.tensor([[0, 1, 1, 0, 0, 1], [1, 1, 0, 1, 0, 0]])
    close = {"rtol": 0.1, "atol": 0.1}
    random = torch.Generator().manual_seed(0)
    signs = torch.ones(8, dtype=torch.bfloat16)
    u, v = torch.randn(8, 2, generator=random).bfloat16(), torch.randn(3, 8).bfloat16()
    x, g, c = torch.randn(2, 6, 2, generator=random).bfloat16(), torch.zeros(8), torch.zeros(3)
    exact = {"g": g, "v": v.float(), "c": c}
    rough = {name: value.bfloat16() for name, value in exact.items()}
    for form in (
        lambda x, u, s, _: kernel(u, s, 4, 6),
        lambda x, u, s, _: last_state(x, u, s, 4),
        lambda x, u, s, _: walk(inject(x, u), s, 4),
        lambda x, u, s, more: answers(x, u, s, 4, **more),
        lambda x, u, s, more: answers(symbols, u, s, 4, **more),
    ):
        got = form(x, u, signs, rough)
        assert got.dtype == torch.bfloat16
        wanted = form(x.float(), u.float(), signs.float(), exact)
        torch.testing.assert_close(got.float(), wanted, **close)


@pytest.mark.parametrize("compiled", [True, False])
def test_single_precision_stays_exact_over_thousands_of_steps(
    compiled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not compiled:
        # What other devices do.
        for module in (recurrence, answering):
            monkeypatch.setattr(module, "compiled_for", lambda *tensors: False)

    def run(dtype: torch.dtype) -> list[Tensor]:
        random = torch.Generator().manual_seed(0)
        draw = lambda *shape: torch.randn(shape, generator=random).to(dtype).requires_grad_()  # noqa: E731
        n, length = 32, 4000
        signs = torch.randint(0, 2, (n,), generator=random).to(dtype) * 2 - 1
        u, g, v, c = draw(n, 3), draw(n), draw(4, n), draw(4)
        x = torch.randint(0, 3, (2, length), generator=random)
        logits = answers(x, u, signs, n, g=g, v=v, c=c)
        return [logits, *torch.autograd.grad((logits**2).mean(), (u, g, v, c))]

    for single, double in zip(run(torch.float32), run(torch.float64), strict=True):
        assert (single - double).abs().max() < 1e-4 * double.abs().max()


def test_no_timesteps_and_no_numbers() -> None:
    signs, u, v = torch.ones(4), torch.ones(4, 2), torch.ones(3, 4)
    more: dict[str, Any] = {"g": torch.zeros(4), "v": v, "c": torch.zeros(3)}
    assert walk(torch.ones(2, 0, 4), signs, 4).shape == (2, 0, 4)
    assert not last_state(torch.ones(2, 0, 2), u, signs, 4).any()
    assert answers(torch.ones(2, 0, 2), u, signs, 4, **more).shape == (2, 0, 3)
    assert kernel(u, signs, 4, 0).shape == (0, 4, 2)
    broken = answers(torch.ones(2, 5, 2) * torch.nan, u, signs, 4, **more)
    assert broken.isnan().all(), "what is no number must not vanish in the ReLU"


REFUSALS: list[tuple[dict[str, Any], str]] = [
    ({"x": torch.tensor([[0, 2]])}, "symbols must lie in 0..1"),
    ({"x": torch.tensor([[0, -1]])}, "symbols must lie in 0..1"),
    ({"signs": torch.ones(3)}, "4 units need as many signs and a block that divides them"),
    ({"block": 3}, "block must be a power of two"),
    ({"g": torch.zeros(3)}, "g, v and c do not fit 4 units"),
]


@pytest.mark.parametrize(("change", "message"), REFUSALS)
def test_refusals_keep_compiled_loops_within_their_arrays(
    change: dict[str, Any], message: str
) -> None:
    given: dict[str, Any] = {
        "x": torch.tensor([[0, 1]]), "columns": torch.ones(4, 2), "signs": torch.ones(4),
        "block": 4, "g": torch.zeros(4), "v": torch.ones(3, 4), "c": torch.zeros(3),
    }  # fmt: skip
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        answers(**given | change)


def test_a_read_only_installation_compiles_once_per_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(function: Any) -> Any:
        raise RuntimeError("cannot cache function: no locator available")

    monkeypatch.setattr(lanes, "Cache", refuse)
    assert lanes.compiled(lambda x: x + 1)(2) == 3
