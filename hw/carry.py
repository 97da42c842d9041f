"""Lean carry chains on ECP5, where a cell CCU2C is two halves of one LUT and one bit of carry each.

By themselves the tools spend two cells more on every adder: yosys gives the first cell a constant
as its carry, which nextpnr feeds in by a cell of its own, and yosys names the last one's carry,
which nextpnr feeds out by another, whether anybody wants it or not. Here an adder of n bits takes
n + 1 LUTs: what is carried into the chain is generated in the chain's first half.
"""

from typing import Any

ADDERS = "carry.v"
"""The file in the work folder that `MAP` is written to."""

#: A first half whose own table is 0 carries what its two inputs alone say. Either they say what is
#: carried into bit 0, or they are bit 0 itself, whose sum is then a LUT beside the chain: whichever
#: makes the number of halves even. Carries that somebody wants follow from the sums.
MAP = """\
(* techmap_celltype = "$alu" *)
module adder(A, B, CI, BI, X, Y, CO);
  parameter A_SIGNED = 0;
  parameter B_SIGNED = 0;
  parameter A_WIDTH = 1;
  parameter B_WIDTH = 1;
  parameter Y_WIDTH = 1;
  parameter _TECHMAP_CONSTMSK_CI_ = 0;
  parameter _TECHMAP_CONSTVAL_CI_ = 0;
  parameter _TECHMAP_CONSTMSK_BI_ = 0;
  parameter _TECHMAP_CONSTVAL_BI_ = 0;
  (* force_downto *) input [A_WIDTH-1:0] A;
  (* force_downto *) input [B_WIDTH-1:0] B;
  input CI, BI;
  (* force_downto *) output [Y_WIDTH-1:0] X, Y, CO;

  // Short ones are logic.
  wire _TECHMAP_FAIL_ = Y_WIDTH <= 4;

  localparam BESIDE = _TECHMAP_CONSTMSK_CI_ && _TECHMAP_CONSTMSK_BI_ && Y_WIDTH % 2 == 0;
  localparam HALVES = BESIDE ? Y_WIDTH : (Y_WIDTH + 2) / 2 * 2;
  localparam [3:0] CARRIED = !BESIDE ? 4'b1010
    : _TECHMAP_CONSTVAL_CI_ ? (_TECHMAP_CONSTVAL_BI_ ? 4'b1011 : 4'b1110)
    : (_TECHMAP_CONSTVAL_BI_ ? 4'b0010 : 4'b1000);

  (* force_downto *) wire [Y_WIDTH-1:0] a, b;
  \\$pos #(.A_SIGNED(A_SIGNED), .A_WIDTH(A_WIDTH), .Y_WIDTH(Y_WIDTH)) pos_a (.A(A), .Y(a));
  \\$pos #(.A_SIGNED(B_SIGNED), .A_WIDTH(B_WIDTH), .Y_WIDTH(Y_WIDTH)) pos_b (.A(B), .Y(b));
  wire [Y_WIDTH-1:0] added = BI ? ~b : b;

  (* force_downto *) wire [HALVES-1:0] first, second, sum;
  wire [HALVES:0] carry;
  genvar i;
  generate
    if (BESIDE) begin
      assign first = a, second = b;
      assign Y = {sum[Y_WIDTH-1:1], a[0] ^ added[0] ^ CI};
    end else begin
      assign first = {a, CI}, second = {b, 1'b0};
      assign Y = sum[Y_WIDTH:1];
    end
    for (i = 0; i < HALVES; i = i + 2) begin : cells
      CCU2C #(
        .INIT0(i ? 16'h96AA : {12'b0, CARRIED}), .INIT1(16'h96AA),
        .INJECT1_0("NO"), .INJECT1_1("NO")
      ) cell (
        .A0(first[i]), .B0(second[i]), .C0(i ? BI : 1'b1), .D0(1'b1), .S0(sum[i]),
        .A1(first[i+1]), .B1(second[i+1]), .C1(BI), .D1(1'b1), .S1(sum[i+1]),
        .CIN(i ? carry[i] : 1'b0), .COUT(carry[i+2])
      );
    end
  endgenerate

  assign X = a ^ added;
  assign CO = (a & added) | ((a | added) & ~Y);
endmodule
"""


def free_ends(netlist: dict[str, Any]) -> None:
    """Disconnect the ends of chains that say nothing, so that nextpnr feeds nothing in or out."""
    cells = netlist["cells"].values()
    used = {bit for port in netlist["ports"].values() for bit in port["bits"]}
    for cell in cells:
        for port, bits in cell["connections"].items():
            if cell["port_directions"].get(port) == "input":
                used.update(bits)
    for cell in cells:
        if cell["type"] == "CCU2C":
            ends = cell["connections"]
            if used.isdisjoint(ends["COUT"]):
                ends["COUT"] = ["x"]
            # With 1 at the upper two inputs, these are the entries of the table that decide
            # whether the carry is passed on.
            if cell["parameters"]["INIT0"].startswith("0000") and ends["CIN"][0] in ("0", "1"):
                ends["CIN"] = ["x"]
