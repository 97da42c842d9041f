# amaranth: UnusedElaboratable=no
"""Layers, parts and memories as data: what a plan decided, for a reader and for tools."""

from typing import Any

from .beats import shape_of
from .layer import LayerPlan
from .operators.base import Cost
from .timetable import Part


def described(layer: LayerPlan) -> dict[str, Any]:
    """What `plan.json` says of a layer."""
    return {
        "name": layer.layer.name,
        "step": [_part(part) for part in layer.step.parts],
        "readout_begins": layer.readout_begins,
        "readout": [_part(part) for part in layer.readout.parts] if layer.readout else [],
        "memories": [
            {
                "name": memory.name,
                "value": memory.value.name,
                "copies": memory.copies,
                "vectors": memory.tag.kept,
                "words": -(-memory.value.size // memory.lanes),
                "word_lanes": memory.lanes,
                "digit": memory.written.pattern.digit,
                "element_bits": shape_of(memory.value.format).width,
                "written_by": memory.written.name,
                "writes": memory.writes,
                **_memories(memory.component(0).cost),
            }
            for memory in layer.all_memories
        ],
        "announced": layer.hands_on.announced if layer.hands_on else None,
        "freed": layer.receives.freed if layer.receives else None,
        "latency_cycles": layer.leaving.latency,
        "answers": layer.answers,
    }


def _part(part: Part) -> dict[str, Any]:
    pattern, cost = part.pattern, part.operator.cost if part.operator else Cost()
    return {
        "name": part.name,
        "value": part.value,
        "operator": type(part.operator).__name__ if part.operator else "memory",
        "format": [part.format.lo, part.format.hi, part.format.exp],
        "size": pattern.size,
        "lanes": pattern.lanes,
        "dwell": pattern.dwell,
        "digit": pattern.digit,
        "settles": pattern.settles,
        "repeats": pattern.repeats,
        "operands": [operand.name for operand in part.operands],
        "begins": part.begins,
        "latency": part.latency,
        "interval": part.interval,
        "dsps": cost.dsps,
        **_memories(cost),
        **(part.operator.figures if part.operator else {}),
    }


def _memories(cost: Cost) -> dict[str, Any]:
    """Word width and depth of each memory and of each table of constants."""
    return {name: [list(size) for size in getattr(cost, name)] for name in ("memories", "roms")}
