"""Tasks as a microprogram: words, bits of weights, what the memory holds at first, cycles."""

from dataclasses import replace
from itertools import groupby

import numpy as np
from sylvan.model.arrays import Array

from ..operators.narrow import Narrowing
from ..ports import Port
from .instructions import AHEAD, FRESH, LESS, Instruction
from .places import find_places
from .tasks import Answer, Choose, Evaluate, Initialise, Leave, Load, Shrink, Task, Transform
from .terms import Reads, Term
from .work import Work


class Microprogram:
    """The microprogram of a program.

    Parameters: work, the tasks; port, how an input comes in.

    Attributes:
        instructions: the words, from the first on, to which the last goes back.
        weights: the bits that terms count by, in the order in which they are asked for.
        places: where every vector begins; depth, how many elements there are.
        narrowings: ways into the memory but for the first, of which nothing is narrowed.
        cycles: of a timestep that is not read, of one that is, and from the transfer that completes
            an input to the first of its answer.
    """

    def __init__(self, work: Work, port: Port) -> None:
        self.work, self.port = work, port
        self.places = find_places(work.sizes, work.spans())
        self.depth = max(place + work.sizes[name] for name, place in self.places.items())
        self.instructions: list[Instruction] = []
        self.narrowings: list[Narrowing] = []
        self._weights: list[Array] = []
        self._passed = 0
        self._times = 1
        self._loaded = self._answered = 0
        self._left: int | None = None
        self._say(Instruction(wait=True, begin=True))
        if any(task.weighs for task in work.tasks):
            for _ in range(AHEAD):
                self._say(Instruction(gate=True))
        for task in work.tasks:
            self._do(task)
        self._say(Instruction(jump=True))
        self.weights = np.concatenate([np.zeros(0, bool), *self._weights])
        ordinary = self._passed if self._left is None else self._left
        self.cycles = ordinary, self._passed, self._answered - self._loaded

    @property
    def initial(self) -> list[int]:
        """What the memory holds at first: the constants."""
        held = np.zeros(self.depth, np.int64)
        for name, vector in self.work.constants.items():
            place = self.places[name]
            held[place : place + len(vector)] = vector
        return [int(element) for element in held]

    def _place(self, name: str) -> int:
        home, begins = self.work.home(name)
        return self.places[home] + begins

    def _say(self, instruction: Instruction, times: int = 1) -> None:
        """One more word, which passes so often in a round of the loop that it is in."""
        self.instructions.append(instruction)
        self._passed += times * self._times

    def _loop(self, size: int, body: list[tuple[Instruction, int]], rows: bool = False) -> None:
        """A loop of words, each with how often it passes in a round.

        After a cycle in which what was written last gets to where it can be read.
        """
        self._say(Instruction())
        begins, self._times = len(self.instructions), size
        *others, (last, times) = body
        for instruction, often in others:
            self._say(instruction, often)
        ends = {"loop_row": True} if rows else {"loop_element": True}
        self._say(replace(last, **ends, limit=size - 1, target=begins), times)
        self._times = 1

    def _do(self, task: Task) -> None:
        if isinstance(task, Initialise):
            self._initialise(task)
        elif isinstance(task, Load):
            self._load(task)
        elif isinstance(task, Evaluate):
            self._evaluate(task)
        elif isinstance(task, Transform):
            self._transform(task)
        elif isinstance(task, Shrink):
            self._shrink(task)
        elif isinstance(task, Choose):
            self._choose(task)
        elif isinstance(task, Answer):
            self._answer(task)
        elif isinstance(task, Leave):
            self._say(Instruction(leave=True))
            self._left = self._passed

    def _initialise(self, task: Initialise) -> None:
        body = []
        if task.initial:
            body.append((Instruction(read=self._place(task.initial), add=True), 1))
        state = self._place(task.state)
        body.append((Instruction(place=state, write=True, guard=FRESH, clear=True), 1))
        self._loop(task.size, body)

    def _load(self, task: Load) -> None:
        """Transfer by transfer; each but the first is waited for, once the one before has gone."""
        most = self.port.per_transfer
        for start in range(0, task.size, most):
            end = min(start + most, task.size)
            if start:
                self._say(Instruction())
                self._say(Instruction(wait=True))
            taken = Instruction(
                place=self._place(task.result),
                write=True,
                take=True,
                loop_element=True,
                limit=end - 1,
                target=len(self.instructions),
                keep=end < task.size,
            )
            self._say(taken, end - start)
        self._loaded = self._passed - 1

    def _evaluate(self, task: Evaluate) -> None:
        body: list[tuple[Instruction, int]] = []
        if task.sum.factor:
            # It is there for the word after the next.
            held = Instruction(read=self._place(task.sum.factor), hold=True)
            body += [(held, 1), (Instruction(), 1)]
        terms = sorted(task.sum.terms, key=lambda term: -term.power)
        reached = terms[0].power if terms else 0
        for power, group in groupby(terms, lambda term: term.power):
            body += [(Instruction(add=True, double=True), 1)] * (reached - power)
            reached = power
            for term in group:
                body.append(self._term(term, len(self.instructions) + 1 + len(body)))
        body += [(Instruction(add=True, double=True), 1)] * reached
        if task.table:
            # What was added last is there for the word after the next, which begins from 0.
            table = self._place(task.table)
            found = Instruction(read=table, by_row=not task.along, by_sum=True, add=True)
            body += [(Instruction(clear=True), 1), (found, 1)]
        place, store = self._place(task.result), self._store(task.narrowing)
        body.append((Instruction(place=place, write=True, store=store, clear=True), 1))
        bits = [
            np.broadcast_to(term.bits.reshape(len(term.bits), -1), (task.size, term.columns))
            for term in terms
            if term.bits is not None
        ]
        if bits:
            self._weights.append(np.concatenate(bits, axis=1).reshape(-1))
        self._loop(task.size, body)

    def _term(self, term: Term, at: int) -> tuple[Instruction, int]:
        """The word of a term, which will be the one `at`; how often it passes."""
        period = self.work.program.period
        skip = 0 if term.phase is None else (1 << period) - 1 - (1 << term.phase)
        word = Instruction(
            read=self._place(term.source),
            by_row=term.reads is not Reads.ELEMENT,
            add=True,
            skip=skip,
            negative=term.negative,
            gate=term.bits is not None and not term.signed,
            sign=term.signed,
            factored=term.factored,
            ends=term.ends,
        )
        if term.columns > 1:
            word = replace(word, loop_row=True, limit=term.columns - 1, target=at)
        return word, term.columns

    def _store(self, narrowing: Narrowing | None) -> int:
        """The number of a way into the memory."""
        if narrowing is None:
            return 0
        for number, known in enumerate(self.narrowings, 1):
            if vars(known) == vars(narrowing):
                return number
        self.narrowings.append(narrowing)
        return len(self.narrowings)

    def _transform(self, task: Transform) -> None:
        other = task.scratch if task.passes > 1 else task.result
        results = [self._place(task.result), self._place(other)]
        source = self._place(task.source)
        for number in range(task.passes):
            result = results[(task.passes - 1 - number) % 2]
            for start in range(0, task.size, task.group):
                self._pass(source + start, result + start, task.group // 2, number < task.turns)
            source = result

    def _pass(self, source: int, result: int, half: int, turns: bool) -> None:
        """Elements i and i + half as they are, or their sum and difference, to 2i and 2i + 1."""
        low, high = Instruction(read=source, add=True), Instruction(read=source + half, add=True)
        first = Instruction(place=result, spread=True, write=True)
        second = replace(first, place=result + 1, clear=True)
        if turns:
            body = [low, replace(first, clear=True), high, second]
        else:
            # (a + b), then - b - b: what is left is a - b.
            less = replace(high, negative=True)
            body = [
                low,
                high,
                replace(first, read=high.read, add=True, negative=True),
                less,
                second,
            ]
        self._loop(half, [(word, 1) for word in body])

    def _shrink(self, task: Shrink) -> None:
        """0, unless the element is above or below it."""
        place = self._place(task.result)
        own = Instruction(read=self._place(task.source), add=True)
        bias = Instruction(read=self._place(task.bias), by_row=task.one_bias, add=True)
        zero = Instruction(place=place, write=True)
        compare = Instruction(compare=True, clear=True)
        above = replace(zero, store=self._store(task.above), guard=LESS, clear=True)
        below = replace(above, store=self._store(task.below))
        body = [zero, replace(own, negative=True), compare, own, bias, above]
        body += [own, compare, own, replace(bias, negative=True), below]
        self._loop(task.size, [(word, 1) for word in body])

    def _choose(self, task: Choose) -> None:
        source, best = self._place(task.source), self._place(task.best)
        own = Instruction(read=source, by_row=True, add=True)
        self._say(Instruction())
        self._say(own)
        self._say(Instruction(place=best, write=True, clear=True))
        body = [
            replace(own, negative=True),
            Instruction(read=best, add=True),
            Instruction(compare=True, clear=True),
            own,
            Instruction(place=best, write=True, guard=LESS, choose=True, clear=True),
        ]
        self._loop(task.size, [(word, 1) for word in body], rows=True)

    def _answer(self, task: Answer) -> None:
        out = Instruction(emit=True, clear=True)
        if task.source is None:
            self._answered = self._passed
            self._say(out)
            return
        # After the cycle before the loop the first is read, and then goes out.
        self._answered = self._passed + 2
        element = Instruction(read=self._place(task.source), add=True)
        self._loop(task.size, [(element, 1), (out, 1)])
