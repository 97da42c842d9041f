"""The plan of a microprogrammed core: what its engine needs, and what it costs."""

from functools import cached_property
from typing import Any

import numpy as np
from sylvan.model.errors import UserError
from sylvan.model.program import Program

from ..beats import Tag
from ..operators.base import Cost, counter_cost
from ..operators.constants import constants_cost
from ..pace import Pace
from ..ports import input_port, output_port
from ..schedule import Schedule
from .assembler import Microprogram
from .instructions import TOLD, field_bits
from .places import index_bits
from .sums import signed_bits
from .work import Work

WEIGHT_BITS = 2
"""Bits of weights that are read at once: as narrow as block RAM can be on iCE40."""

DECODES = 24
"""Look-up tables that tell from a word what comes next, and what is to be done: so many were placed
beyond what else is counted."""


class EnginePlan:
    """A program as a microprogram.

    Raises UserError for operations that no microprogram has, and for what cannot go with one.

    Attributes:
        microprogram: the words, and all that they work on.
        field_bits: bits of the fields of a word.
        element_bits, sum_bits: of the memory's elements and of the accumulator, with a sign.
    """

    def __init__(self, program: Program, schedule: Schedule) -> None:
        for told, given in (
            ("more than one lane", schedule.lanes > 1),
            ("digits", schedule.digit),
            ("adders in a row", schedule.levels > 1),
            ("several contexts", schedule.contexts > 1),
            ("adders in turns", schedule.turns),
            ("constants in logic", schedule.logic_roms),
            ("DSP blocks", schedule.dsps),
            ("a state port", schedule.state_port),
        ):
            if given:
                raise UserError(f"a microprogram has one adder of words: it cannot have {told}")
        self.program = program
        self.tag = Tag(program.period, 1)
        self.input_port, self.output_port = input_port(program), output_port(program)
        self.work = Work(program)
        self.microprogram = Microprogram(self.work, self.input_port)
        self.field_bits = field_bits(self.microprogram.instructions)
        formats = [self.work.formats[name] for name in self.microprogram.places]
        self.element_bits = max(signed_bits(format) for format in formats)
        sums = [signed_bits(narrowing.sum) for narrowing in self.microprogram.narrowings]
        # What is compared is a difference of elements, or one negated; and a place in a table is a
        # sum, too.
        places = index_bits(self.microprogram.depth)
        compares = any(word.compare for word in self.microprogram.instructions)
        self.sum_bits = max([self.element_bits + compares, places, *sums])
        ordinary, closing, self.latency = self.microprogram.cycles
        every = program.readout.read == "every"
        self.pace = Pace(ordinary, closing, ordinary, every, 1)

    @property
    def chooses(self) -> bool:
        """Whether the answer is a label."""
        return any(word.choose for word in self.microprogram.instructions)

    @property
    def longest_loop(self) -> int:
        """Rounds of the longest loop, two at least."""
        return max(2, *(word.limit + 1 for word in self.microprogram.instructions))

    @property
    def weight_words(self) -> list[int]:
        """The bits of weights in words, the first in the lowest place."""
        held = self.microprogram.weights.astype(int)
        padded = np.pad(held, (0, -len(held) % WEIGHT_BITS)).reshape(-1, WEIGHT_BITS)
        return [int(word) for word in padded @ (1 << np.arange(WEIGHT_BITS))]

    @cached_property
    def cost(self) -> dict[str, Cost]:
        """Cost by part, after what they are made of in `engine.py`."""
        program = self.microprogram
        index, place = index_bits(self.longest_loop), index_bits(program.depth)
        words, weights = len(program.instructions), len(self.weight_words)
        counter = counter_cost(1 << index)
        bits = self.sum_bits
        stored = [signed_bits(narrowing.target) for narrowing in program.narrowings]
        ways, factor = sum(stored) + self.element_bits, self.work.factor_bits
        port = self.input_port
        picked = Cost(logic_bits=port.element_bits * (port.per_transfer - 1))
        fetched = constants_cost(words, sum(self.field_bits.values()))
        told = len(TOLD) + index_bits(len(stored) + 1)
        return {
            "words": fetched + counter_cost(words) + Cost(logic_bits=DECODES + index_bits(words)),
            "weights": constants_cost(weights, WEIGHT_BITS)
            + counter_cost(WEIGHT_BITS * weights + 1),
            "counters": counter + counter + Cost(logic_bits=index),
            "addresses": Cost(logic_bits=2 * place, register_bits=place),
            "told": Cost(logic_bits=told, register_bits=told),
            "sum": Cost(adder_bits=bits, adders=1, logic_bits=bits, register_bits=bits),
            "factor": Cost(logic_bits=factor, register_bits=factor),
            "ways": Cost(logic_bits=ways) + picked + counter_cost(port.per_transfer),
            "memory": Cost(roms=((self.element_bits, program.depth),)),
        }

    def describe(self) -> dict[str, Any]:
        """What `plan.json` says of it."""
        program = self.microprogram
        return {
            "words": len(program.instructions),
            "word_bits": sum(self.field_bits.values()),
            "weight_bits": len(program.weights),
            "elements": program.depth,
            "element_bits": self.element_bits,
            "sum_bits": self.sum_bits,
            "places": {
                name: {"first": place, "elements": self.work.sizes[name]}
                for name, place in sorted(program.places.items(), key=lambda item: item[1])
            },
        }
