"""Ranges of values: by hand on a small program, and what must hold of any."""

import numpy as np
import pytest
from programs import random_inputs, random_program
from sylvan.model.builder import Builder
from sylvan.model.errors import UserError
from sylvan.model.interpret import run
from sylvan.model.numbers import Format
from sylvan.model.program import NumericInput, Program, Read
from sylvan.model.ranges import observed


def summing(read: str) -> Program:
    """h becomes h + x, kept within 3 bits; the answer is -h."""
    b = Builder(NumericInput(1, Format(-4, 3), (1.0,), (0.0,)))
    h = b.state("h", 1, Format(-4, 3))
    total = b.add(h, b.input, name="total")
    written = b.narrow(total, h.format, name="written")
    b.write(h, written)
    b.layer("sum", written)
    return b.program(b.neg(written, name="answer"), read)


def test_ranges_by_hand() -> None:
    """Two sequences: h is 0, 2, 3 (3 + 1 is clamped); and 0, -1, 0."""
    inputs = np.array([[[2], [2], [0]], [[-1], [1], [1]]])
    steps = {"input": (-1, 2), "h": (-1, 3), "total": (-1, 4), "written": (-1, 3)}
    assert observed(summing("every"), inputs) == steps | {"answer": (-3, 1)}
    assert observed(summing("last"), inputs) == steps | {"answer": (-3, -1)}


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("read", ["every", "last", (1, 4)])
def test_ranges_lie_in_their_intervals_and_hold_every_answer(seed: int, read: Read) -> None:
    program = random_program(seed, read=read)
    inputs = random_inputs(program, (3, 7), seed)
    found = observed(program, inputs)
    values = [n.result for n in program.nodes()] + [s.value for s in program.states]
    assert set(found) >= {value.name for value in values}
    for value in values:
        least, largest = found[value.name]
        assert value.format.lo <= least <= largest <= value.format.hi, value
    if program.output.name not in {layer.output.name for layer in program.layers}:
        answers = run(program, inputs)
        assert found[program.output.name] == (answers.min(), answers.max())
    assert found["input"] == (inputs.min(), inputs.max())


def test_what_is_no_batch_of_sequences_is_refused() -> None:
    with pytest.raises(UserError, match=r"of at least one, got shape \(0, 3, 1\)"):
        observed(summing("last"), np.zeros((0, 3, 1), int))
    with pytest.raises(UserError, match="a timestep has 1 inputs"):
        observed(summing("last"), np.zeros((1, 3, 2), int))
