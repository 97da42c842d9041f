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

from .arrays import MAX_BITS, Array, equal_constants, integer, integers, reals
from .numbers import Format
from .operations import Operation, Value

NAME = re.compile(r"[a-z][a-z0-9_]*\Z")
READS = ("every", "last")


@dataclass(frozen=True)
class NumericInput:
    """A vector of `size` numbers per timestep; channel c stands for `offset[c] + scale[c] * value`.

    A sensor, a host and the evaluation all send the raw integer nearest to
    `(real - offset) / scale / 2**format.exp`, clamped to the format. No scale is zero.
    """

    size: int
    format: Format
    scale: tuple[float, ...]
    offset: tuple[float, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "size", integer("the input's size", self.size))
        if self.size < 1:
            raise ValueError(f"an input needs at least 1 element, got {self.size}")
        for name in ("scale", "offset"):
            object.__setattr__(self, name, reals(f"input {name}", getattr(self, name), self.size))
        if 0.0 in self.scale:
            raise ValueError(f"input scale must not be zero, got {self.scale}")

    @property
    def value(self) -> Value:
        """The input as the first layer sees it."""
        return Value("input", self.size, self.format)


@dataclass(frozen=True)
class SymbolInput:
    """One of `symbols` symbols per timestep, sent as its index."""

    symbols: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "symbols", integer("symbols", self.symbols))
        if self.symbols < 1:
            raise ValueError(f"an input needs at least 1 symbol, got {self.symbols}")

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
        name, size, format = self.value.name, self.value.size, self.value.format
        object.__setattr__(self, "initial", integers(f"initial of {name}", self.initial, 1))
        object.__setattr__(self, "unit", reals(f"unit of {name}", self.unit, len(self.unit)))
        if len(self.initial) != size:
            raise ValueError(
                f"state {name} has {size} elements, but starts with {len(self.initial)}"
            )
        for raw in (int(self.initial.min()), int(self.initial.max())):
            if not format.contains(raw):
                raise ValueError(
                    f"state {name} starts with {raw}, outside its [{format.lo}, {format.hi}]"
                )


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

    def __post_init__(self) -> None:
        unit = reals("unit of the readout", self.unit, len(self.unit))
        object.__setattr__(self, "unit", unit)


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
        object.__setattr__(self, "period", integer("period", self.period))
        if self.period < 1:
            raise ValueError(f"period must be at least 1, got {self.period}")
        if not self.layers:
            raise ValueError("a program needs at least one layer")
        seen = {"input"}
        handed_on = self.input.value
        _check_bits(handed_on)
        for layer in self.layers:
            _claim(seen, layer.name)
            if layer.input != handed_on:
                raise ValueError(f"layer {layer.name} reads {layer.input}, is given {handed_on}")
            scope = {layer.input.name: layer.input}
            for state in layer.states:
                _claim(seen, state.value.name)
                scope[state.value.name] = state.value
                _check_bits(state.value)
                self._check_unit(state.value.name, state.unit)
            self._check_body(layer.body, scope, seen)
            for state in layer.states:
                written = _find(scope, state.next)
                if (written.size, written.format) != (state.value.size, state.value.format):
                    raise ValueError(
                        f"state {state.value.name} is {state.value.size} of {state.value.format} "
                        f"but {state.next} is {written.size} of {written.format}"
                    )
            handed_on = _same(scope, layer.output, f"layer {layer.name} hands on")
        if self.readout.read not in READS:
            raise ValueError(f"readout must read one of {READS}, got {self.readout.read!r}")
        if self.readout.input != handed_on:
            raise ValueError(f"the readout reads {self.readout.input}, is given {handed_on}")
        scope = {handed_on.name: handed_on}
        self._check_body(self.readout.body, scope, seen)
        _same(scope, self.readout.output, "the readout answers")
        self._check_unit("the readout", self.readout.unit)

    def _check_body(self, body: tuple[Node, ...], scope: dict[str, Value], seen: set[str]) -> None:
        for node in body:
            name, operation = node.result.name, node.operation
            for operand in node.operands:
                _same(scope, operand, f"{name} reads")
            if operation.period not in (1, self.period):
                raise ValueError(
                    f"{name} has constants for {operation.period} phases, "
                    f"the program's period is {self.period}"
                )
            result = inferred(name, operation, node.operands)
            if result != node.result:
                raise ValueError(
                    f"{name} is {result.size} of {result.format}, "
                    f"declared as {node.result.size} of {node.result.format}"
                )
            if operation.magnitude(node.operands, result.format) >> MAX_BITS:
                raise ValueError(f"{name} ({operation.kind}) could exceed {MAX_BITS} bits")
            _check_bits(result)
            _claim(seen, name)
            scope[name] = node.result

    def _check_unit(self, name: str, unit: tuple[float, ...]) -> None:
        if len(unit) != self.period or min(unit) <= 0:
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


def inferred(name: str, operation: Operation, operands: tuple[Value, ...]) -> Value:
    """The result of `operation` as a value called `name`.

    Raises ValueError, with the name, for operands that do not fit.
    """
    if len(operands) != operation.arity:
        raise ValueError(
            f"{name}: {operation.kind} takes {operation.arity} operands, got {len(operands)}"
        )
    try:
        return Value(name, *operation.infer(operands))
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def _check_bits(value: Value) -> None:
    if value.format.magnitude >> MAX_BITS:
        raise ValueError(f"{value.name} could exceed {MAX_BITS} bits: {value.format}")


def _same(scope: dict[str, Value], value: Value, where: str) -> Value:
    known = _find(scope, value.name)
    if known != value:
        raise ValueError(f"{where} {value}, defined as {known}")
    return known


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
