"""Structure that a matrix has: what is equal, what is apart, what is a butterfly.

Each finding makes the matrix smaller without costing more than it must:

- zero, repeated, negated and shifted rows are wires, such columns are added before the matrix;
- rows and columns that fall into blocks are matrices of their own;
- rows in pairs `u + v` and `u - v`, with u on some columns and v on the others, are two adders
  for each pair after matrices half as large: the butterfly. A Hadamard matrix of Sylvester's kind
  is that all the way down, in whatever order and with whatever signs of rows and columns, and
  costs `n log2 n` adders; a Kronecker product of one with another matrix is that part of the way;
- any other Kronecker product `A (x) B` is `(A (x) I)(I (x) B)`: copies of B, then copies of A.
"""

from itertools import product
from typing import NamedTuple

import numpy as np
from sylvan.model.arrays import Array

PROBES = 256
"""Rows that are tried as the partner of the first. In a Hadamard matrix every row is one, in its
Kronecker product with another matrix few are."""


class Merged(NamedTuple):
    """Vectors of which some are multiples: `given[i] = sign[i] * given[kept[of[i]]] << shift[i]`.

    kept: indices of those that remain; of: for each given one a position in kept, -1 for zero.
    """

    kept: Array
    of: Array
    shift: Array
    sign: Array


def merged(rows: Array) -> Merged:
    """Rows that are equal up to sign and a power of two, told together."""
    bits = np.bitwise_or.reduce(np.abs(rows), axis=1)
    # The lowest bit set, a power of two: exact as a float.
    shift = np.where(bits > 0, np.frexp((bits & -bits).astype(np.float64))[1] - 1, 0)
    shift = shift.astype(np.int64)
    odd = rows >> shift[:, None]
    first = odd[np.arange(len(odd)), (odd != 0).argmax(1)]
    sign = np.where(first < 0, -1, 1)
    of = np.full(len(rows), -1)
    kept: list[int] = []
    seen: dict[bytes, int] = {}
    for i, row in enumerate(odd * sign[:, None]):
        if bits[i]:
            found = seen.setdefault(row.tobytes(), len(kept))
            if found == len(kept):
                kept.append(i)
            of[i] = found
    return Merged(np.array(kept, np.int64), of, shift, sign)


def blocks(matrix: Array) -> list[tuple[Array, Array]]:
    """Rows and columns of the parts that have nothing to do with each other."""
    nonzero = matrix != 0
    left = np.full(len(matrix), True)
    found = []
    while left.any():
        mine = np.zeros(len(matrix), bool)
        mine[left.argmax()] = True
        while True:
            met = nonzero[mine].any(0)
            more = nonzero[:, met].any(1)
            if (more == mine).all():
                break
            mine = more
        left &= ~mine
        found.append((np.flatnonzero(mine), np.flatnonzero(met)))
    return found


class Butterfly(NamedTuple):
    """Rows `first[k] = u[k] + v[k]` and `second[k] = sign[k] (u[k] - v[k])`.

    u is row first[k] on the columns `ours`, v the same row on the columns `theirs`.
    """

    first: Array
    second: Array
    sign: Array
    ours: Array
    theirs: Array


def butterfly(matrix: Array, random: np.random.Generator) -> Butterfly | None:
    """How all rows pair up as `u + v` and `+-(u - v)` over two sets of columns, or None."""
    rows, columns = matrix.shape
    if rows % 2 or rows < 2 or columns < 2 or not matrix.all():
        return None
    weights: Array = random.integers(-(1 << 31), 1 << 31, (columns,))
    for other in range(1, min(rows, PROBES + 1)):
        same = matrix[other] == matrix[0]
        if not (same | (matrix[other] == -matrix[0])).all() or same.all() or not same.any():
            continue
        u, v = matrix[:, same] @ weights[same], matrix[:, ~same] @ weights[~same]
        turned = np.where(u < 0, -1, 1)
        # A pair has equal u and opposite v, each up to the sign of the whole row.
        halves = list(zip((u * turned).tolist(), (v * turned).tolist(), strict=True))
        place = {half: row for row, half in enumerate(halves)}
        partner = np.array([place.get((a, -b), -1) for a, b in halves])
        if (partner < 0).any() or len(place) < rows:
            continue
        first = np.flatnonzero(np.arange(rows) < partner)
        second = partner[first]
        sign = turned[first] * turned[second]
        ours, theirs = np.flatnonzero(same), np.flatnonzero(~same)
        difference = np.where(same, matrix[first], -matrix[first])
        if (matrix[second] * sign[:, None] == difference).all():
            return Butterfly(first, second, sign, ours, theirs)
    return None


def kronecker(matrix: Array) -> tuple[Array, Array] | None:
    """Two factors of a matrix that is `A (x) B`, neither a single entry; or None.

    `(A (x) I)(I (x) B)` or `(I (x) B)(A (x) I)`, and those A and B which have the fewest terms.
    Entries rearranged to a row for each of A's, they are the outer product of A and B (Van Loan
    and Pitsianis 1993).
    """
    rows, columns = matrix.shape
    found: list[tuple[Array, Array]] = []
    for p, q in product(_divisors(rows), _divisors(columns)):
        if p * q in (1, rows * columns):
            continue
        r, c = rows // p, columns // q
        table = matrix.reshape(p, r, q, c).transpose(0, 2, 1, 3).reshape(p * q, r * c)
        inner = table[table.any(1).argmax()]
        inner = inner // np.gcd.reduce(inner)
        at = np.abs(inner).argmax()
        outer = table[:, at] // inner[at]
        if (np.outer(outer, inner) == table).all():
            a, b = outer.reshape(p, q), inner.reshape(r, c)
            found.append((np.kron(a, _eye(r)), np.kron(_eye(q), b)))
            found.append((np.kron(_eye(p), b), np.kron(a, _eye(c))))
    return min(found, key=lambda factors: sum(map(np.count_nonzero, factors)), default=None)


def _eye(size: int) -> Array:
    return np.eye(size, dtype=np.int64)


def _divisors(number: int) -> list[int]:
    return [k for k in range(1, number + 1) if number % k == 0]
