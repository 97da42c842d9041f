"""Three plain designs of the same recurrence, as Verilog: what generated cores are measured beside.

A module `loop` takes a step in every cycle with `en`: between the register of the state and itself
lie a transform, the sum with U x, half to even and saturation. What does not depend on the state
has registers of its own in front, and costs no clock rate: x in the unit of its phase, and one
product for each different weight, which the units share. There is no readout.

The three differ in the transform alone. It has no signs: the sum adds or subtracts, which is free.
Where the state's unit alternates, every other transformed state would be shifted left by a bit; the
product is shifted right instead, and what it loses is kept for telling ties, which is cheaper.
"""

from collections.abc import Iterator

from sylvan.model.cells.hadamrnn.step import HadamParameters
from sylvan.model.numbers import Format
from transforms import TRANSFORMS, joined, wires

CYCLES = 1
"""Cycles per step; `agreement.check` holds the designs to it."""
AHEAD = 3
"""Steps from an input to the state that it gives: registers of x, x in its unit, the products."""


def verilog(kind: str, p: HadamParameters) -> str:
    """The module `loop` around a transform of that kind, and the transform.

    `phase` holds, of the timesteps in each of the registers in front, which phase they are of. The
    transformed state is kept as it is: yosys would melt the sum and the last additions into carry
    save adders, which take more cells.
    """
    n, bits, x = p.hidden, p.state.width, p.input.format.width
    wide = bits + n.bit_length() - 1
    weights = p.input_weights[0, :, 0].tolist()
    names = {w: f"minus_{-w}" if w < 0 else f"times_{w}" for w in sorted(set(weights))}
    width = product(p).width
    turn = "~phase[0]" if p.period == 2 else "1'b0"
    registers = [
        *[("taken", "x"), ("scaled", "scaled_next"), ("phase", f"{{phase[1:0], {turn}}}")],
        *((name + end, f"{name}{end}_next") for name in names.values() for end in ("", "_lost")),
        ("state", joined([f"state{i}_next" for i in range(n)])),
    ]
    return "\n".join(
        [
            TRANSFORMS[kind](n, bits),
            f"module loop(input clk, input rst, input en, input [{x - 1}:0] x);",
            f"  (* keep *) reg [{n * bits - 1}:0] state;",
            f"  (* keep *) wire [{n * wide - 1}:0] transformed;",
            "  transform transform(.s(state), .t(transformed));",
            f"  reg [{x - 1}:0] taken, scaled;",
            "  reg [2:0] phase;",
            *(f"  reg signed [{width - 1}:0] {name};" for name in names.values()),
            *(f"  reg {name}_lost;" for name in names.values()),
            "  always @(posedge clk)",
            "    if (rst) begin",
            *(f"      {name} <= {int(name == 'phase')};" for name, _ in registers),
            "    end else if (en) begin",
            *(f"      {name} <= {following};" for name, following in registers),
            "    end",
            *scaled(p),
            *(line for weight, name in names.items() for line in injected(p, weight, name)),
            *wires(n, wide, "transformed", "t"),
            *(line for i in range(n) for line in unit(p, i, names[weights[i]])),
            "endmodule\n",
        ]
    )


def product(p: HadamParameters) -> Format:
    """What a weight times x can be, with half a unit of the state, on the grid of x."""
    weights, most = p.input_weights[0], p.input.format.hi
    half = 1 << drop(p) - 1
    return Format(int(weights.min()) * most + half, int(weights.max()) * most + half)


def drop(p: HadamParameters) -> int:
    """Bits below the state's lowest on the grid of x, on which the sum is."""
    return p.state.exp - p.input.format.exp


def lifts(p: HadamParameters) -> list[int]:
    """By phase, bits that the transformed state is coarser than that grid."""
    found = [drop(p) + shift for shift in p.shifts]
    assert min(found) >= 0 and max(found) <= 1 < drop(p), "a state for which this is not written"
    return found


def by_phase(at: int, texts: list[str]) -> str:
    """The expression for the phase that a stage is in."""
    return texts[0] if len(texts) == 1 else f"phase[{at}] ? {texts[1]} : {texts[0]}"


def scaled(p: HadamParameters) -> Iterator[str]:
    """`scaled_next`: x times the factor of its phase, half to even."""
    x = p.input.format.width
    texts = ["taken"]
    if p.input_factors is not None:
        texts, low = [], -p.input_factors.exp
        for phase, factor in enumerate(p.input_factors.raw[:, 0].tolist()):
            name = f"factor{phase}"
            yield f"  wire [{x + low}:0] {name} = taken * {factor} + {1 << low - 1};"
            tie = f"~|{name}[{low - 1}:0]"
            texts.append(f"{{{name}[{x + low - 1}:{low + 1}], {name}[{low}] & ~({tie})}}")
    yield f"  wire [{x - 1}:0] scaled_next = {by_phase(0, texts)};"


def injected(p: HadamParameters, weight: int, name: str) -> Iterator[str]:
    """`name`_next: the product and half, as coarse as the transform; whether that lost a bit."""
    half = 1 << drop(p) - 1
    width = product(p).width
    fine = f"$signed({{1'b0, scaled}}) * {weight} + {half}"
    yield f"  wire signed [{width - 1}:0] {name}_fine = {fine};"
    coarse = [f"{name}_fine >>> {lift}" for lift in lifts(p)]
    lost = [f"{name}_fine[0]" if lift else "1'b0" for lift in lifts(p)]
    yield f"  wire signed [{width - 1}:0] {name}_next = {by_phase(1, coarse)};"
    yield f"  wire {name}_lost_next = {by_phase(1, lost)};"


def unit(p: HadamParameters, i: int, product_name: str) -> Iterator[str]:
    """`state`i`_next`: the sum, shifted, half to even, saturated."""
    bits = p.state.width
    top = max(bits + p.hidden.bit_length() - 1, product(p).width)
    sign = "+" if p.signs[i] > 0 else "-"
    drops = [drop(p) - lift for lift in lifts(p)]
    shifted = by_phase(2, [f"sum{i} >>> {low}" for low in drops])
    ties = by_phase(2, [f"~|{{sum{i}[{low - 1}:0], {product_name}_lost}}" for low in drops])
    above = f"shifted{i}[{top}:{bits - 1}]"
    yield f"  wire signed [{top}:0] sum{i} = {product_name} {sign} t{i};"
    yield f"  wire signed [{top}:0] shifted{i} = {shifted};"
    yield f"  wire tie{i} = {ties};"
    yield f"  wire fits{i} = &{above} | ~|{above};"
    yield f"  wire [{bits - 1}:0] even{i} = {{shifted{i}[{bits - 1}:1], shifted{i}[0] & ~tie{i}}};"
    yield (
        f"  wire [{bits - 1}:0] state{i}_next = fits{i} ? even{i} : "
        f"{{shifted{i}[{top}], {{{bits - 1}{{~shifted{i}[{top}]}}}}}};"
    )
