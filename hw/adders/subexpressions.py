"""A matrix without structure: common subexpressions, searched for as long as is worth it.

There are two beginnings, rows as they are, and rows as differences to other rows, of which the
cheaper one is improved, round by round.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from sylvan.model.arrays import Array, signed_digits

from .cost import merge_choice
from .forest import forest
from .graph import GraphBuilder, Term
from .search import all_pairs, improve
from .sharing import share_some
from .sums import (
    IN_ROW,
    NO_LIMIT,
    NODE,
    SHIFT,
    SIGN,
    Sums,
    append,
    append_form,
    empty,
    set_form,
    take_node,
)

DRAWN_ROWS = 256
"""Rows of all first graphs of a kind together: small matrices get several, of which one is best."""
ROUNDS_PER_ROW, ROUNDS_PER_TERM, FEW_ROUNDS = 128, 2, 1000
"""What a search without a time budget gets: more gain too little."""
GIVEN_UP, SLACK = (2.0, 12.0), 8.0
"""Least and greatest number of shared values that a round gives up, and how many cells worse it may
leave things at first, with a chance of 1/e; the slack falls to zero."""
CHUNKS, LEAST_SECONDS, CHUNK_SECONDS = 64, 0.01, 0.1
"""Into how many stretches so many rounds are cut, between which a search can stop; how long they
are where it has a deadline."""
GREEDY_CHUNK = 64
"""Pairs that become nodes between two looks at the clock."""
SPARE_TERMS = 1 << 13
"""For what a round takes out: its room is free when the round is over."""


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
    terms = int(signed_digits(signed).sum())
    whole, effort = effort, effort.part(terms)
    begun: list[_Search] = []
    try:
        for sums in _beginnings(signed, ends, levels, limit, seed, effort):
            begun.append(_Search(sums, seed))
            if effort.over():
                break
    except KeyboardInterrupt:
        # Without rows written down there is nothing that could be returned.
        if not (begun and effort.interruptible):
            raise
        effort.interrupted = True
    best = min(begun, key=lambda search: search.cells)
    best.run(min(ROUNDS_PER_ROW * len(signed), ROUNDS_PER_TERM * terms + FEW_ROUNDS), effort)
    whole.interrupted |= effort.interrupted
    return _written(builder, best.best, nodes)


class _Search:
    """One graph on its way to fewer cells."""

    def __init__(self, sums: Sums, seed: int) -> None:
        self.current, self.seed, self.rounds = sums, seed, 0
        self.cells = self._improve(0, 0.0)
        self.best = _copy(sums)

    def _improve(self, rounds: int, slack: float) -> int:
        seed = self.seed * 1_000_003 + self.rounds
        self.rounds += rounds
        return int(improve(self.current, *GIVEN_UP, rounds, slack, seed))

    def run(self, rounds: int, effort: Effort) -> None:
        """So many rounds more, or until the effort's deadline."""
        begun, done, size = time.perf_counter(), 0, 1
        try:
            while not effort.over() and (done < rounds or effort.deadline is not None):
                now = time.perf_counter()
                if effort.deadline is None:
                    size = min(size, rounds - done)
                    left = 1 - (done + size) / rounds
                else:
                    left = (effort.deadline - now) / (effort.deadline - begun)
                cells = self._improve(size, SLACK * left)
                if cells < self.cells:
                    self.cells, self.best = cells, _copy(self.current)
                done += size
                # Chunks short enough to stop in, long enough to cost nothing themselves.
                if effort.deadline is None:
                    size = rounds // CHUNKS + 1
                else:
                    now, took = time.perf_counter(), time.perf_counter() - now
                    wanted = min(CHUNK_SECONDS, max(LEAST_SECONDS, (effort.deadline - now) / 4))
                    size = max(1, min(2 * size, int(size * wanted / took)))
        except KeyboardInterrupt:
            if not effort.interruptible:
                raise
            effort.interrupted = True


def _copy(sums: Sums) -> Sums:
    """All that a graph is written from; forms are not."""
    return Sums(*(array if array is sums.form else array.copy() for array in sums))


