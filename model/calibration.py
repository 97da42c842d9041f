"""From a trained layer to integers: what every family checks, and how it measures its ranges."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from .arrays import Array
from .numbers import Format
from .program import NumericInput, SymbolInput
from .quantize import range_exponent
from .recurrent import Recurrent

STATE_BITS = range(2, 33)
BATCH = 512
"""Sequences that are calibrated on together."""
STEPS = 16
"""Timesteps whose states are looked at together; a multiple of every period."""


def real(tensor: Tensor) -> Array:
    """As float64 in numpy."""
    return tensor.detach().double().cpu().numpy()


def check_trained(layer: Recurrent, state_bits: int) -> None:
    """Raises ValueError for a width that no state can have, and for weights that are not finite."""
    if state_bits not in STATE_BITS:
        raise ValueError(
            f"state bits must lie in {STATE_BITS[0]}..{STATE_BITS[-1]}, got {state_bits}"
        )
    for name, tensor in layer.state_dict().items():
        if not tensor.isfinite().all():
            raise ValueError(f"{name} holds NaN or infinite weights")


def sequences(
    layer: Recurrent, source: NumericInput | SymbolInput, raw_inputs: npt.ArrayLike
) -> Iterator[Tensor]:
    """The calibration sequences in batches, as the values that the layer takes.

    Parameters: raw_inputs, (count, T) symbols or (count, T, size) raw as `source` declares them.
    """
    values, like = (
        torch.as_tensor(np.asarray(raw_inputs, np.int64)),
        layer.get_parameter("output_bias"),
    )
    if isinstance(source, NumericInput):
        values = torch.ldexp(values.to(like.dtype), torch.tensor(source.format.exp))
    yield from values.to(like.device).split(BATCH)


def states(
    layer: Recurrent, source: NumericInput | SymbolInput, raw_inputs: npt.ArrayLike
) -> Iterator[Tensor]:
    """What the layer's readout sees on them, (batch, up to STEPS, hidden), whole sequences long."""
    for x in sequences(layer, source, raw_inputs):
        state = layer.begin(len(x))
        for part in x.split(STEPS, 1):
            seen, state = layer.walk(part, state)
            yield seen


def signed_range(peak: float, bits: int) -> Format:
    """The format of `bits` bits whose power-of-two range holds `peak`."""
    return Format.signed_bits(bits, range_exponent(peak, bits))
