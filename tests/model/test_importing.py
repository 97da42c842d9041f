"""Networks of the authors' code: their forward, restated from the equation, is the imported one."""

import math
import pickle
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from authors import checkpoint
from sylvan.model.errors import UserError
from sylvan.model.importing import FULL, import_hadamrnn
from torch import Tensor

import sylvan


def theirs(state: dict[str, Any], bits: int, x: Tensor) -> Tensor:
    """Logits at every timestep: `h = W h + b + U x`, `y = V relu(h) + c`, U and V in k bits."""

    def quantized(w: Tensor) -> Tensor:
        alpha, levels = w.abs().max(), 2 ** (bits - 1)
        return (w * levels / alpha).round().clamp(-levels, levels - 1) * alpha / levels

    u = quantized(state["input_layer.parametrizations.weight.original"])
    v = quantized(state["output_layer.parametrizations.weight.original"])
    signs = torch.sign(state["recurrent_layer.sign_vector"])[0]
    w = torch.diag(signs) @ state["recurrent_layer.parametrizations.weight.original"]
    h, answers = torch.zeros(len(x), len(w)), []
    for t in range(x.shape[1]):
        h = h @ w.T + state["recurrent_layer.bias"] + x[:, t] @ u.T
        answers.append(torch.relu(h) @ v.T + state["output_layer.bias"])
    return torch.stack(answers, 1)


@pytest.mark.parametrize(
    ("hidden", "block", "given"), [(32, 32, FULL), (64, 16, 16), (8, 2, None), (128, 128, None)]
)
@pytest.mark.parametrize("bits", [2, 4])
def test_it_computes_what_theirs_does(
    hidden: int, block: int, given: int | None, bits: int, tmp_path: Path
) -> None:
    state = checkpoint(hidden, block, 3, 5)
    torch.save(state, tmp_path / "theirs.pt")
    x = torch.randn(4, 30, 3, generator=torch.Generator().manual_seed(0))
    wanted = theirs(state, bits, x)
    for read in ("every", "last"):
        run = tmp_path / read
        config = import_hadamrnn(tmp_path / "theirs.pt", run, bits=bits, block=given, read=read)
        assert (config.hidden, config.block, config.weight_bits) == (hidden, block, bits)
        layer, _ = sylvan.load_checkpoint(run)
        with torch.no_grad():
            got = layer(x)
        expected = wanted if read == "every" else wanted[:, -1]
        assert (got - expected).abs().max() < 1e-5 * expected.abs().max()


def test_one_hot_vectors_may_become_symbols(tmp_path: Path) -> None:
    state = checkpoint(32, 32, 6, 5)
    torch.save({"state_dict": state}, tmp_path / "theirs.pt")
    import_hadamrnn(tmp_path / "theirs.pt", tmp_path / "run", read="every", symbols=True)
    layer, _ = sylvan.load_checkpoint(tmp_path / "run")
    symbols = torch.randint(0, 6, (3, 20), generator=torch.Generator().manual_seed(0))
    wanted = theirs(state, 4, torch.nn.functional.one_hot(symbols, 6).float())
    with torch.no_grad():
        got = layer(symbols)
    assert (got - wanted).abs().max() < 1e-5 * wanted.abs().max()


@pytest.mark.parametrize(
    ("outputs", "given", "message"),
    [
        (10, {}, None),
        (9, {}, "its outputs is 9, the task's is 10"),
        (10, {"read": "every"}, "its read is every, the task's is last"),
    ],
)
def test_it_fits_the_task_that_is_named(
    outputs: int, given: dict[str, Any], message: str | None, tmp_path: Path
) -> None:
    torch.save(checkpoint(32, 16, 1, outputs), tmp_path / "theirs.pt")
    make = partial(import_hadamrnn, tmp_path / "theirs.pt", tmp_path / "run", **given)
    if message is None:
        assert make(task="digits").task == "digits"
        return
    with pytest.raises(UserError, match=message):
        make(task="digits")
    assert not (tmp_path / "run").exists()
    # Where the set is not there, only its name is known.
    for data in (None, tmp_path):
        assert make(task="mnist", data=data).task == "mnist"


