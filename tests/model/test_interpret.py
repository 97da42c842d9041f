"""The golden model against an interpreter in fractions that shares no code with it."""

from collections import Counter

import numpy as np
import pytest
import reference
from programs import random_inputs, random_program, random_timesteps
from sylvan.model import interpret
from sylvan.model.builder import Builder
from sylvan.model.errors import UserError
from sylvan.model.interpret import Machine, check_inputs, run, run_stream
from sylvan.model.matrices import Dense, Hadamard
from sylvan.model.numbers import Format
from sylvan.model.operations import Operation
from sylvan.model.program import NumericInput, Program, SymbolInput

SEEDS = range(40)
EVERY_SEED = pytest.mark.parametrize(
    "seed", [*SEEDS, *(pytest.param(k, marks=pytest.mark.full) for k in range(40, 400))]
)


def flags(length: int, *marked: int) -> np.ndarray:
    return np.isin(np.arange(length), marked)


def as_rows(program: Program, inputs: np.ndarray) -> list[list[int]]:
    return inputs.reshape(len(inputs), program.input.value.size).tolist()


# ---- against the reference


@EVERY_SEED
def test_a_stream_is_what_the_formulas_say(seed: int) -> None:
    program = random_program(seed)
    rng = np.random.default_rng(seed)
    inputs = random_inputs(program, (15,), seed)
    first, last = rng.random(15) < 0.2, rng.random(15) < 0.3
    got = run_stream(program, inputs, first, last)
    expected = reference.interpret(program, as_rows(program, inputs), first, last)
    assert [(t, answer.tolist()) for t, answer in got] == expected
    assert all(answer.dtype == np.int64 for _, answer in got)


@EVERY_SEED
def test_a_stream_read_at_timesteps_is_what_the_formulas_say(seed: int) -> None:
    """Also where `first` comes before the last of them, and long after it."""
    program = random_program(seed, read=random_timesteps(seed))
    rng = np.random.default_rng(seed)
    inputs = random_inputs(program, (25,), seed)
    first, last = rng.random(25) < 0.1, rng.random(25) < 0.3
    got = run_stream(program, inputs, first, last)
    expected = reference.interpret(program, as_rows(program, inputs), first, last)
    assert [(t, answer.tolist()) for t, answer in got] == expected


READ_EITHER_WAY = pytest.mark.parametrize("timesteps", [False, True], ids=["read", "timesteps"])


