# amaranth: UnusedElaboratable=no
"""The timetable of one body: which operators, connected how, and the cycle each of them starts.

Operators are pulled in from the sinks. Every value then starts as late as its earliest consumer
allows; what a later consumer needs waits in a delay. Times are cycles after the body begins.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sylvan.model.numbers import Format
from sylvan.model.operations import Value

from .beats import Pattern
from .lowering import Body, Demand, Lowered
from .operators.base import Operator
from .operators.converters import ToDigits, ToWords
from .operators.delay import Delay
from .operators.inputs import InputReader
from .operators.stored import Buffer, Stored

OWN_NAMES = re.compile(r"collector|sequencer|answers|(step|readout)_\d+|\w+_(memory|kept)\d*")
"""Names that the core gives to what is no part; a value may well be called the same."""


@dataclass(eq=False)
class Part:
    """One thing of the body that makes a vector: an operator, or a read of a memory or the input.

    Attributes:
        name: unique in the core.
        value: name of the program's value that it makes, or helps to make.
        pattern, format: of the vector made.
        latency: cycles from its operands' start, or its strobe, to the vector's start.
        interval: least number of cycles between two starts: at least those that the vector takes,
            all its repeats included, whatever the operator could do.
        operator: None for the read of a memory.
        memory: the memory read, by name.
        operands: parts whose vectors it takes.
        time: when its vector starts.
    """

    name: str
    value: str
    pattern: Pattern
    format: Format
    latency: int
    interval: int
    operator: Operator | None = None
    memory: str | None = None
    operands: list["Part"] = field(default_factory=list)
    time: int = 0

    @property
    def begins(self) -> int:
        """When its operands, or its strobe, start."""
        return self.time - self.latency

    @property
    def starts(self) -> list[int]:
        """When each of its operands starts."""
        offsets = (self.operator and self.operator.offsets) or (0,) * len(self.operands)
        return [self.begins + offset for offset in offsets]


_CONVERTED: dict[type[Operator], str] = {Buffer: "buffer", ToDigits: "digits", ToWords: "words"}


class Timetable:
    """Parts and times of a body.

    Parameters:
        body: the nodes.
        memories: how they are stored, by name of the values that are read from a memory.
        inputs: the value that the input collector provides, if the body reads it.
        names: part names already taken; grows.

    Attributes: parts, in order of dependence, delays last.
    """

    def __init__(
        self, body: Body, memories: Mapping[str, Stored], inputs: Value | None, names: set[str]
    ) -> None:
        self.body = body
        self.tag = body.tag
        self.memories = memories
        self.inputs = inputs
        self.names = names
        self.parts: list[Part] = []
        self._made: dict[tuple[str, Pattern], Part] = {}

    def demand(self, value: Value, pattern: Pattern) -> Part:
        """The part that makes `value` in `pattern`, added with all that it needs."""
        key = value.name, pattern
        if key not in self._made:
            self._made[key] = self._make(value, pattern)
        return self._made[key]

    def kept(self, value: Value) -> Part:
        """The part that makes `value` for a memory.

        That takes it before it has settled, and on a single lane where it passes so by itself.
        """
        order = self.body.order(value)
        if value.name not in self.memories and value != self.inputs:
            natural = self.body.lowerings[value.name].natural(order)
            kept = natural.settled == order or self.body.single(value)
            order = natural if kept else order
        return self.demand(value, order)

    def _make(self, value: Value, pattern: Pattern) -> Part:
        natural = self._natural(value, pattern)
        if natural != pattern:
            return self._converted(value, natural, pattern)
        if value.name in self.memories:
            return self._read(value, pattern)
        if value == self.inputs:
            reader = InputReader(pattern, value.format, self.tag)
            return self._operator("input_read", value.name, reader, pattern, [])
        return self._lowered(value.name, self.body.lowerings[value.name].lower(pattern))

    def _natural(self, value: Value, pattern: Pattern) -> Pattern:
        """The pattern closest to the one demanded in which the value's source has it."""
        if value.name in self.memories:
            return self.memories[value.name].readable(pattern)
        if value == self.inputs:
            return pattern.words
        return self.body.lowerings[value.name].natural(pattern)

    def _converted(self, value: Value, natural: Pattern, pattern: Pattern) -> Part:
        """The value in another pattern than its source has it: buffered, or as words or digits."""
        format, tag = value.format, self.tag
        operator: Operator
        if pattern.digit and not natural.digit:
            source = self.demand(value, pattern.words)
            operator = ToDigits(pattern, format, tag)
        elif natural.digit and pattern == natural.words:
            source = self.demand(value, natural.settled)
            operator = ToWords(natural.settled, format, tag)
        else:
            natural = natural if pattern.digit else natural.words
            source = self.demand(value, natural)
            operator = Buffer(natural, pattern, format, tag)
        name = f"{value.name}_{_CONVERTED[type(operator)]}"
        return self._operator(name, value.name, operator, pattern, [source])

    def _read(self, value: Value, pattern: Pattern) -> Part:
        latency = self.memories[value.name].latency(pattern)
        name = f"{value.name}_read"
        part = Part(name, value.name, pattern, value.format, latency, pattern.cycles)
        part.memory = value.name
        return self._add(part)

    def _lowered(self, value: str, item: Lowered | Demand) -> Part:
        if isinstance(item, Demand):
            return self.demand(item.value, item.pattern)
        value = item.name or value
        operands = [self._lowered(value, operand) for operand in item.operands]
        name = f"{value}_{item.role}" if item.role else value
        return self._operator(name, value, item.operator, item.pattern, operands)

    def _operator(
        self, name: str, value: str, operator: Operator, pattern: Pattern, operands: list[Part]
    ) -> Part:
        format = operator.o.signature.format
        interval = max(operator.interval, pattern.cycles)
        part = Part(name, value, pattern, format, operator.latency, interval, operator)
        part.operands = operands
        return self._add(part)

    def _add(self, part: Part) -> Part:
        name, count = part.name, 1
        while part.name in self.names or OWN_NAMES.fullmatch(part.name):
            count += 1
            part.name = f"{name}_{count}"
        self.names.add(part.name)
        self.parts.append(part)
        return part

    @property
    def ends(self) -> int:
        """When the last vector has passed."""
        return max((part.time + part.pattern.cycles for part in self.parts), default=0)

    def settle(self, sinks: Sequence[Part], latest_input: int | None = None) -> None:
        """Give every part its time, with all sinks' vectors starting together, and add delays.

        The input is taken over by the cycle `latest_input`, and waits from then on.
        """
        latest = {id(part): 0 for part in sinks}
        for part in reversed(self.parts):
            part.time = latest[id(part)]
            for operand, start in zip(part.operands, part.starts, strict=True):
                latest[id(operand)] = min(latest.get(id(operand), start), start)
        opening = min((part.begins for part in self.parts), default=0)
        for part in self.parts:
            part.time -= opening
            if isinstance(part.operator, InputReader) and latest_input is not None:
                part.time -= max(part.begins - latest_input, 0)
        for part in list(self.parts):
            for k, (operand, start) in enumerate(zip(part.operands, part.starts, strict=True)):
                part.operands[k] = self.later(operand, start)

    def later(self, part: Part, time: int) -> Part:
        """The vector of `part`, starting at `time`: itself, or itself after a delay."""
        wait = time - part.time
        if wait == 0:
            return part
        key = f"{part.name} after {wait}", part.pattern
        if key not in self._made:
            delay = Delay(part.pattern, part.format, wait, self.tag)
            name = f"{part.name}_delay"
            made = self._operator(name, part.value, delay, part.pattern, [part])
            made.time = time
            self._made[key] = made
        return self._made[key]
