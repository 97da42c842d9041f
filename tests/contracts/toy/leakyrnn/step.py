"""The leaky RNN on integers: `h' = h / 2 + U x`, `y = V h`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...arrays import Array, integers
from ...builder import Builder
from ...matrices import Dense
from ...numbers import Format
from ...program import Program, SymbolInput

WEIGHT_EXP = -4


@dataclass(frozen=True)
class LeakyParameters:
    """U (hidden, symbols) and V (outputs, hidden) in units of 1/16; the state's format."""

    input: SymbolInput
    input_weights: Array
    output_weights: Array
    state: Format
    read: str

    def __post_init__(self) -> None:
        hidden, symbols = self.input_weights.shape
        if symbols != self.input.symbols or self.output_weights.shape[1] != hidden:
            raise ValueError(f"weights do not fit {self.input.symbols} symbols, {hidden} units")


def program(p: LeakyParameters, metadata: Mapping[str, Any] | None = None) -> Program:
    """The whole network as a program."""
    b = Builder(p.input)
    h = b.state("hidden", len(p.input_weights), p.state)
    table = integers("input_weights", p.input_weights.T[None], 3)
    total = b.add(b.exponent(-1, h), b.lookup(table, WEIGHT_EXP, b.input), name="total")
    new = b.narrow(total, p.state, name="hidden_next")
    b.write(h, new)
    features = b.exponent(WEIGHT_EXP, b.layer("average", new))
    logits = b.matvec(Dense(p.output_weights), features, name="logits")
    return b.program(logits, p.read, metadata=dict(metadata or {}))
