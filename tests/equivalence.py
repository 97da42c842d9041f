"""A yosys script that proves two modules equal: what was given, and what was mapped to ECP5."""

#: The design at hand is the mapped module `name`; `given` are commands that load the other one.
PROOF = """\
read_verilog -overwrite +/ecp5/cells_sim.v
hierarchy -top {name}
flatten
proc
opt
rename {name} gate
design -stash gate
{given}
hierarchy -top {name}
rename {name} gold
techmap
opt
design -stash gold
design -copy-from gold -as gold gold
design -copy-from gate -as gate gate
miter -equiv -flatten -make_assert gold gate miter
hierarchy -top miter
setundef -undriven -undef
sat -verify -prove-asserts miter
"""


def proof(name: str, mapped: str, given: str) -> str:
    """Commands that load a mapped module, then the given one, and prove them equal."""
    return mapped + PROOF.format(name=name, given=given)
