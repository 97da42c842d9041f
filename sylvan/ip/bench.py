"""The testbench of a package, in Verilog-2005: it checks itself, and needs a simulator only."""

from sylvan.sim.ports import Cycles

from .interface import Interface, Stream
from .vectors import Vectors

PASS, FAIL, TRACE = "PASS", "FAIL", "trace"
"""What its lines begin with: the last one, or with +trace one for each cycle of the first round."""

_TEMPLATE = """\
// Self-checking testbench of the module {module}, in Verilog-2005.
//
// It sends the transfers of {stimulus} and compares what comes with {answers},
// which the golden model wrote; both lie where the simulator is started. Two rounds, each after a
// reset: one as fast as the core can, one with idle cycles and back pressure from an LFSR.
// Ends with a line {passed} and $finish, or {failed} and $stop (an exit status under `vvp -N` and
// under Verilator). +waves writes waves.vcd; +trace prints the ports in every cycle of round one.

module {module}_tb;
  parameter INPUTS = {inputs};  // transfers to send
  parameter ANSWERS = {outputs};  // transfers that must come back
  localparam WINDOW = {window};  // log2 of the cycles that one kind of weather lasts
  localparam PATIENCE = {patience};  // cycles without a transfer after which the core is stuck
  localparam DRAIN = {drain};  // cycles after the last transfer in which no other may come

  reg [{i_bits}-1:0] stimulus [0:INPUTS-1];  // {i_fields}
  reg [{o_bits}-1:0] answers [0:ANSWERS-1];  // {o_fields}
  initial $readmemh("{stimulus}", stimulus);
  initial $readmemh("{answers}", answers);

  reg clock, reset, i_valid, o_ready;
  reg [{i_bits}-1:0] i;
  wire i_ready, o_valid;
  wire [{o_bits}-1:0] o;
{more}
  {module} dut (
{connections}
  );

  initial clock = 1'b0;
  always #5 clock = ~clock;

  reg second;  // the round with pauses
  reg [31:0] noise, cycle, sent, came, quiet;
  wire [32*{repeated}-1:0] nonsense = {{{repeated}{{noise}}}};
  wire [1:0] weather = second ? cycle[WINDOW+:2] : 2'd0;
  wire rarely = &noise[2:0];
  wire go_in = weather == 2'd1 ? rarely : weather == 2'd3 ? noise[0] : 1'b1;
  // The very first answer is not awaited: a core whose valid waits for ready would be stuck.
  wire go_out = came == 0 ? o_valid : weather == 2'd2 ? 1'b0 : weather == 2'd3 ? noise[5] : 1'b1;
  wire taken = i_valid && i_ready;
  wire given = o_valid && o_ready;
  wire [31:0] next = taken ? sent + 1 : sent;
  wire send = next < INPUTS && go_in;

  reg waiting;
  reg [{o_bits}-1:0] held;

  task fail(input [40*8-1:0] what);
    begin
      $display("{failed}: %0s; round %0d, cycle %0d, %0d sent, %0d came, o is %h, expected %h",
               what, second ? 2 : 1, cycle, sent, came, o, answers[came]);
      $stop;
    end
  endtask

  initial begin
    reset = 1'b1;
    second = 1'b0;
    noise = 32'h1;
    cycle = 0;
    if ($test$plusargs("waves")) begin
      $dumpfile("waves.vcd");
      $dumpvars(1, {module}_tb);
    end
  end

  always @(posedge clock) begin
    noise <= {{noise[30:0], 1'b0}} ^ (noise[31] ? 32'h04c11db7 : 32'h0);
    cycle <= cycle + 1;
    if (reset) begin
      reset <= cycle < 2;
      i_valid <= 1'b0;
      i <= 0;
      o_ready <= 1'b0;
      waiting <= 1'b0;
      held <= 0;
      sent <= 0;
      came <= 0;
      quiet <= 0;
    end else begin
      o_ready <= go_out;
      if (taken || !i_valid) begin
        i_valid <= send;
        i <= send ? stimulus[next] : nonsense[{i_bits}-1:0];
      end
      sent <= next;
      if (given) came <= came + 1;
      waiting <= o_valid && !o_ready;
      held <= o;
      quiet <= taken || given ? 0 : quiet + 1;

      if (^{{i_ready, o_valid}} === 1'bx) fail("an unknown ready or valid");
      if (waiting && !o_valid) fail("valid fell before ready came");
      if (waiting && o !== held) fail("the payload changed before ready came");
      if (o_valid && came == ANSWERS) fail("an answer too many");
      if (given && o !== answers[came]) fail("a wrong answer");
{fault}      if (quiet == PATIENCE) fail("nothing moves any more");
      if (came == ANSWERS && sent == INPUTS && quiet == DRAIN) begin
        if (second) begin
          $display("{passed}: {module}, %0d transfers sent, %0d answers equal, in two rounds",
                   INPUTS, ANSWERS);
          $finish;
        end
        second <= 1'b1;
        reset <= 1'b1;
        cycle <= 0;
      end
      if (!second && $test$plusargs("trace"))
        $display("{trace} %b %b %h %b %b %h", i_valid, i_ready, i, o_valid, o_ready, o);
    end
  end
endmodule
"""

_FAULT = '      if ({name}) fail("{name} is up");\n'


def stimulus_file(module: str) -> str:
    return f"{module}_stimulus.hex"


def answers_file(module: str) -> str:
    return f"{module}_answers.hex"


def testbench(interface: Interface, vectors: Vectors, planned: Cycles) -> str:
    """The text of the module that sends these vectors and checks what comes."""
    # The output is held up for as long: several timesteps, so that the core fills and stops.
    window = max((2 * planned.total).bit_length(), 5)
    module = interface.module
    faults = [wire.name for wire in interface.more]
    return _TEMPLATE.format(
        module=module,
        stimulus=stimulus_file(module),
        answers=answers_file(module),
        inputs=len(vectors.stimulus),
        outputs=len(vectors.answers),
        i_bits=interface.input.bits,
        o_bits=interface.output.bits,
        i_fields=_fields(interface.input),
        o_fields=_fields(interface.output),
        window=window,
        patience=(8 << window) + 8 * planned.total,
        drain=2 * planned.total + 16,
        repeated=-(-interface.input.bits // 32),
        connections=",\n".join(f"    .{a}({b})" for a, b in _connections(interface)),
        more="".join(f"  wire {name};\n" for name in faults),
        fault="".join(_FAULT.format(name=name) for name in faults),
        passed=PASS,
        failed=FAIL,
        trace=TRACE,
    )


def _fields(stream: Stream) -> str:
    return "{" + ", ".join(wire.name for wire in reversed(stream.payload)) + "}"


def _connections(interface: Interface) -> list[tuple[str, str]]:
    """Each port of the module with what the testbench has for it."""
    reset = "~reset" if interface.active_low else "reset"
    made = [(interface.clock.name, "clock"), (interface.reset.name, reset)]
    for word, stream in (("i", interface.input), ("o", interface.output)):
        made += [(stream.valid.name, f"{word}_valid"), (stream.ready.name, f"{word}_ready")]
        place = 0
        for wire in stream.payload:
            top = f"{place + wire.bits - 1}:" if wire.bits > 1 else ""
            made.append((wire.name, f"{word}[{top}{place}]"))
            place += wire.bits
    return made + [(wire.name, wire.name) for wire in interface.more]
