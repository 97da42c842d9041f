"""The parts that a design can be placed on, and what each of them holds.

One table, because the planner (does it fit?), synthesis (which options?) and the report (out of how
many?) must not disagree. Every count is what nextpnr's report says is available, but for the pins
of an ECP5: there the report counts the pads of the die, some of which the package does not bring
out, and nextpnr's package table is what counts.
"""

from dataclasses import dataclass
from difflib import get_close_matches

from sylvan.model.errors import UserError


@dataclass(frozen=True)
class Target:
    """One part in one package at one speed grade, or `verilog`: no part, all counts None.

    `family` is "ice40", "ecp5" or None. `luts` are logic cells of one 4-input LUT and one flip-flop
    (ICESTORM_LC) or TRELLIS_COMB; an ECP5 slice keeps its flip-flops apart, so `ffs` is a limit of
    its own there. `brams` are blocks of `bram_bits` bits, at most `bram_width` bits wide;
    `sprams` blocks of `spram_bits` bits, 16 bits wide. `dsps` are listed to be complete: Sylvan
    never uses them.
    """

    name: str
    family: str | None = None
    device: str | None = None  # nextpnr's option for the die
    package: str | None = None
    speed: str | None = None
    luts: int | None = None
    ffs: int | None = None
    brams: int | None = None
    bram_bits: int | None = None
    bram_width: int | None = None
    sprams: int | None = None
    spram_bits: int | None = None
    dsps: int | None = None
    pins: int | None = None

    @property
    def placed(self) -> bool:
        """Whether there is a part to place on."""
        return self.family is not None


def _ice40(
    name: str,
    device: str,
    package: str,
    *,
    luts: int,
    brams: int,
    sprams: int,
    dsps: int,
    pins: int,
) -> Target:
    return Target(
        name,
        "ice40",
        device,
        package,
        luts=luts,
        ffs=luts,
        brams=brams,
        bram_bits=4096,
        bram_width=16,
        sprams=sprams,
        spram_bits=16 * 16384,
        dsps=dsps,
        pins=pins,
    )


def _ecp5(name: str, device: str, *, luts: int, brams: int, dsps: int, pins: int) -> Target:
    return Target(
        name,
        "ecp5",
        device,
        "CABGA381",
        speed="6",
        luts=luts,
        ffs=luts,
        brams=brams,
        bram_bits=18432,
        bram_width=36,
        sprams=0,
        spram_bits=0,
        dsps=dsps,
        pins=pins,
    )


TARGETS: dict[str, Target] = {
    target.name: target
    for target in (
        Target("verilog"),
        _ice40("ice40-up5k", "up5k", "sg48", luts=5280, brams=30, sprams=4, dsps=8, pins=39),
        _ice40("ice40-hx8k", "hx8k", "ct256", luts=7680, brams=32, sprams=0, dsps=0, pins=206),
        _ecp5("ecp5-25f", "25k", luts=24288, brams=56, dsps=28, pins=197),
        _ecp5("ecp5-45f", "45k", luts=43848, brams=108, dsps=72, pins=203),
        _ecp5("ecp5-85f", "85k", luts=83640, brams=208, dsps=156, pins=205),
    )
}


def target(name: str) -> Target:
    """The target of that name; a `UserError` lists the known ones and guesses which was meant."""
    if name in TARGETS:
        return TARGETS[name]
    near = get_close_matches(name.lower(), TARGETS, n=1, cutoff=0.3)
    guess = f"; did you mean {near[0]}?" if near else "."
    raise UserError(f"there is no target {name!r}{guess} Known: {', '.join(TARGETS)}.")
