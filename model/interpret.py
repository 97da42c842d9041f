"""The golden model: programs run on whole batches of sequences, exactly.

Needs numpy only. Each value is held in the narrower of int32 and int64 that its operation's
intermediates fit, feature-major and in chunks of the batch that stay in cache.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt

from .arrays import Array
from .errors import UserError
from .program import Layer, Node, NumericInput, Program, Readout

CHUNK_ELEMENTS = 1 << 16
"""Elements of one vector value in a chunk: few calls, and a few such arrays stay in cache."""
KEPT_MEMORY = 1 << 24


class _Step:
    """One node with its integer type decided and its constants evaluated."""

    def __init__(self, node: Node, period: int) -> None:
        self.node = node
        format = node.result.format
        small = max(node.operation.magnitude(node.operands, format), format.magnitude) < 1 << 30
        self.dtype = np.dtype(np.int32 if small else np.int64)
        self.names = [v.name for v in node.operands]
        constant = not self.names
        self.constants = [self._compute([], k) for k in range(period)] if constant else []

    def _compute(self, x: Sequence[Array], phase: int) -> Array:
        node = self.node
        raw = node.operation.evaluate(x, node.operands, node.result.format, phase)
        return raw.astype(self.dtype, copy=False)

    def __call__(self, values: dict[str, Array], phase: int) -> None:
        if self.constants:
            values[self.node.result.name] = self.constants[phase]
            return
        x = [values[name].astype(self.dtype, copy=False) for name in self.names]
        values[self.node.result.name] = self._compute(x, phase)


class Machine:
    """A program at work on `batch` independent sequences that advance together.

    `watch` is shown the values of every body that has run, by name: (size, batch), or (size, 1).

    Attributes: states, by name, each of shape (size, batch); fresh, whether no timestep was taken
    since they were initialised; phase, timesteps since then modulo the period; timestep, where the
    program reads at a list of timesteps the number of them since then, which stands still after
    the last of the list.
    """

    def __init__(
        self,
        program: Program,
        batch: int = 1,
        watch: Callable[[Mapping[str, Array]], None] | None = None,
    ) -> None:
        self.program = program
        self.batch = batch
        self._watch = watch
        self._layers = [[_Step(n, program.period) for n in la.body] for la in program.layers]
        self._readout = [_Step(n, program.readout_period) for n in program.readout.body]
        self._reads = {t: read for read, t in enumerate(program.readout.timesteps)}
        self.reset()

    def reset(self) -> None:
        """Every state to its initial value, the phase and the timestep to 0."""
        self.fresh = True
        self.phase = self.timestep = 0
        self.states = {
            s.value.name: np.repeat(s.initial[:, None], self.batch, axis=1)
            for s in self.program.states
        }

    def step(self, inputs: Array) -> None:
        """One timestep on raw inputs of shape (size, batch); the readout's too, if in its list."""
        self.fresh = False
        handed_on = inputs
        for layer, steps in zip(self.program.layers, self._layers, strict=True):
            handed_on = self._run(layer, steps, handed_on, self.phase)
        self._handed_on, self._read_phase = handed_on, self.phase
        self.phase = (self.phase + 1) % self.program.period
        self._answer: Array | None = None
        if self._reads:
            readout, read = self.program.readout, self._reads.get(self.timestep)
            if read is not None:
                self._answer = self._run(readout, self._readout, handed_on, read)
            self.timestep = min(self.timestep, readout.timesteps[-1]) + 1

    def reads(self, last: bool) -> bool:
        """Whether the timestep last taken, marked `last` or not, is answered."""
        read = self.program.readout.read
        return self._answer is not None if self._reads else read == "every" or last

    def answer(self) -> Array:
        """The readout of the timestep last taken, shape (size, batch).

        Raises ValueError for one that a program read at a list of timesteps does not answer.
        """
        if not self._reads:
            return self._run(self.program.readout, self._readout, self._handed_on, self._read_phase)
        if self._answer is None:
            raise ValueError(f"only timesteps {self.program.readout.timesteps} are answered")
        return self._answer

    def _run(self, room: Layer | Readout, steps: list[_Step], given: Array, phase: int) -> Array:
        """The output of a layer or of the readout; its states become their next values."""
        values = {room.input.name: given}
        values |= {s.value.name: self.states[s.value.name] for s in room.states}
        for step in steps:
            step(values, phase)
        if self._watch is not None:
            self._watch(values)
        self.states |= {s.value.name: self._whole(values[s.next]) for s in room.states}
        return self._whole(values[room.output.name])

    def _whole(self, values: Array) -> Array:
        whole = values.shape[1] == self.batch
        return values if whole else np.broadcast_to(values, (len(values), self.batch))


