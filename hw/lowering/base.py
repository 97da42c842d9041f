# amaranth: UnusedElaboratable=no
"""What a lowering is: the answer to a demand for a value, and the table of them by operation."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from sylvan.model.arrays import Array
from sylvan.model.errors import UserError
from sylvan.model.numbers import Format
from sylvan.model.operations import Operation, Value
from sylvan.model.program import Node

from ..beats import Pattern
from ..operators.base import Operator
from ..operators.rom import Rom, pack_beats
from ..schedule import Schedule


@dataclass(frozen=True)
class Demand:
    """A value wanted in a pattern."""

    value: Value
    pattern: Pattern


@dataclass(frozen=True)
class Lowered:
    """An operator, the pattern of its result, and where its operands come from.

    `role` tells operators of one node apart: its own result has none.
    """

    operator: Operator
    pattern: Pattern
    operands: tuple["Demand | Lowered", ...] = ()
    role: str = ""


class Body:
    """The nodes of one body under one schedule, with what lowerings need to know of each other.

    Parameters: nodes; sinks, names of the values that the body makes; schedule; period.
    Raises UserError, naming the operation, if one has no hardware.
    """

    def __init__(
        self, nodes: Sequence[Node], sinks: Iterable[str], schedule: Schedule, period: int
    ) -> None:
        self.schedule = schedule
        self.period = period
        self.nodes = {node.result.name: node for node in nodes}
        self.uses = Counter(value.name for node in nodes for value in node.operands)
        self.uses.update(sinks)
        self.lowerings: dict[str, Lowering] = {}
        for name, node in self.nodes.items():
            self.lowerings[name] = lowering(node, self)

    def dwell(self, value: Value) -> int:
        """Cycles that an element of `value` takes on a single lane; 1 for what is stored."""
        found = self.lowerings.get(value.name)
        return found.dwell if found else 1


class Lowering:
    """How one operation becomes hardware, for one node of a body."""

    registry: ClassVar[dict[type[Operation], type["Lowering"]]] = {}

    def __init__(self, node: Node, body: Body) -> None:
        self.node = node
        self.body = body
        self.schedule = body.schedule
        self.period = body.period
        self.size = node.result.size
        self.result = node.result.format
        self.formats = [v.format for v in node.operands]

    @property
    def dwell(self) -> int:
        """Cycles per element that this operation needs on a single lane."""
        return max((self.body.dwell(v) for v in self.node.operands), default=1)

    def natural(self, pattern: Pattern) -> Pattern:
        """The pattern closest to the one demanded that the operator produces by itself."""
        return pattern

    def lower(self, pattern: Pattern) -> "Lowered | Demand":
        """The operator for a natural pattern; a Demand where the value merely has a new name."""
        raise NotImplementedError

    def passed(self, pattern: Pattern) -> tuple[Demand, ...]:
        """All operands in the pattern of the result."""
        return tuple(Demand(v, pattern) for v in self.node.operands)

    def rom(self, vectors: Array, pattern: Pattern, format: Format, role: str) -> Lowered:
        """Constant vectors (phases, size) passing in `pattern`."""
        words = pack_beats(vectors, pattern.lanes)
        return Lowered(Rom(words, pattern, format, self.period), pattern, role=role)


def lowers(*kinds: type[Operation]) -> Callable[[type[Lowering]], type[Lowering]]:
    """Register a lowering for operations of `kinds`."""

    def register(lowering: type[Lowering]) -> type[Lowering]:
        Lowering.registry |= dict.fromkeys(kinds, lowering)
        return lowering

    return register


def lowering(node: Node, body: Body) -> Lowering:
    """The lowering of a node. Raises UserError, naming the operation, if it has no hardware."""
    kind = type(node.operation)
    if kind not in Lowering.registry:
        known = sorted(k.kind for k in Lowering.registry)
        raise UserError(
            f"{node.result.name}: the operation {kind.kind!r} has no hardware yet; "
            f"there is hardware for {', '.join(known)}"
        )
    return Lowering.registry[kind](node, body)
