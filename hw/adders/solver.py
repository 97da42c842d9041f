"""The door: an integer matrix in, the smallest adder graph found out."""

import time
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from sylvan.model.arrays import Array, integer, reals, signed_digits

from . import cache
from .graph import AdderGraph, GraphBuilder, Term, widest
from .structure import Butterfly, blocks, butterfly, kronecker, merged
from .subexpressions import Effort, share_subexpressions

MOST_INPUT_BITS = 32
MOST_BITS = 58
"""Of a sum: what is computed about it on the way, in 64 bits, needs a few more."""
MOST_DEPTH = 59
FACTORS_PAY = 3 / 4
"""Share of the terms up to which factors are taken; what a whole matrix shares counts, too."""
MOST_SEED = (1 << 31) - 1


def optimize(
    matrix: npt.ArrayLike,
    *,
    input_bits: int = 8,
    intervals: Sequence[tuple[int, int]] | None = None,
    max_depth: int | None = None,
    seed: int = 0,
    time_budget: float | None = None,
    interruptible: bool = True,
) -> AdderGraph:
    """The adder graph of `matrix` with the fewest full-adder cells that the search finds.

    Structure first (equal rows and columns, blocks, butterflies), then common subexpressions. The
    graph is checked against the matrix before it is returned.

    Parameters:
        matrix: integers (outputs, inputs); a row of zeros is an output that is 0.
        input_bits: of the inputs, signed. intervals: (lo, hi) of each input instead.
        max_depth: most adders one after the other; not below `minimum_depth(matrix)`.
        seed: of everything random: one seed gives one graph.
        time_budget: seconds to search; without it a number of rounds that depends on the size
            alone. When it ends the best graph until then is returned.
        interruptible: Ctrl-C does the same, instead of ending the program.

    A search that was not interrupted is kept in the user's cache, and found there the next time.

    Raises ValueError for what is no such matrix, sums beyond 58 bits, and a depth that cannot be.
    """
    m = _checked(matrix)
    ends = _intervals(m.shape[1], input_bits, intervals)
    bits = widest(m, ends)
    if bits > MOST_BITS:
        raise ValueError(
            f"the widest sum of the matrix needs {bits} bits, at most {MOST_BITS} are supported"
        )
    if max_depth is not None:
        max_depth, least = integer("max_depth", max_depth), minimum_depth(m)
        if max_depth < least:
            raise ValueError(f"max_depth must be at least {least} for this matrix, got {max_depth}")
        max_depth = min(max_depth, MOST_DEPTH)
    if not 0 <= integer("seed", seed) <= MOST_SEED:
        raise ValueError(f"seed must lie in 0..{MOST_SEED}, got {seed}")
    if time_budget is not None:
        (time_budget,) = reals("time_budget", [time_budget], 1)
        if time_budget <= 0:
            raise ValueError(f"time_budget must be more than 0 seconds, got {time_budget}")
    how = {"intervals": ends, "max_depth": max_depth, "seed": seed, "time_budget": time_budget}
    key = cache.key_of(m, how)
    kept = cache.recall(key, m, ends)
    if kept is not None and (max_depth is None or kept.depth <= max_depth):
        return kept
    deadline = None if time_budget is None else time.perf_counter() + time_budget
    builder = GraphBuilder(ends)
    effort = Effort(deadline, int(signed_digits(m).sum()), interruptible)
    solver = _Solver(builder, seed, effort)
    graph = builder.graph(solver.solve(m, builder.inputs(), max_depth))
    graph.check(m)
    assert max_depth is None or graph.depth <= max_depth
    if not effort.interrupted:
        cache.keep(key, graph)
    return graph


def minimum_depth(matrix: npt.ArrayLike) -> int:
    """Fewest adders one after the other that any graph of the matrix has.

    `ceil(log2 d)`, d the signed digits of a row: an adder at most doubles them.
    """
    most = int(signed_digits(_checked(matrix)).sum(1).max())
    return max(most - 1, 0).bit_length()


