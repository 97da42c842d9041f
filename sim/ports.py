"""What a core's ports mean, read from ports.json, and how elements become words on them."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from sylvan.model.errors import UserError, shortened
from sylvan.model.files import parse_json

from .images import StateFormat, load_format


@dataclass(frozen=True)
class Port:
    """One stream of a core: `elements` integers in `transfers` words.

    A word has `elements_per_transfer` elements. `lo` and `hi` bound the integers; `name` is for
    messages.
    """

    name: str
    elements: int
    elements_per_transfer: int
    transfers: int
    element_bits: int
    signed: bool
    lo: int
    hi: int

    @property
    def data_bits(self) -> int:
        return self.elements_per_transfer * self.element_bits

    def pack(
        self,
        elements: Sequence[int],
        *,
        first: bool,
        last: bool,
        context: int = 0,
        noise: Random | None = None,
    ) -> list[int]:
        """The words {context, last, first, data} of a timestep: element 0 lowest.

        What the last word has to spare means nothing: it is `noise`, or zeros without one.
        """
        flags = (context << 2 | int(last) << 1 | int(first)) << self.data_bits
        mask = (1 << self.element_bits) - 1
        words = []
        for start in range(0, self.elements, self.elements_per_transfer):
            word = flags
            for place, value in enumerate(elements[start : start + self.elements_per_transfer]):
                word |= (int(value) & mask) << (place * self.element_bits)
            used = (place + 1) * self.element_bits
            if noise is not None and used < self.data_bits:
                word |= noise.getrandbits(self.data_bits - used) << used
            words.append(word)
        return words

    def unpack(self, word: int) -> tuple[list[int], bool, bool, int]:
        """The elements of one word (padding included), its first and last flags, its context."""
        elements = []
        for place in range(self.elements_per_transfer):
            raw = (word >> (place * self.element_bits)) & ((1 << self.element_bits) - 1)
            negative = self.signed and raw >> (self.element_bits - 1)
            elements.append(raw - (1 << self.element_bits) if negative else raw)
        flags = word >> self.data_bits
        return elements, bool(flags & 1), bool(flags & 2), flags >> 2


@dataclass(frozen=True)
class Ports:
    """The ports of a core as its build directory states them. `read` is "every" or "last"; `state`
    is how images pass, where there is a state port."""

    module: str
    program_sha256: str
    input: Port
    output: Port
    read: str
    symbols: bool
    period: int
    contexts: int
    state: StateFormat | None = None

    @property
    def context_bits(self) -> int:
        """Bits of a context's number; none where there is one context."""
        return (self.contexts - 1).bit_length()

    @property
    def flag_bits(self) -> int:
        """Bits of a word beside its data: first, last, and the context where there are several."""
        return 2 + self.context_bits


@dataclass(frozen=True)
class Cycles:
    """How long things take at the ports, planned or measured (see `runs.measured_cycles`)."""

    cycles_per_step: float
    closing_cycles: float
    latency_cycles: float

    @property
    def total(self) -> int:
        """All of them: by then, whatever was begun has ended."""
        return int(self.cycles_per_step + self.closing_cycles + self.latency_cycles)


def load_ports(build: Path) -> Ports:
    """Reads and checks `ports.json` of a build directory."""
    path = build / "ports.json"
    data = _read_json(path, build)
    try:
        if data["read"] not in ("every", "last"):
            raise ValueError(f'read must be "every" or "last", not {data["read"]!r}')
        # It becomes part of the harness: text that is no name would be Verilog of its own.
        if not re.fullmatch(r"[A-Za-z_]\w*", str(data["module"]), re.ASCII):
            raise ValueError(f"{data['module']!r} is no name of a module")
        return Ports(
            module=str(data["module"]),
            program_sha256=str(data["program_sha256"]),
            input=_port(data["input"], "input"),
            output=_port(data["output"], str(data["output"]["name"])),
            read=data["read"],
            symbols=data["input"]["kind"] == "symbol",
            period=int(data["period"]),
            contexts=_at_least_one(data["contexts"]),
            state=load_format(data["state"]) if "state" in data else None,
        )
    except KeyError as error:
        raise UserError(f"{path} is not complete: {error} is missing. Build it again.") from None
    except (IndexError, TypeError, ValueError, OverflowError) as error:
        raise UserError(f"{path} is corrupt: {shortened(str(error))}. Build it again.") from None


def load_planned_cycles(build: Path) -> Cycles:
    """Reads the cycles that `plan.json` of a build directory promises."""
    path = build / "plan.json"
    data = _read_json(path, build)
    names: Iterable[str] = Cycles.__dataclass_fields__
    try:
        return Cycles(**{name: _cycles(data["cycles"][name]) for name in names})
    except (KeyError, TypeError, ValueError, OverflowError):
        raise UserError(
            f'{path} is corrupt: "cycles" needs the numbers {", ".join(names)}. Build it again.'
        ) from None


def load_room(build: Path) -> int:
    """Reads from `plan.json` how many timesteps a core that is held up can have taken in."""
    path = build / "plan.json"
    try:
        return _at_least_one(_read_json(path, build)["room"])
    except (KeyError, TypeError, ValueError, OverflowError):
        raise UserError(
            f'{path} is corrupt: "room" must be a number of timesteps. Build it again.'
        ) from None


def _read_json(path: Path, build: Path) -> dict[str, Any]:
    if not build.is_dir():
        raise UserError(f"there is no build directory {build}: `sylvan build` makes one.")
    try:
        data = parse_json(path.read_text())
    except FileNotFoundError:
        raise UserError(
            f"{build} is not a build directory: it has no {path.name}. `sylvan build` makes one."
        ) from None
    except (OSError, ValueError) as error:
        raise UserError(f"{path} cannot be read: {error}. Build it again.") from None
    if not isinstance(data, dict):
        raise UserError(f"{path} is corrupt: expected an object. Build it again.")
    return data


def _at_least_one(given: Any) -> int:
    if int(given) < 1:
        raise ValueError(f"a core has at least 1 of these, not {given}")
    return int(given)


def _cycles(given: Any) -> float:
    """A number of cycles: whole, but for a mean over several contexts."""
    if not 0 < float(given) < 1e9:
        raise ValueError(f"{given} is no number of cycles")
    return whole(float(given))


def whole(number: float) -> float:
    """The same number, as an integer where it is one."""
    return int(number) if number == int(number) else number


def _port(data: dict[str, Any], name: str) -> Port:
    port = Port(
        name=name,
        elements=int(data["elements"]),
        elements_per_transfer=int(data["elements_per_transfer"]),
        transfers=int(data["transfers"]),
        element_bits=int(data["element_bits"]),
        signed=bool(data["signed"]),
        lo=int(data["format"][0]),
        hi=int(data["format"][1]),
    )
    if min(port.elements, port.elements_per_transfer, port.element_bits) < 1:
        raise ValueError(f"{name} has no elements or no bits")
    if port.elements_per_transfer > port.elements:
        raise ValueError(f"a transfer of {name} has more than its {port.elements} elements")
    if port.transfers != -(-port.elements // port.elements_per_transfer):
        raise ValueError(
            f"{port.elements} elements of {name} do not make {port.transfers} transfers "
            f"of {port.elements_per_transfer}"
        )
    low, high = (-1, 1) if port.signed else (0, 2)
    half = 1 << (port.element_bits - 1)
    if not low * half <= port.lo <= port.hi < high * half:
        raise ValueError(
            f"{name} has values from {port.lo} to {port.hi}, which {port.element_bits} "
            f"{'signed' if port.signed else 'unsigned'} bits cannot hold"
        )
    return port
