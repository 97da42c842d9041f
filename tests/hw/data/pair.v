// Two accumulators and a memory, named as Amaranth names modules: small, but one of everything
// that the figures count.
module pair (
    input            clk,
    input            rst,
    input      [3:0] i,
    output reg [3:0] o
);
  wire [3:0] short_sum, long_sum, kept;
  \pair.short left (.clk(clk), .rst(rst), .i(i), .o(short_sum));
  \pair.long right (.clk(clk), .rst(rst), .i(short_sum), .o(long_sum));
  \pair.memory memory (.clk(clk), .address({short_sum, long_sum}), .i(i), .o(kept));
  always @(posedge clk) o <= kept;
endmodule

module \pair.short (input clk, input rst, input [3:0] i, output reg [3:0] o);
  always @(posedge clk) o <= rst ? 0 : o + i;
endmodule

module \pair.long (input clk, input rst, input [3:0] i, output [3:0] o);
  reg [11:0] sum;
  assign o = sum[11:8];
  always @(posedge clk) sum <= rst ? 0 : sum + i;
endmodule

module \pair.memory (input clk, input [7:0] address, input [3:0] i, output reg [3:0] o);
  (* ram_style = "block" *) reg [3:0] words [0:255];
  always @(posedge clk) begin
    words[address] <= i;
    o <= words[address];
  end
endmodule
