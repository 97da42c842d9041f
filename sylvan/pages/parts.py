"""The parts of a build by layer: the plan names them and their times, the netlist their cells.

Both meet by name: in the Verilog of a core each part is a module of its own.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sylvan.hw.build import MODULE

Figures = Mapping[str, int]
HANDED = "input_memory"
"""What the memory of vectors handed on to a layer is called there."""


@dataclass(frozen=True)
class Part:
    """A thing that makes a vector, or a memory that keeps one.

    Attributes: name; value of the program that it is for; operator, what it is; module of the
    Verilog; lanes; begins, when its operands or its strobe start; made and ends, when its vector
    starts and has passed; memories, width and depth of each; figures of its module, where known.
    """

    name: str
    value: str
    operator: str
    module: str
    lanes: int
    begins: int
    made: int
    ends: int
    memories: tuple[tuple[int, int], ...]
    figures: Figures | None


@dataclass(frozen=True)
class Body:
    """The parts of a step or of the readout, whose cycle 0 is `offset` of the step."""

    offset: int
    parts: tuple[Part, ...]

    @property
    def ends(self) -> int:
        """When its last vector has passed."""
        return max((part.ends for part in self.parts), default=0)


@dataclass(frozen=True)
class LayerBuilt:
    """A layer of the plan.

    Attributes: name; step and readout, its bodies; memories, of what it keeps; hands_on, those of
    the next layer, which it writes; announced, freed, cycles of its step in which its vector is
    told of, and the one that it was handed is over.
    """

    name: str
    step: Body
    readout: Body | None
    memories: tuple[Part, ...]
    hands_on: tuple[Part, ...]
    announced: int | None
    freed: int | None

    @property
    def parts(self) -> list[Part]:
        """All parts, memories included."""
        bodies = [self.step, *([self.readout] if self.readout else [])]
        bodies_parts = [part for body in bodies for part in body.parts]
        return [*bodies_parts, *self.memories, *self.hands_on]


def layers_of(plan: Mapping[str, Any], modules: Mapping[str, Figures]) -> Iterator[LayerBuilt]:
    """The layers of a plan as data, with the figures of these modules."""
    told = plan["layers"]
    stacked = len(told) > 1 or plan["schedule"]["state_port"]
    names = [f"{MODULE}.{layer['name']}" if stacked else MODULE for layer in told]
    for k, (layer, module) in enumerate(zip(told, names, strict=True)):
        step = Body(0, tuple(_part(part, module, modules) for part in layer["step"]))
        read = tuple(_part(part, module, modules) for part in layer["readout"])
        kept = [m for m in layer["memories"] if m["name"] != HANDED]
        memories = _memories(kept, module, step, modules)
        handed: tuple[Part, ...] = ()
        if k + 1 < len(told):
            given = [m for m in told[k + 1]["memories"] if m["name"] == HANDED]
            handed = _memories(given, names[k + 1], step, modules)
        yield LayerBuilt(
            layer["name"],
            step,
            Body(layer["readout_begins"], read) if read else None,
            memories,
            handed,
            layer["announced"],
            layer["freed"],
        )


def _memories(
    told: Sequence[Mapping[str, Any]], layer: str, writers: Body, modules: Mapping[str, Figures]
) -> tuple[Part, ...]:
    """Every copy of memories that parts of `writers` write."""
    passes = {part.name: part.ends - part.made for part in writers.parts}
    made = []
    for memory in told:
        writes = memory["writes"]
        for copy in range(memory["copies"]):
            name = f"{memory['name']}{copy or ''}"
            if memory["name"] == HANDED:
                name = f"{HANDED}.copy{copy}"
            made.append(
                Part(
                    name,
                    str(memory["value"]),
                    "memory",
                    f"{layer}.{name}",
                    memory["word_lanes"],
                    writes,
                    writes,
                    writes + passes[memory["written_by"]],
                    _sizes(memory),
                    _figures(f"{layer}.{name}", modules),
                )
            )
    return tuple(made)


def _part(told: Mapping[str, Any], layer: str, modules: Mapping[str, Figures]) -> Part:
    name, begins = str(told["name"]), int(told["begins"])
    made = begins + told["latency"]
    passes = -(-told["size"] // told["lanes"]) * told["dwell"] * told["repeats"]
    module = f"{layer}.{name}"
    # What reads a memory is a port of it, and no module.
    figures = None if told["operator"] == "memory" else _figures(module, modules)
    return Part(
        name,
        str(told["value"]),
        str(told["operator"]),
        module,
        told["lanes"],
        begins,
        made,
        made + passes,
        _sizes(told),
        figures,
    )


def _figures(module: str, modules: Mapping[str, Figures]) -> Figures | None:
    """A module's figures. In a netlist that knows modules, one that has none became nothing."""
    return modules.get(module, {}) if modules else None


def _sizes(told: Mapping[str, Any]) -> tuple[tuple[int, int], ...]:
    return tuple((width, depth) for width, depth in told["memories"] + told["roms"])