def _beginnings(
    matrix: Array, ends: Array, levels: Array, limit: int | None, seed: int, effort: Effort
) -> Iterator[Sums]:
    """The graphs that a search begins from, shared once, greedily, or as far as there was time."""
    rows = len(matrix)
    # Under a limit a digit of a deep input weighs as much as the inputs that could be in its place.
    weights = np.ones(len(levels), np.int64) << (0 if limit is None else levels)
    needed = (int((signed_digits(matrix) @ weights).max(initial=1)) - 1).bit_length()
    orders = [[(row, -1, 1) for row in range(rows)]]
    # The highest forest that fits: each parent on the way is one level more.
    possible = [h for h in (1, 2, rows) if limit is None or h <= limit - needed]
    if possible:
        order = forest(matrix, possible[-1], weights)
        if any(parent >= 0 for _, parent, _ in order):
            orders.append(order)
    for draw in range(max(1, DRAWN_ROWS // rows)):
        for order in orders:
            sums = _begun(matrix, order, ends, levels, limit)
            _share_greedily(sums, seed + draw, effort)
            yield sums


def _begun(
    matrix: Array,
    order: list[tuple[int, int, int]],
    ends: Array,
    levels: Array,
    limit: int | None,
) -> Sums:
    """The rows of a forest as sums."""
    rows, height = len(matrix), [0] * len(matrix)
    for row, parent, _ in reversed(order):
        if parent >= 0:
            height[parent] = max(height[parent], height[row] + 1)
    differences = matrix.copy()
    for row, parent, sign in order:
        if parent >= 0:
            differences[row] -= sign * matrix[parent]
    terms = int(signed_digits(differences).sum()) + 2 * rows
    # A node has two uses at least.
    nodes, room_for = terms // 2 + 2 * rows, terms + 2 * rows + SPARE_TERMS
    sums = empty(ends[:, 0], ends[:, 1], rows, nodes, room_for)
    room = len(sums.lo)
    if limit is not None:
        sums.level[: len(levels)] = levels
        sums.most[room:] = 1 << limit
    node_of: dict[int, int] = {}
    for row, parent, sign in order:
        target = room + row
        if height[row]:
            target = node_of[row] = int(take_node(sums))
            if limit is not None:
                sums.level[target] = limit - height[row]
                sums.most[target] = 1 << sums.level[target]
        append_form(sums, target, differences[row])
        if parent >= 0:
            append(sums, target, node_of[parent], 0, sign)
        if height[row]:
            set_form(sums, target)
            append(sums, room + row, target, 0, 1)
    return sums


def _share_greedily(sums: Sums, seed: int, effort: Effort) -> None:
    """Make the pair that gains most a node, again and again, until there is none or no time."""
    try:
        work, chance = all_pairs(sums, seed)
        while not effort.over() and share_some(sums, work, chance, GREEDY_CHUNK):
            pass
    except KeyboardInterrupt:
        # What is not shared is a graph all the same.
        if not effort.interruptible:
            raise
        effort.interrupted = True


def _written(builder: GraphBuilder, sums: Sums, nodes: list[int]) -> list[Term | None]:
    """The sums as adders: terms of rows in the order in which their cost was counted."""
    room = len(sums.lo)
    made: dict[int, Term | None] = {i: Term(node) for i, node in enumerate(nodes)}
    cells = sums.cells.tolist()

    def terms_of(row: int) -> list[tuple[int, int, int]]:
        terms, cell = [], cells[row][IN_ROW]
        while cell != row:
            terms.append((cells[cell][NODE], cells[cell][SHIFT], cells[cell][SIGN]))
            cell = cells[cell][IN_ROW]
        return terms

    def assembled(row: int) -> Term | None:
        terms, spans, levels = [], [], []
        for node, shift, sign in terms_of(row):
            term = made[node]
            assert term is not None
            terms.append((term if sign > 0 else -term) << shift)
            spans.append(int(sums.hi[node] - sums.lo[node]) << shift)
            levels.append(builder.levels[term.node])
        most = int(sums.most[row])
        while len(terms) > 1:
            load = sum(1 << level for level in levels) if most < NO_LIMIT else 0
            i, j = merge_choice(
                np.array(spans, np.int64), np.array(levels, np.int64), len(terms), load, most
            )
            terms[i] = builder.add(terms[i], terms[j])
            spans[i], levels[i] = spans[i] + spans[j], builder.levels[terms[i].node]
            terms[j], spans[j], levels[j] = terms[-1], spans[-1], levels[-1]
            del terms[-1], spans[-1], levels[-1]
        return terms[0] if terms else None

    # Depth first, with a stack of our own: graphs may be deeper than Python's.
    outputs = range(room, len(sums.length))
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
