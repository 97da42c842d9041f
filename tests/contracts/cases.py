"""Contract cases as whole programs, and what those compute in real numbers.

Cases with equal sizes share a program: their results go side by side into disjoint bits of one
vector, `sum_i result_i * 2**k_i`, so that a wrong one is seen, and which. Two places:

- in the step: results are kept in states (narrowed where they are wide), come back as operands
  where sizes allow, and are handed on; the readout answers what it was handed;
- in the readout: the step hands on input and a state, the operations work on those.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from sylvan.model.builder import Builder
from sylvan.model.numbers import Format, Overflow, Rounding
from sylvan.model.operations import Operation, Value
from sylvan.model.operations.constants import Lookup, MatVec
from sylvan.model.program import NumericInput, Program, SymbolInput
from torch import Tensor

from .tables import Case

PACKED_BITS = 50
"""Bits of a packed answer: golden is exact to 62, the reference in float64 to 53."""
BYTE = Format.signed_bits(8)
KEPT_BITS = 12

Reference = Callable[..., Tensor]


@dataclass(frozen=True)
class Bin:
    """Cases that share a program: equal sizes of operands and result, and period."""

    cases: tuple[Case, ...]
    size: int
    period: int

    @property
    def operand_size(self) -> int:
        """Elements of the largest operand; those of the result where there is none."""
        return max((n for n, _ in self.cases[0].operands), default=self.size)

    def program(self, place: str, read: str) -> Program:
        """The program with the cases in the "step" or in the "readout"."""
        return {"step": _in_step, "readout": _in_readout}[place](self, read)


def bins(cases: Sequence[Case]) -> Iterator[Bin]:
    """Cases in order, packed into programs as tightly as their bits allow."""
    groups: dict[Any, list[Case]] = {}
    for case in cases:
        size, _ = result_of(case)
        sizes = tuple(n for n, _ in case.operands)
        symbols = isinstance(case.operation, Lookup) and case.operands[0][1]
        groups.setdefault((sizes, size, case.operation.period, symbols), []).append(case)
    for (_, size, period, _), members in groups.items():
        held: list[Case] = []
        for case in members:
            if sum(map(_bits, [*held, case])) > PACKED_BITS:
                yield Bin(tuple(held), size, period)
                held = []
            held.append(case)
        yield Bin(tuple(held), size, period)


def table_of(operation: Operation) -> str:
    """The module with an operation's contract: its kind, and for products that of the matrix."""
    if isinstance(operation, MatVec):
        return f"{operation.kind}_{operation.matrix.kind}"
    return operation.kind


def result_of(case: Case) -> tuple[int, Format]:
    """Size and format of a case's result."""
    return case.operation.infer(
        [Value(f"operand{k}", *operand) for k, operand in enumerate(case.operands)]
    )


def _bits(case: Case) -> int:
    return result_of(case)[1].width + 1


def _scaled(b: Builder, a: Value, power: int) -> Value:
    """`a` relabelled so that its largest magnitude is about `2**power`."""
    return b.exponent(power - a.format.magnitude.bit_length() - a.format.exp, a)


def _fit(b: Builder, a: Value, size: int, target: Format) -> Value:
    """The last elements of `a` spread over `target` and a little beyond: both ends are reached."""
    if a.size > size:
        a = b.slice(a.size - size, a.size, a)
    if a.format == target:
        return a
    return b.narrow(_scaled(b, a, target.magnitude.bit_length() + target.exp), target)


def _pack(b: Builder, results: Sequence[Value]) -> Value:
    place, total = 0, None
    for result in results:
        field = b.exponent(place - result.format.exp, result)
        total = field if total is None else b.add(total, field)
        place += result.format.width + 1
    assert total is not None and total.format.width <= PACKED_BITS + 1
    return total


def _kept(result: Value) -> Format:
    """A format for the state that keeps `result`."""
    f = result.format
    if f.width <= KEPT_BITS:
        return f
    return Format.signed_bits(KEPT_BITS, f.exp + f.width - KEPT_BITS)


