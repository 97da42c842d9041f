"""What one word of a microprogram says."""

from dataclasses import asdict, dataclass, fields

ALWAYS, FRESH, LESS = range(3)
"""When a word is written: always, where the state starts anew, where a comparison said less."""

AHEAD = 2
"""Words that ask for a bit of weights before the one that gets it."""


@dataclass(frozen=True)
class Instruction:
    """A word of a microprogram; all that is not said is left as it is.

    In its first cycle, addresses, counters and what comes next:
        read: the base of the element that is read, and by_row: whether the column counter is its
            index, not the element counter; by_sum: whether the accumulator is, beside it.
        place: the base of the element that is written; spread: whether its index is twice the
            element counter.
        loop_element, loop_row: whether it ends a loop of that counter, up to `limit`, back to
            `target`; keep: whether the element counter goes on from there, or from 0.
        wait: whether it stays until an input is there; begin: whether it begins a timestep.
        choose: whether the label becomes the column, where a comparison said less.
        gate, sign: whether a bit of weights says that it counts, or that it counts the other way
            round; the bit is the one that was asked for two such words before.
        factored: whether the highest bit of the factor says that it counts, and ends: whether the
            next one takes its place.
        leave, jump: whether the timestep ends here: where it is not the last; always.
    In its second, the accumulator:
        add: whether the element that was read is added, but in the phases of the mask `skip`;
            double: the accumulator itself instead; negative: subtracted.
        write: whether the accumulator as it was is written, in the way `store`, `guard` says when.
        take: whether an element of the input is written in its place, and at the end of the loop
            the transfer taken.
        hold: whether the element that was read becomes the factor.
        compare: whether it is kept if the accumulator was negative; emit: whether an element goes
            out, for which the engine waits; clear: whether the accumulator becomes 0 in the end.
    """

    read: int = 0
    by_row: bool = False
    by_sum: bool = False
    place: int = 0
    spread: bool = False
    loop_element: bool = False
    loop_row: bool = False
    limit: int = 0
    target: int = 0
    keep: bool = False
    wait: bool = False
    begin: bool = False
    choose: bool = False
    leave: bool = False
    jump: bool = False
    add: bool = False
    skip: int = 0
    double: bool = False
    negative: bool = False
    gate: bool = False
    sign: bool = False
    factored: bool = False
    ends: bool = False
    hold: bool = False
    write: bool = False
    store: int = 0
    guard: int = ALWAYS
    take: bool = False
    compare: bool = False
    emit: bool = False
    clear: bool = False


FIELDS = tuple(field.name for field in fields(Instruction))


def field_bits(instructions: list[Instruction]) -> dict[str, int]:
    """Bits of every field that these make use of."""
    most = {name: max(int(getattr(i, name)) for i in instructions) for name in FIELDS}
    return {name: value.bit_length() for name, value in most.items() if value}


def encoded(instruction: Instruction, bits: dict[str, int]) -> dict[str, int]:
    """Its fields as a word has them."""
    said = asdict(instruction)
    return {name: int(said[name]) for name in bits}


TOLD = ("double", "take", "hold", "compare", "emit", "clear")
"""Fields of one bit that a word's second cycle is told as they are."""
