"""What is done in a timestep, and which vectors have places of their own."""

from collections.abc import Callable

import numpy as np
import pytest
from sylvan.hw.microcode.assembler import Microprogram
from sylvan.hw.microcode.tasks import (
    Answer,
    Choose,
    Evaluate,
    Initialise,
    Leave,
    Load,
    Task,
    Transform,
)
from sylvan.hw.microcode.work import Work
from sylvan.hw.ports import input_port
from sylvan.model.builder import Builder
from sylvan.model.errors import UserError
from sylvan.model.matrices import Dense, Hadamard
from sylvan.model.numbers import Format
from sylvan.model.operations import Value
from sylvan.model.program import NumericInput, Program

BYTE = Format.signed_bits(8)


def builder(size: int = 8, period: int = 1) -> Builder:
    return Builder(NumericInput(size, BYTE, (1.0,) * size, (0.0,) * size), period)


def closed(b: Builder, handed_on: Value, read: str = "every") -> Program:
    """The program whose answer is what its layer hands on."""
    return b.program(b.layer("layer", handed_on), read)


def made(work: Work) -> list[str]:
    """Vectors that sums are evaluated for, in order."""
    return [task.result for task in work.tasks if isinstance(task, Evaluate)]


def placed(work: Work) -> set[str]:
    return set(Microprogram(work, input_port(work.program)).places)


def at(work: Work, wanted: Callable[[Task], bool]) -> list[int]:
    return [k for k, task in enumerate(work.tasks) if wanted(task)]


def overwrites(work: Work, state: str) -> list[int]:
    """Tasks that end what a state was."""

    def ends(task: Task) -> bool:
        homes = {work.home(name)[0] for name in task.written}
        return state in homes and not isinstance(task, Initialise)

    return at(work, ends)


def test_a_value_that_is_used_twice_is_stored_and_once_is_not() -> None:
    b = builder()
    twice, once = b.neg(b.input, name="twice"), b.scale([[3]], 0, b.input, name="once")
    c = b.const([[5] * 8], 0, name="c")
    total = b.add(b.add(b.add(once, twice), c), b.add(twice, c), name="total")
    work = Work(closed(b, total))
    assert made(work) == ["twice", "total"] and work.stored == {"input", "twice", "total"}
    assert set(work.constants) == {"c.0"}, "a constant is there once, however often it is used"


def test_what_is_read_more_than_once_an_element_is_stored() -> None:
    b = builder()
    seen = b.neg(b.input, name="seen")
    work = Work(closed(b, b.matvec(Dense(np.ones((2, 8), int)), seen, name="rows")))
    assert made(work) == ["seen", "rows"]


def test_products_are_stored_where_another_sum_uses_them() -> None:
    """A sum has one factor; narrowing alone adds no other."""
    b = builder()
    first, second = (b.mul(b.input, b.input, name=name) for name in ("first", "second"))
    small = b.narrow(first, BYTE, name="small")
    work = Work(closed(b, b.add(small, second, name="total")))
    assert made(work) == ["second", "small", "total"]
    (task,) = (t for t in work.tasks if isinstance(t, Evaluate) and t.result == "small")
    assert task.sum.factor == "input" and task.narrowing is not None
    assert work.factor_bits == 8


def test_the_narrower_operand_is_the_factor_and_all_walk_through_as_many_bits() -> None:
    b = builder()
    small = b.narrow(b.input, Format(0, 3), name="small")
    wide = b.mul(b.mul(b.input, small), b.mul(b.input, b.input), name="wide")
    work = Work(closed(b, wide))
    sums = [task.sum for task in work.tasks if isinstance(task, Evaluate)]
    assert [s.factor for s in sums if s.factor] == ["small", "input", "mul0"]
    assert work.factor_bits == 10, "-384 to 381, with a sign"
    assert {len(s.terms) for s in sums if s.factor} == {10}


def test_a_state_is_made_in_its_place_where_nothing_reads_it_any_more() -> None:
    b = builder()
    h = b.state("h", 8, BYTE)
    new = b.narrow(b.sub(b.input, h), BYTE, name="new")
    b.write(h, new)
    work = Work(closed(b, new))
    assert work.homes == {"new": ("h", 0)} and made(work) == ["new"]
    assert "new" not in placed(work)


