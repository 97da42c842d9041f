"""What a package says of itself: README.md, and an instance to copy."""

from typing import Any

from sylvan.hw.verilog import meaning
from sylvan.sim.ports import Cycles

from .bench import FAIL, PASS
from .interface import Interface, Wire
from .lint import WAIVED

_TEMPLATE = """\
# {name}

A recurrent network as a streaming core in Verilog-2005: the module `{module}`. Made by Sylvan from
the program `{program}`; {schedule}. Everything here is text, and needs no Python.

| file | |
|---|---|
{files}

## Ports

| port | bits | | |
|---|---:|---|---|
{ports}

A transfer happens at a rising edge of `{clock}` where `{i_valid}` and `{i_ready}`, or
`{o_valid}` and `{o_ready}`, are both 1. What is offered stays until it is taken, and
no valid waits for a ready.

- **Input**: {input}
- **Answer**: {output}
- {read}
{notes}
`ports.json` says the same to programs, with every scale.

## Timing

![The interface in two timesteps, as it was simulated](doc/timing.svg)

So a simulation of this package went; `doc/timing.json` is the picture's source, for WaveDrom. From
the transfer that completes an input to the first of its answer it takes {latency:g} cycles where no
other timestep is under way; timesteps follow each other every {step:g} cycles{closing}.
{figures}
## Simulating

In `sim/`, with Icarus Verilog:

    iverilog -g2005 -s {module}_tb -o bench.vvp {sources} {module}_tb.v
    vvp -N bench.vvp

or with Verilator 5:

    verilator --binary --timing --top-module {module}_tb {sources} {module}_tb.v
    obj_dir/V{module}_tb

A line `{passed}` means that all is well; else there is a line `{failed}` with what differed, and an
exit status that is not 0. Inputs are sequences of the testbench's choice, answers those of
the golden model; where these are labels, a wrong weight that changes none of them passes unseen;
the second of two rounds has idle cycles and back pressure. `+waves` writes `waves.vcd`.
{fusesoc}
## Lint

    verilator --lint-only -Wall --top-module {module} {lint_sources}

has no warning, nor have Yosys and `iverilog -Wall`. The files are printed from a netlist, of which
some of Verilator's rules say nothing; these are off inside the files. What could be a fault is on:
latches, loops, truncation, missing pins, bits out of range, several drivers or none.

| rule | why it is off |
|---|---|
{waived}
"""

_FUSESOC = """
With [FuseSoC](https://fusesoc.net), `--cores-root` being this folder:

    fusesoc --cores-root . run --target sim sylvan:rnn:{name}
    fusesoc --cores-root . run --target sim_verilator sylvan:rnn:{name}
    fusesoc --cores-root . run --target lint sylvan:rnn:{name}
"""

_RESOURCES = {
    "luts": "LUTs",
    "ffs": "flip-flops",
    "brams": "block RAMs",
    "sprams": "single-port RAMs",
    "dsps": "DSP blocks",
    "fmax_mhz": "fmax, MHz",
}


def readme(
    name: str,
    interface: Interface,
    ports: dict[str, Any],
    planned: Cycles,
    report: dict[str, Any],
    schedule: str,
    files: dict[str, str],
) -> str:
    """The page; `files` are those of the package, each with what it is."""
    sources = [file for file in files if file.startswith("rtl/")]
    closing = f", and {planned.closing_cycles:g} after one that is answered"
    return _TEMPLATE.format(
        name=name,
        module=interface.module,
        program=ports["program_sha256"][:16],
        schedule=schedule,
        files=_rows((f"`{file}`", what) for file, what in files.items()),
        ports=_rows(map(_port, interface.wires)),
        clock=interface.clock.name,
        i_valid=interface.input.valid.name,
        i_ready=interface.input.ready.name,
        o_valid=interface.output.valid.name,
        o_ready=interface.output.ready.name,
        input=_vector(ports, "input", "a timestep"),
        output=_vector(ports, "output", "an answer"),
        read=_read(ports, interface),
        notes=_notes(ports, interface),
        latency=planned.latency_cycles,
        step=planned.cycles_per_step,
        closing=closing if planned.closing_cycles != planned.cycles_per_step else "",
        figures=_figures(report),
        sources=" ".join(f"../{source}" for source in sources),
        lint_sources=" ".join(sources),
        passed=PASS,
        failed=FAIL,
        fusesoc=_FUSESOC.format(name=name) if f"{name}.core" in files else "",
        waived=_rows((f"`{rule}`", why) for rule, why in WAIVED.items()),
    )


def instance(interface: Interface) -> str:
    """The module as it is placed in a design."""
    wires = list(interface.wires)
    width = max(len(wire.name) for wire in wires)
    declared = "".join(
        f"wire {f'[{wire.bits - 1}:0]' if wire.bits > 1 else '':8} {wire.name};\n" for wire in wires
    )
    connected = ",\n".join(f"    .{wire.name:{width}} ({wire.name})" for wire in wires)
    return (
        "// An instance to copy: connect what is declared here, as README.md says.\n"
        f"{declared}\n{interface.module} {interface.module}_0 (\n{connected}\n);\n"
    )


def _rows(rows: Any) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _port(wire: Wire) -> tuple[str, str, str, str]:
    return f"`{wire.name}`", str(wire.bits), "out" if wire.output else "in", wire.meaning


def _vector(ports: dict[str, Any], side: str, what: str) -> str:
    port = ports[side]
    count, transfers = port["elements"], port["transfers"]
    elements = f"{count} element{'s' * (count > 1)}"
    return (
        f"{what} has {elements} in {transfers} transfer{'s' * (transfers > 1)}; "
        f"{meaning(port, ports['period'])}."
    )


def _read(ports: dict[str, Any], interface: Interface) -> str:
    last = interface.input.payload[2].name
    if ports["read"] == "every":
        return "Every timestep is answered."
    return f"A timestep with `{last}` is answered, no other."


def _notes(ports: dict[str, Any], interface: Interface) -> str:
    """What has to be known besides."""
    first, last, *context = interface.input.payload[1:]
    notes = [
        f"`{first.name}` and reset alone make the state anew; `{last.name}` clears nothing.",
        "The flags of a timestep are the same on each of its transfers."
        if not interface.input.once
        else "A packet is a sequence, at both sides; its transfers are those of whole timesteps.",
    ]
    if context:
        notes.append(
            f"{ports['contexts']} independent sequences share the core, in any order of timesteps; "
            f"`{context[0].name}` is 0 to {ports['contexts'] - 1}. The transfers of a timestep are "
            "not mixed with others."
        )
    spare = ports["input"]["transfers"] * ports["input"]["elements_per_transfer"]
    if spare > ports["input"]["elements"]:
        notes.append(
            "What a timestep's last transfer has to spare is at its top, and means nothing."
        )
    return "".join(f"- {note}\n" for note in notes)


def _figures(report: dict[str, Any]) -> str:
    """What was measured of the core on a part, if anything."""
    found = report["measured"]
    rows = [(what, f"{found[key]:g}") for key, what in _RESOURCES.items() if found[key] is not None]
    if not rows:
        return ""
    table = _rows([(f"on {report['target']}", ""), ("---", "---:"), *rows])
    return f"\n## Size and speed\n\nOf `core.v`, by the open tools:\n\n{table}\n"