class _Solver:
    """Takes a matrix apart as far as it goes, and shares subexpressions of what is left."""

    def __init__(self, builder: GraphBuilder, seed: int, effort: Effort) -> None:
        self.builder, self.seed, self.effort = builder, seed, effort
        self.random = np.random.default_rng(seed)

    def solve(self, matrix: Array, inputs: list[Term], limit: int | None) -> list[Term | None]:
        """`matrix` times `inputs`, no output deeper than `limit`."""
        rows = merged(matrix)
        if not len(rows.kept):
            return [None] * len(matrix)
        kept = matrix[rows.kept] >> rows.shift[rows.kept, None]
        kept = kept * rows.sign[rows.kept, None]
        outputs = self._by_columns(kept, inputs, limit)
        found: list[Term | None] = []
        for of, shift, sign in zip(*(x.tolist() for x in rows[1:]), strict=True):
            term = outputs[of] if of >= 0 else None
            found.append(None if term is None else (term if sign > 0 else -term) << shift)
        return found

    def _by_columns(
        self, matrix: Array, inputs: list[Term], limit: int | None
    ) -> list[Term | None]:
        """Columns that are multiples of one another meet before the matrix, where depth allows."""
        columns = merged(matrix.T)
        groups: list[list[Term]] = [[] for _ in columns.kept]
        for term, of, shift, sign in zip(inputs, *(x.tolist() for x in columns[1:]), strict=True):
            if of >= 0:
                groups[of].append((term if sign > 0 else -term) << shift)
        kept = matrix[:, columns.kept] >> columns.shift[columns.kept]
        kept = kept * columns.sign[columns.kept]
        if limit is not None and not self._fits(kept, groups, limit):
            return self._by_blocks(matrix, inputs, limit)
        added = [self.builder.add_all(group) for group in groups]
        return self._by_blocks(kept, [term for term in added if term is not None], limit)

    def _fits(self, matrix: Array, groups: list[list[Term]], limit: int) -> bool:
        loads = [sum(1 << self.builder.levels[t.node] for t in group) for group in groups]
        levels = np.array([(load - 1).bit_length() for load in loads], np.int64)
        return bool(((signed_digits(matrix) << levels).sum(1) <= 1 << limit).all())

    def _by_blocks(self, matrix: Array, inputs: list[Term], limit: int | None) -> list[Term | None]:
        outputs: list[Term | None] = [None] * len(matrix)
        for rows, columns in blocks(matrix):
            part = matrix[np.ix_(rows, columns)]
            given = [inputs[column] for column in columns]
            for row, term in zip(rows, self._whole(part, given, limit), strict=True):
                outputs[row] = term
        return outputs

    def _whole(self, matrix: Array, inputs: list[Term], limit: int | None) -> list[Term | None]:
        """A matrix in one piece: by its butterfly, or by common subexpressions."""
        if matrix.size == 1 and abs(matrix[0, 0]) == 1:
            return [inputs[0] if matrix[0, 0] > 0 else -inputs[0]]
        pairs = butterfly(matrix, self.random)
        if pairs is not None and self._halves_fit(matrix, pairs, inputs, limit):
            inner = None if limit is None else limit - 1
            u, v = (
                self.solve(matrix[np.ix_(pairs.first, at)], [inputs[i] for i in at], inner)
                for at in (pairs.ours, pairs.theirs)
            )
            outputs: list[Term | None] = [None] * len(matrix)
            for k, (p, q) in enumerate(zip(u, v, strict=True)):
                assert p is not None and q is not None
                outputs[pairs.first[k]] = self.builder.add(p, q)
                turned = self.builder.add(p, -q)
                outputs[pairs.second[k]] = turned if pairs.sign[k] > 0 else -turned
            return outputs
        factors = kronecker(matrix)
        if factors is not None and self._factors_pay(matrix, factors, inputs, limit):
            left, right = factors
            within = None if limit is None else limit - minimum_depth(left)
            between = self.solve(right, inputs, within)
            return self.solve(left, [term for term in between if term is not None], limit)
        return share_subexpressions(self.builder, matrix, inputs, limit, self.seed, self.effort)

    def _factors_pay(
        self, matrix: Array, factors: tuple[Array, Array], inputs: list[Term], limit: int | None
    ) -> bool:
        """Whether two products have clearly fewer terms, and fit into the depth there is."""
        terms = sum(int(np.count_nonzero(factor)) for factor in factors)
        if terms > FACTORS_PAY * np.count_nonzero(matrix) or not all(
            f.any(1).all() for f in factors
        ):
            return False
        if limit is None:
            return True
        levels = np.array([self.builder.levels[term.node] for term in inputs], np.int64)
        most = (signed_digits(factors[1]) << levels).sum(1).max()
        return bool(most <= 1 << max(limit - minimum_depth(factors[0]), 0))

    def _halves_fit(
        self, matrix: Array, pairs: Butterfly, inputs: list[Term], limit: int | None
    ) -> bool:
        """Whether both halves leave a level for the butterfly."""
        if limit is None:
            return True
        levels = np.array([self.builder.levels[term.node] for term in inputs], np.int64)
        loads = signed_digits(matrix[pairs.first]) << levels
        most = max(loads[:, at].sum(1).max() for at in (pairs.ours, pairs.theirs))
        return bool(most <= 1 << limit - 1)


def _checked(matrix: npt.ArrayLike) -> Array:
    """The matrix as int64. Raises ValueError for what is none."""
    try:
        given = np.asarray(matrix)
    except ValueError as error:
        raise ValueError(f"the matrix has rows of several lengths, or is none: {error}") from None
    if given.ndim != 2 or 0 in given.shape:
        raise ValueError(
            f"a matrix has rows and columns, at least one of each; got shape {given.shape}"
        )
    if given.dtype.kind not in "iu" and not all(type(w) is int for w in given.flat):
        raise ValueError(f"the entries of the matrix must be integers, got {given.dtype}")
    for at in (given.argmin(), given.argmax()):
        row, column = divmod(int(at), given.shape[1])
        if abs(int(given[row, column])) >> MOST_BITS:
            raise ValueError(
                f"entries must stay below 2**{MOST_BITS}, got {given[row, column]} in row {row}, "
                f"column {column}"
            )
    return given.astype(np.int64)


def _intervals(
    inputs: int, bits: int, given: Sequence[tuple[int, int]] | None
) -> list[tuple[int, int]]:
    if given is None:
        if not 1 <= integer("input_bits", bits) <= MOST_INPUT_BITS:
            raise ValueError(f"input_bits must lie in 1..{MOST_INPUT_BITS}, got {bits}")
        return [(-(1 << bits - 1), (1 << bits - 1) - 1)] * inputs
    try:
        ends = [(lo, hi) for lo, hi in given]
    except (TypeError, ValueError):
        raise ValueError(f"intervals are pairs (lo, hi), got {given!r}") from None
    if len(ends) != inputs:
        raise ValueError(f"the matrix has {inputs} inputs, got {len(ends)} intervals")
    checked = []
    for number, (lo, hi) in enumerate(ends):
        name = f"the interval of input {number}"
        checked.append((integer(name, lo), integer(name, hi)))
        if lo > hi:
            raise ValueError(f"{name} is empty: [{lo}, {hi}]")
        if max(abs(lo), abs(hi)) >> MOST_BITS:
            raise ValueError(f"{name} must stay below 2**{MOST_BITS}, got [{lo}, {hi}]")
    return checked
