"""The Verilog around a core in simulation: input registers, and rules watched at every cycle.

cocotb may touch the `_next` registers in the middle of a cycle, at any delta, and the core sees
them change at the next rising edge, as it would from a neighbour on the chip: no race, whichever
simulator runs. What has to be looked at in every single cycle is looked at here, in compiled
Verilog, so that Python wakes up for transfers only.
"""

from sylvan.sim.ports import Ports

#: The module above the core.
TOP = "sylvan_harness"

#: What a nonzero `fault` means.
FAULTS = {
    1: "o_valid fell before o_ready had come",
    2: "the payload changed while o_valid waited for o_ready",
    3: "o_valid or i_ready is unknown (x)",
    4: "the payload is unknown (x) while o_valid is up",
}

_PUBLIC = "/*verilator public_flat_rw*/"

_TEMPLATE = """\
// Made by sylvan.sim.harness around the module `{module}`.
module {top};
  reg clk {public} = 0;
  reg rst_next {public} = 1, ready_next {public} = 0;
  reg [{i_bits}:0] i_next {public} = 0;
  wire i_ready {public}, o_valid {public};
  wire [{o_bits}-1:0] o {public};
  reg [2:0] fault {public} = 0;
  reg [{o_bits}-1:0] held {public} = 0;

  reg rst = 1, o_ready = 0, waiting = 0;
  reg [{i_bits}:0] i = 0;

  // Words are {{context, last, first, data}}; an input word has its valid on top.
  {module} core (
    .clk(clk), .rst(rst),
    .i_valid(i[{i_bits}]), .i_ready(i_ready),
{context}    .i_last(i[{i_data}+1]), .i_first(i[{i_data}]), .i_data(i[{i_data}-1:0]),
    .o_valid(o_valid), .o_ready(o_ready),
    .o_last(o[{o_data}+1]), .o_first(o[{o_data}]), .o_data(o[{o_data}-1:0])
  );

  always @(posedge clk) begin
    rst <= rst_next;
    o_ready <= ready_next;
    i <= i_next;
    waiting <= o_valid & ~o_ready & ~rst;
    held <= o;
    if (!rst && fault == 0) begin
      if (waiting && o_valid === 1'b0) fault <= 1;
      else if (waiting && o !== held) fault <= 2;
      else if (^{{o_valid, i_ready}} === 1'bx) fault <= 3;
      else if (o_valid && ^o === 1'bx) fault <= 4;
    end
  end
{dump}endmodule
"""

_DUMP = """\

  initial begin
    $dumpfile("{file}");
    $dumpvars(0, {top});
  end
"""


_CONTEXT = """\
    .i_context(i[{i_bits}-1:{i_data}+2]), .o_context(o[{o_bits}-1:{o_data}+2]),
"""


def harness(ports: Ports, dump: str | None = None) -> str:
    """The Verilog text of the module `TOP` with one core of these ports inside.

    It writes a waveform to the file `dump`, if that is given.
    """
    bits = {
        "i_data": ports.input.data_bits,
        "o_data": ports.output.data_bits,
        "i_bits": ports.input.data_bits + ports.flag_bits,
        "o_bits": ports.output.data_bits + ports.flag_bits,
    }
    return _TEMPLATE.format(
        module=ports.module,
        top=TOP,
        public=_PUBLIC,
        dump=_DUMP.format(file=dump, top=TOP) if dump else "",
        context=_CONTEXT.format(**bits) if ports.contexts > 1 else "",
        **bits,
    )
