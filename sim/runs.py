"""The runs of one cosimulation: what the testbench plays, and what can be read off what it saw.

Every run begins with a reset, so the golden answers of each are those of a fresh stream.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

import numpy as np
import numpy.typing as npt
from sylvan.model.errors import CheckError

from .ports import Cycles, Ports, whole
from .requests import Request, expected_words
from .stimulus import Timesteps, mixed_waits, random_inputs

#: The golden model on one stream that starts from the initial state: (timestep, raw answer) of each
#: answered step.
Golden = Callable[[Timesteps], list[tuple[int, npt.NDArray[np.int64]]]]

STEPS_BETWEEN = 8


@dataclass
class Run:
    """One run: timesteps, golden answers, and the waits before each transfer.

    `reset` is how many cycles the reset before it takes; `abort` cuts it off after so many cycles,
    otherwise it ends when nothing came for `drain` cycles after the last answer. `requests` are for
    the state port, in order.
    """

    name: str
    steps: Timesteps
    answers: list[tuple[int, npt.NDArray[np.int64]]]
    drain: int
    gaps: list[int] = field(default_factory=list)
    stalls: list[int] = field(default_factory=list)
    reset: int = 2
    abort: int | None = None
    requests: list[Request] = field(default_factory=list)

    def packed(self, ports: Ports, noise: Random) -> dict[str, Any]:
        """The run as the testbench wants it; `noise` fills what input words have to spare."""
        inputs = [
            word
            for step, x in enumerate(self.steps.values.tolist())
            for word in ports.input.pack(x, **self.steps.flags(step), noise=noise)
        ]
        outputs = [
            word
            for step, answer in self.answers
            for word in ports.output.pack(answer.tolist(), **self.steps.flags(step))
        ]
        expected = {"o": {"words": outputs, "stalls": self.stalls or [0] * len(outputs)}}
        if ports.state is not None:
            expected |= expected_words(ports.state, self.requests)
        return {
            "name": self.name,
            "reset": self.reset,
            "abort": self.abort,
            "drain": self.drain,
            "inputs": inputs,
            "gaps": self.gaps or [0] * len(inputs),
            "outputs": expected,
            "requests": [request.packed(ports.state) for request in self.requests if ports.state],
        }


def checked(golden: Golden, ports: Ports) -> Golden:
    """The same golden model, held to what the ports say it answers.

    Words are packed modulo their width: an answer that does not fit could otherwise pass unseen.
    """
    port = ports.output

    def answers(steps: Timesteps) -> list[tuple[int, npt.NDArray[np.int64]]]:
        found = golden(steps)
        asked = np.arange(len(steps)) if ports.read == "every" else np.flatnonzero(steps.last)
        if [step for step, _ in found] != asked.tolist():
            raise CheckError(
                f"golden answered {len(found)} timesteps where the core, which is read "
                f"{ports.read!r}, should answer {len(asked)}."
            )
        for step, answer in found:
            if answer.shape != (port.elements,) or answer.min() < port.lo or answer.max() > port.hi:
                raise CheckError(
                    f"golden answers {answer.tolist()} to timestep {step}, but {port.name} has "
                    f"{port.elements} elements from {port.lo} to {port.hi} (ports.json)."
                )
        return found

    return answers


def plan_runs(
    ports: Ports,
    planned: Cycles,
    room: int,
    golden: Golden,
    inputs: Timesteps,
    resets: int,
    rng: np.random.Generator,
) -> list[Run]:
    """Stress on the inputs and on short random sequences, resets, and two runs to measure.

    `room` is how many timesteps a core that is held up can have taken in.
    """
    golden = checked(golden, ports)

    def stressed(name: str, steps: Timesteps) -> Run:
        run = Run(name, steps, golden(steps), 4 * planned.total + 100)
        counts = (len(steps) * ports.input.transfers, len(run.answers) * ports.output.transfers)
        paces = (
            int(planned.cycles_per_step) // ports.input.transfers,
            int(planned.closing_cycles) // ports.output.transfers,
        )
        pieces = max(16, steps.sequences)
        run.gaps, run.stalls = mixed_waits(counts, paces, pieces, rng)
        return run

    runs = [stressed("stress", inputs)]
    runs.append(stressed("short sequences", random_inputs(ports, 24, rng, longest=3)))
    # What a register brings over a reset shows only if the reset falls into its one busy cycle:
    # many short runs find more than a few long ones.
    moments = planned.total + int(planned.cycles_per_step)
    for number in range(resets):
        if number % 4 == 1:
            runs += _held_up_runs(ports, planned, room, golden, rng)
            continue
        before = stressed("before a reset", random_inputs(ports, 8, rng, longest=3))
        before.abort = int(rng.integers(1, moments + 1))
        if number % 2:
            before.gaps = []
        after = stressed("after a reset", asked_once(random_inputs(ports, 1, rng, longest=3)))
        after.drain = planned.total
        after.reset = 1 if rng.random() < 0.8 else int(rng.integers(2, 5))
        runs += [before, after]
    return [*runs, *_measured_runs(ports, planned, golden, rng)]


def asked_once(steps: Timesteps) -> Timesteps:
    """The same steps with one `last`, at their end, and no `first`: that is the reset's work."""
    place = np.arange(len(steps))
    return replace(steps, first=place < 0, last=place == len(steps) - 1)


