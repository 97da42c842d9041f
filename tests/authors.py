"""Checkpoints in the form of the HadamRNN authors' code."""

import math
from typing import Any

import torch
from torch import Tensor


def sylvester(size: int) -> Tensor:
    return torch.tensor([[(-1.0) ** (i & j).bit_count() for j in range(size)] for i in range(size)])


def checkpoint(hidden: int, block: int, inputs: int, outputs: int) -> dict[str, Any]:
    """Latent values as the authors' state_dict holds them."""
    random = torch.Generator().manual_seed(hidden + block)
    matrix = torch.block_diag(*[sylvester(block) / math.sqrt(block)] * (hidden // block))
    signs = torch.randn(1, hidden, generator=random)
    return {
        "input_layer.parametrizations.weight.original": torch.randn(
            hidden, inputs, generator=random
        ),
        "recurrent_layer.bias": torch.randn(hidden, generator=random) / 10,
        "recurrent_layer.sign_vector": signs,
        "recurrent_layer.parametrizations.weight.original": matrix,
        "recurrent_layer.parametrizations.weight.0.sign_vector": signs,
        "output_layer.bias": torch.randn(outputs, generator=random),
        "output_layer.parametrizations.weight.original": torch.randn(
            outputs, hidden, generator=random
        ),
    }
