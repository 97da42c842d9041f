"""Programs: what is computed at one timestep, and nothing of when or where.

A program is a list of layers, each a step body over its states, and one readout body. Bodies are
short SSA lists of vector operations; every value has a name and an exact format. Layer k + 1 reads
the output of layer k; the readout reads the last layer's output, on every timestep or on those
marked `last`. `phase` is the number of timesteps since the state was initialised, modulo `period`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .arrays import Array, equal_constants, integers
from .numbers import Format
from .operations import Operation, Value

NAME = re.compile(r"[a-z][a-z0-9_]*\Z")
MAX_BITS = 62
READS = ("every", "last")


@dataclass(frozen=True)
class NumericInput:
    """A vector of `size` numbers per timestep; channel c stands for `offset[c] + scale[c] * value`.

    A sensor, a host and the evaluation all send the raw integer nearest to
    `(real - offset) / scale / 2**format.exp`, clamped to the format.
    """

    size: int
    format: Format
    scale: tuple[float, ...]
    offset: tuple[float, ...]

    def __post_init__(self) -> None:
        for name, values in (("scale", self.scale), ("offset", self.offset)):
            if len(values) != self.size or not np.isfinite(values).all():
                raise ValueError(f"input {name} needs {self.size} finite numbers, got {values}")

    @property
    def value(self) -> Value:
        """The input as the first layer sees it."""
        return Value("input", self.size, self.format)


@dataclass(frozen=True)
class SymbolInput:
    """One of `symbols` symbols per timestep, sent as its index."""

    symbols: int

    @property
    def value(self) -> Value:
        """The input as the first layer sees it."""
        return Value("input", 1, Format(0, self.symbols - 1))


@dataclass(frozen=True)
class Node:
    """One SSA assignment: `result = operation(operands)`."""

    result: Value
    operation: Operation
    operands: tuple[Value, ...]


@dataclass(frozen=True, eq=False)
class State:
    """A vector kept between timesteps: starts as `initial`, becomes the value named `next`.

    `unit[phase]` is the real number that a raw `2**-exp` stands for before a step of that phase.
    """

    value: Value
    initial: Array
    next: str
    unit: tuple[float, ...]

    __eq__ = equal_constants

    def __post_init__(self) -> None:
        object.__setattr__(self, "initial", integers("initial", self.initial, 1))
        if len(self.initial) != self.value.size:
            raise ValueError(f"state {self.value.name} starts with {len(self.initial)} elements")
        for raw in (int(self.initial.min()), int(self.initial.max())):
            if not self.value.format.contains(raw):
                raise ValueError(f"initial {raw} of state {self.value.name} is out of its format")


@dataclass(frozen=True)
class Layer:
    """States, a step body over (`input`, states), and the value passed on."""

    name: str
    input: Value
    states: tuple[State, ...]
    body: tuple[Node, ...]
    output: Value


@dataclass(frozen=True)
class Readout:
    """The body that turns the last layer's output into the answer; `unit[phase]` scales it.

    The unit belongs to the phase of the step that is read out.
    """

    read: str
    input: Value
    body: tuple[Node, ...]
    output: Value
    unit: tuple[float, ...]


@dataclass(frozen=True)
class Program:
    """A whole quantized recurrent network on integers.

    Raises ValueError if names repeat or are no identifiers, operands are not defined before use,
    declared formats differ from inferred ones, a state is written in another size or format than
    its own, phases do not fit the period, or an intermediate could exceed 62 bits.
    """

    period: int
    input: NumericInput | SymbolInput
    layers: tuple[Layer, ...]
    readout: Readout
    metadata: dict[str, Any] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        if self.period < 1:
            raise ValueError(f"period must be at least 1, got {self.period}")
        if not self.layers:
            raise ValueError("a program needs at least one layer")
        seen = {"input"}
        handed_on = self.input.value
        for layer in self.layers:
            _claim(seen, layer.name)
            if layer.input != handed_on:
                raise ValueError(f"layer {layer.name} reads {layer.input}, is given {handed_on}")
            scope = {layer.input.name: layer.input}
            for state in layer.states:
                _claim(seen, state.value.name)
                scope[state.value.name] = state.value
                self._check_unit(state.value.name, state.unit)
            self._check_body(layer.body, scope, seen)
            for state in layer.states:
                written = _find(scope, state.next)
                if (written.size, written.format) != (state.value.size, state.value.format):
                    raise ValueError(
                        f"state {state.value.name} is {state.value.size} of {state.value.format} "
                        f"but {state.next} is {written.size} of {written.format}"
                    )
            handed_on = _find(scope, layer.output.name)
        if self.readout.read not in READS:
            raise ValueError(f"readout must read one of {READS}, got {self.readout.read!r}")
        if self.readout.input != handed_on:
            raise ValueError(f"the readout reads {self.readout.input}, is given {handed_on}")
        scope = {handed_on.name: handed_on}
        self._check_body(self.readout.body, scope, seen)
        _find(scope, self.readout.output.name)
        self._check_unit("the readout", self.readout.unit)

    def _check_body(self, body: tuple[Node, ...], scope: dict[str, Value], seen: set[str]) -> None:
        for node in body:
            name, operation = node.result.name, node.operation
            for operand in node.operands:
                if _find(scope, operand.name) != operand:
                    raise ValueError(f"{name} reads {operand}, defined as {scope[operand.name]}")
            if len(node.operands) != operation.arity:
                raise ValueError(f"{name}: {operation.kind} takes {operation.arity} operands")
            if operation.period not in (1, self.period):
                raise ValueError(
                    f"{name} has constants for {operation.period} phases, "
                    f"the program's period is {self.period}"
                )
            size, format = operation.infer(node.operands)
            if (size, format) != (node.result.size, node.result.format):
                raise ValueError(f"{name} is {size} of {format}, declared as {node.result}")
            if operation.magnitude(node.operands, format) >> MAX_BITS:
                raise ValueError(f"{name} ({operation.kind}) could exceed {MAX_BITS} bits")
            _claim(seen, name)
            scope[name] = node.result

    def _check_unit(self, name: str, unit: tuple[float, ...]) -> None:
        if len(unit) != self.period or not all(np.isfinite(u) and u > 0 for u in unit):
            raise ValueError(f"{name} needs {self.period} positive units, got {unit}")

    @property
    def output(self) -> Value:
        """The answer: its name, size and format."""
        return self.readout.output

    def nodes(self) -> Iterator[Node]:
        """Every node, layer by layer, then the readout's."""
        for layer in self.layers:
            yield from layer.body
        yield from self.readout.body


def _claim(seen: set[str], name: str) -> None:
    if not NAME.match(name):
        raise ValueError(f"{name!r} is no name: use lower-case letters, digits and underscores")
    if name in seen:
        raise ValueError(f"the name {name!r} is used twice")
    seen.add(name)


def _find(scope: dict[str, Value], name: str) -> Value:
    if name not in scope:
        raise ValueError(f"{name!r} is not defined there; known: {', '.join(scope)}")
    return scope[name]
