"""Runs made from checkpoints of other people's code, read as data only.

The authors' HadamRNN code (Foucault, Mamalet, Malgouyres, ICLR 2025, arXiv 2502.00047) saves a
state_dict of latent values: U, V and the signs before quantization, the biases, and the normalized
Hadamard matrix, from which the block is read.
"""

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from .checkpoint import check_sides, forget_results, save_checkpoint
from .config import Config
from .errors import UserError
from .families import build_layer
from .history import forget_training
from .recurrence import sylvester
from .tasks import data_set, load_task

INPUT = "input_layer.parametrizations.weight.original"
OUTPUT = "output_layer.parametrizations.weight.original"
OUTPUT_BIAS = "output_layer.bias"
RECURRENT = "recurrent_layer.parametrizations.weight.original"
BIAS = "recurrent_layer.bias"
SIGNS = "recurrent_layer.sign_vector"
SAME_SIGNS = "recurrent_layer.parametrizations.weight.0.sign_vector"
NEEDED = (INPUT, BIAS, SIGNS, RECURRENT, OUTPUT_BIAS, OUTPUT)
MOST_BYTES = 1 << 30
FULL = 0
"""As a block: all units are one."""


def import_hadamrnn(
    path: Path,
    out: Path,
    *,
    bits: int = 4,
    block: int | None = None,
    read: str = "last",
    symbols: bool = False,
    task: str = "",
    data: Path | None = None,
) -> Config:
    """Make the run `out` from a checkpoint of the authors' code.

    Args:
        bits: of U and V, as it was trained with. block: None reads it from the matrix; a number, or
        FULL, is checked against it. read: "last" or "every". symbols: inputs are symbols, where the
        authors' code was given one-hot vectors. task: that it was trained on, if there is one here.
        data: folder of the data sets; a task whose set is not there is known by its name alone.

    Raises:
        UserError: for a file that is unreadable, holds code, or is no such network, and for a task
            that is unknown or that the network does not fit. Nothing is written then.
    """
    tensors = _tensors(path)
    hidden, inputs = tensors[INPUT].shape
    found = _block(path, tensors[RECURRENT])
    if block is not None and (block or hidden) != found:
        raise UserError(f"{path} has Hadamard blocks of {found}, not of {block or hidden}")
    config = Config(
        task=task,
        hidden=hidden,
        block=found,
        weight_bits=bits,
        cell_options={"bias": "loop", "signs": "learned"},
    )
    network = {
        "inputs": inputs,
        "outputs": len(tensors[OUTPUT]),
        "symbols": symbols,
        "read": read,
        "silent": None,
    }
    layer = build_layer(config, network)
    layer.load_state_dict(
        {
            "sign_latent": tensors[SIGNS].reshape(-1),
            "input_weights": tensors[INPUT],
            "output_weights": tensors[OUTPUT],
            "bias": tensors[BIAS],
            "output_bias": tensors[OUTPUT_BIAS],
        }
    )
    if task and ((needed := data_set(task)) is None or needed.lies_in(data)):
        check_sides(path, layer, load_task(task, data=data))
    out.mkdir(parents=True, exist_ok=True)
    forget_training(out)
    forget_results(out)
    save_checkpoint(out, config, network, layer)
    return config


def _tensors(path: Path) -> dict[str, Tensor]:
    """The named tensors of the file, checked against each other."""
    if not path.is_file():
        raise UserError(f"there is no file {path}")
    if path.stat().st_size > MOST_BYTES:
        raise UserError(f"{path} is larger than {MOST_BYTES >> 20} MiB: no such network")
    try:
        with warnings.catch_warnings(action="ignore"):
            # weights_only: tensors and plain containers are read, what could run is refused.
            found = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a reader of strangers' files has many ways to fail
        raise UserError(
            f"{path} is no file of tensors alone, and nothing else is opened: {_first_line(error)}"
        ) from None
    if isinstance(found, Mapping) and isinstance(found.get("state_dict"), Mapping):
        found = found["state_dict"]
    if not isinstance(found, Mapping):
        raise UserError(f"{path} holds no state_dict but {type(found).__name__}")
    missing = [name for name in NEEDED if not _is_plain(found.get(name))]
    if missing:
        raise UserError(
            f"{path} is no HadamRNN of the authors' code: it lacks {', '.join(missing)}"
        )
    tensors = {name: found[name].detach().float() for name in NEEDED}
    _check_shapes(path, tensors)
    for name, tensor in tensors.items():
        if not tensor.isfinite().all():
            raise UserError(f"{path}: {name} holds NaN or infinite weights")
    same: Any = found.get(SAME_SIGNS)
    if _is_plain(same) and not torch.equal(
        _signs(same.float().reshape(-1)), _signs(tensors[SIGNS].reshape(-1))
    ):
        raise UserError(f"{path}: {SIGNS} and {SAME_SIGNS} differ in sign: which was trained?")
    return tensors


def _check_shapes(path: Path, tensors: Mapping[str, Tensor]) -> None:
    if tensors[INPUT].ndim != 2 or tensors[OUTPUT].ndim != 2:
        raise UserError(f"{path}: {INPUT} and {OUTPUT} must be matrices")
    hidden, outputs = len(tensors[INPUT]), len(tensors[OUTPUT])
    expected = {
        OUTPUT: (outputs, hidden),
        OUTPUT_BIAS: (outputs,),
        BIAS: (hidden,),
        SIGNS: (1, hidden),
        RECURRENT: (hidden, hidden),
    }
    for name, shape in expected.items():
        if tuple(tensors[name].shape) != shape:
            raise UserError(f"{path}: {name} should be {shape}, found {tuple(tensors[name].shape)}")


def _block(path: Path, matrix: Tensor) -> int:
    """The block m of a matrix that is `(I (x) S_m) / sqrt(m)`."""
    block = int(matrix[0].count_nonzero())
    count = len(matrix) // max(block, 1)
    if block and not block & (block - 1) and count * block == len(matrix):
        wanted = (
            torch.kron(torch.eye(count), sylvester(block, torch.float32, matrix.device))
            / block**0.5
        )
        if torch.allclose(matrix, wanted, atol=1e-5):
            return block
    raise UserError(f"{path}: {RECURRENT} is no normalized Hadamard matrix, in blocks or whole")


def _is_plain(value: Any) -> bool:
    """Whether it is a tensor of real numbers that is really there, all of it."""
    return (
        isinstance(value, Tensor)
        and value.layout == torch.strided
        and value.device.type == "cpu"
        and value.is_floating_point()
        and value.numel() * value.element_size() <= value.untyped_storage().nbytes() <= MOST_BYTES
    )


def _signs(latent: Tensor) -> Tensor:
    return latent >= 0


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