def test_a_state_that_is_read_by_rows_is_not_overwritten_meanwhile() -> None:
    b = builder()
    h = b.state("h", 8, BYTE)
    new = b.narrow(b.matvec(Dense(np.eye(8, dtype=int)), h), BYTE, name="new")
    b.write(h, new)
    work = Work(closed(b, new))
    assert not work.homes and made(work) == ["new", "h"]


def test_a_state_that_is_read_later_is_copied_into() -> None:
    b = builder()
    h = b.state("h", 8, BYTE)
    new = b.narrow(b.sub(b.input, h), BYTE, name="new")
    late = b.add(b.mul(new, new), h, name="late")
    b.write(h, new)
    work = Work(closed(b, late))
    assert not work.homes and made(work)[-2:] == ["late", "h"]


def test_a_value_of_two_states_is_made_in_the_place_of_one() -> None:
    b = builder()
    h, g = (b.state(name, 8, BYTE) for name in "hg")
    new = b.narrow(b.sub(h, g), BYTE, name="new")
    b.write(h, new)
    b.write(g, new)
    work = Work(closed(b, new))
    assert work.homes == {"new": ("h", 0)} and made(work) == ["new", "g"]


def test_states_that_swap_are_both_copied_before_either_is_overwritten() -> None:
    b = builder()
    h, g = (b.state(name, 8, BYTE, np.full(8, k)) for k, name in enumerate("hg", 1))
    b.write(h, g)
    b.write(g, h)
    work = Work(closed(b, b.neg(h, name="shown")))
    assert made(work) == ["shown", "h.next", "g.next", "h", "g"]


def test_a_delay_line_hands_on_before_it_takes() -> None:
    b = builder()
    line = [b.state(f"d{k}", 8, BYTE) for k in range(3)]
    new = b.narrow(b.neg(b.input), BYTE, name="new")
    for state, before in zip(line, [new, *line], strict=False):
        b.write(state, before)
    work = Work(closed(b, b.add(line[0], line[2], name="shown")))
    assert not work.homes
    for state in line:
        (ends,) = overwrites(work, state.name)
        assert max(at(work, lambda task, name=state.name: name in task.read)) < ends
    copies = made(work)[-5:]
    assert copies[:2] == ["d1.next", "d2.next"] and set(copies[2:]) == {"d0", "d1", "d2"}


def test_an_exponent_takes_no_place_unless_it_is_one_by_phase_or_of_a_state() -> None:
    b = builder(period=2)
    h = b.state("h", 8, BYTE)
    seen = b.narrow(b.input, BYTE, name="seen")
    plain = b.exponent(-3, seen, name="plain")
    phased = b.exponent([1, 2], seen, name="phased")
    held = b.exponent(1, h, name="held")
    rows = Dense(np.ones((8, 8), int))
    shown = b.add(b.matvec(rows, plain), phased)
    shown = b.add(b.add(shown, b.matvec(rows, phased)), b.matvec(rows, held))
    b.write(h, seen)
    program = b.program(b.layer("layer", shown), "every", [1.0, 1.0])
    work = Work(program)
    assert work.homes == {"plain": ("seen", 0)}
    assert {"seen", "phased", "held", "h"} <= placed(work) and "plain" not in placed(work)


def test_slices_are_parts_where_places_allow_it() -> None:
    b = builder(16)
    h = b.state("h", 16, BYTE)
    seen = b.neg(b.input, name="seen")
    halves = b.slice(8, 16, seen, name="upper"), b.slice(3, 11, seen, name="askew")
    quarter = b.slice(4, 7, halves[0], name="quarter")
    old = b.slice(0, 8, h, name="old")
    b.write(h, b.input)
    total = b.add(b.add(*halves), b.add(old, old), name="total")
    work = Work(closed(b, b.concat(total, quarter, name="joined")))
    assert work.homes == {"upper": ("seen", 8), "quarter": ("upper", 4)}
    assert work.home("quarter") == ("seen", 12)
    assert made(work) == ["seen", "askew", "old", "total", "joined", "h"]


