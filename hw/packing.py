"""The static schedule of a constant matrix: its nonzeros in words of P, known at generation time.

Every lane holds a copy of the operand, so no crossbar lies between operand and lanes, and owns the
rows whose results leave on it, so none lies behind them either. What random rows weigh unequally
is a few percent. Where it is more, the rows of some slots *turn*: each is its neighbour's, at the
cost of a choice between two neighbours in front of the results.

Columns are taken window by window, because the operand arrives one element per cycle: a lane goes
through all its rows in the columns of one window before it turns to the next. So the first words
need only what came first, and a column is written down by its place in the window. A *chunk* is a
row's part in a window, one word or more; its sum is kept in between, and by then is long finished.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from sylvan.model.arrays import Array

APART = 3
"""Words from a chunk's last to the first that can go on with its sum. Lanes of as many rows keep
this distance whatever the chunks; those of fewer take all columns as one window."""
REST = 1
"""Words of zeros ahead of word 0: where a ROM rests, so that it ends no chunk there."""
TURNED = 10
"""Slots that may turn: every choice is tried."""
SLACK = 1 / 32
"""Share of the cycles, from the operand's start to the results', that a narrower index may cost."""


@dataclass(frozen=True, eq=False)
class Packing:
    """The words of a matrix on so many lanes; word q of all lanes passes in cycle q.

    Parameters:
        matrix: integers (rows, columns).
        lanes: P; lane k holds the rows k, k + P, ... in this order, its slots.
        window: columns of a window, a power of two. Several windows take `APART` slots or more.
        turns: for each slot 0, or 1 where lane k + 1 (the first after the last) holds lane k's row.
        dwell: cycles of each result where single ones leave; 0 where those of all lanes do at once.

    Attributes:
        slots, windows: rows of a lane, and parts of the columns.
        starts, finishes: first and last word (windows, slots, lanes) of each chunk.
        columns, weights, ends: of each word (cycles, lanes): the column read, what it is multiplied
            by, and whether it is its chunk's last. A chunk without nonzeros is a word of weight 0.
    """

    matrix: Array
    lanes: int
    window: int
    turns: Array
    dwell: int = 0

    def __post_init__(self) -> None:
        if self.window < 1 or self.window & (self.window - 1):
            raise ValueError(f"a window must be a power of two, got {self.window} columns")
        if self.windows > 1 and self.slots < APART:
            raise ValueError(
                f"several windows need {APART} rows per lane or more, got {self.slots}: "
                "a sum would be read before it is written"
            )

    @property
    def slots(self) -> int:
        return -(-self.matrix.shape[0] // self.lanes)

    @property
    def windows(self) -> int:
        return -(-self.matrix.shape[1] // self.window)

    @cached_property
    def _placed(self) -> Array:
        """The matrix with its rows in the order of slots and lanes, empty ones at the end."""
        rows, columns = self.matrix.shape
        placed = np.zeros((self.slots, self.lanes, columns), np.int64)
        placed.reshape(-1, columns)[:rows] = self.matrix
        turned = self.turns == 1
        placed[turned] = np.roll(placed[turned], 1, axis=1)
        return placed.reshape(-1, columns)

    @cached_property
    def _counts(self) -> Array:
        """Nonzeros (windows, slots, lanes) of each chunk."""
        edges = np.arange(0, self.matrix.shape[1], self.window)
        counts = np.add.reduceat(self._placed != 0, edges, axis=1, dtype=np.int64)
        return counts.T.reshape(self.windows, self.slots, self.lanes)

    @cached_property
    def finishes(self) -> Array:
        lengths = np.maximum(self._counts, 1).reshape(-1, self.lanes)
        return lengths.cumsum(axis=0).reshape(self._counts.shape) - 1

    @cached_property
    def starts(self) -> Array:
        return self.finishes - np.maximum(self._counts, 1) + 1

    @cached_property
    def _entries(self) -> tuple[Array, Array, Array]:
        """Word, row as placed, and column of each nonzero."""
        row, column = np.nonzero(self._placed)
        window, (slot, lane) = column // self.window, np.divmod(row, self.lanes)
        # Nonzeros come row by row, and chunk by chunk within a row.
        sizes = self._counts.reshape(self.windows, -1).T.reshape(-1)
        rank = np.arange(len(row)) - np.repeat(sizes.cumsum() - sizes, sizes)
        return self.starts[window, slot, lane] + rank, row, column

    @property
    def cycles(self) -> int:
        """Words: those of the heaviest lane."""
        return int(self.finishes[-1, -1].max()) + 1

    @cached_property
    def columns(self) -> Array:
        columns = np.zeros((self.cycles, self.lanes), np.int64)
        word, row, column = self._entries
        columns[word, row % self.lanes] = column
        return columns

    @cached_property
    def weights(self) -> Array:
        weights = np.zeros((self.cycles, self.lanes), np.int64)
        word, row, column = self._entries
        weights[word, row % self.lanes] = self._placed[row, column]
        return weights

    @cached_property
    def ends(self) -> Array:
        ends = np.zeros((self.cycles, self.lanes), bool)
        ends[self.finishes, np.arange(self.lanes)] = True
        return ends

    @property
    def nonzeros(self) -> int:
        return int(self._counts.sum())

    @property
    def fill(self) -> float:
        """Share of the words' places that hold a nonzero."""
        return self.nonzeros / (self.cycles * self.lanes)

    @property
    def promise(self) -> float:
        """What `cycles` is for random matrices of 8 rows per lane or more."""
        return promised(self.matrix, self.lanes)

    @property
    def index_bits(self) -> int:
        """Bits of a word and lane that say where, not what: the place in the window, and `ends`."""
        return self.window.bit_length()

    @property
    def index_bits_per_nonzero(self) -> float | None:
        """The same over all words, idle lanes included; None for a matrix of zeros."""
        stored = self.index_bits * self.cycles * self.lanes
        return stored / self.nonzeros if self.nonzeros else None

    @property
    def wait(self) -> int:
        """Cycles from the arrival of column 0 to word 0, columns being read after they arrived."""
        word, _, column = self._entries
        return int((column - word + 1).max(initial=0))

    @property
    def reads(self) -> Array:
        """From the read of the first result, when each (slots, lanes) is read.

        Beat s holds the rows of slot s, or row after row leaves alone.
        """
        slots, lanes = np.arange(self.slots)[:, None], np.arange(self.lanes)
        return (slots * self.lanes + lanes) * self.dwell if self.dwell else slots + 0 * lanes

    @property
    def _ready(self) -> Array:
        """The last word (slots, lanes) of each row, wherever it is held."""
        ready, turned = self.finishes[-1].copy(), self.turns == 1
        ready[turned] = np.roll(ready[turned], -1, axis=1)
        return ready

    @property
    def leave(self) -> int:
        """Cycles from word 0 to the read of the first beat of results.

        Beats follow each other without a gap, and a sum can be read `APART` cycles after its last
        word. Results and sums to go on with share one port.
        """
        first = int((self._ready - self.reads).max()) + APART
        return first if self.windows == 1 else max(first, int(self.starts[-1, -1].max()) + 1)

    def last_reads(self) -> Array:
        """The last word that reads each column; -1 for a column of zeros."""
        last = np.full(self.matrix.shape[1], -1)
        word, _, column = self._entries
        np.maximum.at(last, column, word)
        return last


