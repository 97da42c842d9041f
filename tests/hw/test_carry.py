"""Adders of ECP5: proven by yosys to add, and as small as promised once nextpnr has packed them."""

import itertools
from pathlib import Path

import pytest
from equivalence import proof
from sylvan.hw import carry
from sylvan.hw.flow import Flow
from sylvan.hw.targets import target
from sylvan.hw.tools import Workers, find

MAPPED = """\
design -load given
hierarchy -top {name}
techmap -max_iter 1 -map carry.v
select -assert-none t:$alu
techmap
select -assert-min 1 t:CCU2C
"""


def modules() -> dict[str, str]:
    """Verilog of sums, differences, comparisons and what has a carry or a sign to choose."""
    found = {}
    for bits, signed in itertools.product((5, 6, 9), ("", "signed")):
        word = f"{signed} [{bits - 1}:0]"
        inputs = f"input {signed} [{bits - 2}:0] a, input {word} b, input c"
        for rule in ("a + b", "a - b", "a < b", "b <= a", "a + b + c", "c ? a + b : a - b"):
            name = f"m{len(found)}"
            width = "" if "<" in rule else word
            found[name] = f"module {name}({inputs}, output {width} y); assign y = {rule}; endmodule"
    return found


def prove(folder: Path, adders: str) -> int:
    """The exit status of yosys."""
    (folder / "carry.v").write_text(adders)
    (folder / "given.v").write_text("\n".join(modules().values()))
    proofs = "".join(
        proof(name, MAPPED.format(name=name), "design -load given") for name in modules()
    )
    script = f"read_verilog given.v\nproc\nalumacc\nopt\ndesign -save given\n{proofs}"
    (folder / "prove.ys").write_text(script)
    with Workers(1) as crew:
        return crew.run([*find("yosys").command, "prove.ys"], folder, "console")


def test_mapped_adders_add(tmp_path: Path) -> None:
    assert prove(tmp_path, carry.MAP) == 0, (tmp_path / "console").read_text()[-2000:]


@pytest.mark.parametrize(
    "right, wrong", [("4'b1011", "4'b1010"), ("4'b1000", "4'b1110"), ("| added) & ~Y", "| added)")]
)
def test_a_wrong_adder_is_not_proven(tmp_path: Path, right: str, wrong: str) -> None:
    assert right in carry.MAP
    assert prove(tmp_path, carry.MAP.replace(right, wrong)) != 0


def test_only_ends_that_say_nothing_are_freed() -> None:
    def cell(table: str, carried: list[int | str], out: int) -> dict[str, object]:
        return {
            "type": "CCU2C",
            "parameters": {"INIT0": table},
            "port_directions": {"CIN": "input", "COUT": "output", "A0": "input"},
            "connections": {"CIN": carried, "COUT": [out], "A0": ["1"]},
        }

    generates, passes = "0000000000001010", "1001011010101010"
    cells = {
        "first": cell(generates, ["0"], 2),
        "second": cell(passes, [2], 3),
        "to a port": cell(passes, ["1"], 4),
    }
    carry.free_ends({"cells": cells, "ports": {"o": {"bits": [4]}}})
    ends = {name: found["connections"] for name, found in cells.items()}
    assert ends["first"] == {"CIN": ["x"], "COUT": [2], "A0": ["1"]}
    assert ends["second"] == {"CIN": [2], "COUT": ["x"], "A0": ["1"]}
    assert ends["to a port"] == {"CIN": ["1"], "COUT": [4], "A0": ["1"]}


@pytest.mark.parametrize("bits", [8, 9])
@pytest.mark.parametrize("rule", ["a + b", "a - b"])
def test_an_adder_takes_one_cell_more_than_it_has_bits(
    tmp_path: Path, bits: int, rule: str
) -> None:
    (tmp_path / "design.v").write_text(
        f"module adder(input clk, input [{bits - 1}:0] i, output reg [{bits - 1}:0] o);\n"
        f"  reg [{bits - 1}:0] a, b;\n"
        f"  always @(posedge clk) begin a <= i; b <= a; o <= {rule}; end\nendmodule\n"
    )
    with Workers(1) as crew:
        found = Flow("adder", target("ecp5-25f"), tmp_path, crew, print).run([1], None)
    constants = 2  # one cell each for 0 and 1, in every design
    assert (found.luts, found.ffs) == (bits + 1 + constants, 3 * bits)
