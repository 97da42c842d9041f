"""Which registers go into a block RAM of ECP5, and which stay: yosys maps, the netlist is read."""

import json
from pathlib import Path
from typing import Any

import pytest
from sylvan.hw.mapping import Mapper
from sylvan.hw.targets import target
from sylvan.hw.tools import Workers

MEMORY = """\
module read(input clk, rst, en, w, input [8:0] at, from, input [{top}:0] i,
  output [{top}:0] o{ports});
  reg [{top}:0] memory [0:511];
  reg [{top}:0] data, kept;
  assign o = kept;
  always @(posedge clk) begin
    if (w) memory[at] <= i;
    data <= memory[from];
    {register}
  end
  {more}
endmodule
"""
PLAIN = "kept <= data;"


def mapped(
    folder: Path, width: int, register: str, ports: str = "", more: str = ""
) -> tuple[list[Any], int]:
    """The RAMs of the mapped design, and how many flip-flops are left."""
    verilog = MEMORY.format(top=width - 1, register=register, ports=ports, more=more)
    (folder / "design.v").write_text(verilog)
    with Workers(1) as workers, workers.group() as crew:
        Mapper("read", target("ecp5-25f"), folder, crew, lambda text: None).map()
    cells = json.loads((folder / "netlist.json").read_text())["modules"]["read"]["cells"].values()
    rams = [cell for cell in cells if cell["type"] == "DP16KD"]
    return rams, sum(cell["type"] == "TRELLIS_FF" for cell in cells)


@pytest.mark.parametrize("width, sides", [(36, "AB"), (12, "B")])
def test_a_register_behind_a_ram_is_the_rams_own(width: int, sides: str, tmp_path: Path) -> None:
    (ram,), left = mapped(tmp_path, width, PLAIN)
    assert left == 0
    for side in "AB":
        moved = side in sides
        assert ram["parameters"][f"REGMODE_{side}"] == ("OUTREG" if moved else "NOREG")
        assert ram["connections"][f"OCE{side}"] == ["1"] or not moved
    assert all(bits != ["x"] for port, bits in ram["connections"].items() if port[:2] == "DO")


@pytest.mark.parametrize(
    "register, ports, more",
    [
        ("if (en) kept <= data;", "", ""),
        (f"{PLAIN} if (rst) kept <= 1;", "", ""),
        (f"{PLAIN} if (rst) kept <= 0;", "", ""),
        (f"{PLAIN} if (rst) data <= 0;", "", ""),
        (PLAIN, "", "initial kept = 12'hfff;"),
        ("kept <= data ^ i;", "", ""),
        (PLAIN, ", output [3:0] raw", "assign raw = data[3:0];"),
        (PLAIN, ", output reg two", "always @(posedge clk) two <= data[0] ^ data[1];"),
        ("", "", "always @(negedge clk) kept <= data;"),
        (PLAIN.replace("kept", "kept[10:0]"), "", "always @* kept[11] = data[11];"),
    ],
    ids=[
        "enabled",
        "reset to 1",
        "reset to 0",
        "a read is reset",
        "begins with 1",
        "logic before",
        "a port",
        "two users",
        "edge",
        "no register",
    ],
)
def test_what_is_more_than_a_register_stays(
    register: str, ports: str, more: str, tmp_path: Path
) -> None:
    (ram,), left = mapped(tmp_path, 12, register, ports, more)
    assert left >= 11
    assert {ram["parameters"][f"REGMODE_{side}"] for side in "AB"} == {"NOREG"}
