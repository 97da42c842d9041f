# amaranth: UnusedElaboratable=no
"""Sums, differences and matrices that are computed at once, as one adder graph.

What is added up, negated, relabelled, taken apart or multiplied by constants on the way to a value
is linear in the values that this begins with, and so one graph: a sign costs nothing where an adder
follows, and binary points are aligned by wiring.
"""

from collections import Counter
from collections.abc import Iterator
from functools import cached_property

from sylvan.model.numbers import Format
from sylvan.model.operations import Value, arithmetic
from sylvan.model.operations.constants import MatVec
from sylvan.model.operations.moves import Concat, Exponent, Slice
from sylvan.model.program import Node

from ..adders import AdderGraph, optimize
from ..adders.graph import ZERO, GraphBuilder, Term
from ..beats import Pattern
from ..operators.base import Operator
from ..operators.graph import GraphMatVec
from ..operators.serial import SerialGraph, least_digits
from .base import Body, Demand, Lowered, Lowering

Terms = list[Term | None]


class Linear(Lowering):
    """A lowering of an operation that is linear in its operands."""

    serial = True
    graphed = True
    linear = True

    def at_once(self, pattern: Pattern) -> bool:
        """Whether one graph makes the result: of whole vectors, or of digits lane by lane.

        Where the schedule wants digits a graph takes nothing else, and so makes nothing else.
        """
        words = not self.schedule.digit and pattern == Pattern(self.size, self.size)
        return self.linear and (pattern.digit > 0 or words)

    def least_digits(self, digit: int) -> int:
        if self.body.contained(self.node.result):
            return 1
        least = super().least_digits(digit)
        return max(least, least_digits(self.graph, digit)) if self.linear else least

    @cached_property
    def leaves(self) -> list[Value]:
        """The values that the graph begins with."""
        return list(dict.fromkeys(_leaves(self.node, self.body)))

    @cached_property
    def graph(self) -> AdderGraph:
        """From the leaves' lanes, one leaf after the other, to those of the result."""
        return self._graph(0)

    def _graph(self, bias: int) -> AdderGraph:
        """The same with `bias` added to every lane, which is one more input that never changes."""
        lanes = {leaf.name: self.schedule.over(leaf.size) for leaf in self.leaves}
        ends = [
            (leaf.format.lo, leaf.format.hi)
            for leaf in self.leaves
            for _ in range(lanes[leaf.name])
        ]
        composer = _Composer(self.body, ends + [(bias, bias)] * (bias != 0))
        given = iter(composer.builder.inputs())
        composer.known = {
            name: [next(given) for _ in range(count)] for name, count in lanes.items()
        }
        if bias:
            composer.bias = next(given)
        return composer.graph(self.node)

    def unrolled(self, pattern: Pattern) -> Lowered:
        """The graph as an operator."""
        return self._unrolled(pattern, self.graph, self.result)

    def biased(self, pattern: Pattern, bias: int) -> Lowered | None:
        """The same, of words, with `bias` added to every lane."""
        if not self.at_once(pattern):
            return None
        format = shifted(self.result, bias)
        return self.named(self._unrolled(pattern, self._graph(bias), format, (bias,)))

    def _unrolled(
        self, pattern: Pattern, graph: AdderGraph, result: Format, constants: tuple[int, ...] = ()
    ) -> Lowered:
        orders = [self.body.order(leaf) for leaf in self.leaves]
        operands = list(zip(orders, [leaf.format for leaf in self.leaves], strict=True))
        operator: Operator
        if pattern.digit:
            operator = SerialGraph(graph, operands, (pattern, result), self.tag)
        else:
            levels = self.schedule.levels
            operator = GraphMatVec(graph, operands, result, self.tag, levels, constants)
        return Lowered(operator, pattern, tuple(map(Demand, self.leaves, orders)))


def shifted(format: Format, bias: int) -> Format:
    """The format of a value with `bias` added."""
    return Format(format.lo + bias, format.hi + bias, format.exp)


def _leaves(node: Node, body: Body) -> Iterator[Value]:
    for operand in node.operands:
        inner = body.inner(operand)
        yield from _leaves(inner, body) if inner else [operand]


