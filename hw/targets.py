"""The parts that a design can be built for, and what each of them holds.

One table, because the planner (does it fit?), synthesis (which options?) and the report (out of how
many?) must not disagree. Every count of a part that is placed is what nextpnr's report says is
available, but for the pins of an ECP5: there the report counts the pads of the die, some of which
the package does not bring out, and nextpnr's package table is what counts. Counts of the others are
those of their data sheets.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from sylvan.model.errors import UserError


@dataclass(frozen=True)
class Around:
    """What a design has besides the core of a plan, where it has: cells of the part."""

    luts: int = 0
    ffs: int = 0
    brams: int = 0


@dataclass(frozen=True)
class Target:
    """One part in one package at one speed grade, or `verilog`: no part, all counts None.

    Without a `package` it stands for every package and speed grade, has no pins to count, and is
    not placed: designs for it end as a netlist of its cells.

    `family` is "ice40", "ecp5", "xilinx", "gowin" or None. `luts` are logic cells of one 4-input
    LUT and one flip-flop (ICESTORM_LC), TRELLIS_COMB, 6-input LUTs of Xilinx 7, or 4-input LUTs of
    Gowin; flip-flops of all but iCE40 are apart, and so `ffs` is a limit of its own there. `brams`
    are blocks of `bram_bits` bits, at most `bram_width` bits wide (of Xilinx 7 the halves, RAMB18);
    `sprams` blocks of `spram_bits` bits, 16 bits wide. `dsps` multiply, where a schedule says so.
    `around` is what takes cells of the part besides the core: on a board, what links it to a host.
    """

    name: str
    family: str | None = None
    device: str | None = None  # what the tools call the die, or its kind
    package: str | None = None  # of Gowin the whole name of the part
    speed: str | None = None
    die: str | None = None  # of Gowin: what nextpnr and the packer have a table of
    luts: int | None = None
    ffs: int | None = None
    brams: int | None = None
    bram_bits: int | None = None
    bram_width: int | None = None
    sprams: int | None = None
    spram_bits: int | None = None
    dsps: int | None = None
    pins: int | None = None
    around: Around = Around()

    @property
    def mapped(self) -> bool:
        """Whether there is a part, in whose cells a design can be measured."""
        return self.family is not None

    @property
    def placed(self) -> bool:
        """Whether designs are placed and routed as well: only then is there a clock rate."""
        return self.package is not None

    @property
    def timing(self) -> str | None:
        """Whose delays it has: its family's, but for the slow iCE40, which saves power."""
        return self.device if self.device == "up5k" else self.family

    def allow(self, dsps: bool) -> None:
        """Raise UserError where DSP blocks are wanted of a part that has none."""
        if dsps and self.dsps == 0:
            raise UserError(f"{self.name} has no DSP blocks; leave out --dsps")

    @property
    def turns(self) -> bool:
        """Whether adders of a transform should take turns: flip-flops for delays cost no LUTs here.

        And two sums that take turns share a carry chain (`turns.py`).
        """
        return self.family == "ecp5"


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


def _blocks_of_18k(
    name: str,
    family: str,
    device: str,
    *,
    luts: int,
    ffs: int,
    brams: int,
    dsps: int,
    package: str | None = None,
    speed: str | None = None,
    pins: int | None = None,
) -> Target:
    """A part of any family but iCE40: block RAMs of 18 Kbit, and no single-port RAM beside them."""
    return Target(
        name,
        family,
        device,
        package,
        speed,
        luts=luts,
        ffs=ffs,
        brams=brams,
        bram_bits=18432,
        bram_width=36,
        sprams=0,
        spram_bits=0,
        dsps=dsps,
        pins=pins,
    )


def _ecp5(name: str, device: str, *, luts: int, brams: int, dsps: int, pins: int) -> Target:
    return _blocks_of_18k(
        name,
        "ecp5",
        device,
        luts=luts,
        ffs=luts,
        brams=brams,
        dsps=dsps,
        package="CABGA381",
        speed="6",
        pins=pins,
    )


def _xilinx(name: str, *, luts: int, brams: int, dsps: int) -> Target:
    return _blocks_of_18k(name, "xilinx", "xc7", luts=luts, ffs=2 * luts, brams=brams, dsps=dsps)


def _gowin(name: str, device: str, *, luts: int, brams: int, dsps: int) -> Target:
    # Of the four pairs of LUTs in a block of logic, three have flip-flops.
    ffs = luts * 3 // 4
    return _blocks_of_18k(name, "gowin", device, luts=luts, ffs=ffs, brams=brams, dsps=dsps)


TARGETS: dict[str, Target] = {
    target.name: target
    for target in (
        Target("verilog"),
        _ice40("ice40-up5k", "up5k", "sg48", luts=5280, brams=30, sprams=4, dsps=8, pins=39),
        _ice40("ice40-hx8k", "hx8k", "ct256", luts=7680, brams=32, sprams=0, dsps=0, pins=206),
        _ecp5("ecp5-25f", "25k", luts=24288, brams=56, dsps=28, pins=197),
        _ecp5("ecp5-45f", "45k", luts=43848, brams=108, dsps=72, pins=203),
        _ecp5("ecp5-85f", "85k", luts=83640, brams=208, dsps=156, pins=205),
        _xilinx("xilinx-7a35t", luts=20800, brams=100, dsps=90),
        _xilinx("xilinx-7a100t", luts=63400, brams=270, dsps=240),
        _xilinx("xilinx-7z020", luts=53200, brams=280, dsps=220),
        _gowin("gowin-gw1n9", "gw1n", luts=8640, brams=26, dsps=20),
        _gowin("gowin-gw2a18", "gw2a", luts=20736, brams=46, dsps=48),
    )
}


def target(name: str) -> Target:
    """The target of that name; a `UserError` lists the known ones and guesses which was meant."""
    if name in TARGETS:
        return TARGETS[name]
    raise UserError(
        f"there is no target {name!r}{meant(name, TARGETS)} Known: {', '.join(TARGETS)}."
    )


def meant(name: str, known: Iterable[str]) -> str:
    """The end of a sentence about a name that is not known: which one was meant, if any."""
    near = get_close_matches(name.lower(), known, n=1, cutoff=0.3)
    return f"; did you mean {near[0]}?" if near else "."