def promised(matrix: Array, lanes: int) -> float:
    """Cycles of a packed product, about: zeros cost none."""
    nonzeros = int(np.count_nonzero(matrix))
    return 1.15 * -(-nonzeros // lanes) + math.log2(max(matrix.shape)) + 8


def pack(matrix: Array, lanes: int, dwell: int = 0) -> Packing:
    """Of the packings that keep the promise, the narrowest index among the (nearly) fastest."""
    slots = -(-matrix.shape[0] // lanes)
    for turns in (np.zeros(slots, np.int64), _balanced(matrix, lanes)):
        options = _options(matrix, lanes, turns, dwell)
        kept = [option for option in options if option.cycles + REST <= option.promise]
        if kept:
            break
    # One window is where words are fewest.
    kept = kept or options[-1:]
    cycles = [option.wait + option.leave for option in kept]
    return kept[next(k for k, c in enumerate(cycles) if c <= min(cycles) * (1 + SLACK))]


def _options(matrix: Array, lanes: int, turns: Array, dwell: int) -> list[Packing]:
    """A packing for every window, the smallest one first."""
    most = (matrix.shape[1] - 1).bit_length()
    least = 0 if len(turns) >= APART else most
    return [Packing(matrix, lanes, 1 << bits, turns, dwell) for bits in range(least, most + 1)]


def _balanced(matrix: Array, lanes: int) -> Array:
    """The turns with which the heaviest lane is lightest."""
    slots = -(-matrix.shape[0] // lanes)
    loads = np.zeros((slots, lanes), np.int64)
    loads.reshape(-1)[: len(matrix)] = np.count_nonzero(matrix, axis=1)
    choices = np.arange(1 << min(slots, TURNED))[:, None] >> np.arange(slots) & 1
    heaviest = (loads.sum(axis=0) + choices @ (np.roll(loads, 1, axis=1) - loads)).max(axis=1)
    best: Array = choices[heaviest.argmin()]
    return best
