# amaranth: UnusedElaboratable=no
"""AXI4-Stream around a core: the same transfers, under that bus's names and by its customs.

It is a module of its own that holds the core as an instance, so that the core stays as it was
verified. What a processor has in memory is what passes: elements are machine integers, and a packet
is a sequence.
"""

from typing import Any

from amaranth import (
    Cat,
    ClockDomain,
    ClockSignal,
    Const,
    Instance,
    Module,
    Mux,
    ResetSignal,
    Signal,
)
from amaranth.back import verilog
from amaranth.hdl import Shape, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from sylvan.model.errors import UserError

from .beats import shape_of
from .operators.delay import successor
from .plan import Plan
from .ports import Port

MACHINE_BITS = (8, 16, 32, 64)
FAULT = "s_axis_fault"


def axi_name(core: str) -> str:
    """The name of the wrapper's module, given that of the core's."""
    return f"{core}_axi"


def slot_bits(port: Port) -> int:
    """Bits of an element on the bus: those of the smallest machine integer that holds it."""
    return next(bits for bits in MACHINE_BITS if bits >= port.element_bits)


def data_bits(port: Port) -> int:
    """Bits of TDATA: element 0 lowest, each in a slot; a power of two, as DMA takes it."""
    return 1 << (port.per_transfer * slot_bits(port) - 1).bit_length()


def can_be_malformed(plan: Plan) -> bool:
    """Whether there are transfers that make no timestep: parts of one, or a TID of no context."""
    contexts = plan.tag.contexts
    return plan.input_port.transfers > 1 or contexts & (contexts - 1) > 0


def axi_stream(port: Port, contexts: int) -> wiring.Signature:
    """AXI4-Stream for the transfers of a port; TID where there are several contexts."""
    members = {
        "tvalid": Out(1),
        "tready": In(1),
        "tdata": Out(data_bits(port)),
        "tuser": Out(1),
        "tlast": Out(1),
    }
    if contexts > 1:
        members["tid"] = Out(range(contexts))
    return wiring.Signature(members)


