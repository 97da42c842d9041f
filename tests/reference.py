"""What every operation computes, written again from its formula: exact fractions, no arrays.

Shares nothing with the golden model but the operations' constants, so that the two can only agree
by both being right. Vectors are lists of Fractions: real values, binary points applied.
"""

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from sylvan.model.matrices import Dense, Hadamard, Matrix
from sylvan.model.numbers import Format, Overflow, Rounding
from sylvan.model.operations import Operation, Value
from sylvan.model.program import Program

Vector = list[Fraction]
ROUND: dict[Rounding, Callable[[Fraction], int]] = {
    Rounding.HALF_EVEN: round,
    Rounding.HALF_UP: lambda x: math.floor(x + Fraction(1, 2)),
    Rounding.FLOOR: math.floor,
}


def power(exp: int) -> Fraction:
    return Fraction(2) ** exp


def rows(matrix: Matrix) -> list[list[int]]:
    """The matrix written out from its definition."""
    if isinstance(matrix, Dense):
        return [[int(w) for w in row] for row in matrix.weights]
    assert isinstance(matrix, Hadamard)
    n, m = len(matrix.signs), matrix.block
    return [
        [
            int(matrix.signs[i]) * (-1) ** (i % m & j % m).bit_count() if i // m == j // m else 0
            for j in range(n)
        ]
        for i in range(n)
    ]


def into(raw: int, target: Format, mode: Overflow) -> int:
    """The value of the interval nearest to `raw`, or the one congruent to it modulo the span."""
    inside = range(target.lo, target.hi + 1)
    if mode is Overflow.SATURATE:
        return raw if raw in inside else min(target.lo, target.hi, key=lambda b: abs(b - raw))
    return inside[(raw - target.lo) % len(inside)]


def _narrow(o: Any, phase: int, sources: Sequence[Value], a: Vector) -> Vector:
    lsb = power(o.target.exp)
    return [into(ROUND[o.rounding](x / lsb), o.target, o.overflow) * lsb for x in a]


def _modrelu(o: Any, phase: int, sources: Sequence[Value], a: Vector) -> Vector:
    lsb = power(sources[0].format.exp)
    biases = [int(b) * lsb for b in o.bias] * (len(a) if len(o.bias) == 1 else 1)
    sign = [(x > 0) - (x < 0) for x in a]
    return [s * max(abs(x) + b, Fraction(0)) for s, x, b in zip(sign, a, biases, strict=True)]


def _scale(o: Any, phase: int, sources: Sequence[Value], a: Vector) -> Vector:
    factors = [int(f) * power(o.exp) for f in o.factors[phase % len(o.factors)]]
    return [x * f for x, f in zip(a, factors * (len(a) // len(factors)), strict=True)]


def _table(o: Any, phase: int, sources: Sequence[Value], a: Vector) -> Vector:
    f = sources[0].format
    return [int(o.entries[int(x / power(f.exp)) - f.lo]) * power(o.exp) for x in a]


def _pairs(f: Callable[..., Fraction]) -> Callable[..., Vector]:
    return lambda o, phase, sources, *x: [f(*lane) for lane in zip(*x, strict=True)]


FORMULAS: dict[str, Callable[..., Vector]] = {
    "add": _pairs(lambda a, b: a + b),
    "sub": _pairs(lambda a, b: a - b),
    "mul": _pairs(lambda a, b: a * b),
    "neg": _pairs(lambda a: -a),
    "relu": _pairs(lambda a: max(a, Fraction(0))),
    "lerp": _pairs(lambda z, a, b: (1 - z) * a + z * b),
    "modrelu": _modrelu,
    "matvec": lambda o, phase, sources, a: [
        sum((w * x for w, x in zip(row, a, strict=True)), Fraction(0)) for row in rows(o.matrix)
    ],
    "phased_matvec": lambda o, phase, sources, a: [
        sum((int(w) * x for w, x in zip(row, a, strict=True)), Fraction(0))
        for row in o.weights[phase % len(o.weights)]
    ],
    "lookup": lambda o, phase, sources, a: [
        int(v) * power(o.exp) for v in o.table[phase % len(o.table)][int(a[0])]
    ],
    "scale": _scale,
    "const": lambda o, phase, sources: [int(v) * power(o.exp) for v in o.raw[phase % len(o.raw)]],
    "table": _table,
    "exponent": lambda o, phase, sources, a: [
        x * power(o.shifts[phase % len(o.shifts)]) for x in a
    ],
    "narrow": _narrow,
    "concat": lambda o, phase, sources, a, b: a + b,
    "slice": lambda o, phase, sources, a: a[o.start : o.stop],
    "argmax": lambda o, phase, sources, a: [Fraction(a.index(max(a)))],
}


def real(raw: Sequence[int], exp: int) -> Vector:
    return [int(r) * power(exp) for r in raw]


def raw(values: Vector, exp: int) -> list[int]:
    """Raw values at a binary point that must hold them exactly."""
    scaled = [v / power(exp) for v in values]
    assert all(v.denominator == 1 for v in scaled), f"{values} are no multiples of 2**{exp}"
    return [int(v) for v in scaled]


def apply(
    operation: Operation, operands: Sequence[Value], x: Sequence[Sequence[int]], phase: int = 0
) -> list[int]:
    """Raw result of one operation on raw operands."""
    reals = [real(r, v.format.exp) for r, v in zip(x, operands, strict=True)]
    result = FORMULAS[operation.kind](operation, phase, operands, *reals)
    return raw(result, operation.infer(operands)[1].exp)


def interpret(
    program: Program,
    inputs: Sequence[Sequence[int]],
    first: Sequence[bool],
    last: Sequence[bool],
) -> list[tuple[int, list[int]]]:
    """A stream through a program, one timestep, node and element at a time."""

    def body(nodes: Sequence[Any], scope: dict[str, Vector], phase: int) -> None:
        for node in nodes:
            x = [scope[v.name] for v in node.operands]
            formula = FORMULAS[node.operation.kind]
            scope[node.result.name] = formula(node.operation, phase, node.operands, *x)
            for r in raw(scope[node.result.name], node.result.format.exp):
                assert node.result.format.contains(r), f"{node.result} does not hold {r}"

    answers = []
    states: dict[str, Vector] = {}
    begun, readout = 0, program.readout
    for t, given in enumerate(inputs):
        if t == 0 or first[t]:
            begun = t
            for s in [s for room in (*program.layers, readout) for s in room.states]:
                states[s.value.name] = real(list(s.initial), s.value.format.exp)
        phase = (t - begun) % program.period
        handed_on = real(given, program.input.value.format.exp)
        for layer in program.layers:
            scope = {layer.input.name: handed_on} | states
            body(layer.body, scope, phase)
            for s in layer.states:
                states[s.value.name] = scope[s.next]
            handed_on = scope[layer.output.name]
        if isinstance(readout.read, tuple):
            # Constants of the readout go by the place in the list.
            read = readout.read.index(t - begun) if t - begun in readout.read else None
        else:
            read = phase if readout.read == "every" or last[t] else None
        if read is not None:
            scope = {readout.input.name: handed_on} | states
            body(readout.body, scope, read)
            for s in readout.states:
                states[s.value.name] = scope[s.next]
            answers.append((t, raw(scope[program.output.name], program.output.format.exp)))
    return answers
