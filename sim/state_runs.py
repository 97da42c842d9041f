"""Runs that save and load states: random requests among timesteps, and golden's way through both.

The core has to have the same images, the same answers to loads, and afterwards the same outputs.
"""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
from sylvan.model.image import Image, image_of, resume
from sylvan.model.interpret import Machine
from sylvan.model.program import Program

from .ports import Cycles, Ports
from .requests import Request
from .runs import Run, asked_once, checked
from .stimulus import PATTERNS, Timesteps, mixed_waits, random_inputs, waits

REQUESTS = 24
"""Requests to the state port in a run."""


def state_runs(
    ports: Ports, planned: Cycles, program: Program, resets: int, rng: np.random.Generator
) -> list[Run]:
    """Images saved and loaded among timesteps; as often as there are resets, one cuts them off."""
    runs = []
    for number in range(1 + resets // 4):
        steps = random_inputs(ports, 24, rng, longest=4)
        # A timestep that starts anew hides what was loaded.
        steps = replace(steps, first=steps.first & (rng.random(len(steps)) < 0.2))
        script = Script(ports, program, steps, REQUESTS, rng)
        golden = checked(script.golden, ports)
        run = Run("saves and loads", steps, golden(steps), 4 * planned.total + 100)
        run.requests = script.requests
        counts = (len(steps) * ports.input.transfers, len(run.answers) * ports.output.transfers)
        run.gaps, run.stalls = mixed_waits(counts, (2, 2), 16, rng)
        runs.append(run)
        if number:
            run.name, run.abort = "before a reset", int(rng.integers(1, 40 * planned.total))
            steps = asked_once(random_inputs(ports, 1, rng, longest=3))
            script = Script(ports, program, steps, 0, rng)
            runs.append(Run("after a reset", steps, script.answers, planned.total, reset=1))
    return runs


class Script:
    """Requests at random places among timesteps, and the golden model's way through both.

    Attributes: requests; answers of the timesteps.
    """

    def __init__(
        self, ports: Ports, program: Program, steps: Timesteps, count: int, rng: np.random.Generator
    ) -> None:
        assert ports.state is not None
        self.state, self.program, self.rng = ports.state, program, rng
        self.machines = [Machine(program) for _ in range(ports.contexts)]
        self.images: list[Image] = []
        self.requests: list[Request] = []
        self.answers: list[tuple[int, npt.NDArray[np.int64]]] = []
        ways = ["hash", "head", "long", "phase", "fresh", "short", "format"]
        self.ways = rng.permutation(ways if program.states else ways[:5])
        transfers = ports.input.transfers
        places = sorted(rng.integers(0, len(steps) * transfers + 1, count).tolist())
        for step, x in enumerate(steps.values):
            # A timestep whose last word comes later has not come yet.
            while places and places[0] < (step + 1) * transfers:
                self._request(places.pop(0))
            self._step(step, x, steps)
        for place in places:
            self._request(place)

    def golden(self, steps: Timesteps) -> list[tuple[int, npt.NDArray[np.int64]]]:
        """The answers to these steps, with all requests between them."""
        return self.answers

    def _step(self, step: int, x: npt.NDArray[np.int64], steps: Timesteps) -> None:
        machine = self.machines[steps.context[step]]
        if steps.first[step]:
            machine.reset()
        machine.step(x[:, None])
        if machine.reads(bool(steps.last[step])):
            self.answers.append((step, machine.answer()[:, 0].astype(np.int64)))

    def _request(self, at: int) -> None:
        """A save, a load of an image from earlier or nowhere, or a load that must fail."""
        context, kind = int(self.rng.integers(len(self.machines))), self.rng.random()
        answer = None
        if kind < 0.5:
            image = image_of(self.machines[context])
            self.images.append(image)
            words = self._ended(self.state.pack(image))
        else:
            image = self._any_image()
            words, answer = self._ended(self.state.pack(image)), "loaded"
            if kind > 0.75:
                words, answer = self._spoilt(words)
            if answer == "loaded":
                self.machines[context] = resume(self.program, image)
            elif answer == "lost":
                self.machines[context] = Machine(self.program)
        waited = waits(str(self.rng.choice(PATTERNS)), len(words), 4, self.rng).tolist()
        beside = at > 0 and self.rng.random() < 0.5
        self.requests.append(Request(at, context, words, waited, beside, answer))

    def _any_image(self) -> Image:
        """One that was saved; a fresh one; or one with values anywhere in their formats."""
        kind = self.rng.random()
        if kind < 0.5 and self.images:
            return self.images[self.rng.integers(len(self.images))]
        machine = Machine(self.program)
        if kind > 0.9:
            return image_of(machine)
        machine.fresh, machine.phase = False, int(self.rng.integers(self.program.period))
        for state in self.program.states:
            lo, hi, size = state.value.format.lo, state.value.format.hi, (state.value.size, 1)
            ends = np.where(self.rng.random(size) < 0.5, lo, hi)
            within = self.rng.integers(lo, hi, size, endpoint=True)
            machine.states[state.value.name] = ends if self.rng.random() < 0.3 else within
        return image_of(machine)

    def _ended(self, words: list[int]) -> list[int]:
        """The words with `last` at the end."""
        return [*words[:-1], words[-1] | 1 << self.state.data_bits]

    def _spoilt(self, ended: list[int]) -> tuple[list[int], str]:
        """An image with a fault, and the answer to it."""
        state, rng = self.state, self.rng
        words, header = [word % (1 << state.data_bits) for word in ended], state.header
        way = self.ways[0]
        self.ways = np.roll(self.ways, 1)
        if way == "short" and state.transfers > header + 1:
            return self._ended(words[: rng.integers(header + 1, state.transfers)]), "lost"
        if way == "format" and (wrong := self._out_of_format()) is not None:
            place, raw = wrong
            words[header + place] = raw % (1 << state.data_bits)
            return self._ended(words), "lost"
        if way == "head":
            return self._ended(
                words[: rng.integers(1, header + (len(state.states) > 0))]
            ), "refused"
        if way == "phase" and self.program.period < 1 << state.data_bits - 1:
            words[header - 1] = self.program.period << 1
            return self._ended(words), "refused"
        if way == "fresh":
            words[header - 1] = 1 << 1 | 1
            return self._ended(words), "refused"
        if way == "long":
            more = rng.integers(0, 1 << min(state.data_bits, 62), 1 + rng.integers(3)).tolist()
            return self._ended([*words, *more]), "lost" if state.states else "refused"
        bit = int(rng.integers(state.hash_bits))
        words[bit // state.data_bits] ^= 1 << bit % state.data_bits
        return self._ended(words), "refused"

    def _out_of_format(self) -> tuple[int, int] | None:
        """The place of an element and a value that its format has not, but an image can hold."""
        place = 0
        for _, elements, lo, hi in self.state.states:
            span = 1 << self.state.data_bits
            if hi - lo + 1 < span:
                high = span // 2 - 1 if lo < 0 else span - 1
                return place + int(self.rng.integers(elements)), hi + 1 if hi < high else lo - 1
            place += elements
        return None
