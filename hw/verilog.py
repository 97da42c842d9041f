"""Verilog of a plan, and the description of its ports that testbenches and hosts read."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from amaranth.back import verilog
from sylvan.model.program import NumericInput
from sylvan.model.storage import program_hash

from .plan import Plan
from .ports import HASH_BITS, StateImage
from .stack import hardware
from .state import ANSWERS
from .state import streams as state_streams

PORTS = ("valid", "ready", "data")


def describe_ports(plan: Plan, module: str = "core") -> dict[str, Any]:
    """The core's ports as data: `ports.json`."""
    program, source = plan.program, plan.program.input
    numeric = isinstance(source, NumericInput)
    port = plan.input_port
    format = port.value.format
    described: dict[str, Any] = {
        "kind": "numeric" if numeric else "symbol",
        "elements": port.value.size,
        "elements_per_transfer": port.per_transfer,
        "transfers": port.transfers,
        "element_bits": port.element_bits,
        "signed": format.signed,
        "data_bits": port.transfer_bits,
        "format": [format.lo, format.hi, format.exp],
    }
    if isinstance(source, NumericInput):
        described |= {"scale": list(source.scale), "offset": list(source.offset)}
    port = plan.output_port
    format = port.value.format
    saved = {"state": _describe_image(plan.state_image)} if plan.schedule.state_port else {}
    return {
        "module": module,
        "program_sha256": program_hash(program),
        "input": described,
        "output": {
            "name": port.value.name,
            "elements": port.value.size,
            "elements_per_transfer": port.per_transfer,
            "transfers": port.transfers,
            "element_bits": port.element_bits,
            "signed": format.signed,
            "data_bits": port.transfer_bits,
            "format": [format.lo, format.hi, format.exp],
            "unit": list(program.readout.unit),
        },
        "read": program.readout.read,
        "period": program.period,
        "contexts": plan.tag.contexts,
        **saved,
    }


def _describe_image(image: StateImage) -> dict[str, Any]:
    """How the state passes the streams of the state port."""
    return {
        "data_bits": image.bits,
        "hash_bits": HASH_BITS,
        "transfers": image.transfers,
        "states": [
            {
                "name": state.name,
                "elements": state.size,
                "signed": state.format.signed,
                "format": [state.format.lo, state.format.hi, state.format.exp],
            }
            for state in image.states
        ],
        "answers": list(ANSWERS),
    }


def generate(plan: Plan, module: str = "core") -> str:
    """Verilog-2001 of the plan's core, with a header that documents its ports."""
    core = hardware(plan)
    ports: dict[str, Any] = {
        f"{side}_{name}": (getattr(getattr(core, side), name), None)
        for side in ("i", "o")
        for name in (*PORTS, *plan.tag.flags)
    }
    if plan.schedule.state_port:
        for side, stream in state_streams(plan.state_image, plan.tag).items():
            wires = getattr(core, side)
            names = stream.signature.members
            ports |= {f"{side}_{name}": (getattr(wires, name), None) for name in names}
    with _uncollected():
        text = verilog.convert(
            core, name=module, ports=ports, emit_src=False, strip_internal_attrs=True
        )
    return header(plan, module) + text


@contextmanager
def _uncollected() -> Iterator[None]:
    """No search for garbage: nearly all of a netlist's objects stay, and a third of the time went
    into looking at them again and again."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


MOST_LISTED = 4
"""Numbers that the header lists; more are left to ports.json."""


def meaning(port: dict[str, Any], period: int) -> str:
    """What the raw integers of a port stand for, as real numbers."""
    lo, hi, exp = port["format"]
    if port.get("kind") == "symbol":
        return f"the values are symbols, {lo} to {hi}"

    def listed(name: str, by: str) -> str:
        different = port[name] if len(set(port[name])) > 1 else port[name][:1]
        if len(different) > MOST_LISTED:
            return f"{name} {by} in ports.json"
        return f"{name} {', '.join(map(str, different))}" + (f" {by}" if different[1:] else "")

    value = f"raw values {lo} to {hi} stand for"
    if "unit" not in port:
        scales = f"{listed('offset', 'by element')}, {listed('scale', 'by element')}"
        return f"{value} offset + scale * raw * 2**{exp}; {scales}"
    phases = f"by phase (timesteps since the state started anew, modulo {period})"
    return f"{value} unit * raw * 2**{exp}; {listed('unit', phases)}"


def _state_lines(plan: Plan) -> list[str]:
    """What the header says of the state port."""
    context = ", context" if plan.tag.contexts > 1 else ""
    return [
        f"i_save_* (valid, ready{context}): asks for the state of a context; o_save_*: its image",
        f"i_load_* (valid, ready, data, last{context}): an image to go on from; o_load_*: how that",
        f"  ended, {', '.join(f'{number} {name}' for number, name in enumerate(ANSWERS))}",
        f"  an image has {plan.state_image.transfers} transfer(s) of {plan.state_image.bits} bits: "
        "docs/state.md",
    ]


def header(plan: Plan, module: str) -> str:
    """The comment at the top of the file."""
    ports = describe_ports(plan, module)
    cycles = plan.describe()["cycles"]

    def side(name: str, key: str) -> list[str]:
        port = ports[key]
        return [
            f"{name}_data carries {port['elements_per_transfer']} element(s) of "
            f"{port['element_bits']} bits, {'signed' if port['signed'] else 'unsigned'}, "
            f"element 0 in the lowest bits;",
            f"  a timestep has {port['elements']} element(s) in {port['transfers']} transfer(s);",
            f"  {meaning(port, ports['period'])}",
        ]

    lines = [
        f"{module}: recurrent network, program {ports['program_sha256'][:16]}, {plan.schedule}",
        "",
        "clk, rst: clock; synchronous reset, active high, forgets all state at any moment",
        "i_valid, i_ready, i_data, i_first, i_last: input stream; o_*: output stream",
        "  a transfer happens at a rising edge of clk where valid and ready are both 1",
        *side("i", "input"),
        *side("o", "output"),
        "  a timestep's flags are the same on each of its transfers; what a last transfer has to",
        "  spare is at the top and means nothing",
        "  Icarus Verilog reads this file as Verilog-2005: iverilog -g2005",
        *(
            [
                f"i_context: which of the {ports['contexts']} independent sequences a timestep "
                f"belongs to, 0 to {ports['contexts'] - 1} in any order;",
                "  each has a state of its own; o_context: that of the answer",
            ]
            if ports["contexts"] > 1
            else []
        ),
        "i_first: the state starts anew before this timestep (as it does after reset)",
        "i_last: the last timestep of a sequence"
        + (", which is answered" if ports["read"] == "last" else "; every timestep is answered"),
        "o_first, o_last: the flags of the timestep that is answered, on each of its transfers",
        *(_state_lines(plan) if plan.schedule.state_port else []),
        "",
        f"cycles per step {cycles['cycles_per_step']:g}, of a step that is answered "
        f"{cycles['closing_cycles']:g}, from input to answer {cycles['latency_cycles']}",
    ]
    return "".join(f"// {line}".rstrip() + "\n" for line in lines) + "\n"
