"""Two sums in one chain: proven by yosys to be the sums, and half as large."""

import json
from pathlib import Path

import pytest
from equivalence import proof
from sylvan.hw import turns
from sylvan.hw.mapping import Mapper
from sylvan.hw.targets import target
from sylvan.hw.tools import Workers, find

MAPPED = """\
design -reset
read_json turned.json
hierarchy -top {name}
select -assert-none t:$mux t:$alu
select -assert-min 1 t:CCU2C
"""
GIVEN = "design -reset\nread_json given.json"
RULES = (
    "c ? a + b : d - b",
    "c ? d - b : b + a",
    "c ? a + b : d + b",
    "c ? a - b : d - b",
    "c ? a + 1 : a + d",
)
OTHERS = ("c ? a + b : b - d", "c ? a + b : d - a - 1", "c ? a + b : d", "c ? a + a : d - b")
"""A shared operand with another that is subtracted, or none that is shared."""


def modules(rules: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for bits in (5, 6, 9):
        for signed in ("", "signed"):
            for rule in rules:
                words = f"input {signed} [{bits - 2}:0] a, b, d, input c"
                head = f"m{len(found)}({words}, output {signed} [{bits - 1}:0] y)"
                found[f"m{len(found)}"] = f"module {head}; assign y = {rule}; endmodule"
    return found


def turned(folder: Path, rules: tuple[str, ...]) -> list[int]:
    """How many choices were mapped in each module; both netlists are in the folder."""
    (folder / "given.v").write_text("\n".join(modules(rules).values()))
    words = "read_verilog given.v\nproc\nalumacc\nopt\nwrite_json given.json\n"
    run(folder, "words", words)
    tree = json.loads((folder / "given.json").read_text())
    counts = [turns.take_turns(module) for module in tree["modules"].values()]
    (folder / "turned.json").write_text(json.dumps(tree))
    return counts


def run(folder: Path, name: str, script: str) -> int:
    (folder / f"{name}.ys").write_text(script)
    with Workers(1) as crew:
        return crew.run([*find("yosys").command, f"{name}.ys"], folder, f"{name}.console")


def test_chosen_sums_are_proven(tmp_path: Path) -> None:
    assert turned(tmp_path, RULES) == [1] * len(modules(RULES))
    proofs = "".join(proof(name, MAPPED.format(name=name), GIVEN) for name in modules(RULES))
    assert run(tmp_path, "prove", proofs) == 0, (tmp_path / "prove.console").read_text()[-2000:]


@pytest.mark.parametrize("parameter", ["INIT0", "INIT1"])
@pytest.mark.parametrize("place", [0, 5, 10, 15])
def test_a_wrong_table_is_not_proven(tmp_path: Path, parameter: str, place: int) -> None:
    turned(tmp_path, RULES[:1])
    tree = json.loads((tmp_path / "turned.json").read_text())
    cells = [c for c in tree["modules"]["m0"]["cells"].values() if c["type"] == "CCU2C"]
    table = cells[1]["parameters"][parameter]
    cells[1]["parameters"][parameter] = (
        table[:place] + str(1 - int(table[place])) + table[place + 1 :]
    )
    (tmp_path / "turned.json").write_text(json.dumps(tree))
    assert run(tmp_path, "prove", proof("m0", MAPPED.format(name="m0"), GIVEN)) != 0


def test_other_choices_stay(tmp_path: Path) -> None:
    assert turned(tmp_path, OTHERS) == [0] * len(modules(OTHERS))


def test_a_sum_with_other_users_stays(tmp_path: Path) -> None:
    (tmp_path / "given.v").write_text(
        "module m(input [7:0] a, b, d, input c, output [7:0] y, z);\n"
        "  assign z = a + b; assign y = c ? z : d - b;\nendmodule\n"
    )
    run(tmp_path, "words", "read_verilog given.v\nproc\nalumacc\nopt\nwrite_json given.json\n")
    tree = json.loads((tmp_path / "given.json").read_text())
    assert turns.take_turns(tree["modules"]["m"]) == 0


def test_a_choice_takes_one_cell_more_than_it_has_bits(tmp_path: Path) -> None:
    (tmp_path / "design.v").write_text(
        "module pair(input clk, input [7:0] i, input c, output reg [8:0] o);\n"
        "  reg signed [7:0] a, b, d;\n  reg s;\n  always @(posedge clk) begin\n"
        "    a <= i; b <= a; d <= b; s <= c; o <= s ? a + b : d - b;\n  end\nendmodule\n"
    )
    with Workers(1) as crew:
        found = Mapper("pair", target("ecp5-25f"), tmp_path, crew, print).measure()
    assert (found.luts, found.ffs) == (9 + 1, 3 * 8 + 1 + 9)
