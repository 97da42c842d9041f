# amaranth: UnusedElaboratable=no
"""Layers, parts and memories as data: what a plan decided, for a reader and for tools."""

from typing import Any

from .beats import shape_of
from .layer import LayerPlan
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
                "copies": memory.copies,
                "vectors": memory.tag.kept,
                "words": -(-memory.value.size // memory.lanes),
                "word_lanes": memory.lanes,
                "digit": memory.written.pattern.digit,
                "element_bits": shape_of(memory.value.format).width,
                "written_by": memory.written.name,
                "writes": memory.writes,
            }
            for memory in layer.all_memories
        ],
        "latency_cycles": layer.leaving.latency,
        "answers": layer.answers,
    }


def _part(part: Part) -> dict[str, Any]:
    pattern = part.pattern
    return {
        "name": part.name,
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
        "dsps": part.operator.cost.dsps if part.operator else 0,
        **(part.operator.figures if part.operator else {}),
    }
