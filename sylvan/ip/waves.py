"""The timing of an interface as a picture: what a simulation saw, in the JSON of WaveDrom.

Cycles in which nothing happens are left out where they are many; a row of the picture counts all.
Of more transfers than a picture holds the middle ones are left out too, and its title says so.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from .bench import TRACE
from .interface import Interface, Stream

SHOWN = 3
"""Cycles of a quiet time that are shown: so many minus one at its beginning, one at its end."""
MOST, ENDING = 40, 5
"""Columns of a picture; where there are more, so many at the end are kept."""
GAP = "|"


@dataclass(frozen=True)
class Cycle:
    """What the ports were at a rising edge; of each stream (valid, ready, word)."""

    number: int
    streams: tuple[tuple[int, int, int], tuple[int, int, int]]

    def stays(self, before: "Cycle") -> bool:
        """Whether valid and ready are as before, and nothing passes."""
        pairs = zip(self.streams, before.streams, strict=True)
        return all(a[:2] == b[:2] and a[:2] != (1, 1) for a, b in pairs)


def cycles_of(log: str) -> list[Cycle]:
    """What a testbench printed with +trace, counted from the end of the reset."""
    lines = (line.split()[1:] for line in log.splitlines() if line.startswith(TRACE))
    return [
        Cycle(number, (_transfer(six[:3]), _transfer(six[3:]))) for number, six in enumerate(lines)
    ]


def _transfer(printed: list[str]) -> tuple[int, int, int]:
    """Valid, ready and word; a word without valid may be unknown."""
    valid, ready, word = printed
    return int(valid), int(ready), int(word, 16) if valid == "1" else 0


State = tuple[str, str]
"""What a row is in a column: WaveDrom's character, and where that is `=`, the text inside."""
Show = Callable[[Cycle], State]


def picture(interface: Interface, cycles: list[Cycle], answered: Sequence[int]) -> dict[str, Any]:
    """WaveDrom's JSON of a trace, until a cycle after the answers to these timesteps."""
    wanted = len(answered) * interface.output.port.transfers
    passed = [c.number for c in cycles if c.streams[1][:2] == (1, 1)]
    cycles = cycles[: passed[wanted - 1] + 2]
    columns = _columns(cycles)
    cut = len(columns) > MOST
    if cut:
        columns = [*columns[: MOST - ENDING - 1], None, *columns[-ENDING:]]
    inactive = "1" if interface.active_low else "0"
    rows = [
        _row("cycle", columns, lambda c: ("=", str(c.number))),
        _row(interface.clock.name, columns, lambda c: ("p", "")),
        _row(interface.reset.name, columns, lambda c: (inactive, "")),
    ]
    sides = (interface.input, "x", range(len(cycles))), (interface.output, "y", answered)
    for k, (stream, letter, steps) in enumerate(sides):
        names = _names(stream, letter, steps, [c.streams[k] for c in cycles])
        rows += [{}, *_stream_rows(stream, k, columns, names)]
    title = f"{interface.module}: two timesteps" + cut * ", transfers in the middle left out"
    return {"signal": rows, "head": {"text": title}}


def _columns(cycles: list[Cycle]) -> list[Cycle | None]:
    """The cycles that are shown, and None where some are left out."""
    columns: list[Cycle | None] = []
    begin = 0
    for end in range(1, len(cycles) + 1):
        if end < len(cycles) and cycles[end].stays(cycles[begin]):
            continue
        if end - begin > SHOWN + 1:
            columns += [*cycles[begin : begin + SHOWN - 1], None, cycles[end - 1]]
        else:
            columns += cycles[begin:end]
        begin = end
    return columns


def _names(
    stream: Stream, letter: str, steps: Sequence[int], seen: list[tuple[int, int, int]]
) -> list[str]:
    """What is on offer in every cycle: the vector of a timestep, of several transfers which one."""
    names, count = [], 0
    for valid, ready, _ in seen:
        place, transfer = divmod(count, stream.port.transfers)
        part = f".{transfer}" if stream.port.transfers > 1 else ""
        names.append(f"{letter}{steps[place]}{part}" if valid else "")
        count += valid and ready
    return names


def _stream_rows(
    stream: Stream, k: int, columns: list[Cycle | None], names: list[str]
) -> list[dict[str, Any]]:
    """Valid, ready and the payload, which means nothing without valid."""
    rows = [
        _row(stream.valid.name, columns, lambda c: (str(c.streams[k][0]), "")),
        _row(stream.ready.name, columns, lambda c: (str(c.streams[k][1]), "")),
    ]
    data, *flags = stream.payload
    place = data.bits
    rows.append(_row(data.name, columns, _offered(k, lambda c: ("=", names[c.number]))))
    for wire in flags:
        rows.append(_row(wire.name, columns, _offered(k, _value(k, place, wire.bits))))
        place += wire.bits
    return rows


def _offered(k: int, show: Show) -> Show:
    """Shown where there is a valid."""
    return lambda c: show(c) if c.streams[k][0] else ("x", "")


def _value(k: int, place: int, bits: int) -> Show:
    """Some bits of a word: as a level, or as a number."""

    def show(c: Cycle) -> State:
        value = str(c.streams[k][2] >> place & (1 << bits) - 1)
        return ("=", value) if bits > 1 else (value, "")

    return show


def _row(name: str, columns: Sequence[Cycle | None], show: Show) -> dict[str, Any]:
    """A row of the picture: what stays is a dot, and where cycles are left out is a gap."""
    wave, data = "", []
    before: State | None = None
    for c in columns:
        if c is None:
            # What stood before a gap may have changed and come back.
            wave, before = wave + GAP, None
            continue
        state = show(c)
        wave += "." if state == before else state[0]
        if state != before and state[1]:
            data.append(state[1])
        before = state
    return {"name": name, "wave": wave} | ({"data": data} if data else {})