def test_lerp_moves_the_coarser_vector_once() -> None:
    b = builder()
    z = b.narrow(b.input, Format(0, 4, -2), name="z")
    fine = b.exponent(-3, b.neg(b.input), name="fine")
    one, other = (b.lerp(z, b.input, fine, name=name) for name in ("first", "second"))
    work = Work(closed(b, b.add(one, other, name="total")))
    moved = [name for name in made(work) if name.startswith("input")]
    assert len(moved) == 1 and work.formats[moved[0]] == BYTE.aligned(-3)


@pytest.mark.parametrize(("size", "block", "passes", "turns"), [(8, 8, 3, 0), (24, 2, 3, 2)])
def test_transforms(size: int, block: int, passes: int, turns: int) -> None:
    b = builder(size)
    b.layer("layer", b.matvec(Hadamard(block, np.ones(size, int)), b.input, name="seen"))
    work = Work(b.program(b.input, "every"))
    (task,) = (task for task in work.tasks if isinstance(task, Transform))
    assert (task.group, task.passes, task.turns) == (8, passes, turns)
    assert task.read == {"input": False}
    assert task.written == ("seen.transform", "seen.transform.scratch")
    assert made(work) == ["seen"]


@pytest.mark.parametrize("read", ["every", "last"])
def test_only_a_step_that_is_read_does_what_the_readout_asks_for(read: str) -> None:
    b = builder()
    h = b.layer("layer", b.neg(b.input, name="seen"))
    logits = b.add(b.matvec(Dense(np.ones((3, 8), int)), h), b.const([[1, -2, 3]], 0, name="bias"))
    work = Work(b.program(b.argmax(logits), read))
    kinds = [type(task) for task in work.tasks]
    leave = [Leave] if read == "last" else []
    assert kinds == [Load, Evaluate, *leave, Evaluate, Choose, Answer]
    assert set(work.constants) == ({"number.1"} if read == "last" else {"bias.0"})


def test_a_state_begins_with_zeros_or_with_a_vector_of_constants() -> None:
    b = builder(3)
    for name, initial in (("h", [0, 0, 0]), ("g", [1, 0, -2])):
        state = b.state(name, 3, BYTE, initial)
        b.write(state, b.input)
    work = Work(closed(b, b.input))
    assert work.tasks[:2] == [Initialise("h", 3, None), Initialise("g", 3, "g.initial")]
    assert {name: v.tolist() for name, v in work.constants.items()} == {"g.initial": [1, 0, -2]}


def label_inside() -> Program:
    b = builder()
    return closed(b, b.add(b.argmax(b.input, name="label"), b.const([[1]], 0)))


def kept_label() -> Program:
    """It is the answer, but a state becomes it too."""
    b = builder()
    kept = b.state("kept", 1, Format(0, 7))
    label = b.argmax(b.input, name="label")
    b.write(kept, label)
    return closed(b, label)


def shown_label() -> Program:
    """It is the answer, but a state becomes something that is made of it."""
    b = builder()
    kept = b.state("kept", 1, BYTE)
    label = b.argmax(b.input, name="label")
    b.write(kept, b.narrow(b.neg(label), BYTE))
    return closed(b, label)


def old_state() -> Program:
    b = builder()
    h = b.state("h", 8, BYTE)
    b.write(h, b.input)
    return closed(b, h)


LABEL = (
    "label: in a microprogram an argmax is the answer, and nothing is made of it; leave out "
    "--microcode"
)
REFUSED = [
    *((program, LABEL) for program in (label_inside, kept_label, shown_label)),
    (
        old_state,
        "layer layer hands on h as it was before the step: by then a microprogram has no copy of "
        "it; leave out --microcode",
    ),
]


@pytest.mark.parametrize(("program", "said"), REFUSED)
def test_refusals(program: Callable[[], Program], said: str) -> None:
    with pytest.raises(UserError) as refused:
        Work(program())
    assert str(refused.value) == said