def _all_asked(steps: Timesteps) -> Timesteps:
    """The same steps, each with `last` and none with `first`."""
    none = np.zeros(len(steps), bool)
    return replace(steps, first=none, last=~none)


def _held_up_runs(
    ports: Ports, planned: Cycles, room: int, golden: Golden, rng: np.random.Generator
) -> list[Run]:
    """A reset in the middle of an answer, then as many answers held up as the core can hold.

    What the borders count over a reset shows when room is short: the first answer is held up until
    nothing more can be answered, and again once some of its elements are gone.
    """
    words = ports.output.transfers
    steps = _all_asked(random_inputs(ports, 3, rng, longest=1))
    before = Run("before a reset", steps, golden(steps), planned.total)
    before.abort = planned.total + ports.input.transfers + int(rng.integers(planned.total))
    before.stalls = [0] * (len(before.answers) * words)
    before.stalls[int(rng.integers(1, words + 1))] = 3 * planned.total + ports.input.transfers

    under_way = max(2 + int(planned.latency_cycles // planned.closing_cycles), room)
    steps = _all_asked(random_inputs(ports, under_way + 3, rng, longest=1))
    after = Run("after a reset", steps, golden(steps), planned.total, reset=1)
    after.stalls = [0] * (len(after.answers) * words)
    filled = int(planned.latency_cycles + len(steps) * planned.closing_cycles)
    for place in (0, int(rng.integers(1, words + 1))):
        after.stalls[place] = filled
    return [before, after]


def _measured_runs(
    ports: Ports, planned: Cycles, golden: Golden, rng: np.random.Generator
) -> list[Run]:
    """`pace`: three sequences without a wait, in every context, a timestep of each in turn.

    `latency`: three timesteps into an idle core.
    """
    length, contexts = STEPS_BETWEEN, ports.contexts
    steps = random_inputs(ports, 3 * length * contexts, rng, longest=1)
    turn, context = np.divmod(np.arange(3 * length * contexts), contexts)
    place = turn % length
    steps = Timesteps(steps.values, place == 0, place == length - 1, context)
    pace = Run("pace", steps, golden(steps), planned.total)
    single = random_inputs(ports, 3, rng, longest=1)
    single = replace(single, last=np.ones(3, bool))
    idle = 4 * int(planned.closing_cycles + planned.latency_cycles) + 8 * ports.output.transfers
    gaps = ([idle] + [0] * (ports.input.transfers - 1)) * 3
    return [pace, Run("latency", single, golden(single), planned.total, gaps)]


def measured_cycles(ports: Ports, seen: dict[str, dict[str, Any]]) -> Cycles:
    """The cycles of the two measured runs, with input always valid and output always ready.

    - `cycles_per_step`: between the transfers that complete two successive timesteps, where the
      earlier is not read out; over several contexts, which take turns, the mean.
    - `closing_cycles`: the same where the earlier one is read out. Taken as what a sequence of 8
      steps costs beyond 7 ordinary steps, so that a core that takes its input ahead is measured
      right too.
    - `latency_cycles`: from the transfer that completes a timestep that is read out, in a core that
      was idle, to the first transfer of its answer.
    """
    complete = seen["pace"]["sent"][ports.input.transfers - 1 :: ports.input.transfers]
    length, contexts = STEPS_BETWEEN, ports.contexts
    # Turns of all contexts. The second sequence, without its two ends: neither the reset before it
    # nor a readout is felt there.
    turns = complete[contexts - 1 :: contexts]
    step = (turns[2 * length - 2] - turns[length + 2]) / (length - 4) / contexts
    closing = step
    if ports.read == "last":
        closing = (turns[3 * length - 1] - turns[2 * length - 1]) / contexts - (length - 1) * step
    asked = seen["latency"]["sent"][ports.input.transfers - 1 :: ports.input.transfers]
    answered = seen["latency"]["received"][:: ports.output.transfers]
    latencies = [a - q for q, a in zip(asked, answered, strict=True)]
    # A core that is not steady shows fractions.
    return Cycles(*(whole(n) for n in (step, closing, sum(latencies) / len(latencies))))
