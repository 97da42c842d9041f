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
