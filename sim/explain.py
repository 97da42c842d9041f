"""Failures of the testbench, which knows words only, in the words of the program."""

from typing import Any

from .ports import Ports
from .runs import Run


def explain(failure: dict[str, Any], ports: Ports, run: Run) -> str:
    """What the testbench saw, in the words of the program: which element of which timestep."""
    where = f"in the run {run.name!r}, cycle {failure['cycle']}"
    match failure["kind"]:
        case "wrong" | "extra" if failure["stream"] != "o":
            return f"{_state_mismatch(failure, ports, run)} {where}."
        case "wrong":
            return f"Wrong output {where}: {_mismatch(failure, ports, run)}."
        case "extra":
            return (
                f"Too many outputs {where}: after all {len(run.answers)} answers one more word "
                f"came, {_word(failure['got'], ports)}."
            )
        case "rule":
            return f"A stream rule was broken {where}: {failure['text']}."
        case "valid waits":
            name = failure["stream"]
            return f"A stream rule was broken {where}: {name}_valid waits for {name}_ready."
    place = _place(failure["received"], ports, run)
    return (
        f"The core is stuck {where}: {failure['sent']} of "
        f"{len(run.steps) * ports.input.transfers} input words went in, {failure['received']} of "
        f"{len(run.answers) * ports.output.transfers} output words came out (i_ready is "
        f"{failure['i_ready']}, o_valid is {failure['o_valid']}); next should come {place}."
    )


def _state_mismatch(failure: dict[str, Any], ports: Ports, run: Run) -> str:
    """What was wrong of an image that was saved, or of the answer to a load."""
    assert ports.state is not None
    got = "unknown (x)" if failure["got"] is None else str(failure["got"])
    loads = failure["stream"] == "o_load"
    asked = [r for r in run.requests if (r.answer is not None) == loads]
    if failure["kind"] == "extra":
        what = "answer to a load" if loads else "word of an image"
        return f"After all {len(asked)} that were asked for one more {what} came, {got},"
    if loads:
        request = asked[failure["output"]]
        expected = ports.state.answers.index(str(request.answer))
        return (
            f"Wrong answer to load {failure['output']}, of context {request.context}: expected "
            f"{expected} ({request.answer}), got {got},"
        )
    place = failure["output"]
    for number, request in enumerate(asked):
        if place < len(request.words):
            return (
                f"Wrong image, save {number} of context {request.context}: "
                f"{ports.state.place(place)}: expected {request.words[place]}, got {got} (with "
                "`last` on top),"
            )
        place -= len(request.words)
    raise AssertionError("the testbench compared more words than there are")


def _mismatch(failure: dict[str, Any], ports: Ports, run: Run) -> str:
    index, got = failure["output"], failure["got"]
    answer, transfer = divmod(index, ports.output.transfers)
    step, elements = run.answers[answer]
    words = ports.output.pack(elements.tolist(), **run.steps.flags(step))
    place = _place(index, ports, run)
    if got is None:
        return f"{place} is unknown (x)"
    expected_values, *expected_flags = ports.output.unpack(words[transfer])
    got_values, *got_flags = ports.output.unpack(got)
    for offset, (expected, came) in enumerate(zip(expected_values, got_values, strict=True)):
        if expected != came:
            first = transfer * ports.output.elements_per_transfer
            place = _place(index, ports, run, first + offset)
            return f"{place}: expected {expected}, got {came}"
    names = "o_first", "o_last", "o_context"
    for name, expected, came in zip(names, expected_flags, got_flags, strict=True):
        if expected != came:
            return f"{name} with {place}: expected {int(expected)}, got {int(came)}"
    raise AssertionError("the testbench reported equal words as different")


def _place(index: int, ports: Ports, run: Run, element: int | None = None) -> str:
    answer, transfer = divmod(index, ports.output.transfers)
    if answer >= len(run.answers):
        return "nothing"
    step = run.answers[answer][0]
    sequence = run.steps.sequence[step]
    if element is None:
        element = transfer * ports.output.elements_per_transfer
    context = f"context {run.steps.context[step]}, " if ports.contexts > 1 else ""
    return (
        f"{ports.output.name}[{element}] of timestep {step} ({context}sequence {sequence}, "
        f"answer {answer})"
    )


def _word(word: int | None, ports: Ports) -> str:
    if word is None:
        return "unknown (x)"
    values, first, last, context = ports.output.unpack(word)
    flags = f"o_first {int(first)}, o_last {int(last)}"
    if ports.contexts > 1:
        flags += f", o_context {context}"
    return f"{', '.join(map(str, values))} ({flags})"