class Malice:
    def __reduce__(self) -> tuple[Any, ...]:
        return (print, ("code ran",))


def edited(**changes: Any) -> Callable[[Path], None]:
    """A good checkpoint with entries replaced, or left out where None; dots written as two bars."""

    def write(path: Path) -> None:
        state = checkpoint(32, 16, 3, 5)
        for name, value in changes.items():
            state[name.replace("__", ".")] = value
        torch.save({k: v for k, v in state.items() if v is not None}, path)

    return write


BAD: list[tuple[Callable[[Path], Any], dict[str, Any], str]] = [
    (lambda path: None, {}, "there is no file"),
    (lambda path: path.write_bytes(b"nonsense"), {}, "is no file of tensors alone"),
    (lambda path: path.write_bytes(pickle.dumps(Malice())), {}, "is no file of tensors alone"),
    (lambda path: torch.save({"x": Malice()}, path), {}, "is no file of tensors alone"),
    (lambda path: torch.save([1, 2], path), {}, "holds no state_dict but list"),
    (
        edited(recurrent_layer__bias=torch.zeros(1).expand(32)),
        {},
        "lacks recurrent_layer.bias",
    ),
    (edited(recurrent_layer__bias=torch.zeros(32, dtype=torch.complex64)), {}, "lacks recurrent"),
    (edited(recurrent_layer__bias=torch.zeros(32).to_sparse()), {}, "lacks recurrent_layer.bias"),
    (lambda path: path.write_bytes(b"\x80\x02junk"), {}, "is no file of tensors alone"),
    (edited(recurrent_layer__bias=None), {}, "lacks recurrent_layer.bias"),
    (
        edited(recurrent_layer__bias=torch.zeros(31)),
        {},
        "recurrent_layer.bias should be (32,), found (31,)",
    ),
    (
        edited(output_layer__bias=torch.full((5,), math.nan)),
        {},
        "output_layer.bias holds NaN or infinite weights",
    ),
    (
        edited(recurrent_layer__parametrizations__weight__original=torch.eye(32) * 2),
        {},
        "is no normalized Hadamard matrix, in blocks or whole",
    ),
    (
        edited(recurrent_layer__sign_vector=torch.ones(1, 32)),
        {},
        "differ in sign: which was trained?",
    ),
    (edited(), {"block": FULL}, "has Hadamard blocks of 16, not of 32"),
    (edited(), {"block": 8}, "has Hadamard blocks of 16, not of 8"),
    (edited(), {"bits": 0}, "cell hadamrnn: weight bits must lie in 1..16, got 0"),
    (edited(), {"read": "first"}, "cell hadamrnn: read must be one of ('every', 'last')"),
    (edited(), {"task": "dgits"}, "there is no task 'dgits', did you mean 'digits'?"),
    (edited(), {"task": "mnits"}, "there is no task 'mnits', did you mean 'mnist'?"),
    (
        edited(),
        {"task": "digits"},
        "fit the task digits: its inputs is 3, the task's is 1",
    ),
    (
        edited(),
        {"task": "adding"},
        "fit the task adding: its inputs is 3, the task's is 2",
    ),
]


@pytest.mark.parametrize(("write", "options", "message"), BAD)
def test_what_is_no_such_network(
    write: Callable[[Path], Any],
    options: dict[str, Any],
    message: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write(tmp_path / "theirs.pt")
    with pytest.raises(UserError, match=re.escape(message)):
        import_hadamrnn(tmp_path / "theirs.pt", tmp_path / "run", **options)
    assert "code ran" not in capsys.readouterr().out
    assert not (tmp_path / "run").exists()
