# amaranth: UnusedElaboratable=no
"""What a lowering is: the answer to a demand for a value, and the table of them by operation."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar

import numpy as np
from sylvan.model.arrays import Array
from sylvan.model.errors import UserError
from sylvan.model.numbers import Format
from sylvan.model.operations import Operation, Value
from sylvan.model.program import Node

from ..beats import Pattern, Tag, digits
from ..operators.base import Operator
from ..operators.elementwise import Multiply
from ..operators.rom import Rom, pack_beats
from ..operators.shift_add import ShiftAdd
from ..schedule import Schedule


@dataclass(frozen=True)
class Demand:
    """A value wanted in a pattern."""

    value: Value
    pattern: Pattern


@dataclass(frozen=True)
class Lowered:
    """An operator, the pattern of its result, and where its operands come from.

    `role` tells operators of one node apart: its own result has none. `name` is the value's, where
    the operator is made for that of another node.
    """

    operator: Operator
    pattern: Pattern
    operands: tuple["Demand | Lowered", ...] = ()
    role: str = ""
    name: str = ""


@dataclass(frozen=True)
class Unsigned:
    """A value before its signs are turned: its format, and an operator that says which are."""

    plain: Lowered
    format: Format
    signs: Lowered


class Body:
    """The nodes of one body under one schedule, with what lowerings need to know of each other.

    Parameters: nodes; sources and sinks, values that the body is given and makes; schedule; tag.
    Attributes: where digits pass, longest, bits of the widest word, and word, the cycles that one
        takes: enough for every value that passes.
    Raises UserError, naming the operation, if one has no hardware.
    """

    def __init__(
        self,
        nodes: Sequence[Node],
        sources: Sequence[Value],
        sinks: Sequence[Value],
        schedule: Schedule,
        tag: Tag,
    ) -> None:
        self.schedule = schedule
        self.tag = tag
        self.sinks = sinks
        self.nodes = {node.result.name: node for node in nodes}
        self.users: dict[str, list[Node | None]] = {value.name: [None] for value in sinks}
        for node in nodes:
            for value in node.operands:
                self.users.setdefault(value.name, []).append(node)
        self.lowerings = {name: lowering(node, self) for name, node in self.nodes.items()}
        self._passing = [*sources, *sinks]
        self.longest = self.word = 1
        if schedule.digit:
            self.longest, self.word = self._word(1), self._word(schedule.digit)

    def _word(self, digit: int) -> int:
        """Digits of so many bits that hold every value on its way."""
        passing = (digits(value.format, digit) for value in self._passing)
        return max(*passing, *(found.least_digits(digit) for found in self.lowerings.values()))

    def order(self, value: Value) -> Pattern:
        """In which whole vectors pass: digits where the schedule has any."""
        lanes = self.schedule.over(value.size)
        return Pattern(value.size, lanes, self.word, 1, self.schedule.digit)

    def inner(self, value: Value) -> Node | None:
        """The node of a value that a graph may contain: it is linear and has a single user."""
        node, users = self.nodes.get(value.name), self.users.get(value.name, [])
        return node if node and len(users) == 1 and self.lowerings[value.name].linear else None

    def contained(self, value: Value) -> bool:
        """Whether the graph of another value does contain it."""
        if self.inner(value) is None:
            return False
        (user,) = self.users[value.name]
        if user is None:
            return False
        found = self.lowerings[user.result.name]
        return found.linear and (found.graphed or self.contained(user.result))

    @cached_property
    def on_one_lane(self) -> bool:
        """Whether there is anything that passes on a single lane."""
        return any(found.single for found in self.lowerings.values())

    def leads_to(self, value: Value, kind: type[Operation]) -> bool:
        """Whether an operation of that kind takes `value`, or what is made of it."""
        users = [node for node in self.users.get(value.name, []) if node is not None]
        return any(isinstance(n.operation, kind) or self.leads_to(n.result, kind) for n in users)

    def single(self, value: Value) -> bool:
        """Whether `value` passes on a single lane; not if it is stored."""
        found = self.lowerings.get(value.name)
        return found is not None and found.single

    def stays_single(self, state: Value, following: str) -> bool:
        """Whether a state, which becomes the value `following`, is written and read on one lane."""
        users = [user.result.name if user else "" for user in self.users.get(state.name, [])]
        found = [self.lowerings.get(name) for name in (following, *users)]
        return all(lowering is not None and lowering.single for lowering in found)

    def outer_cycles(self, value: Value) -> int:
        """Cycles of the longest product beneath `value` that comes on all lanes."""
        found = self.lowerings.get(value.name)
        return found.outer_cycles if found else 0

    def dwell(self, value: Value) -> int:
        """Cycles that an element of `value` takes on a single lane; 1 for what is stored."""
        found = self.lowerings.get(value.name)
        return found.dwell if found else 1


def agree_on_words(bodies: Sequence[Body], digit: int) -> None:
    """Let words take as many digits in all bodies, for they pass from one to the next.

    Raises UserError if none has as many bits as a digit.
    """
    longest = max(body.longest for body in bodies)
    if digit > longest:
        raise UserError(
            f"a digit of {digit} bits for a program whose widest word has "
            f"{longest}; use 1 to {longest}, or whole words"
        )
    word = max(body.word for body in bodies)
    for body in bodies:
        body.word = word


class Lowering:
    """How one operation becomes hardware, for one node of a body.

    Attributes:
        serial: whether there is a form digit by digit.
        graphed: whether that is an adder graph.
        linear: whether the result's lanes are sums of constant multiples of its operands' lanes in
            the same beat.
    """

    serial: bool = False
    graphed: ClassVar[bool] = False
    linear: bool = False
    registry: ClassVar[dict[type[Operation], type["Lowering"]]] = {}

    def __init__(self, node: Node, body: Body) -> None:
        self.node = node
        self.body = body
        self.schedule = body.schedule
        self.tag = body.tag
        self.size = node.result.size
        self.result = node.result.format
        self.formats = [v.format for v in node.operands]

    @cached_property
    def single(self) -> bool:
        """Whether the result passes on a single lane because an operand does.

        What is large in every lane asks for it where the products beneath take so long that a
        single one keeps up with them.
        """
        return any(self.body.single(v) for v in self.node.operands)

    @cached_property
    def outer_cycles(self) -> int:
        """Cycles of the longest product beneath that comes on all lanes."""
        return max((self.body.outer_cycles(v) for v in self.node.operands), default=0)

    @property
    def dwell(self) -> int:
        """Cycles per element that this operation needs on a single lane."""
        return max((self.body.dwell(v) for v in self.node.operands), default=1)

    def least_digits(self, digit: int) -> int:
        """Digits of so many bits in a word that holds all that this operation takes and makes."""
        return max(digits(format, digit) for format in (self.result, *self.formats))

    def natural(self, pattern: Pattern) -> Pattern:
        """The pattern closest to the one demanded that the operator produces by itself.

        What has a form digit by digit produces nothing else where the schedule wants digits.
        """
        if self.schedule.digit and self.serial:
            return self.body.order(self.node.result)
        return self.on_one_lane if self.single else pattern.words

    @property
    def on_one_lane(self) -> Pattern:
        """Element after element, as fast as the products beneath."""
        return Pattern(self.size, 1, self.dwell)

    def lower(self, pattern: Pattern) -> "Lowered | Demand":
        """The operator for a natural pattern; a Demand where the value merely has a new name."""
        raise NotImplementedError

    def named(self, lowered: Lowered) -> Lowered:
        """An operator of this node that is made for another."""
        return replace(lowered, role="", name=self.node.result.name)

    def passed(self, pattern: Pattern) -> tuple[Demand, ...]:
        """All operands in the pattern of the result."""
        return tuple(Demand(v, pattern) for v in self.node.operands)

    def unsigned(self, pattern: Pattern) -> "Unsigned | None":
        """The result before signs are turned, where turning them is left to a sum."""
        return None

    def biased(self, pattern: Pattern, bias: int) -> "Lowered | None":
        """The result with `bias` added to every lane, where that costs no adder in each."""
        return None

    def alone(self, value: Value) -> "Lowering | None":
        """The lowering of an operand that nothing else uses."""
        users = self.body.users.get(value.name, [])
        return self.body.lowerings.get(value.name) if len(users) == 1 else None

    def multiply(self, pattern: Pattern, formats: list[Format], result: Format) -> Operator:
        """A product in each lane; where all goes at the pace of one lane, while its beat stays."""
        made = Multiply(pattern.lanes, formats, result, self.tag, self.schedule.dsps)
        slow = self.body.on_one_lane and pattern.lanes == 1 and pattern.dwell > 1
        if slow and not made.product.in_block:
            return ShiftAdd(pattern, formats, result, self.tag)
        return made

    def rom(self, vectors: Array, pattern: Pattern, format: Format, role: str) -> Lowered:
        """Constant vectors (phases, size) passing in `pattern`."""
        words = pack_beats(vectors, pattern.lanes)
        logic = self.schedule.logic_roms
        return Lowered(Rom(words, pattern, format, self.tag, logic), pattern, role=role)

    def lanewise(self, raw: Array, exp: int, pattern: Pattern, role: str) -> Lowered:
        """Constants (phases, size) that pass with the lanes of `pattern`, or (phases, 1) for all.

        One for all, or as many that are equal, take one word, which stays for the whole passage.
        """
        format = Format(int(raw.min()), int(raw.max()), exp)
        vectors = np.broadcast_to(raw, (len(raw), self.size))
        if (raw != raw[:, :1]).any():
            return self.rom(vectors, pattern, format, role)
        held = Pattern(pattern.lanes, pattern.lanes, pattern.cycles)
        return self.rom(vectors[:, : pattern.lanes], held, format, role)


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