def _in_step(bin: Bin, read: str) -> Program:
    size = bin.operand_size
    symbols = isinstance(bin.cases[0].operation, Lookup)
    source = SymbolInput(bin.cases[0].operands[0][1].hi + 1) if symbols else _bytes(size)
    b = Builder(source, bin.period)
    returns = size == bin.size and not symbols
    results = []
    for k, case in enumerate(bin.cases):
        # The format of a result follows from its operands' formats, so it is known beforehand.
        probe = Value(f"result{k}", *result_of(case))
        kept = _kept(probe)
        initial = None if kept.contains(0) else [kept.lo] * bin.size
        state = b.state(f"kept{k}", bin.size, kept, initial)
        x = b.input
        if returns:
            x = b.add(_scaled(b, b.input, 0), _scaled(b, state, 0))
        given = []
        for place, operand in enumerate(case.operands):
            given.append(_fit(b, state if returns and place else x, *operand))
        result = b.apply(case.operation, *given, name=f"case{k}")
        b.write(state, result if kept == probe.format else b.narrow(result, kept))
        results.append(result)
    b.layer("step", _pack(b, results))
    return b.program(b.input, read)


def _in_readout(bin: Bin, read: str) -> Program:
    size = bin.operand_size
    b = Builder(_bytes(size), bin.period)
    past = b.state("past", size, BYTE, [k % 7 - 3 for k in range(size)])
    mixed = b.sub(b.exponent(-1, past), b.input)
    b.write(past, b.narrow(mixed, BYTE, Rounding.HALF_EVEN, Overflow.WRAP))
    # Two independent bytes in one vector; the readout takes them apart again.
    handed_on = b.layer("step", b.add(b.input, b.exponent(8, past)))
    low = b.narrow(handed_on, BYTE, Rounding.FLOOR, Overflow.WRAP)
    high = b.narrow(handed_on, Format(BYTE.lo, BYTE.hi, 8), Rounding.HALF_UP)
    results = [
        b.apply(
            case.operation,
            *(_fit(b, (low, high)[k % 2], *operand) for k, operand in enumerate(case.operands)),
            name=f"case{number}",
        )
        for number, case in enumerate(bin.cases)
    ]
    return b.program(_pack(b, results), read)


def _bytes(size: int) -> NumericInput:
    return NumericInput(size, BYTE, (1.0,) * size, (0.0,) * size)


def real(raw: np.ndarray, format: Format) -> Tensor:
    """Raw integers as the real values they stand for; float64 holds them exactly."""
    values = torch.tensor(raw.tolist(), dtype=torch.float64)
    assert values.numel() == 0 or values.abs().max() < 2**53
    return values * 2.0**format.exp


def evaluate(program: Program, raw: Any, references: dict[str, Reference]) -> Tensor:
    """Answers (batch, T, size) of sequences of raw inputs (batch, T, size), in real values.

    Every operation by its reference; formats are only used to read numbers in, and to see that each
    result has its place in its format.
    """
    batch, length, _ = raw.shape
    (layer,) = program.layers
    states = {s.value.name: real(s.initial, s.value.format).expand(batch, -1) for s in layer.states}
    answers = []
    for t in range(length):
        phase = t % program.period
        scope = states | {layer.input.name: real(raw[:, t], program.input.value.format)}
        _body(layer.body, scope, phase, references, batch)
        states = {s.value.name: scope[s.next] for s in layer.states}
        scope = {layer.output.name: scope[layer.output.name]}
        _body(program.readout.body, scope, phase, references, batch)
        answers.append(scope[program.output.name])
    return torch.stack(answers, 1)


def _body(nodes: Any, scope: dict[str, Tensor], phase: int, references: Any, batch: int) -> None:
    for node in nodes:
        operands = [scope[v.name] for v in node.operands]
        formats = [v.format for v in node.operands]
        result = references[table_of(node.operation)](node.operation, phase, formats, *operands)
        result = result.expand(batch, -1)
        format = node.result.format
        raw = result * 2.0**-format.exp
        assert (raw == raw.round()).all(), f"{node.result} holds no multiples of 2**{format.exp}"
        assert format.lo <= raw.min() and raw.max() <= format.hi, f"{node.result} is too narrow"
        scope[node.result.name] = result


def unpacked(program: Program, bin: Bin, raw: int) -> list[int]:
    """The results of a packed element, case by case."""
    values = []
    for case in bin.cases:
        bits = _bits(case)
        low = (raw + (1 << (bits - 1))) % (1 << bits) - (1 << (bits - 1))
        values.append(low)
        raw = (raw - low) >> bits
    return values
