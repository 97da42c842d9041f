"""Scores of programs by the golden model, on tasks small enough to do by hand."""

import math

import numpy as np
import pytest
from sylvan.model.builder import Builder
from sylvan.model.errors import UserError
from sylvan.model.evaluate import check_fits, evaluate
from sylvan.model.interpret import run
from sylvan.model.numbers import Format
from sylvan.model.program import NumericInput, Program, Read
from sylvan.model.tasks import Split, Task
from sylvan.model.units import answers_index, real_answers

SOURCE = NumericInput(2, Format(0, 9), (1.0, 1.0), (0.0, 0.0))
SUMS = Format(0, 99, -1)


def largest_sum(read: Read, argmax: bool) -> Program:
    """Both inputs' sums over the timesteps that are read, or which of them is larger."""
    b = Builder(SOURCE)
    b.layer("passing", b.input)
    logits = b.input
    if not isinstance(read, str):
        sums = b.state("sums", 2, SUMS)
        logits = b.narrow(b.add(sums, b.input), SUMS)
        b.write(sums, logits)
    unit = None if isinstance(read, str) else [2.0] * len(read)
    return b.program(b.argmax(logits) if argmax else logits, read, unit)


def task(inputs: list, targets: list, read: str = "last") -> Task:
    split = Split(np.array(inputs), np.array(targets))
    return Task("sums", SOURCE, 2, read, split, split, split)


SEQUENCES = [
    [[9, 0], [1, 2], [0, 9], [0, 4]],  # read at 1 and 3: 1, 2; then 1, 6
    [[0, 9], [1, 2], [0, 0], [3, 0]],  # 1, 2; then 4, 2
    [[0, 0], [4, 0], [9, 9], [0, 3]],  # 4, 0; then 4, 3
    [[0, 0], [2, 0], [9, 9], [0, 2]],  # 2, 0; then equal: the lower index
]


def test_the_last_of_several_answers_counts() -> None:
    given = task(SEQUENCES, [1, 0, 0, 1])
    score = evaluate(largest_sum((1, 3), argmax=False), given, given.test)
    assert score.score == 75.0
    # A sum of 1 is two halves, of unit 2: logits twice the sums, so 5, 2, 1 and 0 apart, doubled.
    losses = [math.log1p(math.exp(-2 * apart)) for apart in (5, 2, 1, 0)]
    assert score.loss == pytest.approx(sum(losses) / 4)
    index = evaluate(largest_sum((1, 3), argmax=True), given, given.test)
    assert index.score == 75.0 and math.isnan(index.loss)
    early = evaluate(largest_sum((1,), argmax=False), given, given.test)
    assert early.score == 50.0


def test_each_answer_has_the_unit_of_its_read() -> None:
    b = Builder(SOURCE, period=2)
    b.layer("passing", b.input)
    program = b.program(b.input, (0, 1, 3), unit=[1.0, 10.0, 0.5])
    answers = real_answers(program, run(program, SEQUENCES[:1]), 4)
    assert answers.tolist() == [[[9.0, 0.0], [10.0, 20.0], [0.0, 2.0]]]


def test_what_does_not_fit() -> None:
    short = task([sequence[:3] for sequence in SEQUENCES], [0] * 4)
    with pytest.raises(UserError, match="need at least 4 timesteps, got 3"):
        evaluate(largest_sum((1, 3), argmax=False), short, short.test)
    every = task(SEQUENCES, [[0] * 4] * 4, read="every")
    with pytest.raises(UserError, match="its read is last, the task's is every"):
        check_fits(largest_sum((1, 3), argmax=False), every)


def test_an_index_is_what_answers_and_not_what_is_computed_last() -> None:
    assert answers_index(largest_sum("last", argmax=True))
    assert not answers_index(largest_sum("last", argmax=False))
    b = Builder(SOURCE)
    b.layer("passing", b.input)
    b.argmax(b.input)
    assert not answers_index(b.program(b.input, "last"))