class AxiCore(wiring.Component):
    """A core with AXI4-Stream at both sides; the transfers are the core's, one for one.

    s_axis:  data[k] = tdata[k * slot:][: element bits];  first = tuser of a packet's first
        transfer, 0 in its other timesteps;  last = tlast of a timestep's last transfer;
        context = tid, each of which has packets of its own
    m_axis:  tdata[k * slot:][: slot] = data[k] extended;  tuser = first, on the first transfer of
        an answer;  tlast = last, on its last one;  tid = context

    Parameters: plan, without a state port; core, the name of its module.
    Members: aresetn, In(1): synchronous to aclk, active low; s_axis, In, and m_axis, Out
        (axi_stream). A slot has 8, 16, 32 or 64 bits: what an input has there above the element
        means nothing, an answer has its sign there, or zeros.
        s_axis_fault, Out(1), where an input can be malformed: TLAST came before a timestep was
        complete, TID changed within it, or is that of no context. It stays up until reset, because
        what follows is misaligned; until then nothing more is taken or offered, but an answer that
        waits already.
    Latency and interval: the core's; nothing is registered on the way.
    Cost: a flip-flop for each context, in a packet or not; where a timestep takes several
        transfers, a counter of them, `first` and TID; of an answer, a counter; of the fault, two
        flip-flops.
    Refuses a state port, whose streams are no AXI4-Stream.
    """

    def __init__(self, plan: Plan, core: str) -> None:
        if plan.schedule.state_port:
            raise UserError(
                "the streams of a state port are no AXI4-Stream: leave out --axi, or --state-port"
            )
        self.plan, self.core = plan, core
        self.domain = ClockDomain("sync")
        contexts = plan.tag.contexts
        members = {
            "aresetn": In(1),
            "s_axis": In(axi_stream(plan.input_port, contexts)),
            "m_axis": Out(axi_stream(plan.output_port, contexts)),
        }
        if can_be_malformed(plan):
            members[FAULT] = Out(1)
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.domains += self.domain
        taken, given = self.plan.input_port, self.plan.output_port
        i_data = Signal(taken.transfer_bits)
        o_data = Signal(given.transfer_bits)
        i_ready, i_first, o_valid, o_first, o_last = (
            Signal(name=name) for name in ("i_ready", "i_first", "o_valid", "o_first", "o_last")
        )
        fault = getattr(self, FAULT) if FAULT in self.signature.members else Const(0)
        context = {}
        if self.plan.tag.contexts > 1:
            context = {"i_i_context": self.s_axis.tid, "o_o_context": self.m_axis.tid}
        m.submodules.core = Instance(
            self.core,
            i_clk=ClockSignal(),
            i_rst=ResetSignal(),
            i_i_valid=self.s_axis.tvalid & ~fault,
            o_i_ready=i_ready,
            i_i_data=i_data,
            i_i_first=i_first,
            i_i_last=self.s_axis.tlast,
            o_o_valid=o_valid,
            i_o_ready=self.m_axis.tready,
            o_o_data=o_data,
            o_o_first=o_first,
            o_o_last=o_last,
            **context,
        )
        opens, closes = self._counted(m, "input", self.s_axis, taken.transfers)
        m.d.comb += [
            ResetSignal().eq(~self.aresetn),
            i_data.eq(Cat(_packed(self.s_axis.tdata, taken))),
            self.s_axis.tready.eq(i_ready & ~fault),
            i_first.eq(self._held(m, "first", self._begins(m), opens)),
        ]
        offered: Value = o_valid
        if FAULT in self.signature.members:
            self._check(m, opens, closes)
            offered = o_valid & (~fault | self._waiting(m))
        opens, closes = self._counted(m, "answer", self.m_axis, given.transfers)
        m.d.comb += [
            # The bus forbids a valid transfer in any cycle of reset, its first included.
            self.m_axis.tvalid.eq(offered & self.aresetn),
            self.m_axis.tdata.eq(Cat(_spread(o_data, given))),
            self.m_axis.tuser.eq(o_first & opens),
            self.m_axis.tlast.eq(o_last & closes),
        ]
        return m

    def _counted(self, m: Module, name: str, stream: Any, transfers: int) -> tuple[Any, Any]:
        """Whether a transfer opens, and whether it closes, the vector that it is a part of."""
        if transfers == 1:
            return 1, 1
        count = Signal(range(transfers), name=f"{name}_transfer")
        with m.If(stream.tvalid & stream.tready):
            m.d.sync += count.eq(successor(count, transfers))
        return count == 0, count == transfers - 1

    def _begins(self, m: Module) -> Value:
        """TUSER, in the first timestep of a packet: a bit for each context tells who is in one."""
        inside = Signal(self.plan.tag.contexts, name="inside_packet")
        stream = self.s_axis
        several = len(inside) > 1
        with m.If(stream.tvalid & stream.tready):
            one: Any = inside.bit_select(stream.tid, 1) if several else inside
            m.d.sync += one.eq(~stream.tlast)
        # Of a part that a number selects, Verilog would be printed that cuts off the rest unseen.
        found: Any = (inside >> stream.tid)[0] if several else inside
        return stream.tuser & ~found

    def _waiting(self, m: Module) -> Value:
        """Whether an answer was offered and not taken: the bus forbids to take it back."""
        waiting = Signal(name="answer_waiting")
        m.d.sync += waiting.eq(self.m_axis.tvalid & ~self.m_axis.tready)
        return waiting

    def _held(self, m: Module, name: str, value: Value, opens: Any) -> Any:
        """What the transfer that opened this timestep said."""
        if isinstance(opens, int):
            return value
        held = Signal.like(value, name=f"held_{name}", reset_less=True)
        with m.If(self.s_axis.tvalid & opens):
            m.d.sync += held.eq(value)
        return Mux(opens, value, held)

    def _check(self, m: Module, opens: Any, closes: Any) -> None:
        malformed = self.s_axis.tlast & ~Value.cast(closes)
        contexts = self.plan.tag.contexts
        if contexts > 1:
            tid = self.s_axis.tid
            malformed |= self._held(m, "tid", tid, opens) != tid
            malformed |= tid >= contexts
        with m.If(self.s_axis.tvalid & self.s_axis.tready & malformed):
            m.d.sync += getattr(self, FAULT).eq(1)


