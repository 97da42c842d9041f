"""A matrix without structure: common subexpressions, searched for as long as is worth it.

Two beginnings are tried: rows as they are, and rows as differences to other rows. The cheaper one
is improved, round by round.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from sylvan.model.arrays import Array, signed_digits

from .cost import DIGITS
from .forest import forest
from .graph import GraphBuilder, Term
from .search import improve, merge_choice
from .sharing import share
from .sums import NODES, Sums, add_digits, empty, open_row, set_form

WORK = 1 << 26
"""Pairs of terms that are counted where no time budget is given: some ten seconds."""
ROUNDS_PER_ROW, ROUNDS_PER_TERM = 64, 4
"""What a search without a time budget gets: more gain too little."""
TRIED = 0.1
"""Part of the rounds that each beginning gets before one is chosen."""
GIVEN_UP, SLACK = (0.1, 0.3), 5e-3
"""Least and greatest part of the shared values that a round gives up, and how much worse it may
leave things at first, as a part of all cells."""
CAREFUL = (0.03, 0.35), 5e-4
"""The same for differences of rows: a chain of them that is given up does not come back."""
CHUNK_SECONDS = 0.25


@dataclass
class Effort:
    """How long to search: so many rounds, or until `deadline`, by time.perf_counter().

    digits: of everything that is still to be searched, by which the time is shared out.
    interruptible: whether Ctrl-C ends the search, with the best so far, instead of the program.
    Attributes: interrupted, whether it did.
    """

    deadline: float | None = None
    digits: int = 0
    interruptible: bool = True
    interrupted: bool = field(default=False, init=False)

    def part(self, digits: int) -> "Effort":
        """The effort for a matrix of so many digits, taken from the whole."""
        if self.deadline is None:
            return self
        now = time.perf_counter()
        share = min(1.0, digits / max(1, self.digits))
        self.digits -= digits
        part = Effort(now + max(0.0, self.deadline - now) * share, digits, self.interruptible)
        part.interrupted = self.interrupted
        return part

    def over(self) -> bool:
        """Whether to stop now."""
        late = self.deadline is not None and time.perf_counter() >= self.deadline
        return self.interrupted or late


def share_subexpressions(
    builder: GraphBuilder,
    matrix: Array,
    inputs: list[Term],
    limit: int | None,
    seed: int,
    effort: Effort,
) -> list[Term | None]:
    """`matrix` times `inputs`, written into `builder`, no output deeper than `limit`.

    One seed gives one graph, unless time runs out or somebody interrupts.
    """
    signed = matrix * np.array([term.sign << term.shift for term in inputs], np.int64)
    nodes = [term.node for term in inputs]
    ends = np.array([builder.intervals[node] for node in nodes], np.int64).reshape(-1, 2)
    levels = np.array([builder.levels[node] for node in nodes], np.int32)
    depth = DIGITS if limit is None else limit
    terms = int(signed_digits(signed).sum())
    worth = min(ROUNDS_PER_ROW * len(signed), ROUNDS_PER_TERM * terms)
    whole, effort = effort, effort.part(terms)
    tried: list[_Search] = []
    try:
        for sums, how in _beginnings(signed, ends, levels, depth, seed):
            search = _Search(sums, how, depth, seed)
            tried.append(search)
            search.run(int(TRIED * min(worth, WORK / search.pairs)), effort)
            if effort.over():
                break
    except KeyboardInterrupt:
        # Without one whole graph there is nothing that could be returned.
        if not (tried and effort.interruptible):
            raise
        effort.interrupted = True
    best = min(tried, key=lambda search: search.cells)
    while True:
        best.run(int(min(worth, 1 + WORK / best.pairs)), effort)
        if effort.deadline is None or effort.over():
            break
    whole.interrupted |= effort.interrupted
    return _written(builder, best.best, nodes, depth)


class _Search:
    """One graph on its way to fewer cells."""

    def __init__(
        self, sums: Sums, how: tuple[tuple[float, float], float], depth: int, seed: int
    ) -> None:
        self.current, self.depth, self.seed = sums, depth, seed
        (self.least, self.most), self.slack = how
        self.spare = Sums(*(array.copy() for array in sums))
        self.rounds = 0
        self._improve(0, 0.0)
        self.best = Sums(*(array.copy() for array in self.current))

    @property
    def pairs(self) -> int:
        """Pairs of terms in all rows, which is what a round looks at."""
        lengths = self.current.length.astype(np.int64)
        return int((lengths * (lengths - 1)).sum()) // 2 + 1

    def _improve(self, rounds: int, slack: float) -> int:
        cells, swapped = improve(
            self.current, self.spare, self.depth, rounds, self.least, self.most, slack,
            self.seed * 1_000_003 + self.rounds,
        )  # fmt: skip
        if swapped:
            self.current, self.spare = self.spare, self.current
        self.rounds += rounds
        self.cells = int(cells)
        return self.cells

    def run(self, rounds: int, effort: Effort) -> None:
        """So many rounds more, or fewer where the effort is over."""
        least, done, size = self.cells, 0, 1
        try:
            while done < rounds and not effort.over():
                begun = time.perf_counter()
                size = min(size, rounds - done)
                slack = self.slack * self.cells * (1 - (done + size) / rounds)
                if self._improve(size, slack) < least:
                    least = self.cells
                    self.best = Sums(*(array.copy() for array in self.current))
                done += size
                # Chunks short enough to stop in, long enough to cost nothing themselves.
                if effort.deadline is None:
                    size = 16
                elif time.perf_counter() - begun < CHUNK_SECONDS / 2:
                    size *= 2
        except KeyboardInterrupt:
            if not effort.interruptible:
                raise
            effort.interrupted = True
        self.cells = least


def _beginnings(
    matrix: Array, ends: Array, levels: Array, depth: int, seed: int
) -> Iterator[tuple[Sums, tuple[tuple[float, float], float]]]:
    """The graphs that a search begins from, shared once, greedily, and how to go on with each."""
    rows, terms = len(matrix), int(signed_digits(matrix).sum())
    # Under a limit a digit of a deep input weighs as much as the inputs that could be in its place.
    weights = np.ones(len(levels), np.int64) << (levels if depth < DIGITS else 0)
    needed = (int((signed_digits(matrix) @ weights).max(initial=1)) - 1).bit_length()
    # The highest forest that fits: each parent on the way is one level more.
    possible = [h for h in (1, 2, rows) if h <= depth - needed or depth == DIGITS]
    heights = [0, *possible[-1:]]
    for most in heights:
        sums = empty(ends[:, 0], ends[:, 1], rows, matrix.shape[1] + rows + terms, 4 * terms + 64)
        sums.level[: len(levels)] = levels
        order = forest(matrix, most, weights) if most else [(row, -1, 1) for row in range(rows)]
        if most and all(parent < 0 for _, parent, _ in order):
            return
        how = CAREFUL if most else (GIVEN_UP, SLACK)
        yield _begun(sums, matrix, order, depth, seed), how


def _begun(
    sums: Sums, matrix: Array, order: list[tuple[int, int, int]], depth: int, seed: int
) -> Sums:
    """The rows of a forest as sums, shared greedily."""
    room = len(sums.lo)
    height = [0] * len(order)
    for row, parent, _ in reversed(order):
        if parent >= 0:
            height[parent] = max(height[parent], height[row] + 1)
    ceiling = np.full(len(sums.start), DIGITS, np.int32)
    node_of: dict[int, int] = {}
    filled = []
    for row, parent, sign in order:
        difference = matrix[row] - (sign * matrix[parent] if parent >= 0 else 0)
        target = room + row
        if height[row]:
            target = node_of[row] = int(sums.size[NODES])
            sums.size[NODES] += 1
        if depth < DIGITS:
            ceiling[target] = depth - height[row]
        open_row(sums, target)
        for column in np.flatnonzero(difference).tolist():
            add_digits(sums, target, column, int(difference[column]))
        if parent >= 0:
            add_digits(sums, target, node_of[parent], sign)
        filled.append(target)
        if target < room:
            set_form(sums, target)
            if depth < DIGITS:
                sums.level[target] = ceiling[target]
    for row, node in node_of.items():
        open_row(sums, room + row)
        add_digits(sums, room + row, node, 1)
        ceiling[room + row] = depth
    share(sums, np.array(filled, np.int32), ceiling, seed)
    return sums


def _written(builder: GraphBuilder, sums: Sums, nodes: list[int], depth: int) -> list[Term | None]:
    """The sums as adders: terms of rows in the order in which their cost was counted."""
    room = len(sums.lo)
    made: dict[int, Term | None] = {i: Term(node) for i, node in enumerate(nodes)}
    ends = [(int(lo), int(hi)) for lo, hi in zip(sums.lo, sums.hi, strict=True)]

    def terms_of(row: int) -> list[tuple[int, int, int]]:
        at = slice(int(sums.start[row]), int(sums.start[row]) + int(sums.length[row]))
        arrays = (sums.node[at].tolist(), sums.shift[at].tolist(), sums.sign[at].tolist())
        return list(zip(*arrays, strict=True))

    def assembled(row: int) -> Term | None:
        terms, spans, levels = [], [], []
        for node, shift, sign in terms_of(row):
            term = made[node]
            if term is None:
                continue
            term = (term if sign > 0 else -term) << shift
            terms.append(term)
            spans.append((ends[node][1] - ends[node][0]) << shift)
            levels.append(builder.levels[term.node])
        ceiling = DIGITS
        if depth < DIGITS:
            ceiling = depth if row >= room else int(sums.level[row])
        while len(terms) > 1:
            load = sum(1 << level for level in levels) if depth < DIGITS else 0
            i, j = merge_choice(
                np.array(spans, np.int64), np.array(levels, np.int64), len(terms), load, ceiling
            )
            terms[i] = builder.add(terms[i], terms[j])
            spans[i], levels[i] = spans[i] + spans[j], builder.levels[terms[i].node]
            terms[j], spans[j], levels[j] = terms[-1], spans[-1], levels[-1]
            del terms[-1], spans[-1], levels[-1]
        return terms[0] if terms else None

    # Depth first, with a stack of our own: graphs may be deeper than Python's.
    outputs = range(room, len(sums.start))
    for output in outputs:
        stack = [output]
        while stack:
            row = stack[-1]
            waiting = [node for node, _, _ in terms_of(row) if node not in made]
            if row in made or not waiting:
                if row not in made:
                    made[row] = assembled(row)
                stack.pop()
            else:
                stack += waiting
    return [made[output] for output in outputs]
