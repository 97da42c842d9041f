"""The interval of each value beside what it came to on real data: bits that stayed idle."""

from sylvan.model.numbers import Format
from sylvan.model.operations import Value
from sylvan.model.operations.constants import Const
from sylvan.model.program import Program
from sylvan.model.ranges import Range, observed
from sylvan.model.tasks import Task

from .bars import Bar, Chart
from .page import Cell, Html, element, joined, table
from .wording import interval_words, operation_words

SEQUENCES = 128
TIMESTEPS = 1 << 17
"""At most so many of all sequences together: a few seconds of the golden model."""


def intervals(program: Program, task: Task) -> Html:
    """Bars of bits, those that stayed idle apart, and a table of the intervals themselves.

    Raises UserError if the program takes other inputs than the task has.
    """
    inputs = task.test.inputs[:SEQUENCES]
    count = max(1, min(len(inputs), TIMESTEPS // inputs.shape[1]))
    inputs = inputs[:count, :TIMESTEPS]
    found = observed(program, inputs)
    drawn, rows = [], []
    for value, what in _values(program):
        if value.name not in found:
            continue
        least, largest = found[value.name]
        bits, needed = value.format.width, Format(least, largest).width
        said = f"{needed} of {bits} bits" + f", {bits - needed} idle" * (bits > needed)
        told = f"{interval_words(value)}; seen: {least:,} to {largest:,}"
        pieces = [(0, needed, "bar"), (needed, bits, "wasted")]
        drawn.append(Bar(value.name, pieces, said, told))
        rows.append(
            [
                Cell(value.name),
                Cell(what),
                Cell(value.format.exp),
                Cell(value.format.lo),
                Cell(value.format.hi),
                Cell(least),
                Cell(largest),
                Cell(bits),
                Cell(needed),
                Cell(bits - needed),
                Cell(_met(value.format, found[value.name])),
            ]
        )
    told = element(
        "p",
        f"On {len(inputs):,} test sequence{'s' * (count > 1)} of {task.name}, "
        f"{inputs.shape[1]:,} timesteps each. An interval holds for any input at all: idle bits "
        "are no proof that fewer would do, but say where to look.",
        class_="quiet",
    )
    headings = ["value", "made by", "exponent", "least", "largest", "least seen", "largest seen"]
    headings += ["bits", "bits needed", "idle bits", "ends met"]
    return joined(told, Chart(drawn).draw("bits of each value"), table(headings, rows, "intervals"))


def _values(program: Program) -> list[tuple[Value, str]]:
    """Every value that data change, in the program's order, and what makes it."""
    found = [(program.input.value, "input")]
    found += [(state.value, "state") for state in program.states]
    nodes = (node for node in program.nodes() if not isinstance(node.operation, Const))
    return found + [(node.result, operation_words(node.operation)) for node in nodes]


def _met(format: Format, seen: Range) -> str | None:
    """Which ends of the interval were reached: there a state is clamped, or a bound is tight."""
    ends = [
        name
        for name, a, b in zip(("least", "largest"), (format.lo, format.hi), seen, strict=True)
        if a == b
    ]
    return " and ".join(ends) or None
