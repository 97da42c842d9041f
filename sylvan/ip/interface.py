"""The ports of what is handed over, plain or AXI4-Stream: as wires, as words, and in words."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from sylvan.hw.axi import FAULT
from sylvan.sim.ports import Port, Ports


@dataclass(frozen=True)
class Wire:
    """A port of a module; `bits` wide, an input or an output, and what it means."""

    name: str
    bits: int
    output: bool
    meaning: str


@dataclass(frozen=True)
class Stream:
    """One side of a module.

    A word is what `payload` carries in a transfer, the first of them lowest. Where `once`, a
    timestep's `first` is told on its first transfer alone and `last` on its last, as on AXI, and
    `first` counts in the first timestep of a packet. What data have above the elements is spare.
    """

    valid: Wire
    ready: Wire
    payload: tuple[Wire, ...]
    port: Port
    once: bool

    @property
    def bits(self) -> int:
        """Bits of a word."""
        return sum(wire.bits for wire in self.payload)

    def words(self, elements: list[int], flags: dict[str, Any], noise: Random | None) -> list[int]:
        """The words of a timestep, or of an answer."""
        words = self.port.pack(elements, **flags, noise=noise)
        return [self._carried(word, k, len(words) - 1, noise) for k, word in enumerate(words)]

    def _carried(self, word: int, place: int, ends: int, noise: Random | None) -> int:
        """A port's word as the payload has it."""
        data, bits = self.payload[0].bits, self.port.data_bits
        flags = word >> bits
        if self.once:
            flags &= ~(int(place > 0) | int(place < ends) << 1)
        spare = noise.getrandbits(data - bits) if noise is not None and data > bits else 0
        return flags << data | spare << bits | word & (1 << bits) - 1


@dataclass(frozen=True)
class Interface:
    """A module with a clock, a reset, a stream in and a stream out, and `more` outputs."""

    module: str
    clock: Wire
    reset: Wire
    active_low: bool
    input: Stream
    output: Stream
    more: tuple[Wire, ...] = ()

    @property
    def wires(self) -> Iterator[Wire]:
        """All ports, in the order in which people read them."""
        yield self.clock
        yield self.reset
        for stream in (self.input, self.output):
            yield stream.valid
            yield stream.ready
            yield from stream.payload
        yield from self.more


def plain(ports: Ports) -> Interface:
    """The core's own ports."""
    return Interface(
        ports.module,
        Wire("clk", 1, False, "clock"),
        Wire("rst", 1, False, "synchronous reset, active high"),
        False,
        _plain_stream("i", ports.input, ports.context_bits, False),
        _plain_stream("o", ports.output, ports.context_bits, True),
    )


def axi(ports: Ports, described: dict[str, Any]) -> Interface:
    """The ports of the wrapper, as `ports.json` describes it."""
    sides = ("input", ports.input), ("output", ports.output)
    taken, given = (replace(p, element_bits=described[side]["slot_bits"]) for side, p in sides)
    told = "a transfer came that is part of no timestep: nothing moves any more until reset"
    return Interface(
        described["module"],
        Wire("aclk", 1, False, "clock"),
        Wire("aresetn", 1, False, "synchronous reset, active low; one cycle is enough"),
        True,
        _axi_stream(
            "s_axis", taken, described["input"]["tdata_bits"], described["tid_bits"], False
        ),
        _axi_stream(
            "m_axis", given, described["output"]["tdata_bits"], described["tid_bits"], True
        ),
        (Wire(FAULT, 1, True, told),) if described["fault"] else (),
    )


def _carried(port: Port) -> str:
    """What a transfer's data are."""
    kind = "signed" if port.signed else "unsigned"
    if port.elements_per_transfer == 1:
        return f"an element of {port.element_bits} bits, {kind}"
    count = port.elements_per_transfer
    return f"{count} elements of {port.element_bits} bits, {kind}, element 0 lowest"


def _plain_stream(side: str, port: Port, context_bits: int, output: bool) -> Stream:
    first, last = "the state starts anew before this timestep", "the last timestep of a sequence"
    if output:
        first, last = (f"`{name}` of the timestep that is answered" for name in ("first", "last"))
    payload = [
        Wire(f"{side}_data", port.data_bits, output, _carried(port)),
        Wire(f"{side}_first", 1, output, first),
        Wire(f"{side}_last", 1, output, last),
    ]
    if context_bits:
        payload.append(Wire(f"{side}_context", context_bits, output, "which sequence it is of"))
    return Stream(
        Wire(f"{side}_valid", 1, output, "a transfer is offered"),
        Wire(f"{side}_ready", 1, not output, "it is taken"),
        tuple(payload),
        port,
        once=False,
    )


def _axi_stream(side: str, port: Port, bits: int, context_bits: int, output: bool) -> Stream:
    first, last = (
        "`first`, on the first transfer of a packet: the state starts anew before it",
        "`last`, on the last transfer of a sequence",
    )
    if output:
        first, last = (
            f"`{name}` of the timestep that is answered, on the answer's {name} transfer"
            for name in ("first", "last")
        )
    payload = [
        Wire(f"{side}_tdata", bits, output, _carried(port)),
        Wire(f"{side}_tuser", 1, output, first),
        Wire(f"{side}_tlast", 1, output, last),
    ]
    if context_bits:
        payload.append(Wire(f"{side}_tid", context_bits, output, "which sequence it is of"))
    return Stream(
        Wire(f"{side}_tvalid", 1, output, "a transfer is offered"),
        Wire(f"{side}_tready", 1, not output, "it is taken"),
        tuple(payload),
        port,
        once=True,
    )
