"""Two sums that take turns in one carry chain on ECP5: `s ? a1 +- b : a0 +- b`.

A half of a cell CCU2C has a LUT of four inputs and passes a carry on where that says 1, else gives
out what its first two inputs alone say, with the others 0. Here those are b and the selector, whose
exclusive or with the sign is at once the carry that is given out and the LUT's entry for operands
that are 0. So one half makes a bit of both sums and chooses between them, where the tools by
themselves take a chain for each and a LUT to choose.
"""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

Bit = int | str
Cell = dict[str, Any]
Half = tuple[dict[str, Bit], str]
"""What a half of a cell is wired to, and its table."""

COARSE = "coarse.json"
"""The file in the work folder with the netlist of whole words, before adders are mapped."""


def take_turns(module: dict[str, Any]) -> int:
    """Map the choices between two sums of a netlist of whole words; how many there were."""
    netlist = _Words(module)
    found = list(netlist.choices())
    for name, sums, (b, others, signs) in found:
        choice = module["cells"][name]
        for at, cell in enumerate(netlist.chain(choice["connections"], b, others, signs)):
            module["cells"][f"{name}.turn{at}"] = cell | {"attributes": choice["attributes"]}
        for gone in (name, *sums):
            del module["cells"][gone]
    return len(found)


class _Words:
    """Who drives and who uses each bit of a netlist."""

    def __init__(self, module: dict[str, Any]) -> None:
        self.cells: dict[str, Cell] = module["cells"]
        self.drivers: dict[Bit, str] = {}
        self.users: dict[Bit, set[str]] = defaultdict(set)
        for port in module["ports"].values():
            for bit in port["bits"]:
                self.users[bit].add("")
        for name, cell in self.cells.items():
            for port, bits in cell["connections"].items():
                for bit in bits:
                    if cell["port_directions"][port] == "output":
                        self.drivers[bit] = name
                    else:
                        self.users[bit].add(name)
        numbers = [bit for bit in [*self.drivers, *self.users] if isinstance(bit, int)]
        self.next_bit = max(numbers, default=1) + 1

    def choices(self) -> Iterator[tuple[str, list[str], tuple[Any, ...]]]:
        """Multiplexers of two sums that share an operand, with those and what they are made of."""
        for name, cell in list(self.cells.items()):
            if cell["type"] != "$mux":
                continue
            sums = [self._sum(name, cell["connections"][port]) for port in "AB"]
            if None in sums or sums[0] == sums[1]:
                continue
            names = [str(found) for found in sums]
            if (operands := self._shared([self.cells[found] for found in names])) is not None:
                yield name, names, operands

    def _sum(self, user: str, bits: list[Bit]) -> str | None:
        """The sum that these bits are, all of it and for this user alone."""
        name = self.drivers.get(bits[0])
        if name is None or self.cells[name]["type"] != "$alu":
            return None
        ends = self.cells[name]["connections"]
        alone = all(self.users[bit] == {user} for bit in ends["Y"])
        unused = all(not self.users[bit] for port in ("X", "CO") for bit in ends[port])
        signs = ends["BI"] == ends["CI"] in (["0"], ["1"])
        return name if ends["Y"] == bits and alone and unused and signs else None

    def _shared(self, sums: list[Cell]) -> tuple[Any, ...] | None:
        """(b, the other operands, whether b is subtracted) of two sums, or None."""
        forms = []
        for cell in sums:
            a, b = (_extended(cell, port) for port in "AB")
            minus = cell["connections"]["BI"] == ["1"]
            forms.append([(b, a, minus)] + ([] if minus else [(a, b, False)]))
        for shared, a0, minus0 in forms[0]:
            for other, a1, minus1 in forms[1]:
                if shared == other:
                    return shared, (a0, a1), (minus0, minus1)
        return None

    def chain(
        self,
        ends: Cell,
        b: list[Bit],
        others: tuple[list[Bit], list[Bit]],
        signs: tuple[bool, bool],
    ) -> Iterator[Cell]:
        """The cells of one choice; the first half carries in where b is subtracted."""
        (select,), sums = ends["S"], ends["Y"]
        minus0, minus1 = signs
        entry = f"{minus0 | minus1 << 1:016b}"
        idle: dict[str, Bit] = {"B": "0", "C": "1", "D": "1"}
        halves: list[Half] = [(idle | {"A": select, "S": self._new()}, entry)]
        table = 0
        for place in range(16):
            at_b, at_s, a1, a0 = (place >> k & 1 for k in range(4))
            total = (a1 if at_s else a0) ^ at_b ^ (minus1 if at_s else minus0)
            table |= total << place
        for bit_b, zero, one, out in zip(b, *others, sums, strict=True):
            wires = {"A": bit_b, "B": select, "C": one, "D": zero, "S": out}
            halves.append((wires, f"{table:016b}"))
        if len(halves) % 2:
            halves.append((idle | {"A": "0", "S": self._new()}, f"{0:016b}"))
        carry: Bit = "0"
        for first, second in zip(halves[::2], halves[1::2], strict=True):
            leaves = self._new()
            yield _cell(carry, leaves, first, second)
            carry = leaves

    def _new(self) -> int:
        self.next_bit += 1
        return self.next_bit - 1


def _extended(cell: Cell, port: str) -> list[Bit]:
    """An operand at the width of the sum."""
    bits = list(cell["connections"][port])
    signed = int(cell["parameters"][f"{port}_SIGNED"], 2)
    width = int(cell["parameters"]["Y_WIDTH"], 2)
    return (bits + [bits[-1] if signed else "0"] * width)[:width]


def _cell(carry: Bit, leaves: Bit, *halves: Half) -> Cell:
    connections = {"CIN": [carry], "COUT": [leaves]}
    parameters: dict[str, str] = {}
    for number, (wires, table) in enumerate(halves):
        connections |= {f"{port}{number}": [bit] for port, bit in wires.items()}
        parameters |= {f"INIT{number}": table, f"INJECT1_{number}": "NO"}
    outputs = {"COUT", "S0", "S1"}
    directions = {port: "output" if port in outputs else "input" for port in connections}
    return {
        "hide_name": 1,
        "type": "CCU2C",
        "parameters": parameters,
        "port_directions": directions,
        "connections": connections,
    }