class _Composer:
    """Writes the graph of a node, from the graphs of what it is made of.

    Parameters: body; intervals, of the graph's inputs.
    Attributes: known, the lanes of the leaves; bias, what is added to every lane of the result.
    """

    def __init__(self, body: Body, intervals: list[tuple[int, int]]) -> None:
        self.body = body
        self.builder = GraphBuilder(intervals)
        self.known: dict[str, Terms] = {}
        self.bias: Term | None = None
        self._negated: dict[int, Term] = {}
        self._biased: dict[Term | None, Term] = {}

    def graph(self, node: Node) -> AdderGraph:
        """Of the node's result, every output of a positive sign."""
        outputs = self._terms(node, biased=self.bias is not None)
        return self.builder.graph(
            [t if t is None or t.sign > 0 else self._positive(t) for t in outputs]
        )

    def _terms(self, node: Node, biased: bool = False) -> Terms:
        """The lanes of the node's result, in raw units, with the bias or without."""
        operands = []
        for value in node.operands:
            inner = self.body.inner(value)
            operands.append(self._terms(inner) if inner else self.known[value.name])
        operation = node.operation
        if isinstance(operation, MatVec | Exponent):
            (terms,) = operands
            if isinstance(operation, MatVec):
                terms = self._product(operation, terms)
            return self._with_bias(terms) if biased else terms
        if isinstance(operation, Slice):
            return operands[0][operation.start : operation.stop]
        signs = [-1] if isinstance(operation, arithmetic.Neg) else [1, 1]
        if isinstance(operation, arithmetic.Sub):
            signs[1] = -1
        aligned = [
            [_signed(term, sign, value.format.exp - node.result.format.exp) for term in terms]
            for terms, sign, value in zip(operands, signs, node.operands, strict=True)
        ]
        if isinstance(operation, Concat):
            return [term for terms in aligned for term in terms]
        if biased:
            # A column of few weights is added to many lanes: there the bias is added a few times.
            fewest = min(range(len(aligned)), key=lambda k: len(set(aligned[k])))
            aligned[fewest] = self._with_bias(aligned[fewest])
        lanes = Counter(term.node for terms in aligned for term in terms if term)
        return [self._sum(lanes, *lane) for lane in zip(*aligned, strict=True)]

    def _with_bias(self, terms: Terms) -> Terms:
        """Each with the bias added, once for all that are equal."""
        assert self.bias is not None
        for term in terms:
            if term not in self._biased:
                self._biased[term] = self.builder.add(self.bias, term) if term else self.bias
        return [self._biased[term] for term in terms]

    def _sum(self, lanes: Counter[int], p: Term | None, q: Term | None = None) -> Term | None:
        """`p + q`. Of two negative terms the one that more `lanes` have is turned, for all."""
        if p is None or q is None:
            return p or q
        if p.sign < 0 and q.sign < 0:
            q, p = sorted((p, q), key=lambda term: lanes[term.node])
            p = self._positive(p)
        return self.builder.add(p, q)

    def _positive(self, term: Term) -> Term:
        """A term of negative sign as one of positive sign: `-a = a - 2 a`."""
        plain = Term(term.node)
        if term.node not in self._negated:
            self._negated[term.node] = self.builder.add(plain, -(plain << 1))
        return self._negated[term.node] << term.shift

    def _product(self, operation: MatVec, operand: Terms) -> Terms:
        """The lanes of a matrix times `operand`: the matrix's own graph, adder by adder."""
        ends = [self._interval(term) for term in operand]
        graph = optimize(operation.matrix.dense(), intervals=ends, interruptible=False)
        nodes: Terms = list(operand)
        columns = (graph.a, graph.b, graph.shift_a, graph.shift_b, graph.subtracts)
        for a, b, shift_a, shift_b, minus in zip(*(c.tolist() for c in columns), strict=True):
            first = _signed(nodes[a], 1, shift_a)
            nodes.append(
                self._sum(Counter(), first, _signed(nodes[b], -1 if minus else 1, shift_b))
            )
        ends_in = (graph.outputs, graph.output_sign, graph.output_shift)
        return [
            None if node == ZERO else _signed(nodes[node], sign, shift)
            for node, sign, shift in zip(*(c.tolist() for c in ends_in), strict=True)
        ]

    def _interval(self, term: Term | None) -> tuple[int, int]:
        if term is None:
            return 0, 0
        lo, hi = (end << term.shift for end in self.builder.intervals[term.node])
        return (lo, hi) if term.sign > 0 else (-hi, -lo)


def _signed(term: Term | None, sign: int, shift: int) -> Term | None:
    if term is None:
        return None
    return (term if sign > 0 else -term) << shift
