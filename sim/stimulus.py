"""What is sent into a core, and how unevenly: random timesteps, and the waits between transfers."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sylvan.model.errors import UserError

from .ports import Ports


@dataclass(frozen=True)
class Timesteps:
    """A stream of timesteps: raw `values` (N, elements), flags `first` and `last` (N,)."""

    values: npt.NDArray[np.int64]
    first: npt.NDArray[np.bool_]
    last: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.values)

    @property
    def sequence(self) -> npt.NDArray[np.int64]:
        """The number of each timestep's sequence: a new one begins at `first`, or after `last`."""
        begins = self.first.copy()
        begins[1:] |= self.last[:-1]
        begins[:1] = False
        return np.cumsum(begins)

    @classmethod
    def of_sequences(cls, values: npt.ArrayLike) -> "Timesteps":
        """Whole sequences (batch, T, elements), or symbols (batch, T), one after the other."""
        whole = np.asarray(values)
        if whole.ndim == 2:
            whole = whole[:, :, None]
        if whole.ndim != 3 or 0 in whole.shape or whole.dtype.kind not in "iu":
            raise UserError(
                "sequences must be integers (batch, T, elements) or (batch, T), "
                f"got {whole.dtype} {whole.shape}"
            )
        batch, length, elements = whole.shape
        place = np.tile(np.arange(length), batch)
        return cls(
            whole.reshape(batch * length, elements).astype(np.int64),
            place == 0,
            place == length - 1,
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
    middle. The last one ends with `last`.
    """
    values, first, last = [], [], []
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
    return Timesteps(np.concatenate(values), np.concatenate(first), np.concatenate(last))


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
