// A core small enough to be checked by eye, with the ports of every generated core: three states s = 3 * s + x modulo 256,
// x being 4 signed bits; 2 input transfers, WORK cycles of work, 3 output transfers. Each fault is caught by a test.
module core (
  input clk, input rst,
  input i_valid, output i_ready, input [7:0] i_data, input i_first, input i_last,
  output o_valid, input o_ready, output [7:0] o_data, output o_first, output o_last
);
  localparam EVERY = `EVERY, WORK = `WORK;
  localparam WAIT_INPUT = 0, WORKING = 1, ANSWER = 2;

  reg [1:0] state = WAIT_INPUT, index = 0;
  reg second = 0, first = 0, last = 0;
  reg [7:0] held = 0, work = 0, s0 = 0, s1 = 0, s2 = 0, answers = 0, age = 0;
  wire [7:0] s = index == 0 ? s0 : index == 1 ? s1 : s2;

  assign i_ready = state == WAIT_INPUT;
`ifdef FAULT_VALID_WAITS
  assign o_valid = state == ANSWER && o_ready;
`elsif FAULT_VALID_FALLS
  assign o_valid = state == ANSWER && age != 1;
`elsif FAULT_VALID_UNKNOWN
  assign o_valid = state == ANSWER ? 1'b1 : answers == 3 ? 1'bx : 1'b0;
`else
  assign o_valid = state == ANSWER;
`endif
`ifdef FAULT_DATA
  assign o_data = answers == 5 && index == 1 ? s ^ 8'h10 : s;
`elsif FAULT_PAYLOAD_CHANGES
  assign o_data = s ^ age;
`elsif FAULT_DATA_UNKNOWN
  assign o_data = answers == 5 && index == 1 ? 8'bx : s;
`else
  assign o_data = s;
`endif
  assign o_first = first;
`ifdef FAULT_FLAG
  assign o_last = last || EVERY;
`else
  assign o_last = last;
`endif

  always @(posedge clk) begin
    case (state)
      WAIT_INPUT: if (i_valid) begin
        second <= ~second;
        if (!second) held <= i_data;
        else begin
          state <= WORKING; work <= WORK - 1; first <= i_first; last <= i_last;
          s0 <= (i_first ? 8'd0 : 3 * s0) + {{4{held[3]}}, held[3:0]};
          s1 <= (i_first ? 8'd0 : 3 * s1) + {{4{held[7]}}, held[7:4]};
          s2 <= (i_first ? 8'd0 : 3 * s2) + {{4{i_data[3]}}, i_data[3:0]};
        end
      end
      WORKING:
        if (work != 0) work <= work - 1;
        else begin
          index <= 0; age <= 0;
          state <= last || EVERY ? ANSWER : WAIT_INPUT;
          if (last || EVERY) answers <= answers + 1;
`ifdef FAULT_STALLS_ONCE
          if (answers == 5) state <= 3;
`endif
        end
      ANSWER:
        if (o_ready) begin
          index <= index + 1; age <= 0;
          if (index == 2) state <= WAIT_INPUT;
`ifdef FAULT_DROPS
          if (answers == 5 && index == 0) index <= 2;
`elsif FAULT_REPEATS
          if (answers == 5 && index == 2) begin index <= 2; answers <= 6; state <= ANSWER; end
`endif
        end else age <= age + 1;
    endcase
`ifdef FAULT_EXTRA
    // Long after everything, one more answer.
    if (state == WAIT_INPUT && !i_valid) age <= age + 1; else if (state == WAIT_INPUT) age <= 0;
    if (state == WAIT_INPUT && age == 60) begin state <= ANSWER; index <= 2; end
`endif
    if (rst) begin
      state <= WAIT_INPUT; answers <= 0; age <= 0;
`ifndef FAULT_TRANSFER_SURVIVES
      second <= 0;
`endif
`ifndef FAULT_STATE_SURVIVES
      s0 <= 0; s1 <= 0; s2 <= 0;
`endif
    end
  end
endmodule
