"""Verilog as it is handed over: what Verilator's `-Wall` says of it that means nothing is waived.

Only what is harmless by the way the text is made: it is printed from a netlist, by Yosys. All that
could be a fault of a design, such as latches, loops, missing pins, several drivers, stays on.
"""

WAIVED = {
    "DECLFILENAME": "a core is one file with many modules",
    "PROCASSINIT": "registers start with the values that an FPGA gives them at configuration",
    "UNUSEDSIGNAL": "names of the design are kept on wires that logic no longer needs",
    "VARHIDDEN": "an instance and a memory inside it may have one name",
    "ASCRANGE": "a vector of no bits is printed as [-1:0]; nothing reads it",
    "WIDTHEXPAND": "constants and operands are printed in as few bits as they need",
    "WIDTHTRUNC": "`!` is printed before a vector that is compared with zero",
    "UNSIGNED": "a comparison with the lowest number there is is left to synthesis",
    "CMPCONST": "so is one with the highest",
    "CASEINCOMPLETE": "what a case leaves out keeps the default that is assigned before it",
}


def waiving(text: str) -> str:
    """A generated file with the waivers at its top, each with its reason, undone at its end."""
    width = max(map(len, WAIVED))
    off = "".join(
        f"/* verilator lint_off {rule:{width}} */ // {reason}\n" for rule, reason in WAIVED.items()
    )
    on = "".join(f"/* verilator lint_on {rule} */\n" for rule in WAIVED)
    return f"{off}\n{text}\n{on}"
