// One of each kind of cell that families count differently, each with figures derived by hand.
module kinds (
    input             clk,
    input       [9:0] read, write,
    input      [11:0] a, b,
    output     [11:0] sum, kept,
    output      [3:0] small,
    output            late, odd
);
  \kinds.adder adder (.clk(clk), .a(a), .b(b), .o(sum));
  \kinds.few few (.clk(clk), .read(read[3:0]), .write(write[3:0]), .i(a[3:0]), .o(small));
  \kinds.many many (.clk(clk), .read(read), .write(write), .i(b), .o(kept));
  \kinds.line line (.clk(clk), .i(a[0]), .o(late));
  \kinds.parity parity (.clk(clk), .i(a[5:0]), .o(odd));
endmodule

module \kinds.adder (input clk, input [11:0] a, b, output reg [11:0] o);
  always @(posedge clk) o <= a + b;
endmodule

module \kinds.few (input clk, input [3:0] read, write, i, output reg [3:0] o);
  reg [3:0] words [0:15];
  always @(posedge clk) begin
    words[write] <= i;
    o <= words[read];
  end
endmodule

module \kinds.many (input clk, input [9:0] read, write, input [11:0] i, output reg [11:0] o);
  reg [11:0] words [0:1023];
  always @(posedge clk) begin
    words[write] <= i;
    o <= words[read];
  end
endmodule

module \kinds.line (input clk, input i, output o);
  reg [15:0] held;
  assign o = held[15];
  always @(posedge clk) held <= {held, i};
endmodule

module \kinds.parity (input clk, input [5:0] i, output reg o);
  always @(posedge clk) o <= ^i;
endmodule
