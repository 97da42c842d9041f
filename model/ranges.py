"""What the values of a program come to on real sequences, beside their declared intervals.

An interval holds whatever the inputs are; what comes of those of a task is often far smaller, and
bits that no sequence needs are bits that the hardware could do without.
"""

from collections.abc import Mapping

import numpy.typing as npt

from .arrays import Array
from .errors import UserError
from .interpret import Machine, check_inputs
from .program import Program

Range = tuple[int, int]
"""The least and the largest raw integer."""


def observed(program: Program, inputs: npt.ArrayLike) -> dict[str, Range]:
    """The range of every value, the inputs and the states among them, by name.

    Args:
        inputs: whole sequences as `interpret.run` takes them, all advancing together.

    Raises:
        UserError: for inputs of another shape or out of format.
    """
    raw = check_inputs(program, inputs)
    if raw.ndim != 3 or 0 in raw.shape:
        raise UserError(f"inputs must be (batch, T, ...) of at least one, got shape {raw.shape}")
    found: dict[str, Range] = {}

    def watch(values: Mapping[str, Array]) -> None:
        for name, array in values.items():
            least, largest = int(array.min()), int(array.max())
            if name in found:
                least, largest = min(least, found[name][0]), max(largest, found[name][1])
            found[name] = least, largest

    length = raw.shape[1]
    machine = Machine(program, len(raw), watch)
    for t in range(length):
        machine.step(raw[:, t].T)
        if machine.reads(t == length - 1):
            machine.answer()
    return found
