"""The state of one sequence as data: to go on later, elsewhere, under whatever schedule.

As a file it is canonical JSON: numbers, and the hash of the program that they belong to.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .arrays import MAX_BITS, Array
from .errors import UserError, shortened
from .files import parse_json, write_whole
from .interpret import Machine
from .program import Program, State
from .storage import program_hash

VERSION = 1
MAX_FILE_BYTES = 64 << 20


@dataclass(frozen=True, eq=False)
class Image:
    """All that the next timestep of a sequence depends on besides its input.

    Parameters:
        program_sha256: of the program that made it; no other can go on from it.
        states: raw values by name, each of shape (size,).
        fresh: whether no timestep was taken yet: the next one starts from the initial state.
        phase: timesteps taken modulo the period.
        timestep: where the program reads at a list of timesteps, how many were taken, or one more
            than the last of the list; else 0.
    """

    program_sha256: str
    states: Mapping[str, Array]
    fresh: bool = False
    phase: int = 0
    timestep: int = 0

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Image) and self.tree() == other.tree()

    def tree(self) -> dict[str, Any]:
        """The image as JSON data."""
        return {
            "version": VERSION,
            "program_sha256": self.program_sha256,
            "fresh": self.fresh,
            "phase": self.phase,
            "timestep": self.timestep,
            "states": {name: raw.tolist() for name, raw in self.states.items()},
        }


def image_of(machine: Machine) -> Image:
    """The state of a machine at work on one sequence."""
    if machine.batch != 1:
        raise ValueError(f"an image is of one sequence, the machine has {machine.batch}")
    states = {name: raw[:, 0].astype(np.int64) for name, raw in machine.states.items()}
    kept = machine.fresh, machine.phase, machine.timestep
    return Image(program_hash(machine.program), states, *kept)


def resume(program: Program, image: Image) -> Machine:
    """A machine that goes on from an image.

    Raises UserError if it is of another program, or no state of this one.
    """
    check_image(program, image)
    machine = Machine(program)
    if not image.fresh:
        machine.fresh, machine.phase, machine.timestep = False, image.phase, image.timestep
        machine.states = {name: raw[:, None] for name, raw in image.states.items()}
    return machine


def check_image(program: Program, image: Image) -> None:
    """Raises UserError unless the image is one of the program's states."""
    own = program_hash(program)
    if image.program_sha256 != own:
        raise UserError(
            f"the image is of the program {shortened(image.program_sha256)}, expected one of {own}"
        )
    names = [state.value.name for state in program.states]
    if list(image.states) != names:
        raise UserError(
            f"the image must hold the states {', '.join(names) or 'of a program without any'}; "
            f"got {shortened(', '.join(image.states)) or 'none'}"
        )
    for state in program.states:
        _check_state(image.states[state.value.name], state, image.fresh)
    last = (program.readout.timesteps or (-1,))[-1] + 1
    for name, value, most in (
        ("phase", image.phase, program.period - 1),
        ("timestep", image.timestep, last),
    ):
        if not 0 <= value <= (0 if image.fresh else most):
            raise UserError(
                f"the {name} of the image must lie in [0, {most}], and be 0 if the image is fresh; "
                f"got {value}"
            )


def _check_state(raw: Array, state: State, fresh: bool) -> None:
    name, size, format = state.value.name, state.value.size, state.value.format
    if raw.shape != (size,):
        raise UserError(f"{name} of the image must have {size} elements, got {raw.shape}")
    low, high = int(raw.min()), int(raw.max())
    if not (format.contains(low) and format.contains(high)):
        raise UserError(
            f"{name} of the image must lie in [{format.lo}, {format.hi}], got values from {low} "
            f"to {high}"
        )
    if fresh and not np.array_equal(raw, state.initial):
        raise UserError(f"{name} of the image must be as it starts, because the image is fresh")


def save_image(image: Image, path: Path) -> None:
    """Write an image, whole or not at all. Raises UserError if it cannot be written."""
    try:
        write_whole(path, (json.dumps(image.tree(), sort_keys=True, indent=1) + "\n").encode())
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror or error}") from None


def load_image(program: Program, path: Path) -> Image:
    """Read an image of the program's state.

    Raises UserError if there is none, the file is damaged or of another version, or the image is
    none of this program.
    """
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise ValueError(f"it has more than {MAX_FILE_BYTES} bytes")
        image = _image(parse_json(path.read_text(encoding="utf-8")), program)
    except (OSError, ValueError) as error:
        raise UserError(f"{path} is no readable image: {shortened(str(error))}") from None
    try:
        check_image(program, image)
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
    return image


def _image(tree: Any, program: Program) -> Image:
    """The image in JSON data, its states in the program's order. Raises ValueError if none is."""
    if not isinstance(tree, dict) or tree.get("version") != VERSION:
        raise ValueError(f"expected an object of version {VERSION}")
    kinds = {"version": int, "program_sha256": str, "fresh": bool, "phase": int, "timestep": int}
    if set(tree) != {*kinds, "states"}:
        raise ValueError(f"expected the keys {', '.join([*kinds, 'states'])}")
    for name, kind in kinds.items():
        if type(tree[name]) is not kind:
            raise ValueError(f"{name} must be of the type {kind.__name__}")
    states = tree["states"]
    if not isinstance(states, dict):
        raise ValueError("states must be an object")
    for name, raw in states.items():
        if not isinstance(raw, list) or not all(type(value) is int for value in raw):
            raise ValueError(f"state {name} must be a list of integers")
        if any(value.bit_length() > MAX_BITS for value in raw):
            raise ValueError(f"state {name} has values beyond {MAX_BITS} bits")
    order = [state.value.name for state in program.states]
    own = sorted(states, key=lambda name: order.index(name) if name in order else len(order))
    del tree["version"], tree["states"]
    return Image(states={name: np.array(states[name], np.int64) for name in own}, **tree)
