"""Scoring a program on a task with the golden model: numpy only, as a device would answer."""

from .arrays import Array
from .errors import UserError
from .interpret import run
from .program import Program
from .tasks import Score, Split, Task
from .units import answers_index, real_answers


def evaluate(program: Program, task: Task, split: Split) -> Score:
    """Score and loss of `program` on sequences of `task`.

    A program that answers an index has no loss: it is NaN. One that reads at a list of timesteps
    is scored by its last answer to a sequence.

    Raises:
        UserError: if the program was made for another kind of input, output or reading.
    """
    check_fits(program, task)
    return score(program, task, split, run(program, split.inputs))


def score(program: Program, task: Task, split: Split, answers: Array) -> Score:
    """Of the raw answers to the sequences of a split, whoever gave them."""
    index = answers_index(program)
    if not index:
        answers = real_answers(program, answers, split.inputs.shape[1])
    if program.readout.timesteps:
        answers = answers[:, -1]
    if index:
        return Score(task.hits(answers[..., 0], split.targets), float("nan"))
    return task.score(answers, split.targets)


def check_fits(program: Program, task: Task) -> None:
    """Raise UserError unless the program can take and answer the task's sequences."""
    index = answers_index(program)
    if index and not task.answers_index:
        raise UserError(
            f"the program answers an index, by which the task {task.name} cannot be scored: export "
            "it without argmax"
        )
    outputs = 1 if index else task.outputs
    pairs = [
        ("input", program.input, task.input),
        ("outputs", program.output.size, outputs),
        # The last answer of a sequence is the one that counts.
        ("read", "last" if program.readout.timesteps else program.readout.read, task.read),
    ]
    for name, found, wanted in pairs:
        if found != wanted:
            raise UserError(
                f"the program does not fit the task {task.name}: its {name} is {found}, "
                f"the task's is {wanted}"
            )
