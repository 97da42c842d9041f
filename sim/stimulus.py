"""What is sent into a core, and how unevenly: random timesteps, and the waits between transfers."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from sylvan.model.errors import UserError

from .ports import Ports


@dataclass(frozen=True)
class Timesteps:
    """A stream of timesteps: raw `values` (N, elements), flags `first` and `last` (N,).

    `context` (N,) tells which of the interleaved sequences each belongs to; all to 0 by default.
    """

    values: npt.NDArray[np.int64]
    first: npt.NDArray[np.bool_]
    last: npt.NDArray[np.bool_]
    context: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))

    def __post_init__(self) -> None:
        if not len(self.context):
            object.__setattr__(self, "context", np.zeros(len(self.values), np.int64))

    def __len__(self) -> int:
        return len(self.values)

    def flags(self, step: int) -> dict[str, Any]:
        """What a word says of a timestep besides its elements."""
        first, last = bool(self.first[step]), bool(self.last[step])
        return {"first": first, "last": last, "context": int(self.context[step])}

    @property
    def sequence(self) -> npt.NDArray[np.int64]:
        """The number of each timestep's sequence, by context.

        A new one begins at `first`, or after `last`.
        """
        numbers = np.zeros(len(self), np.int64)
        for context in np.unique(self.context):
            own = self.context == context
            begins = self.first[own].copy()
            begins[1:] |= self.last[own][:-1]
            begins[:1] = False
            numbers[own] = np.cumsum(begins)
        return numbers

    @property
    def sequences(self) -> int:
        """How many there are, over all contexts."""
        return len(np.unique(np.stack([self.context, self.sequence]), axis=1).T)

    @classmethod
    def of_sequences(cls, values: npt.ArrayLike, contexts: int = 1) -> "Timesteps":
        """Whole sequences (batch, T, elements), or symbols (batch, T), one after the other.

        With several contexts as many at the same time, a timestep of each in turn.
        """
        whole = np.asarray(values)
        if whole.ndim == 2:
            whole = whole[:, :, None]
        if whole.ndim != 3 or 0 in whole.shape or whole.dtype.kind not in "iu":
            raise UserError(
                "sequences must be integers (batch, T, elements) or (batch, T), "
                f"got {whole.dtype} {whole.shape}"
            )
        batch, length, elements = whole.shape
        number, place = np.divmod(np.arange(batch * length), length)
        order = np.lexsort((number, place, number // contexts))
        steps = whole.reshape(batch * length, elements).astype(np.int64)
        return cls(
            steps[order],
            (place == 0)[order],
            (place == length - 1)[order],
            (number % contexts)[order],
        )


def check_timesteps(ports: Ports, steps: Timesteps) -> Timesteps:
    """The same timesteps, or a UserError that says why these ports cannot take them."""
    port = ports.input
    if steps.values.ndim != 2 or steps.values.shape[1] != port.elements:
        raise UserError(
            f"the core takes {port.elements} elements per timestep, "
            f"got an array of shape {steps.values.shape}"
        )
    if len(steps) == 0 or steps.first.shape != (len(steps),) or steps.last.shape != (len(steps),):
        raise UserError(
            f"expected at least one timestep, each with a first and a last flag; got {len(steps)} "
            f"timesteps and flags of shapes {steps.first.shape} and {steps.last.shape}"
        )
    if steps.context.shape != (len(steps),) or not set(steps.context.tolist()) <= set(
        range(ports.contexts)
    ):
        raise UserError(
            f"each of the {len(steps)} timesteps needs a context below {ports.contexts}, got "
            f"{len(steps.context)} from {steps.context.min()} to {steps.context.max()}"
        )
    low, high = int(steps.values.min()), int(steps.values.max())
    if low < port.lo or high > port.hi:
        raise UserError(
            f"raw inputs must lie in [{port.lo}, {port.hi}], got values from {low} to {high}"
        )
    return steps


def random_inputs(
    ports: Ports, count: int, rng: np.random.Generator, *, longest: int = 12
) -> Timesteps:
    """`count` random sequences for these ports, of 1 to `longest` timesteps, awkward ones included.

    Values cover the format, its extremes more often than chance would. Most sequences have both
    flags; some continue the one before (no `first`), break off (no `last`), or begin anew in the
    middle. The last one ends with `last`. Of several contexts one may be silent; the others come in
    any order.
    """
    values, first, last, owner = [], [], [], []
    speaking = rng.permutation(ports.contexts)[: max(1, ports.contexts - int(rng.integers(2)))]
    for number in range(count):
        short = rng.random() < 0.3
        length = int(rng.integers(1, min(longest, 2 if short else longest) + 1))
        values.append(_values(ports, length, rng))
        begin, end = np.zeros((2, length), bool)
        begin[0] = rng.random() < 0.75
        end[-1] = rng.random() < 0.8 or number == count - 1
        if rng.random() < 0.2:
            begin[rng.integers(length)] = True
        if rng.random() < 0.2:
            end[rng.integers(length)] = True
        first.append(begin)
        last.append(end)
        owner.append(np.full(length, rng.choice(speaking)))
    context = np.concatenate(owner)
    order = _interleaved(context, rng)
    made = Timesteps(
        np.concatenate(values)[order],
        np.concatenate(first)[order],
        np.concatenate(last)[order],
        context[order],
    )
    made.last[-1] = True
    return made


def _interleaved(context: npt.NDArray[np.int64], rng: np.random.Generator) -> list[int]:
    """An order of timesteps that keeps that within each context: single ones, turns and bursts."""
    queues = {c: np.flatnonzero(context == c).tolist() for c in np.unique(context).tolist()}
    order: list[int] = []
    while queues:
        names = list(queues)
        kind = rng.integers(3)
        turn = [names[rng.integers(len(names))]] * int(rng.integers(1, 4)) if kind else names
        for name in turn:
            order += [queues[name].pop(0)] if queues[name] else []
        queues = {name: queue for name, queue in queues.items() if queue}
    return order


def _values(ports: Ports, length: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Raw values of one sequence: uniform, or extremes only, or one throughout (it saturates)."""
    lo, hi = ports.input.lo, ports.input.hi
    shape = (length, ports.input.elements)
    uniform = rng.integers(lo, hi, shape, endpoint=True)
    extremes = np.where(rng.random(shape) < 0.5, lo, hi)
    kind = rng.integers(4)
    if kind == 0:
        return extremes
    if kind == 1:
        return np.full(shape, rng.choice((lo, hi)))
    return np.where(rng.random(shape) < 0.1, extremes, uniform)