def _packed(data: Any, port: Port) -> list[Any]:
    """The elements of a transfer as the core takes them, out of their slots."""
    bits = slot_bits(port)
    return [data[k * bits :][: port.element_bits] for k in range(port.per_transfer)]


def _spread(data: Any, port: Port) -> list[Any]:
    """The elements of a transfer, each extended to its slot by its sign or by zeros."""
    shape = shape_of(port.value.format)
    slots = []
    for k in range(port.per_transfer):
        element = data.word_select(k, shape.width)
        padding = element[-1] if shape.signed else 0
        missing = slot_bits(port) - shape.width
        slots.append(Cat(element, Value.cast(padding).replicate(missing)))
    return slots


def describe_axi(plan: Plan, core: str) -> dict[str, Any]:
    """The AXI4-Stream ports as data: what `ports.json` says of them."""
    ports = {"input": plan.input_port, "output": plan.output_port}
    sides = {
        side: {"slot_bits": slot_bits(port), "tdata_bits": data_bits(port)}
        for side, port in ports.items()
    }
    tid = Shape.cast(range(plan.tag.contexts)).width if plan.tag.contexts > 1 else 0
    return {"module": axi_name(core), "tid_bits": tid, "fault": can_be_malformed(plan), **sides}


def generate_axi(plan: Plan, core: str) -> str:
    """Verilog-2001 of the wrapper around the module `core`, after a header."""
    axi = AxiCore(plan, core)
    ports: dict[str, Any] = {"aclk": (axi.domain.clk, None), "aresetn": (axi.aresetn, None)}
    for side in ("s_axis", "m_axis"):
        wires = getattr(axi, side)
        names = axi.signature.members[side].signature.members
        ports |= {f"{side}_{name}": (getattr(wires, name), None) for name in names}
    if can_be_malformed(plan):
        ports[FAULT] = (getattr(axi, FAULT), None)
    text = verilog.convert(
        axi, name=axi_name(core), ports=ports, emit_src=False, strip_internal_attrs=True
    )
    return _header(plan, core) + text


def _header(plan: Plan, core: str) -> str:
    """The comment at the top of the file."""
    lines = [f"{axi_name(core)}: AXI4-Stream around the module {core}", ""]
    lines += ["aclk, aresetn: clock; synchronous reset, active low, one cycle is enough"]
    streams = ("s_axis", plan.input_port, "a timestep"), ("m_axis", plan.output_port, "an answer")
    for stream, port, what in streams:
        lines += [
            f"{stream}_tdata carries {port.per_transfer} element(s), element 0 lowest, each in "
            f"{slot_bits(port)} bits;",
            f"  {what} has {port.value.size} element(s) in {port.transfers} transfer(s)",
        ]
    lines += [
        "s_axis_tuser: first, taken from the first transfer of a packet",
        "s_axis_tlast: last, on the last transfer of a sequence: a packet is a sequence",
        "m_axis_tuser, m_axis_tlast: the same of the timestep that is answered",
    ]
    if plan.tag.contexts > 1:
        lines.append(f"tid: the context, 0 to {plan.tag.contexts - 1}")
    if can_be_malformed(plan):
        lines.append(
            f"{FAULT}: up, until reset, after an input that is no whole timestep; all stops"
        )
    return "".join(f"// {line}".rstrip() + "\n" for line in lines) + "\n"
