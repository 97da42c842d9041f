"""The Verilog around a core in simulation: input registers, and rules watched at every cycle.

cocotb may touch the `_next` registers in the middle of a cycle, at any delta, and the core sees
them change at the next rising edge, as it would from a neighbour on the chip: no race, whichever
simulator runs. What has to be looked at in every single cycle is looked at here, in compiled
Verilog, so that Python wakes up for transfers only.
"""

from sylvan.sim.ports import Ports

#: The module above the core.
TOP = "sylvan_harness"

#: Rules of a stream that comes out; where one is broken, `fault` is its place in FAULTS and 1.
_RULES = (
    "{stream}_valid fell before {stream}_ready had come",
    "the payload changed while {stream}_valid waited for {stream}_ready",
    "{stream}_valid or {ready} is unknown (x)",
    "the payload is unknown (x) while {stream}_valid is up",
)

#: Streams that come out, and the ready of one that goes in.
_STREAMS = {"o": "i_ready", "o_save": "i_save_ready", "o_load": "i_load_ready"}

#: What a nonzero `fault` means.
FAULTS = dict(
    enumerate(
        (
            rule.format(stream=stream, ready=ready)
            for stream, ready in _STREAMS.items()
            for rule in _RULES
        ),
        1,
    )
)

_PUBLIC = "/*verilator public_flat_rw*/"

_TEMPLATE = """\
// Made by sylvan.sim.harness around the module `{module}`.
module {top};
  reg clk {public} = 0;
  reg rst_next {public} = 1, ready_next {public} = 0;
  reg [{i_bits}:0] i_next {public} = 0;
  wire i_ready {public}, o_valid {public};
  wire [{o_bits}-1:0] o {public};
  reg [3:0] fault {public} = 0;
{state_wires}
  reg rst = 1, o_ready = 0;
  reg [{i_bits}:0] i = 0;

  // Words are {{context, last, first, data}}; an input word has its valid on top.
  {module} core (
    .clk(clk), .rst(rst),
    .i_valid(i[{i_bits}]), .i_ready(i_ready),
{context}{state_ports}    .i_last(i[{i_data}+1]), .i_first(i[{i_data}]), .i_data(i[{i_data}-1:0]),
    .o_valid(o_valid), .o_ready(o_ready),
    .o_last(o[{o_data}+1]), .o_first(o[{o_data}]), .o_data(o[{o_data}-1:0])
  );

  always @(posedge clk) begin
    rst <= rst_next;
    o_ready <= ready_next;
    i <= i_next;
{state_registers}  end
{watches}{dump}endmodule
"""

_WATCH = """\

  reg {stream}_waiting = 0;
  reg [{bits}-1:0] {stream}_held = 0;
  always @(posedge clk) begin
    {stream}_waiting <= {stream}_valid & ~{stream}_ready & ~rst;
    {stream}_held <= {stream};
    if (!rst && fault == 0) begin
      if ({stream}_waiting && {stream}_valid === 1'b0) fault <= {code};
      else if ({stream}_waiting && {stream} !== {stream}_held) fault <= {code} + 1;
      else if (^{{{stream}_valid, {ready}}} === 1'bx) fault <= {code} + 2;
      else if ({stream}_valid && ^{stream} === 1'bx) fault <= {code} + 3;
    end
  end
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

_STATE_WIRES = """\
  reg [{c_bits}:0] save_next {public} = 0;
  reg [{c_bits}+{s_bits}+1:0] load_next {public} = 0;
  reg saved_next {public} = 0, loaded_next {public} = 0;
  wire i_save_ready {public}, i_load_ready {public}, o_save_valid {public}, o_load_valid {public};
  wire [{s_bits}:0] o_save {public};
  wire [{a_bits}-1:0] o_load {public};
  reg o_save_ready = 0, o_load_ready = 0;
  reg [{c_bits}:0] i_save = 0;
  reg [{c_bits}+{s_bits}+1:0] i_load = 0;
"""

_STATE_PORTS = """\
    .i_save_valid(i_save[{c_bits}]), .i_save_ready(i_save_ready),
    .i_load_valid(i_load[{c_bits}+{s_bits}+1]), .i_load_ready(i_load_ready),
    .i_load_last(i_load[{s_bits}]), .i_load_data(i_load[{s_bits}-1:0]),
    .o_save_valid(o_save_valid), .o_save_ready(o_save_ready),
    .o_save_last(o_save[{s_bits}]), .o_save_data(o_save[{s_bits}-1:0]),
    .o_load_valid(o_load_valid), .o_load_ready(o_load_ready), .o_load_data(o_load),
"""

_STATE_CONTEXT = """\
    .i_save_context(i_save[{c_bits}-1:0]), .i_load_context(i_load[{c_bits}+{s_bits}:{s_bits}+1]),
"""

_STATE_REGISTERS = """\
    i_save <= save_next;
    i_load <= load_next;
    o_save_ready <= saved_next;
    o_load_ready <= loaded_next;
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
    watched = {"o": bits["o_bits"]}
    state = dict.fromkeys(("state_wires", "state_ports", "state_registers"), "")
    several = ports.contexts > 1
    if ports.state is not None:
        words = ports.state.data_bits
        bits |= {"s_bits": words, "c_bits": ports.context_bits, "a_bits": ports.state.answer_bits}
        watched |= {"o_save": words + 1, "o_load": ports.state.answer_bits}
        state = {
            "state_wires": _STATE_WIRES.format(public=_PUBLIC, **bits),
            "state_ports": (_STATE_PORTS + _STATE_CONTEXT * several).format(**bits),
            "state_registers": _STATE_REGISTERS,
        }
    watches = (
        _WATCH.format(stream=name, ready=ready, bits=watched[name], code=1 + k * len(_RULES))
        for k, (name, ready) in enumerate(_STREAMS.items())
        if name in watched
    )
    return _TEMPLATE.format(
        module=ports.module,
        top=TOP,
        public=_PUBLIC,
        dump=_DUMP.format(file=dump, top=TOP) if dump else "",
        context=_CONTEXT.format(**bits) if several else "",
        watches="".join(watches),
        **bits,
        **state,
    )