@EVERY_SEED
@READ_EITHER_WAY
def test_a_batch_is_many_streams(
    seed: int, timesteps: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every sequence alone, whatever the batch and however it is cut into chunks."""
    program = random_program(seed, read=random_timesteps(seed) if timesteps else None)
    shortest = max(program.readout.timesteps, default=0) + 1
    for count, steps in [(1, shortest), (7, shortest + 4)]:
        inputs = random_inputs(program, (count, steps), seed)
        expected = []
        for sequence in inputs:
            first, last = flags(steps, 0), flags(steps, steps - 1)
            answers = reference.interpret(program, as_rows(program, sequence), first, last)
            expected.append([answer for _, answer in answers])
        whole = program.readout.read != "last"
        for elements in (1 << 16, 20):
            monkeypatch.setattr(interpret, "CHUNK_ELEMENTS", elements)
            got = run(program, inputs)
            assert got.dtype == np.int64
            assert got.tolist() == (expected if whole else [answers[0] for answers in expected])


def test_the_seeds_cover_every_operation_and_mixture() -> None:
    programs = [random_program(seed) for seed in SEEDS]
    kinds = Counter(node.operation.kind for p in programs for node in p.nodes())
    assert set(kinds) == set(Operation.registry)
    assert min(kinds.values()) >= 5, kinds
    assert {len(p.layers) for p in programs} == {1, 2, 3}
    assert {p.period for p in programs} == {1, 2, 3}
    assert {p.readout.read for p in programs} == {"every", "last"}
    assert {type(p.input) for p in programs} == {NumericInput, SymbolInput}
    assert any(len(layer.states) > 1 for p in programs for layer in p.layers)
    assert any(s.initial.any() for p in programs for layer in p.layers for s in layer.states)
    listed = [random_program(seed, read=random_timesteps(seed)) for seed in SEEDS]
    assert {len(p.readout.timesteps) for p in listed} == {1, 2, 3, 4}
    assert {len(p.readout.states) for p in listed} == {0, 1, 2}
    told = [{n.operation.period for n in p.readout.body} - {1} for p in listed]
    assert sum(map(bool, told)) >= 10, "constants that differ by read"


# ---- semantics of a stream, by hand


def counter(read: str, initial: int = 100, period: int = 1) -> Program:
    """Adds its input to a state of 16 bits; answers the state."""
    b = Builder(NumericInput(1, Format(0, 9), (1.0,), (0.0,)), period)
    count = b.state("count", 1, Format(-32768, 32767), [initial])
    total = b.narrow(b.add(count, b.input), Format(-32768, 32767))
    b.write(count, total)
    return b.program(b.layer("counting", total), read)


def stream(program: Program, given: list[int], first: list[int], last: list[int]) -> list:
    n = len(given)
    inputs = np.array(given)[:, None]
    got = run_stream(program, inputs, flags(n, *first), flags(n, *last))
    return [(t, *answer.tolist()) for t, answer in got]


@pytest.mark.parametrize(
    ("read", "first", "last", "expected"),
    [
        ("every", [0], [], [(0, 101), (1, 103), (2, 106), (3, 110)]),
        # The stream's start initialises, with or without `first`.
        ("every", [], [], [(0, 101), (1, 103), (2, 106), (3, 110)]),
        # `first` in the middle starts again from the initial state, before the step.
        ("every", [0, 2], [], [(0, 101), (1, 103), (2, 103), (3, 107)]),
        ("every", [0, 1, 2, 3], [], [(0, 101), (1, 102), (2, 103), (3, 104)]),
        # `last` answers, and clears nothing: without `first` the state goes on.
        ("last", [0], [1, 3], [(1, 103), (3, 110)]),
        ("last", [0, 2], [1, 3], [(1, 103), (3, 107)]),
        ("last", [0], [0, 1, 2, 3], [(0, 101), (1, 103), (2, 106), (3, 110)]),
        ("last", [0], [], []),
        ("last", [2], [2], [(2, 103)]),  # a sequence of one timestep
        ("every", [0], [3], [(0, 101), (1, 103), (2, 106), (3, 110)]),
    ],
)
def test_first_and_last(read, first, last, expected) -> None:
    assert stream(counter(read), [1, 2, 3, 4], first, last) == expected


def test_saturated_state_stays_at_its_bound() -> None:
    got = stream(counter("every", initial=32760), [5, 4, 3], [0], [])
    assert got == [(0, 32765), (1, 32767), (2, 32767)]


def test_first_starts_the_phase_again() -> None:
    """The constant of phase 0, 1, 2 is 10, 20, 30; `first` at timestep 4 returns to 10."""
    b = Builder(NumericInput(1, Format(0, 9), (1.0,), (0.0,)), period=3)
    out = b.add(b.input, b.const([[10], [20], [30]], 0))
    program = b.program(b.layer("adding", out), "every")
    got = stream(program, [1, 2, 3, 4, 5, 6], [0, 4], [])
    assert got == [(0, 11), (1, 22), (2, 33), (3, 14), (4, 15), (5, 26)]


def test_the_readout_has_the_phase_of_the_step_it_reads() -> None:
    b = Builder(NumericInput(1, Format(0, 9), (1.0,), (0.0,)), period=2)
    b.layer("passing", b.neg(b.input))
    out = b.exponent([0, 3], b.input)  # raw values, then eight times as much
    program = b.program(out, "last")
    assert stream(program, [1, 2, 3, 4], [0], [0, 1, 2, 3]) == [
        (0, -1),
        (1, -16),
        (2, -3),
        (3, -32),
    ]
    assert run(program, [[[1], [2]], [[3], [4]]]).tolist() == [[-16], [-32]]
    assert run(program, [[[1]], [[3]]]).tolist() == [[-1], [-3]]


def accumulator(timesteps: tuple[int, ...] = (1, 2, 4)) -> Program:
    """Counts its inputs from 0; at each read adds 1, 10, 100 times the count to 1000."""
    b = Builder(NumericInput(1, Format(0, 9), (1.0,), (0.0,)), period=2)
    count = b.state("count", 1, Format(0, 99))
    total = b.narrow(b.add(count, b.input), Format(0, 99))
    b.write(count, total)
    b.layer("counting", total)
    format = Format(0, 99999)
    sum = b.state("sum", 1, format, [1000])
    weights = [[[10**k]] for k in range(len(timesteps))]
    new = b.narrow(b.add(sum, b.phased_matvec(weights, b.input)), format)
    b.write(sum, new)
    return b.program(new, timesteps)


@pytest.mark.parametrize(
    ("timesteps", "first", "expected"),
    [
        # Counts are 1, 3, 6, 10, 15, 21, 28.
        ((1, 2, 4), [], [(1, 1003), (2, 1063), (4, 2563)]),
        ((0,), [0], [(0, 1001)]),
        ((6,), [0], [(6, 1028)]),
        # Started again before the last read, and after it: from 2 on 3, 7, 12, from 5 on 6, 13.
        ((1, 2, 4), [2, 5], [(1, 1003), (3, 1007), (4, 1127), (6, 1013)]),
        ((0, 1), [0, 6], [(0, 1001), (1, 1031), (6, 1007)]),
        ((0, 1), [3, 4], [(0, 1001), (1, 1031), (3, 1004), (4, 1005), (5, 1115)]),
        ((7, 9), [0], []),  # the stream ends before
    ],
)
def test_reads_at_timesteps(timesteps, first, expected) -> None:
    assert stream(accumulator(timesteps), [1, 2, 3, 4, 5, 6, 7], first, [3, 6]) == expected


def test_a_batch_is_answered_at_each_timestep_of_the_list() -> None:
    inputs = [[[1], [2], [3], [4], [5], [6]], [[0], [1], [0], [1], [0], [1]]]
    expected = [[[1003], [1063], [2563]], [[1001], [1011], [1211]]]
    assert run(accumulator(), inputs).tolist() == expected
    assert run(accumulator(), np.zeros((0, 5, 1), int)).shape == (0, 3, 1)
    with pytest.raises(UserError) as caught:
        run(accumulator(), np.zeros((2, 4, 1), int))
    assert str(caught.value) == (
        "the program reads timestep 4, counted from 0: sequences need at least 5 timesteps, got 4"
    )


def test_a_machine_counts_to_the_last_read_and_no_further() -> None:
    machine = Machine(accumulator((1, 2)))
    for timestep, answer in [(1, None), (2, 1002), (3, 1032), (3, None), (3, None)]:
        machine.step(np.array([[1]]))
        assert machine.timestep == timestep
        assert machine.reads(True) == machine.reads(False) == (answer is not None)
        if answer:
            # Asking twice adds nothing twice.
            assert machine.answer().tolist() == machine.answer().tolist() == [[answer]]
    assert machine.states["sum"].tolist() == [[1032]]
    with pytest.raises(ValueError, match=r"only timesteps \(1, 2\) are answered"):
        machine.answer()
    machine.reset()
    assert (machine.timestep, machine.states["sum"].tolist()) == (0, [[1000]])


def test_states_are_written_together_after_the_step() -> None:
    """Two states that swap: neither sees the other's new value."""
    b = Builder(NumericInput(1, Format(0, 0), (1.0,), (0.0,)))
    f = Format(-9, 9)
    left, right = b.state("left", 1, f, [3]), b.state("right", 1, f, [-4])
    b.write(left, right)
    b.write(right, left)
    program = b.program(b.layer("swapping", b.concat(left, right)), "every")
    got = run(program, np.zeros((2, 3, 1), int))
    assert got.tolist() == [[[3, -4], [-4, 3], [3, -4]]] * 2


def test_layers_see_each_other_in_the_same_timestep() -> None:
    """Two delays in a row: 0, 0, then the inputs."""
    b = Builder(NumericInput(1, Format(-9, 9), (1.0,), (0.0,)))
    for name in ("one", "two"):
        state = b.state(name, 1, Format(-9, 9))
        b.write(state, b.input)
        b.layer(f"delay_{name}", state)
    program = b.program(b.input, "every")
    assert run(program, np.array([[[1], [2], [3], [4]]])).tolist() == [[[0], [0], [1], [2]]]


def test_a_constant_is_everybodys_state_and_answer() -> None:
    """Constants have no batch of their own until somebody keeps or answers them."""
    b = Builder(NumericInput(1, Format(0, 9), (1.0,), (0.0,)))
    kept = b.state("kept", 2, Format(5, 6), [5, 6])
    fixed = b.const([[6, 5]], 0)
    b.write(kept, b.narrow(fixed, Format(5, 6)))
    b.layer("fixing", b.concat(b.concat(fixed, kept), b.input))
    program = b.program(b.matvec(Hadamard(1, [1] * 5), b.input), "every")
    got = run(program, np.array([[[1], [2]], [[3], [4]], [[5], [6]]]))
    assert got[:, 0].tolist() == [[6, 5, 5, 6, 1], [6, 5, 5, 6, 3], [6, 5, 5, 6, 5]]
    assert got[:, 1].tolist() == [[6, 5, 6, 5, 2], [6, 5, 6, 5, 4], [6, 5, 6, 5, 6]]
    b = Builder(SymbolInput(3))
    b.layer("ignoring", b.const([[1, 2]], 0))
    assert run(b.program(b.input, "last"), [[0, 1], [2, 2], [1, 0]]).tolist() == [[1, 2]] * 3


def test_a_program_without_operations_answers_its_input() -> None:
    b = Builder(SymbolInput(3))
    b.layer("passing", b.input)
    program = b.program(b.input, "every")
    assert run(program, [[0, 2], [1, 1]]).tolist() == [[[0], [2]], [[1], [1]]]


def test_looked_up_rows_through_a_hadamard_matrix() -> None:
    """A look-up's result is stored sample by sample; the transform must not mind."""
    rng = np.random.default_rng(0)
    table = rng.integers(-50, 50, (1, 7, 128))
    b = Builder(SymbolInput(7))
    signs = rng.choice([-1, 1], 128)
    b.layer("looking", b.matvec(Hadamard(128, signs), b.lookup(table, 0, b.input)))
    symbols = rng.integers(0, 7, (9, 1))
    expected = table[0][symbols[:, 0]] @ Hadamard(128, signs).dense().T
    assert np.array_equal(run(b.program(b.input, "last"), symbols), expected)


@pytest.mark.parametrize("bits", [29, 30, 31, 32, 33, 60])
def test_no_integer_type_overflows(bits: int) -> None:
    """Sums and products that need one bit more than 30, 31, 32 or 61."""
    top = 1 << (bits - 2)
    b = Builder(NumericInput(2, Format(-top, top), (1.0,) * 2, (0.0,) * 2))
    doubled = b.add(b.input, b.input)
    product = b.matvec(Dense([[1, 1], [1, -1], [-1, -1]]), b.input)
    back = b.sub(b.slice(0, 2, product), doubled)
    b.layer("adding", b.concat(b.concat(doubled, product), back))
    program = b.program(b.input, "last")
    for x, y in [(top, top), (-top, -top), (top, -top), (-top, top), (top - 1, 1 - top)]:
        expected = [2 * x, 2 * y, x + y, x - y, -x - y, y - x, x - 3 * y]
        assert run(program, [[[x, y]]]).tolist() == [expected]


# ---- the machine


def test_a_machine_takes_steps_and_starts_again() -> None:
    machine = Machine(counter("every", period=3), batch=2)
    for t in range(4):
        assert machine.phase == t % 3
        machine.step(np.array([[1, 2]]))
    assert machine.phase == 1
    assert machine.states["count"].tolist() == [[104, 108]]
    assert machine.answer().tolist() == [[104, 108]]
    machine.reset()
    assert (machine.phase, machine.states["count"].tolist()) == (0, [[100, 100]])


def test_runs_leave_program_and_inputs_alone() -> None:
    program, inputs = random_program(3), random_inputs(random_program(3), (4, 5))
    before = inputs.copy()
    once = run(program, inputs)
    assert np.array_equal(run(program, inputs), once)
    assert np.array_equal(inputs, before)
    assert program == random_program(3)


# ---- inputs


def symbols() -> Program:
    b = Builder(SymbolInput(5))
    b.layer("passing", b.input)
    return b.program(b.input, "every")


@pytest.mark.parametrize(
    ("program", "inputs", "message"),
    [
        (counter("every"), [[[0.5]]], "inputs must be raw integers, got float64"),
        (counter("every"), [[[True]]], "inputs must be raw integers, got bool"),
        (counter("every"), [[["1"]]], "inputs must be raw integers, got <U1"),
        (counter("every"), [[[1, 2]]], r"a timestep has 1 inputs, got .* shape \(1, 1, 2\)"),
        (counter("every"), [5], r"a timestep has 1 inputs, got an array of shape \(1,\)"),
        (counter("every"), [[[10]]], r"must lie in \[0, 9\], got values from 10 to 10"),
        (counter("every"), [[[-1], [9]]], r"must lie in \[0, 9\], got values from -1 to 9"),
        (counter("every"), [[1]], r"inputs must be \(batch, T, ...\) .* got shape \(1, 1\)"),
        (counter("every"), [[[[1]]]], r"inputs must be \(batch, T, ...\) .* \(1, 1, 1, 1\)"),
        (counter("every"), np.zeros((2, 0, 1), int), r"with T >= 1, got shape \(2, 0, 1\)"),
        (symbols(), [[5]], r"raw inputs must lie in \[0, 4\], got values from 5 to 5"),
        (symbols(), [[-1]], r"raw inputs must lie in \[0, 4\], got values from -1 to -1"),
        (symbols(), [[[1, 2]]], r"inputs must be \(batch, T, ...\) .* got shape \(1, 1, 2, 1\)"),
        (symbols(), [3], r"inputs must be \(batch, T, ...\) .* got shape \(1, 1\)"),
        (symbols(), 3, r"a timestep has 1 inputs, got an array of shape \(1,\)"),
        (symbols(), np.array([[1 << 63]], np.uint64), r"must lie in \[0, 4\]"),
    ],
)
def test_refused_inputs(program, inputs, message) -> None:
    with pytest.raises(UserError, match=message):
        run(program, inputs)


@pytest.mark.parametrize(
    ("inputs", "first", "last", "message"),
    [
        ([[1], [2]], [True], [False, True], r"first needs 2 flags, got an array of shape \(1,\)"),
        ([[1], [2]], [True, False], [True] * 3, r"last needs 2 flags, got .* shape \(3,\)"),
        ([[1], [2]], True, [True] * 2, r"first needs 2 flags, got an array of shape \(\)"),
        ([1], [True], [True], r"a stream must be \(N, ...\), got an array of shape \(1,\)"),
        (
            [[[1]]],
            [True],
            [True],
            r"a stream must be \(N, ...\), got .* shape \(1, 1, 1\)",
        ),
        ([[17]], [True], [True], r"raw inputs must lie in \[0, 9\]"),
    ],
)
def test_refused_streams(inputs, first, last, message) -> None:
    with pytest.raises(UserError, match=message):
        run_stream(counter("every"), inputs, first, last)


def test_accepted_shapes_and_types() -> None:
    assert run(symbols(), np.array([[1, 2]], np.uint8)).tolist() == [[[1], [2]]]
    assert run(symbols(), [[[1], [2]]]).tolist() == [[[1], [2]]]
    assert check_inputs(symbols(), np.array([[3]], np.uint64)).dtype == np.int64
    assert run(counter("every"), np.zeros((0, 4, 1), np.int8)).shape == (0, 4, 1)
    assert run(counter("last"), np.zeros((0, 4, 1), np.int8)).shape == (0, 1)
    assert run_stream(symbols(), np.zeros(0, int), [], []) == []
    assert run_stream(symbols(), [[3]], [1], [0])[0][1].tolist() == [3]
