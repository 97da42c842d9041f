"""An interpreter of microprograms, after what `instructions.py` says of a word and of nothing else.

A word's first cycle is the second of the one before. What it writes in its second is seen by words
that begin later, and what it adds there, by the words after the next.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sylvan.hw.microcode.instructions import AHEAD, FRESH, LESS, Instruction
from sylvan.hw.microcode.plan import EnginePlan
from sylvan.model.numbers import narrow


def wrapped(value: int, bits: int) -> int:
    """What is left of a number in so many bits of two's complement."""
    half = 1 << (bits - 1)
    return (value + half) % (1 << bits) - half


@dataclass
class Prepared:
    """What the second cycle of a word does."""

    word: Instruction = field(default_factory=Instruction)
    element: int = 0
    address: int = 0
    adds: bool = False
    subtracts: bool = False
    writes: bool = False
    completes: bool = False


@dataclass
class Timestep:
    """A timestep as it was seen: its answer, the cycles in all, and when what came and went."""

    answer: list[int] = field(default_factory=list)
    cycles: int = 0
    completed: int = 0
    answered: int = 0

    @property
    def latency(self) -> int:
        """From the transfer that completes the input to the first of the answer."""
        return self.answered - self.completed


class MicrocodeMachine:
    """A microprogram at work, on numbers as wide as its plan says.

    Attributes: memory, its elements; weights, the bits; words, the instructions.
    """

    def __init__(self, plan: EnginePlan) -> None:
        self.plan = plan
        program = plan.microprogram
        self.words: list[Instruction] = list(program.instructions)
        self.weights: list[int] = program.weights.astype(int).tolist()
        self.memory = program.initial
        self.element = self.row = self.sum = self.factor = self.phase = self.label = 0
        self.less, self.unused = False, True

    def step(self, inputs: Sequence[int], first: bool, last: bool) -> Timestep:
        """A timestep, up to the word that goes back to the beginning."""
        most = self.plan.input_port.per_transfer
        self.transfers = [list(inputs[k : k + most]) for k in range(0, len(inputs), most)]
        self.transfer: list[int] = []
        self.fresh, self.last = first or self.unused, last
        self.phase = 0 if self.fresh else (self.phase + 1) % self.plan.program.period
        self.unused, self.asked, self.label = False, 0, 0
        seen, before, at = Timestep(), Prepared(), 0
        while at >= 0:
            word = self.words[at]
            assert word.begin == (at == 0)
            prepared = self._prepare(word)
            at = self._count(word, at)
            self._carry_out(before, seen)
            before = prepared
            seen.cycles += 1
        self._carry_out(before, seen)
        assert not self.transfers and not self.transfer
        return seen

    def _prepare(self, word: Instruction) -> Prepared:
        """The first cycle, on registers and a memory as they are."""
        if word.wait:
            assert not self.transfer
            self.transfer = self.transfers.pop(0)
        if word.choose and self.less:
            self.label = self.row
        bit = self._bit() if word.gate or word.sign else 0
        highest = self.factor >> max(self.plan.work.factor_bits - 1, 0) & 1
        counts = (bit or not word.gate) and (highest or not word.factored)
        guarded = {FRESH: self.fresh, LESS: self.less}.get(word.guard, True)
        return Prepared(
            word,
            element=self._read(word),
            address=word.place + (self.element << word.spread),
            adds=bool(word.add and counts and not word.skip >> self.phase & 1),
            subtracts=word.negative != (word.sign and bool(bit)),
            writes=word.write and guarded,
            completes=word.take and self.element == word.limit,
        )

    def _bit(self) -> int:
        """The bit of weights that was asked for two askings before."""
        asked, self.asked = self.asked - AHEAD, self.asked + 1
        return self.weights[asked] if asked >= 0 else 0

    def _read(self, word: Instruction) -> int:
        if not word.hold and (word.double or not word.add):
            return 0
        index = self.row if word.by_row else self.element
        offset = self.sum % (1 << self.plan.sum_bits) if word.by_sum else 0
        return self.memory[word.read + index + offset]

    def _count(self, word: Instruction, at: int) -> int:
        """The word that comes next, -1 after the last; counters and factor as it finds them."""
        if word.ends:
            self.factor <<= 1
        again = False
        if word.loop_element:
            again = self.element != word.limit
            self.element = self.element + 1 if again or word.keep else 0
        if word.loop_row:
            again = self.row != word.limit
            self.row = self.row + 1 if again else 0
        if again:
            return word.target
        return -1 if word.jump or (word.leave and not self.last) else at + 1

    def _carry_out(self, prepared: Prepared, seen: Timestep) -> None:
        """The second cycle."""
        word, total = prepared.word, self.sum
        if word.compare:
            self.less = total < 0
        if word.emit:
            seen.answered = seen.answered or seen.cycles
            seen.answer.append(self.label if self.plan.chooses else total)
        if prepared.writes:
            stored = self.transfer.pop(0) if word.take else self._narrowed(word.store)
            self.memory[prepared.address] = wrapped(stored, self.plan.element_bits)
        if prepared.completes:
            assert not self.transfer
            seen.completed = seen.cycles
        if word.hold:
            self.factor = prepared.element
        if prepared.adds:
            added = total if word.double else prepared.element
            total += -added if prepared.subtracts else added
        self.sum = 0 if word.clear else wrapped(total, self.plan.sum_bits)

    def _narrowed(self, way: int) -> int:
        """The accumulator through a way into the memory; one half was added to it before."""
        if not way:
            return self.sum
        given = self.plan.microprogram.narrowings[way - 1]
        fine = given.source.aligned(min(given.source.exp, given.target.exp))
        raw = self.sum - given.half
        return narrow(raw, fine, given.target, given.rounding, given.overflow)
