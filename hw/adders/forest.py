"""Outputs as other outputs plus a difference: fewer terms where rows are alike."""

import numpy as np
from sylvan.model.arrays import Array, signed_digits


def forest(matrix: Array, most_levels: int, weights: Array) -> list[tuple[int, int, int]]:
    """`(row, parent, sign)` for each row, parents first: row = sign * parent + difference.

    A spanning forest of least digits in all, by Prim's algorithm; parent -1 stands for 0. No row
    has more than `most_levels` ancestors. A digit counts by the weight of its column.
    """
    rows = len(matrix)
    cost, parent = signed_digits(matrix) @ weights, np.full(rows, -1)
    sign, level, left = np.ones(rows, np.int64), np.zeros(rows, np.int64), np.full(rows, True)
    order = []
    for _ in range(rows):
        row = int(np.where(left, cost, np.iinfo(np.int64).max).argmin())
        left[row] = False
        if parent[row] >= 0:
            level[row] = level[parent[row]] + 1
        order.append((row, int(parent[row]), int(sign[row])))
        if level[row] >= most_levels:
            continue
        for turned in (1, -1):
            # The parent itself is one more term.
            distance = signed_digits(matrix - turned * matrix[row]) @ weights + 1
            nearer = left & (distance < cost)
            cost[nearer], parent[nearer], sign[nearer] = distance[nearer], row, turned
    return order
