"""What a clock could be at the most on a part: a bare adder, and a bare read of a block RAM."""

from sylvan.hw.targets import Target

ADDER, MEMORY = "adder", "read"
"""Modules."""


def read_verilog(part: Target) -> str:
    """The module `read`: a block RAM as wide as it can be, read into registers of the fabric.

    Address and data come from one long shift register, and the result leaves through a chain of
    exclusive-ors, as with the bare adder of `sylvan.hw.synthesis`: three pins do.
    """
    assert part.bram_bits is not None and part.bram_width is not None
    width = part.bram_width
    words = part.bram_bits // width
    address = words.bit_length() - 1
    return f"""\
module read(input clk, input i, output o);
  reg [{width - 1}:0] memory [0:{words - 1}];
  reg [{width + 2 * address}:0] given;
  reg [{width - 1}:0] data, kept, chain;
  assign o = chain[{width - 1}];
  always @(posedge clk) begin
    given <= {{given, i}};
    if (given[0]) memory[given[{address}:1]] <= given[{width + address}:{address + 1}];
    data <= memory[given[{width + 2 * address}:{width + address + 1}]];
    kept <= data;
    chain <= kept ^ {{chain, 1'b0}};
  end
endmodule
"""
