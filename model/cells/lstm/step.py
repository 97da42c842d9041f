"""The LSTM on integers: the parameters, the step.

    i, f, o = sigma(sums)      g = tanh(sums)
    c' = f c + gain * i g      h' = o tanh(scale * c' + offset)

Products and sums are exact; what is lost is lost by the narrows to the arguments of the tables, and
to the formats of c and h. Gates lie in the order i, f, o, g, so that one table serves three.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...arrays import Constant, check_shape
from ...builder import Builder
from ...numbers import Format
from ...operations import Value
from ...program import Program
from ..gates import GatedParameters, curved, from_input, from_state, readout, scaled


@dataclass(frozen=True, kw_only=True)
class LstmParameters(GatedParameters):
    """Everything that a trained LSTM is on integers.

    Parameters: cell, the format of c; cell_gains, by which each lane of c is kept larger than it
    is, or None; cell_factors and cell_offset, of the normalization of c folded (which takes the
    gains back), or both None.
    """

    gates = 4

    cell: Format
    cell_gains: Constant | None
    cell_factors: Constant | None
    cell_offset: Constant | None

    def __post_init__(self) -> None:
        super().__post_init__()
        if (self.cell_factors is None) != (self.cell_offset is None):
            raise ValueError("cell_factors and cell_offset go together")
        if self.cell_gains is not None and self.cell_factors is None:
            raise ValueError("cell_gains are taken back by cell_factors, which are missing")
        for name in ("cell_gains", "cell_factors", "cell_offset"):
            if (constant := getattr(self, name)) is not None:
                check_shape(name, constant.raw, (self.units,))


def step(b: Builder, p: LstmParameters, x: Value, h: Value, c: Value) -> tuple[Value, Value]:
    """h and c after the step."""
    n = p.units
    sums = b.add(from_state(b, p, h), from_input(b, p, x), name="sums")
    gates = curved(b, p.sigma, b.slice(0, 3 * n, sums, name="gate_sums"), "gates")
    g = curved(b, p.tanh, b.slice(3 * n, 4 * n, sums, name="candidate_sums"), "candidate")
    i, f, o = (
        b.slice(k * n, (k + 1) * n, gates, name=name)
        for k, name in enumerate(("input_gate", "forget_gate", "output_gate"))
    )
    kept, new = b.mul(f, c, name="kept"), b.mul(i, g, name="new")
    if p.cell_gains is not None:
        new = scaled(b, p.cell_gains, new, "new_gained")
    c = b.narrow(b.add(kept, new, name="total"), p.cell, name="cell_next")
    seen = c
    if p.cell_factors is not None and p.cell_offset is not None:
        offset = b.const(p.cell_offset.raw[None], p.cell_offset.exp, name="cell_offset")
        seen = b.add(scaled(b, p.cell_factors, c, "cell_scaled"), offset, name="cell_seen")
    shown = b.mul(o, curved(b, p.tanh, seen, "squashed"), name="shown")
    return b.narrow(shown, p.hidden, name="hidden_next"), c


def hand_on(b: Builder, p: LstmParameters) -> Value:
    """A whole layer: it hands on h."""
    h, c = b.state("hidden", p.units, p.hidden), b.state("cell", p.units, p.cell)
    new_h, new_c = step(b, p, b.input, h, c)
    b.write(h, new_h)
    b.write(c, new_c)
    return b.layer("lstm", new_h)


def program(
    p: LstmParameters,
    metadata: Mapping[str, Any] | None = None,
    below: Sequence[LstmParameters] = (),
) -> Program:
    """The whole network as a program; `below` are the layers that come before."""
    b = Builder([*below, p][0].input)
    for lower in below:
        hand_on(b, lower)
    output = readout(b, p, hand_on(b, p))
    unit = 1.0 if p.argmax else p.output_unit
    return b.program(output, p.read, unit=[unit], metadata=dict(metadata or {}))
