"""What a spec asks for that cannot be: said before anything runs, with the line where it stands."""

from collections.abc import Iterable, Iterator
from itertools import chain, islice
from pathlib import Path

from sylvan.model.census import additions_per_step, storage_bits
from sylvan.model.checkpoint import sides
from sylvan.model.errors import UserError
from sylvan.model.families import build_layer
from sylvan.model.program import Program
from sylvan.model.tasks import Task, load_task

from .networks import DEFAULT_STATE_BITS, STATE_BITS, Network, Space
from .outlook import SLACK, Asked, check, untrained
from .spec import Spec
from .work import tools

TRIED = 50
"""Networks that are tried before it is said that the axes give none."""


def refuse_impossible(spec: Spec, data: Path | None, asked: Asked) -> None:
    """Raise UserError for what cannot work, or be met by any network.

    The data must be there, the tools that build installed, and the smallest network must fit a part
    and do there what is asked.
    """
    base = spec.space.base
    task = load_task(base.task, data=data, **base.task_options)
    if spec.search.builds:
        for part in spec.targets:
            tools(part.name)
    _refuse_score(spec, task)
    smallest = _smallest(spec, task)
    _refuse_values(spec, task)
    program = untrained(smallest.config, smallest.state_bits, task)
    _refuse_sizes(spec, program)
    try:
        check(program, asked)
    except UserError as error:
        told = ", ".join(f"{name} {value}" for name, value in smallest.axes.items())
        said = f"nothing can meet this; of the smallest network ({told}): {error}"
        if "[schedule] names" in str(error):
            spec.lines.refuse("schedule", "", said)
        named = [bound.figure for bound in asked.bounds if str(bound) in str(error)]
        if figures := named or [bound.figure for bound in asked.bounds]:
            spec.lines.refuse("constraints", figures[0], said)
        spec.lines.refuse("targets", "parts", said)


def _refuse_values(spec: Spec, task: Task) -> None:
    """Refuse a value of an axis that gives no network, whatever the others are."""
    space = spec.space
    for place, (axis, values) in enumerate(space.axes.items()):
        for k, value in enumerate(values):
            with_it = (choice for choice in space.choices() if choice[place] == k)
            refusal = None
            for network in _networks(space, islice(with_it, TRIED)):
                try:
                    build_layer(network.config, sides(task))
                    break
                except UserError as error:
                    refusal = refusal or error
            else:
                spec.lines.refuse("numeric", axis, f"{axis} {value!r} gives no network: {refusal}")


def _refuse_sizes(spec: Spec, smallest: Program) -> None:
    """Refuse bounds of a network's own sizes that no network of the axes is within."""
    base = {"hidden": spec.space.base.hidden, STATE_BITS: DEFAULT_STATE_BITS}
    told = {axis: spec.space.axes.get(axis, (value,)) for axis, value in base.items()}
    least = {
        "storage_bits": storage_bits(smallest),
        "additions_per_step": additions_per_step(smallest),
    }
    for bound in spec.question.bounds:
        figure = bound.figure
        values = told.get(figure, ())
        if values and not any(bound.holds({figure: value}) for value in values):
            said = f"nothing can meet {bound}: [numeric] has {', '.join(map(str, values))}"
            spec.lines.refuse("constraints", figure, said)
        if figure in least and not bound.least and bound.excess(least) > SLACK:
            said = f"nothing can meet {bound}: the smallest network has {least[figure]:,}"
            spec.lines.refuse("constraints", figure, said)


def _refuse_score(spec: Spec, task: Task) -> None:
    """Refuse the accuracy of what is not scored by one, and a score that is to be bad."""
    sections: list[tuple[str, Iterable[str]]] = [
        ("constraints", (bound.figure for bound in spec.question.bounds)),
        ("objectives", (aim.figure for aim in spec.question.aims)),
    ]
    for section, figures in sections:
        if task.lower_is_better and "accuracy" in figures:
            said = f"the task {task.name} has no accuracy but {task.score_name}: ask for score"
            spec.lines.refuse(section, "accuracy", said)
    for aim in spec.question.aims:
        if aim.figure in ("accuracy", "score") and aim.largest == task.lower_is_better:
            good = "min" if task.lower_is_better else "max"
            said = f"{task.score_name} of {task.name} is better the other way: '{good}'"
            spec.lines.refuse("objectives", aim.figure, said)


def _smallest(spec: Spec, task: Task) -> Network:
    """The network of the least of each axis, or else the first that is one."""
    refusal: UserError | None = None
    choices = chain([_least(spec.space)], spec.space.choices())
    for network in _networks(spec.space, islice(choices, TRIED)):
        try:
            untrained(network.config, network.state_bits, task)
            return network
        except UserError as error:
            refusal = refusal or error
    spec.lines.refuse("numeric", "", f"the axes of [numeric] give no network: {refusal}")


def _networks(space: Space, choices: Iterable[tuple[int, ...]]) -> Iterator[Network]:
    return (space.network(choice) for choice in choices)


def _least(space: Space) -> tuple[int, ...]:
    """The combination that should take the least hardware."""
    choice = []
    for axis, values in space.axes.items():
        numbers = [v if isinstance(v, int | float) else float("inf") for v in values]
        choice.append(numbers.index(max(numbers) if axis == "sparsity" else min(numbers)))
    return tuple(choice)
