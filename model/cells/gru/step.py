"""The GRU on integers: the parameters, the step.

    r, z = sigma(a + b)        n = tanh(b_n + r (a_n + d))        h' = n + z (h - n)

with a from the state and b from the input. Products and sums are exact; what is lost is lost by the
narrows to the arguments of the tables, to the format of `a_n + d` before it is gated, and to h's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...arrays import Constant, check_shape
from ...builder import Builder
from ...numbers import Format
from ...operations import Value
from ...program import Program
from ..gates import GatedParameters, curved, from_input, from_state, readout


@dataclass(frozen=True, kw_only=True)
class GruParameters(GatedParameters):
    """Everything that a trained GRU is on integers.

    Parameters: gated, the format of `a_n + d`; gated_offset, d, with what normalization folds into.
    """

    gates = 3

    gated: Format
    gated_offset: Constant

    def __post_init__(self) -> None:
        super().__post_init__()
        check_shape("gated_offset", self.gated_offset.raw, (self.units,))


def step(b: Builder, p: GruParameters, x: Value, h: Value) -> Value:
    """h after the step."""
    n = p.units
    recurrent, injected = from_state(b, p, h), from_input(b, p, x)

    def part(value: Value, start: int, stop: int, name: str) -> Value:
        return b.slice(start * n, stop * n, value, name=name)

    sums = b.add(
        part(recurrent, 0, 2, "recurrent_gates"), part(injected, 0, 2, "injected_gates"), "sums"
    )
    gates = curved(b, p.sigma, sums, "gates")
    r, z = part(gates, 0, 1, "reset_gate"), part(gates, 1, 2, "update_gate")
    offset = b.const(p.gated_offset.raw[None], p.gated_offset.exp, name="gated_offset")
    inner = b.add(part(recurrent, 2, 3, "recurrent_candidate"), offset, name="inner")
    gated = b.mul(r, b.narrow(inner, p.gated, name="inner_narrow"), name="gated")
    total = b.add(gated, part(injected, 2, 3, "injected_candidate"), name="candidate_sums")
    mixed = b.lerp(z, curved(b, p.tanh, total, "candidate"), h, name="mixed")
    return b.narrow(mixed, p.hidden, name="hidden_next")


def hand_on(b: Builder, p: GruParameters) -> Value:
    """A whole layer: it hands on h."""
    h = b.state("hidden", p.units, p.hidden)
    new = step(b, p, b.input, h)
    b.write(h, new)
    return b.layer("gru", new)


def program(
    p: GruParameters,
    metadata: Mapping[str, Any] | None = None,
    below: Sequence[GruParameters] = (),
) -> Program:
    """The whole network as a program; `below` are the layers that come before."""
    b = Builder([*below, p][0].input)
    for lower in below:
        hand_on(b, lower)
    output = readout(b, p, hand_on(b, p))
    unit = 1.0 if p.argmax else p.output_unit
    return b.program(output, p.read, unit=[unit], metadata=dict(metadata or {}))
