"""Signs of an adder graph's values, such that hardware negates and borrows as little as may be.

An output of the wrong sign is negated by an adder of its own, one more in a row; and where the
first of `a - b` is shifted, the low bits of b cannot go past the adder, as those of the other can.
Both are matters of which of a value and its negative a node holds. A node that subtracts can hold
either; one that adds, or adds two negatives, has no choice once its operands have theirs.
"""

import heapq
from dataclasses import replace

import numpy as np

from .graph import ZERO, AdderGraph

IDLE_ROUNDS, SEED = 10, 0


def arranged(graph: AdderGraph) -> AdderGraph:
    """The same matrix and adders, every node of the sign that costs the fewest cells found."""
    signs = _Signs(graph)
    signs.search()
    held = np.array(signs.held, np.int64)
    of_a = held[graph.inputs :] * held[graph.a]
    of_b = held[graph.inputs :] * held[graph.b] * np.where(graph.subtracts, -1, 1)
    swapped = of_a < 0
    taken = np.maximum(graph.outputs, 0)
    return replace(
        graph,
        a=np.where(swapped, graph.b, graph.a),
        b=np.where(swapped, graph.a, graph.b),
        shift_a=np.where(swapped, graph.shift_b, graph.shift_a),
        shift_b=np.where(swapped, graph.shift_a, graph.shift_b),
        subtracts=of_a != of_b,
        output_sign=np.where(graph.outputs == ZERO, 1, graph.output_sign * held[taken]),
    )


class _Signs:
    """Which sign each node holds, +1 at first; changed as long as that saves cells."""

    def __init__(self, graph: AdderGraph) -> None:
        self.inputs = graph.inputs
        self.a, self.b = graph.a.tolist(), graph.b.tolist()
        self.shift_a, self.shift_b = graph.shift_a.tolist(), graph.shift_b.tolist()
        self.sign_b = np.where(graph.subtracts, -1, 1).tolist()
        self.held = [1] * (graph.inputs + graph.adders)
        self.users: list[list[int]] = [[] for _ in self.held]
        for at in range(graph.adders):
            for operand in {self.a[at], self.b[at]}:
                self.users[operand].append(graph.inputs + at)
        # Cells that outputs save where a node is held as it is, less those where it is negated.
        self.wanted = [0] * len(self.held)
        for node, sign in zip(graph.outputs.tolist(), graph.output_sign.tolist(), strict=True):
            if node != ZERO:
                self.wanted[node] += sign * graph.formats[node].width
        self.cost = [0] * graph.inputs
        self.cost += [self.cells(node) for node in range(graph.inputs, len(self.held))]

    def search(self) -> None:
        """Change a node, and what has to follow, where that saves cells.

        Half of the changes that cost none are made, too: some save cells only together.
        """
        random = np.random.default_rng(SEED)
        idle = 0
        while idle < IDLE_ROUNDS:
            idle += 1
            for node in reversed(range(self.inputs, len(self.held))):
                first, second = self.signs(node)
                if first == second:
                    continue
                before = self.change(node)
                saved = sum(cost - self.cost[at] for at, _, cost in before)
                if saved > 0:
                    idle = 0
                elif saved < 0 or random.random() < 0.5:
                    for at, sign, cost in before:
                        self.held[at], self.cost[at] = sign, cost

    def signs(self, node: int) -> tuple[int, int]:
        """Of what the two operands hold, in the sum that the node is at first."""
        at = node - self.inputs
        return self.held[self.a[at]], self.held[self.b[at]] * self.sign_b[at]

    def cells(self, node: int) -> int:
        """Twice the cells that the node's sign costs, but for a constant."""
        cost = -self.wanted[node] * self.held[node]
        first, second = self.signs(node)
        if first != second:
            at = node - self.inputs
            added = self.shift_a if first == self.held[node] else self.shift_b
            cost += 2 * added[at]
        return cost

    def change(self, start: int) -> list[tuple[int, int, int]]:
        """Change the sign of a node and what follows; of each node met, what it was and cost."""
        before = []
        waiting, met = [start], {start}
        while waiting:
            node = heapq.heappop(waiting)
            held = self.held[node]
            before.append((node, held, self.cost[node]))
            first, second = self.signs(node)
            if node == start:
                self.held[node] = -held
            elif first == second:
                self.held[node] = first
            elif self.wanted[node]:
                self.held[node] = 1 if self.wanted[node] > 0 else -1
            self.cost[node] = self.cells(node)
            if self.held[node] != held:
                for user in self.users[node]:
                    if user not in met:
                        met.add(user)
                        heapq.heappush(waiting, user)
        return before
