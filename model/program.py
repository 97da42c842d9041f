"""Programs: what is computed at one timestep, and nothing of when or where.

A program is a list of layers, each a step body over its states, and one readout body. Bodies are
short SSA lists of vector operations; every value has a name and an exact format. Layer k + 1 reads
the output of layer k; the readout reads the last layer's output, on every timestep, on those
marked `last`, or at a list of timesteps with constants, and states, of its own for these reads.
`phase` is the number of timesteps since the state was initialised, modulo `period`.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from .arrays import MAX_BITS, Array, equal_constants, integer, integers, reals
from .numbers import Format
from .operations import Operation, Value

NAME = re.compile(r"[a-z][a-z0-9_]*\Z")
READS = ("every", "last")
Read = str | tuple[int, ...]
"""When a readout answers: one of READS, or increasing timesteps since the state was initialised."""


@dataclass(frozen=True)
class NumericInput:
    """A vector of `size` numbers per timestep; channel c stands for `offset[c] + scale[c] * value`.

    A sensor, a host and the evaluation all send the raw integer nearest to
    `(real - offset) / scale / 2**format.exp`, half to even, clamped to the format. Scale and offset
    mean the doubles that they are, not the decimals they are printed as. No scale is zero.
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

    def steps(self, channel: int, real: Fraction) -> Fraction:
        """Where a real number lies between the raw integers of a channel, before it is clamped."""
        scale, offset = Fraction(self.scale[channel]), Fraction(self.offset[channel])
        return (real - offset) / scale / Fraction(2) ** self.format.exp

    def raw(self, real: npt.ArrayLike) -> Array:
        """The raw integers of real numbers (..., size), each as exactly as it is a double."""
        lo, hi = self.format.lo, self.format.hi
        given = np.asarray(real, np.float64)
        steps = np.ldexp((given - self.offset) / self.scale, -self.format.exp).clip(lo - 1, hi + 1)
        # The difference and the quotient were rounded, each by 2**-53 of it at most.
        nearest, other = np.rint(steps * (1 - 2.0**-51)), np.rint(steps * (1 + 2.0**-51))
        doubtful = nearest != other
        sent = nearest.astype(np.int64).clip(lo, hi)
        if doubtful.any():
            given = np.broadcast_to(given, steps.shape)
            for channel in range(self.size):
                at = doubtful[..., channel]
                numbers, which = np.unique(given[..., channel][at], return_inverse=True)
                exact = [round(self.steps(channel, Fraction(number))) for number in numbers]
                sent[..., channel][at] = np.array([min(max(x, lo), hi) for x in exact], int)[which]
        return sent

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

    `unit[phase]` is the real number that a raw `2**-exp` stands for before a step of that phase; of
    a state of the readout, `unit[r]` is that before read r.
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

    With a list of timesteps as `read`, counted from 0 since the state was initialised, the body
    runs and answers at these only. Its constants and its unit go by the read, 0 for the first
    timestep of the list, where those of others go by the phase. It may have states: set to their
    initial values with those of the layers, changed where the body runs.
    """

    read: Read
    input: Value
    body: tuple[Node, ...]
    output: Value
    unit: tuple[float, ...]
    states: tuple[State, ...] = ()

    def __post_init__(self) -> None:
        unit = reals("unit of the readout", self.unit, len(self.unit))
        object.__setattr__(self, "unit", unit)
        if isinstance(self.read, str):
            if self.read not in READS:
                raise ValueError(
                    f"readout must read one of {READS}, or a list of timesteps, got {self.read!r}"
                )
            if self.states:
                names = ", ".join(state.value.name for state in self.states)
                raise ValueError(
                    f"only a readout at a list of timesteps has states, got {names} "
                    f"in one that reads {self.read!r}"
                )
        else:
            object.__setattr__(self, "read", increasing("timesteps of the readout", self.read))

    @property
    def timesteps(self) -> tuple[int, ...]:
        """The timesteps that are read, where they are a list."""
        return () if isinstance(self.read, str) else self.read


@dataclass(frozen=True)
class Program:
    """A whole quantized recurrent network on integers.

    Raises ValueError if names repeat or are no identifiers, operands are not defined before use,
    declared formats differ from inferred ones, a state is written in another size or format than
    its own, phases do not fit the period (or reads the timesteps that are read), or an intermediate
    could exceed 62 bits.
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
            scope = self._check_body(layer, seen, self.period, "phases", "the program's period is")
            handed_on = _same(scope, layer.output, f"layer {layer.name} hands on")
        if self.readout.input != handed_on:
            raise ValueError(f"the readout reads {self.readout.input}, is given {handed_on}")
        count = self.readout_period
        told = "phases", "the program's period is"
        if self.readout.timesteps:
            told = "reads", "the timesteps read are"
        scope = self._check_body(self.readout, seen, count, *told)
        _same(scope, self.readout.output, "the readout answers")
        _check_unit("the readout", self.readout.unit, count)

    def _check_body(
        self, room: Layer | Readout, seen: set[str], count: int, what: str, known: str
    ) -> dict[str, Value]:
        """Check states and body, whose constants tell `count` phases or reads apart.

        Returns the values that there are after it.
        """
        scope = {room.input.name: room.input}
        for state in room.states:
            _claim(seen, state.value.name)
            scope[state.value.name] = state.value
            _check_bits(state.value)
            _check_unit(state.value.name, state.unit, count)
        for node in room.body:
            name, operation = node.result.name, node.operation
            for operand in node.operands:
                _same(scope, operand, f"{name} reads")
            if operation.period not in (1, count):
                raise ValueError(
                    f"{name} has constants for {operation.period} {what}, {known} {count}"
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
        for state in room.states:
            written = _find(scope, state.next)
            if (written.size, written.format) != (state.value.size, state.value.format):
                raise ValueError(
                    f"state {state.value.name} is {state.value.size} of {state.value.format} "
                    f"but {state.next} is {written.size} of {written.format}"
                )
        return scope

    @property
    def readout_period(self) -> int:
        """What the readout's constants tell apart: phases, or reads at a list of timesteps."""
        return len(self.readout.timesteps) or self.period

    @property
    def states(self) -> tuple[State, ...]:
        """Every state, layer by layer, then the readout's."""
        return (*(s for layer in self.layers for s in layer.states), *self.readout.states)

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


def increasing(name: str, timesteps: Iterable[Any]) -> tuple[int, ...]:
    """Checked timesteps: at least one, none negative, each later than the one before."""
    given = tuple(integer(name, timestep) for timestep in timesteps)
    if not given:
        raise ValueError(f"{name} must be at least one")
    for before, timestep in pairwise((-1, *given)):
        if timestep <= before:
            raise ValueError(f"{name} must increase from 0 or more, {timestep} does not")
    return given


def _check_unit(name: str, unit: tuple[float, ...], count: int) -> None:
    if len(unit) != count or min(unit) <= 0:
        raise ValueError(f"{name} needs {count} positive units, got {unit}")


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
