"""How vectors cross the borders of a core: whatever the lanes, because a host must not care."""

from dataclasses import dataclass

from sylvan.model.operations import Value
from sylvan.model.program import Program

from .beats import shape_of

MAX_TRANSFER_BITS = 128


@dataclass(frozen=True)
class Port:
    """How the elements of a vector cross a stream of the core."""

    value: Value
    per_transfer: int

    @property
    def element_bits(self) -> int:
        """Bits of an element."""
        return shape_of(self.value.format).width

    @property
    def transfer_bits(self) -> int:
        """Bits of the elements of a transfer."""
        return self.per_transfer * self.element_bits

    @property
    def transfers(self) -> int:
        """Transfers per timestep; one where no element crosses, for its flags."""
        return -(-self.value.size // self.per_transfer) if self.per_transfer else 1


def input_port(program: Program) -> Port:
    """As many whole elements per transfer as fit; one, however wide it is."""
    value = program.input.value
    fitting = MAX_TRANSFER_BITS // shape_of(value.format).width
    return Port(value, max(min(value.size, fitting), 1))


def flags_port(value: Value) -> Port:
    """No element: the vector is in a memory by then."""
    return Port(Value(value.name, 0, value.format), 0)


def output_port(program: Program) -> Port:
    """One element per transfer, so that small parts have pins enough."""
    return Port(program.output, 1)


HASH_BITS = 32
"""Leading bits of the program's hash that an image of the state begins with."""
LEAST_IMAGE_BITS = 8


@dataclass(frozen=True)
class StateImage:
    """How the state of a context crosses the streams of the state port.

    A transfer has `bits`; what is over in it is the number's sign, or zeros. First comes the
    hash, its lowest bits in the first transfer; then one transfer with the phase above a bit that
    says whether the context is fresh; then the states' elements, each in a transfer.
    """

    period: int
    states: tuple[Value, ...]

    @property
    def bits(self) -> int:
        """Bits of a transfer."""
        widths = (shape_of(state.format).width for state in self.states)
        return max(LEAST_IMAGE_BITS, 1 + (self.period - 1).bit_length(), *widths)

    @property
    def hash_transfers(self) -> int:
        """Transfers of the hash."""
        return -(-HASH_BITS // self.bits)

    @property
    def transfers(self) -> int:
        """Transfers of an image."""
        return self.hash_transfers + 1 + sum(state.size for state in self.states)

    def hash_words(self, program_sha256: str) -> list[int]:
        """The transfers of a program's hash."""
        leading = int(program_sha256, 16) >> (256 - HASH_BITS)
        words = range(self.hash_transfers)
        return [(leading >> k * self.bits) % (1 << self.bits) for k in words]


def state_image(program: Program) -> StateImage:
    """Of the states of all layers, in their order."""
    states = tuple(state.value for layer in program.layers for state in layer.states)
    return StateImage(program.period, states)
