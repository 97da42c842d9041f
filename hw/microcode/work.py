"""The work of a timestep: vectors in a memory, and the tasks that make them in turn."""

from collections import Counter
from collections.abc import Iterator

from sylvan.model.arrays import Array
from sylvan.model.errors import UserError
from sylvan.model.matrices import Hadamard
from sylvan.model.numbers import Format, Overflow, Rounding
from sylvan.model.operations import Operation, Value, arithmetic, constants, moves
from sylvan.model.program import Layer, Node, Program, State

from ..operators.narrow import Narrowing
from .places import aligned
from .sums import (
    FROM_MEMORY,
    PRODUCTS,
    TO_MEMORY,
    Sums,
    factors,
    is_transform,
    rows_of_symbols,
    signed_bits,
    transformed,
)
from .tasks import Answer, Choose, Evaluate, Initialise, Leave, Load, Shrink, Task, Transform
from .terms import Sum, Term, number


class Work:
    """The tasks of a timestep in order.

    Parameters: program. Raises UserError where it asks for what no task does.

    Attributes:
        tasks: what is done.
        sizes, formats: of every vector.
        constants: vectors that are there from the start, and never change.
        states: vectors that are kept between timesteps.
        homes: vectors that lie where another does, or did; from which of its elements on.
    """

    def __init__(self, program: Program) -> None:
        self.program, readout = program, program.readout
        self.tasks: list[Task] = []
        self.sizes: dict[str, int] = {}
        self.formats: dict[str, Format] = {}
        self.constants: dict[str, Array] = {}
        self.states: list[str] = []
        self.homes: dict[str, tuple[str, int]] = {}
        self.nodes = {node.result.name: node for node in program.nodes()}
        self.stored = self._kept()
        # What only a step that is read asks for may take longer, and less memory.
        read = readout.body if readout.read == "last" else ()
        spelled = {n.result.name for n in read if isinstance(n.operation, constants.Const)}
        bits = [signed_bits(factors(n)[0].format) for n in self.nodes.values() if _multiplies(n)]
        self.factor_bits = max(bits, default=0)
        self.sums = Sums(self.nodes, self.stored, spelled, self.factor_bits, self._aligned)
        source = program.input.value
        for state in program.states:
            self._declare(state.value)
            self.states.append(state.value.name)
            self._initialise(state)
        self._declare(source)
        self.tasks.append(Load(source.name, source.size))
        for layer in program.layers:
            begun = len(self.tasks)
            self._do(layer.body)
            self._hand_over(layer, begun)
        if readout.read == "last":
            self.tasks.append(Leave())
        self._do(readout.body)
        chosen = isinstance(self._operation(readout.output), moves.ArgMax)
        self.tasks.append(Answer(None if chosen else readout.output.name, readout.output.size))

    def home(self, name: str) -> tuple[str, int]:
        """The vector in whose place one lies, and from which element on."""
        begins = 0
        while name in self.homes:
            name, start = self.homes[name]
            begins += start
        return name, begins

    def _operation(self, value: Value) -> Operation | None:
        node = self.nodes.get(value.name)
        return node.operation if node else None

    def _kept(self) -> set[str]:
        """Names of the values that are in the memory: those that no sum can stand for."""
        program = self.program
        kept = {program.input.value.name, program.output.name}
        uses: Counter[str] = Counter()
        products = {name for name, node in self.nodes.items() if _multiplies(node)}
        for node in program.nodes():
            names = [value.name for value in node.operands]
            uses.update(names)
            if isinstance(node.operation, FROM_MEMORY):
                kept.update(names)
            if isinstance(node.operation, TO_MEMORY):
                kept.add(node.result.name)
            if not isinstance(node.operation, moves.Narrow | arithmetic.Relu):
                # A sum has one factor.
                kept |= {name for name in names if name in products}
        for layer in program.layers:
            kept |= {layer.output.name, *(s.value.name for s in layer.states)}
            kept |= {state.next for state in layer.states}
        plain = {n.result.name for n in program.nodes() if isinstance(n.operation, constants.Const)}
        return kept | {name for name, count in uses.items() if count > 1 and name not in plain}

    def _declare(self, value: Value) -> None:
        self.sizes[value.name], self.formats[value.name] = value.size, value.format

    def _keep_constants(self, found: dict[str, Array]) -> None:
        for name, vector in found.items():
            self.constants[name] = vector
            self.sizes[name] = len(vector)
            self.formats[name] = Format(int(vector.min()), int(vector.max()))

    def _initialise(self, state: State) -> None:
        name, initial = state.value.name, None
        if state.initial.any():
            initial = f"{name}.initial"
            self._keep_constants({initial: state.initial})
        self.tasks.append(Initialise(name, state.value.size, initial))

    def _do(self, body: tuple[Node, ...]) -> None:
        for node in body:
            if is_transform(node):
                self._transform(node)
            if isinstance(node.operation, moves.ArgMax):
                self._choose(node)
            elif isinstance(node.operation, arithmetic.ModRelu):
                self._shrink(node, node.operation.bias)
            elif (begins := self._part(node)) is not None:
                self.homes[node.result.name] = node.operands[0].name, begins
            elif node.result.name in self.stored:
                self._evaluate(node)

    def _part(self, node: Node) -> int | None:
        """The element from which on a value is another one in the memory, which stays there."""
        operation = node.operation
        if node.result.name not in self.stored or not node.operands:
            return None
        if node.operands[0].name not in self.stored - set(self.states):
            return None
        if isinstance(operation, moves.Slice):
            # Places are multiples of powers of two.
            return None if operation.start % aligned(node.result.size) else operation.start
        return 0 if isinstance(operation, moves.Exponent) and operation.period == 1 else None

    def _transform(self, node: Node) -> None:
        assert isinstance(node.operation, constants.MatVec)
        matrix, source = node.operation.matrix, node.operands[0]
        assert isinstance(matrix, Hadamard)
        name, size = transformed(node.result.name), source.size
        format = Hadamard(matrix.block, abs(matrix.signs)).interval(source.format)
        # On the way there are sums of fewer elements, and elements alone.
        lo, hi = min(format.lo, source.format.lo), max(format.hi, source.format.hi)
        self._declare(Value(name, size, Format(lo, hi, format.exp)))
        scratch = f"{name}.scratch"
        self._declare(Value(scratch, size, Format(lo, hi, format.exp)))
        turns = (size & -size).bit_length() - 1 - matrix.stages
        self.tasks.append(Transform(name, scratch, source.name, size, turns))

    def _choose(self, node: Node) -> None:
        name, program = node.result.name, self.program
        used = {value.name for other in program.nodes() for value in other.operands}
        used |= {state.next for state in program.states}
        if node.result != program.output or name in used:
            raise UserError(
                f"{name}: in a microprogram an argmax is the answer, and nothing is made of it; "
                "leave out --microcode"
            )
        source, best = node.operands[0], f"{name}.best"
        self._declare(Value(best, 1, source.format))
        self.tasks.append(Choose(source.name, source.size, best))

    def _shrink(self, node: Node, bias: Array) -> None:
        (source,), made = node.operands, node.result
        name = f"{made.name}.bias"
        self._keep_constants({name: bias})
        ends = Format(int(bias.min()), int(bias.max()), source.format.exp)
        above, below = (
            Narrowing(given, target, Rounding.FLOOR, Overflow.SATURATE)
            for given, target in (
                (source.format + ends, Format(0, made.format.hi, made.format.exp)),
                (source.format - ends, Format(made.format.lo, 0, made.format.exp)),
            )
        )
        self._declare(made)
        one = len(bias) == 1
        self.tasks.append(Shrink(made.name, source.name, made.size, name, one, above, below))

    def _evaluate(self, node: Node) -> None:
        operation, narrowing, table = node.operation, None, None
        along = isinstance(operation, constants.Lookup)
        if isinstance(operation, moves.Narrow):
            narrowing = Narrowing(
                node.operands[0].format, operation.target, operation.rounding, operation.overflow
            )
        elif isinstance(operation, arithmetic.Relu):
            narrowing = Narrowing(
                node.operands[0].format, node.result.format, Rounding.FLOOR, Overflow.SATURATE
            )
        if isinstance(operation, constants.Lookup):
            made, held = rows_of_symbols(node)
            table = self._table(node, held)
        elif isinstance(operation, constants.Table):
            lowest = node.operands[0].format.lo
            made = self.sums.of(node.operands[0]) + number(-lowest)
            table = self._table(node, operation.entries)
        elif narrowing is None:
            made = self.sums.definition(node)
        else:
            source = node.operands[0]
            finer = source.format.exp - narrowing.sum.exp
            made = self.sums.of(source).shifted(finer) + number(narrowing.half)
        self._keep_constants(made.constants)
        self._declare(node.result)
        name, size = node.result.name, node.result.size
        self.tasks.append(Evaluate(name, size, made, narrowing, table, along))

    def _table(self, node: Node, held: Array) -> str:
        """The vector of a table's elements."""
        name = f"{node.result.name}.table"
        self._keep_constants({name: held})
        return name

    def _aligned(self, value: Value, shift: int) -> str:
        """The vector of a value, made where its binary point has to move."""
        if not shift:
            return value.name
        name, format = f"{value.name}.left.{shift}", value.format
        if name not in self.sizes:
            fine = format.aligned(format.exp - shift)
            self._declare(Value(name, value.size, fine))
            made = Sum((Term(value.name, power=shift),))
            self.tasks.append(Evaluate(name, value.size, made))
        return name

    def _hand_over(self, layer: Layer, begun: int) -> None:
        """Let every state become its next value: made in its place, or copied there."""
        states = {state.value.name: state for state in layer.states}
        if layer.output.name in states:
            raise UserError(
                f"layer {layer.name} hands on {layer.output.name} as it was before the step: by "
                "then a microprogram has no copy of it; leave out --microcode"
            )
        copied: list[tuple[State, str]] = []
        for name, state in states.items():
            if state.next in states and state.next != name:
                # It becomes what another is now, and will not be any more.
                source = f"{name}.next"
                self._copy(state.next, source, state.value)
                copied.append((state, source))
        for name, state in states.items():
            if state.next in states:
                continue
            if self._fits_in_place(name, state.next, begun):
                self.homes[state.next] = name, 0
            else:
                copied.append((state, state.next))
        for state, source in copied:
            self._copy(source, state.value.name, state.value)

    def _copy(self, source: str, result: str, like: Value) -> None:
        self._declare(Value(result, like.size, like.format))
        self.tasks.append(Evaluate(result, like.size, Sum((Term(source),))))

    def _fits_in_place(self, state: str, made: str, begun: int) -> bool:
        """Whether a value can be written where the state is: nothing reads that any more."""
        tasks = self.tasks[begun:]
        at = next((k for k, task in enumerate(tasks) if made in task.written), None)
        if at is None or made in self.homes:
            return False
        during = tasks[at].read.get(state, True)
        return during and not any(state in task.read for task in tasks[at + 1 :])

    def spans(self) -> Iterator[tuple[str, int, int]]:
        """Every vector that has a place: from which task on, and until which, it is in use."""
        always = {*self.states, *self.constants}
        touched: dict[str, list[int]] = {name: [0, len(self.tasks)] for name in always}
        for at, task in enumerate(self.tasks):
            for name in (*task.written, *task.read):
                touched.setdefault(self.home(name)[0], []).append(at)
        for name, moments in touched.items():
            yield name, min(moments), max(moments)


def _multiplies(node: Node) -> bool:
    """Whether it is a product of elements."""
    return isinstance(node.operation, PRODUCTS)
