"""Verilog as it is handed over: without what Verilator's `-Wall` finds in a printed netlist.

What can be printed better is; what is left and means nothing is waived inside the file. All that
could be a fault of a design, such as latches, loops, truncation, missing pins, several drivers,
stays on.
"""

import re

WAIVED = {
    "DECLFILENAME": "a core is one file with many modules",
    "PROCASSINIT": "registers start with the values that an FPGA gives them at configuration",
    "UNUSEDSIGNAL": "names of the design are kept on wires that logic no longer needs",
    "VARHIDDEN": "an instance and a memory inside it may have one name",
    "ASCRANGE": "a vector of no bits is printed as [-1:0]; nothing reads it",
    "WIDTHEXPAND": "operands are printed in their own bits, and extended as Verilog does",
    "UNSIGNED": "a comparison with the lowest number there is is left to synthesis",
    "CMPCONST": "so is one with the highest",
}


def handed_over(text: str) -> str:
    """A generated file, with the waivers at its top, each with its reason, undone at its end."""
    width = max(map(len, WAIVED))
    off = "".join(
        f"/* verilator lint_off {rule:{width}} */ // {reason}\n" for rule, reason in WAIVED.items()
    )
    on = "".join(f"/* verilator lint_on {rule} */\n" for rule in WAIVED)
    return f"{off}\n{_cleaned(text)}\n{on}"


def _cleaned(text: str) -> str:
    """The same design: `!` of a vector as a reduction, and every case with the default it has.

    A case leaves alone what was assigned before it, so its default is to do nothing.
    """
    lines: list[str] = []
    defaults: list[bool] = []
    for line in text.splitlines():
        if re.match(r"\s*casez? \(", line):
            defaults.append(False)
        elif re.match(r"\s*default:", line):
            defaults[-1] = True
        elif line.strip() == "endcase" and not defaults.pop():
            lines.append(line.replace("endcase", "  default: ;"))
        lines.append(line.replace(" = ! ", " = ~| "))
    return "\n".join(lines)