def check_inputs(program: Program, inputs: npt.ArrayLike) -> Array:
    """Raw inputs as an integer array with the elements of a timestep as its last axis.

    Accepts (..., size) for a numeric input, (...) or (..., 1) for symbols. Raises UserError for
    another shape, values that are no integers, or raw values outside the declared format.
    """
    raw = np.asarray(inputs)
    value = program.input.value
    if raw.dtype.kind not in "iu":
        raise UserError(f"inputs must be raw integers, got {raw.dtype}")
    numeric = isinstance(program.input, NumericInput)
    if not numeric and (raw.ndim < 3 or raw.shape[-1] != 1):
        raw = raw[..., None]
    if raw.ndim < 2 or raw.shape[-1] != value.size:
        raise UserError(f"a timestep has {value.size} inputs, got an array of shape {raw.shape}")
    if raw.size and not (value.format.lo <= raw.min() and raw.max() <= value.format.hi):
        raise UserError(
            f"raw inputs must lie in [{value.format.lo}, {value.format.hi}], "
            f"got values from {raw.min()} to {raw.max()}"
        )
    return raw.astype(np.int64)


def cores() -> int:
    """Processor cores that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not every system can be asked
        return os.cpu_count() or 1


def run(program: Program, inputs: npt.ArrayLike) -> Array:
    """Answers for a batch of whole sequences, each starting from the initial state.

    Args:
        inputs: raw integers (batch, T, size), or symbols (batch, T).

    Returns:
        int64 raw answers, (batch, size) if the program reads the last step, (batch, T, size) if
        it reads every step, (batch, reads, size) if it reads at a list of timesteps.

    Raises:
        UserError: for inputs of another shape or out of format, or that end before the last
            timestep of such a list.
    """
    raw = check_inputs(program, inputs)
    if raw.ndim != 3 or raw.shape[1] == 0:
        raise UserError(f"inputs must be (batch, T, ...) with T >= 1, got shape {raw.shape}")
    batch, length, _ = raw.shape
    read, timesteps = program.readout.read, program.readout.timesteps
    if timesteps and length <= timesteps[-1]:
        raise UserError(
            f"the program reads timestep {timesteps[-1]}, counted from 0: sequences need at least "
            f"{timesteps[-1] + 1} timesteps, got {length}"
        )
    count = len(timesteps) or (length if read == "every" else 1)
    answers = np.empty((batch, count, program.output.size), np.int64)
    chunk = max(1, CHUNK_ELEMENTS // max((n.result.size for n in program.nodes()), default=1))

    def run_chunk(start: int) -> None:
        part = np.ascontiguousarray(raw[start : start + chunk].transpose(1, 2, 0))
        machine = Machine(program, part.shape[2])
        answered = 0
        for t, inputs_t in enumerate(part):
            machine.step(inputs_t)
            if machine.reads(t == length - 1):
                answers[start : start + chunk, answered] = machine.answer().T
                answered += 1

    # Having freed one large block, glibc keeps those of a step instead of returning their pages to
    # the system and faulting them in again, which took as long as the arithmetic.
    np.empty(KEPT_MEMORY, np.uint8)
    with ThreadPoolExecutor(cores()) as pool:
        list(pool.map(run_chunk, range(0, batch, chunk)))
    return answers[:, 0] if read == "last" else answers


def run_stream(
    program: Program,
    inputs: npt.ArrayLike,
    first: npt.ArrayLike,
    last: npt.ArrayLike,
    context: npt.ArrayLike | None = None,
) -> list[tuple[int, Array]]:
    """The answers of one stream of timesteps, as the hardware gives them.

    `first` initialises the state before its step, as does the start of the stream, and a list of
    timesteps to read is counted from there; `last` marks the steps that a program read at the last
    step answers, and clears nothing. Every context has a state of its own.

    Args:
        inputs: raw integers (N, size), or symbols (N,).
        first, last: booleans (N,).
        context: integers (N,), which of the interleaved sequences a timestep belongs to; all to one
            by default.

    Returns:
        (timestep, int64 raw answer of shape (size,)) for each answered timestep, in order.

    Raises:
        UserError: for inputs of another shape or out of format, or flags of another length.
    """
    batch = check_inputs(program, np.asarray(inputs)[None])
    if batch.ndim != 3:
        raise UserError(f"a stream must be (N, ...), got an array of shape {np.shape(inputs)}")
    raw = batch[0]
    flags = {"first": np.asarray(first), "last": np.asarray(last)}
    for name, given in flags.items():
        if given.shape != (len(raw),):
            raise UserError(f"{name} needs {len(raw)} flags, got an array of shape {given.shape}")
    contexts = np.zeros(len(raw), np.int64) if context is None else np.asarray(context)
    if contexts.shape != (len(raw),):
        raise UserError(f"context needs {len(raw)} numbers, got an array of shape {contexts.shape}")
    machines = {number: Machine(program) for number in np.unique(contexts).tolist()}
    answers = []
    for t, x in enumerate(raw):
        machine = machines[int(contexts[t])]
        begins, ends = flags["first"][t], flags["last"][t]
        if begins:
            machine.reset()
        machine.step(x[:, None])
        if machine.reads(bool(ends)):
            answers.append((t, machine.answer()[:, 0].astype(np.int64)))
    return answers