#: Ways to wait between transfers, crossed for the two sides of a core.
PATTERNS = ("never", "bursts", "scattered", "rarely")


def waits(pattern: str, count: int, pace: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Cycles to wait before each of `count` transfers, one of which usually takes `pace`."""
    match pattern:
        case "never":
            return np.zeros(count, np.int64)
        case "bursts":
            return np.where(rng.random(count) < 0.08, rng.integers(1, 4 * pace + 2, count), 0)
        case "scattered":
            return rng.geometric(0.5, count) - 1
        case "rarely":
            return rng.integers(0, 2 * pace + 2, count)
    raise ValueError(f"no pattern {pattern}: expected one of {', '.join(PATTERNS)}")


def mixed_waits(
    count: tuple[int, int], pace: tuple[int, int], pieces: int, rng: np.random.Generator
) -> tuple[list[int], list[int]]:
    """Waits for both sides of one run, cut into pieces that cross all their patterns."""
    pairs = [(i, o) for i in PATTERNS for o in PATTERNS]
    order: list[tuple[str, str]] = []
    while len(order) < pieces:
        order += [pairs[k] for k in rng.permutation(len(pairs))]
    sides: tuple[list[int], list[int]] = ([], [])
    for side in range(2):
        cuts = np.linspace(0, count[side], pieces + 1).astype(int)
        for pair, begin, end in zip(order, cuts, cuts[1:], strict=False):
            sides[side].extend(waits(pair[side], int(end - begin), pace[side], rng).tolist())
    return sides
