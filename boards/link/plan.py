"""The sizes of the link of one core, for the host, the gateware and whoever asks for the cost."""

from sylvan.hw.plan import Plan
from sylvan.hw.ports import Port
from sylvan.model.errors import UserError

from .frames import CRC_BYTES, Kind, line_bytes
from .uart import clocks_per_bit
from .vectors import MOST_CONTEXTS, Identity, Vector

MEMORY_BYTES = 1024
MOST_ROOM = 64
UNCHECKED = {"no_rw_check": 1}
"""Of memories whose words are never read in the cycle in which they are written."""


class LinkPlan:
    """What a core and a line make of docs/link.md.

    Attributes: identity; clock_hz, baud, and clocks per bit; `step` and `answer`, a Waiting each.
    Refuses a core with a state port, more than 256 contexts, and a baud rate the clock cannot make.
    """

    def __init__(self, plan: Plan, clock_hz: float, baud: int) -> None:
        if plan.schedule.state_port:
            raise UserError("the link carries no images of the state: leave out the state port")
        if plan.tag.contexts > MOST_CONTEXTS:
            raise UserError(
                f"the link carries {MOST_CONTEXTS} contexts at most, got {plan.tag.contexts}"
            )
        self.plan = plan
        self.identity = Identity.of(plan.program, plan.tag.contexts)
        self.clock_hz, self.baud = clock_hz, baud
        self.clocks = clocks_per_bit(clock_hz, baud)
        self.step = Waiting(Kind.STEP, plan.input_port)
        self.answer = Waiting(Kind.ANSWER, plan.output_port)

    @property
    def longest(self) -> int:
        """Bytes of the longest frame that the board sends."""
        payload = max(self.answer.vector.payload_bytes, len(self.identity.encode()))
        return line_bytes(Kind.ANSWER, payload)


class Waiting:
    """How timesteps or answers wait in a memory: each at the front of its place.

    Parameters: kind, of their frames; port, of the core.
    """

    def __init__(self, kind: Kind, port: Port) -> None:
        self.vector = Vector.of(port)
        self.begins = kind.header_bytes
        self.ends = self.begins + self.vector.payload_bytes
        """Bytes of the header, and of header and payload, which are what waits."""
        self.place_bits = (self.ends - 1).bit_length()
        fitting = MEMORY_BYTES >> self.place_bits
        self.room_bits = (min(max(fitting, 2), MOST_ROOM)).bit_length() - 1

    @property
    def room(self) -> int:
        """Timesteps or answers that can wait."""
        return 1 << self.room_bits

    @property
    def depth(self) -> int:
        """Bytes of the memory."""
        return 1 << self.room_bits + self.place_bits

    @property
    def frame_bytes(self) -> int:
        """Bytes of a frame's content."""
        return self.ends + CRC_BYTES
