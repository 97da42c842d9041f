"""Choosing one of many words, a few at a time with registers between."""

from collections.abc import Sequence

from amaranth import Array, Module, Signal, Value

from .base import Cost

CHOICES = 4
"""Words that one cycle chooses from."""


def choice_latency(words: int) -> int:
    """Cycles that it takes to choose one of so many words."""
    cycles = 0
    while words > 1:
        words, cycles = -(-words // CHOICES), cycles + 1
    return cycles


def chosen(m: Module, name: str, words: Sequence[Sequence[Value]], place: Value) -> Sequence[Value]:
    """The lanes of word number `place`, `choice_latency` cycles later."""
    shape = words[0][0].shape()
    for stage in range(choice_latency(len(words))):
        kept = []
        for number in range(0, len(words), CHOICES):
            few = words[number : number + CHOICES]
            lanes = []
            for k, among in enumerate(zip(*few, strict=True)):
                held = Signal(shape, name=f"{name}{stage}_{number}_{k}", reset_less=True)
                m.d.sync += held.eq(Array(among)[place[: (CHOICES - 1).bit_length()]])
                lanes.append(held)
            kept.append(lanes)
        rest = place[(CHOICES - 1).bit_length() :]
        later = Signal(len(rest), name=f"{name}{stage}_place", reset_less=True)
        m.d.sync += later.eq(rest)
        words, place = kept, later
    return words[0]


def choice_cost(words: int, bits: int) -> Cost:
    """Cost of choosing one of so many words of `bits` bits."""
    total = Cost()
    while words > 1:
        left = -(-words // CHOICES)
        place = (left - 1).bit_length()
        total += Cost(
            logic_bits=bits * (words - left),
            register_bits=bits * left + place,
            waiting_bits=place,
        )
        words = left
    return total
