"""Writing programs: each method adds one operation and returns its value, format inferred."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from .arrays import integer
from .matrices import Matrix
from .numbers import Format, Overflow, Rounding
from .operations import Operation, Value
from .operations.arithmetic import Add, Lerp, ModRelu, Mul, Neg, Relu, Sub
from .operations.constants import Const, Lookup, MatVec, Scale, Table
from .operations.moves import ArgMax, Concat, Exponent, Narrow, Slice
from .operations.phased import PhasedMatVec
from .program import (
    Layer,
    Node,
    NumericInput,
    Program,
    Read,
    Readout,
    State,
    SymbolInput,
    inferred,
)


class Builder:
    """Builds a program layer by layer; the body read is the equation.

    Usage: declare states with `state`, compute, `write` each state, then `layer` closes the layer
    and hands a value on; after the last layer compute the answer and close with `program`. States
    declared after the last layer are the readout's, which then reads at a list of timesteps.
    Values are named by the `name` argument, else by their operation and a number. A step body may
    be used for several layers: a name that an earlier layer has takes the layer's number.

    Raises ValueError, naming the operation, for operands that do not fit it.
    """

    def __init__(self, input: NumericInput | SymbolInput, period: int = 1) -> None:
        self.period = integer("period", period)
        self._source = input
        self._layers: list[Layer] = []
        self._states: dict[str, tuple[Value, npt.ArrayLike, Sequence[float] | None]] = {}
        self._next: dict[str, str] = {}
        self._body: list[Node] = []
        self._counts: dict[str, int] = {}
        self._names: set[str] = set()
        self._earlier: set[str] = set()
        self.input = input.value
        """What the layer being built (or the readout) reads."""

    def apply(self, operation: Operation, *operands: Value, name: str | None = None) -> Value:
        """Add `operation`; the door for operations that have no method of their own."""
        if name is None:
            count = self._counts.get(operation.kind, 0)
            self._counts[operation.kind] = count + 1
            name = f"{operation.kind}{count}"
        result = inferred(self._own(name), operation, operands)
        self._body.append(Node(result, operation, operands))
        return result

    def _own(self, name: str) -> str:
        """The name as this layer has it."""
        name = f"{name}_{len(self._layers) + 1}" if name in self._earlier else name
        self._names.add(name)
        return name

    def state(
        self,
        name: str,
        size: int,
        format: Format,
        initial: npt.ArrayLike | None = None,
        unit: Sequence[float] | None = None,
    ) -> Value:
        """Declare a state of the layer being built; zero at the start unless `initial` is given."""
        name = self._own(name)
        if name in self._states:
            raise ValueError(f"the layer already has a state {name!r}")
        value = Value(name, integer(f"size of {name}", size), format)
        if value.size < 1:
            raise ValueError(f"state {name} needs at least 1 element, got {size}")
        start = np.zeros(value.size, np.int64) if initial is None else initial
        self._states[name] = value, start, unit
        return value

    def write(self, state: Value, value: Value) -> None:
        """Make `value` the state's content after this timestep."""
        if state.name not in self._states:
            raise ValueError(f"{state.name!r} is no state of the layer being built")
        if state.name in self._next:
            raise ValueError(f"state {state.name!r} is written twice")
        self._next[state.name] = value.name

    def layer(self, name: str, output: Value) -> Value:
        """Close the layer; returns its output as the next layer's (or the readout's) input."""
        states = self._take_states(f"layer {name}", self.period)
        layer = Layer(self._own(name), self.input, states, tuple(self._body), output)
        self._layers.append(layer)
        self._earlier |= self._names
        self._body = []
        self.input = output
        return output

    def _take_states(self, where: str, count: int) -> tuple[State, ...]:
        """The states declared since the last layer, each unit given for so many phases or reads."""
        unwritten = sorted(set(self._states) - set(self._next))
        if unwritten:
            raise ValueError(f"{where} never writes its states {', '.join(unwritten)}")
        states = tuple(
            State(value, np.asarray(initial), self._next[key], _unit(unit, count))
            for key, (value, initial, unit) in self._states.items()
        )
        self._states, self._next = {}, {}
        return states

    def program(
        self,
        output: Value,
        read: Read,
        unit: Sequence[float] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> Program:
        """Close the readout, which answers `output`, and check the whole.

        `read` is "every", "last", or the timesteps at which the readout runs; constants and units
        of the readout then go by the read and not by the phase.
        """
        count = self.period if isinstance(read, str) else len(read)
        states = self._take_states("the readout", count)
        body = tuple(self._body)
        readout = Readout(read, self.input, body, output, _unit(unit, count), states)
        return Program(self.period, self._source, tuple(self._layers), readout, metadata or {})

    def matvec(self, matrix: Matrix, a: Value, name: str | None = None) -> Value:
        return self.apply(MatVec(matrix), a, name=name)

    def phased_matvec(self, weights: Any, a: Value, name: str | None = None) -> Value:
        return self.apply(PhasedMatVec(weights), a, name=name)

    def lookup(self, table: Any, exp: int, symbol: Value, name: str | None = None) -> Value:
        return self.apply(Lookup(table, exp), symbol, name=name)

    def scale(self, factors: Any, exp: int, a: Value, name: str | None = None) -> Value:
        return self.apply(Scale(factors, exp), a, name=name)

    def const(self, raw: Any, exp: int, name: str | None = None) -> Value:
        return self.apply(Const(raw, exp), name=name)

    def table(self, entries: Any, exp: int, a: Value, name: str | None = None) -> Value:
        return self.apply(Table(entries, exp), a, name=name)

    def add(self, a: Value, b: Value, name: str | None = None) -> Value:
        return self.apply(Add(), a, b, name=name)

    def sub(self, a: Value, b: Value, name: str | None = None) -> Value:
        return self.apply(Sub(), a, b, name=name)

    def neg(self, a: Value, name: str | None = None) -> Value:
        return self.apply(Neg(), a, name=name)

    def mul(self, a: Value, b: Value, name: str | None = None) -> Value:
        return self.apply(Mul(), a, b, name=name)

    def lerp(self, z: Value, a: Value, b: Value, name: str | None = None) -> Value:
        return self.apply(Lerp(), z, a, b, name=name)

    def relu(self, a: Value, name: str | None = None) -> Value:
        return self.apply(Relu(), a, name=name)

    def modrelu(self, bias: Any, a: Value, name: str | None = None) -> Value:
        return self.apply(ModRelu(bias), a, name=name)

    def exponent(self, shifts: int | Sequence[int], a: Value, name: str | None = None) -> Value:
        phases = tuple(shifts) if isinstance(shifts, Sequence) else (shifts,)
        return self.apply(Exponent(phases), a, name=name)

    def narrow(
        self,
        a: Value,
        target: Format,
        rounding: Rounding = Rounding.HALF_EVEN,
        overflow: Overflow = Overflow.SATURATE,
        name: str | None = None,
    ) -> Value:
        return self.apply(Narrow(target, rounding, overflow), a, name=name)

    def concat(self, a: Value, b: Value, name: str | None = None) -> Value:
        return self.apply(Concat(), a, b, name=name)

    def slice(self, start: int, stop: int, a: Value, name: str | None = None) -> Value:
        return self.apply(Slice(start, stop), a, name=name)

    def argmax(self, a: Value, name: str | None = None) -> Value:
        return self.apply(ArgMax(), a, name=name)


def _unit(unit: Sequence[float] | None, count: int) -> tuple[float, ...]:
    return (1.0,) * count if unit is None else tuple(unit)
