"""What a program must obey: every rule broken once, by hand or through the builder."""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from programs import random_program, small
from sylvan.model.builder import Builder
from sylvan.model.matrices import Dense
from sylvan.model.numbers import Format
from sylvan.model.operations import Value
from sylvan.model.operations.arithmetic import Add, Neg
from sylvan.model.operations.constants import Const
from sylvan.model.operations.moves import Exponent
from sylvan.model.program import (
    Layer,
    Node,
    NumericInput,
    Program,
    Readout,
    State,
    SymbolInput,
)

F = Format(-8, 7)
SOURCE = NumericInput(2, F, (1.0, 1.0), (0.0, 0.0))
X = SOURCE.value
NEG = Value("negated", 2, Format(-7, 8))
KEPT = Value("kept", 2, F)


def program(**changes: Any) -> Program:
    """A small program by hand; the changes replace parts of it, of its layer or of its state."""
    parts: dict[str, Any] = {
        "period": 1,
        "input": SOURCE,
        "name": "first",
        "states": (State(KEPT, np.zeros(2, int), "input", (1.0,)),),
        "body": (Node(NEG, Neg(), (X,)),),
        "output": NEG,
        "layers": None,
        "readout": Readout("every", NEG, (), NEG, (1.0,)),
    } | changes
    layer = Layer(parts["name"], X, parts["states"], parts["body"], parts["output"])
    layers = (layer,) if parts["layers"] is None else parts["layers"]
    return Program(parts["period"], parts["input"], layers, parts["readout"])


def state(**changes: Any) -> State:
    parts = {"value": KEPT, "initial": np.zeros(2, int), "next": "input", "unit": (1.0,)}
    return State(**(parts | changes))


def test_the_example_is_a_program() -> None:
    assert program() == program()
    assert program().output == NEG
    assert [node.result.name for node in program().nodes()] == ["negated"]


def test_equality_is_by_content() -> None:
    assert random_program(1) == random_program(1)
    assert random_program(1) != random_program(2)
    assert small(weight=3) != small(weight=4)
    assert program(states=(state(initial=[0, 1]),)) != program()


SECOND = Layer("second", NEG, (), (), NEG)
NEG2, OWN = Value("again", 2, NEG.format), Value("own", 2, F)


def at(read: Any, **changes: Any) -> Program:
    """The small program read at timesteps."""
    parts: dict[str, Any] = {"body": (), "output": NEG, "unit": (1.0,) * len(read)} | changes
    return program(readout=Readout(read, NEG, **parts))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        # The whole.
        (lambda: program(period=0), "period must be at least 1, got 0"),
        (lambda: program(period=True), "period must be an integer, got True"),
        (lambda: program(period=1.0), "period must be an integer, got 1.0"),
        (lambda: program(layers=()), "a program needs at least one layer"),
        # Names.
        (lambda: program(name="First"), "'First' is no name: use lower-case letters, digits and u"),
        (lambda: program(name=""), "'' is no name"),
        (lambda: program(name="a b"), "'a b' is no name"),
        (lambda: program(name="a\n"), r"'a\\n' is no name"),
        (lambda: program(name="1st"), "'1st' is no name"),
        (lambda: program(name="_x"), "'_x' is no name"),
        (lambda: program(name="input"), "the name 'input' is used twice"),
        (lambda: program(name="negated"), "the name 'negated' is used twice"),
        (lambda: program(name="kept"), "the name 'kept' is used twice"),
        (lambda: program(states=(state(), state())), "the name 'kept' is used twice"),
        (
            lambda: program(body=(Node(NEG, Neg(), (X,)), Node(NEG, Neg(), (X,)))),
            "the name 'negated' is used twice",
        ),
        (
            lambda: program(states=(state(value=Value("negated", 2, F)),)),
            "the name 'negated' is used twice",
        ),
        (
            lambda: program(readout=Readout("every", NEG, (Node(NEG, Neg(), (NEG,)),), NEG, (1,))),
            "negated is 2 of Format.* declared as 2 of Format",
        ),
        # Layers and what they hand on.
        (
            lambda: program(layers=(SECOND,)),
            r"layer second reads Value\(name='negated', .*\), is given Value\(name='input'",
        ),
        (
            lambda: program(layers=(Layer("first", X, (), (), X), SECOND)),
            r"layer second reads Value\(name='negated', .*\), is given Value\(name='input'",
        ),
        (
            lambda: program(output=Value("absent", 2, F)),
            "'absent' is not defined there; known: input, kept, negated",
        ),
        (
            lambda: program(output=replace(NEG, format=F)),
            r"layer first hands on Value\(name='negated', .*hi=7.*, defined as .*hi=8",
        ),
        # The body.
        (
            lambda: program(body=(Node(NEG, Neg(), (Value("later", 2, F),)),)),
            "'later' is not defined there; known: input, kept",
        ),
        (
            lambda: program(body=(Node(NEG, Neg(), (replace(X, size=3),)),)),
            r"negated reads Value\(name='input', size=3, .*, defined as .*size=2",
        ),
        (
            lambda: program(body=(Node(NEG, Neg(), (X, X)),)),
            "negated: neg takes 1 operands, got 2",
        ),
        (
            lambda: program(body=(Node(NEG, Add(), (X,)),)),
            "negated: add takes 2 operands, got 1",
        ),
        (
            lambda: program(body=(Node(replace(NEG, format=F), Neg(), (X,)),)),
            r"negated is 2 of Format\(lo=-7, hi=8, exp=0\), declared as 2 of Format\(lo=-8, hi=7",
        ),
        (
            lambda: program(body=(Node(replace(NEG, size=3), Neg(), (X,)),)),
            r"negated is 2 of Format\(.*\), declared as 3 of Format",
        ),
        (
            lambda: program(body=(Node(NEG, Exponent((0, 0)), (X,)),)),
            "negated has constants for 2 phases, the program's period is 1",
        ),
        (
            lambda: program(period=3, body=(Node(NEG, Exponent((0, 0)), (X,)),), states=()),
            "negated has constants for 2 phases, the program's period is 3",
        ),
        # States.
        (
            lambda: program(states=(state(next="absent"),)),
            "'absent' is not defined there; known: input, kept, negated",
        ),
        (
            lambda: program(states=(state(next="negated"),)),
            r"state kept is 2 of Format\(lo=-8, hi=7, exp=0\) but negated is 2 of Format\(lo=-7",
        ),
        (
            lambda: program(
                states=(state(value=Value("kept", 3, F), initial=[0, 0, 0]),),
            ),
            r"state kept is 3 of Format\(.*\) but input is 2 of Format",
        ),
        (lambda: state(initial=[0, 0, 0]), "state kept has 2 elements, but starts with 3"),
        (lambda: state(initial=[0, 8]), r"state kept starts with 8, outside its \[-8, 7\]"),
        (lambda: state(initial=[-9, 0]), r"state kept starts with -9, outside its \[-8, 7\]"),
        (lambda: state(initial=[0.0, 0.0]), "initial of kept must be .* integer .* got float64"),
        (lambda: state(unit=("1",)), r"unit of kept needs 1 finite numbers, got \('1',\)"),
        (lambda: state(unit=(float("nan"),)), "unit of kept needs 1 finite numbers, got"),
        (lambda: program(states=(state(unit=()),)), r"kept needs 1 positive units, got \(\)"),
        (lambda: program(states=(state(unit=(1, 1)),)), r"1 positive units, got \(1.0, 1.0\)"),
        (lambda: program(states=(state(unit=(0,)),)), r"kept needs 1 positive units, got \(0.0,\)"),
        (lambda: program(states=(state(unit=(-1,)),)), "kept needs 1 positive units, got"),
        # The readout.
        (
            lambda: program(readout=Readout("never", NEG, (), NEG, (1.0,))),
            r"readout must read one of \('every', 'last'\), or a list of timesteps, got 'never'",
        ),
        (lambda: at(()), "timesteps of the readout must be at least one"),
        (lambda: at((3, 3)), "must increase from 0 or more, 3 does not"),
        (lambda: at((5, 2)), "must increase from 0 or more, 2 does not"),
        (lambda: at((-1, 2)), "must increase from 0 or more, -1 does not"),
        (lambda: at((0, 1.0)), "timesteps of the readout must be an integer, got 1.0"),
        (lambda: at((False, 1)), "timesteps of the readout must be an integer, got False"),
        (lambda: at((1, 2), unit=(1, 1, 1)), r"the readout needs 2 positive units, got \(1.0, 1.0"),
        (
            lambda: at((1, 2, 4), body=(Node(NEG2, Exponent((0, 0)), (NEG,)),)),
            "again has constants for 2 reads, the timesteps read are 3",
        ),
        (
            lambda: at("last", states=(state(next="negated"),)),
            "only a readout at a list of timesteps has states, got kept in one that reads 'last'",
        ),
        (lambda: at((1, 2), states=(state(),)), "the name 'kept' is used twice"),
        (
            lambda: at((1, 2), states=(state(value=OWN, next="negated"),)),
            r"own needs 2 positive units, got \(1.0,\)",
        ),
        (
            lambda: at((1, 2), states=(state(value=OWN, next="absent", unit=(1, 1)),)),
            "'absent' is not defined there; known: negated, own",
        ),
        (
            lambda: at((1, 2), states=(state(value=OWN, next="negated", unit=(1, 1)),)),
            r"state own is 2 of Format\(lo=-8, hi=7, exp=0\) but negated is 2 of Format\(lo=-7",
        ),
        (
            lambda: program(readout=Readout("every", X, (), X, (1.0,))),
            r"the readout reads Value\(name='input', .*\), is given Value\(name='negated'",
        ),
        (
            lambda: program(readout=Readout("every", NEG, (), X, (1.0,))),
            "'input' is not defined there; known: negated",
        ),
        (
            lambda: program(readout=Readout("every", NEG, (), replace(NEG, size=1), (1.0,))),
            r"the readout answers Value\(name='negated', size=1, .*, defined as .*size=2",
        ),
        (
            lambda: program(readout=Readout("every", NEG, (), NEG, (1.0, 1.0))),
            r"the readout needs 1 positive units, got \(1.0, 1.0\)",
        ),
        (
            lambda: Readout("every", NEG, (), NEG, (float("inf"),)),
            r"unit of the readout needs 1 finite numbers, got \(inf,\)",
        ),
        # More than 62 bits (those inside an operation: test_operations).
        (
            lambda: program(input=NumericInput(2, Format(0, 1 << 62), (1, 1), (0, 0))),
            r"input could exceed 62 bits: Format\(lo=0, hi=4611686018427387904",
        ),
        (
            lambda: program(states=(state(value=Value("kept", 2, Format(0, 1 << 62))),)),
            "kept could exceed 62 bits",
        ),
    ],
)  # fmt: skip
def test_refused_programs(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_every_period_has_its_phases() -> None:
    """Constants for one phase, or for all: nothing between."""
    for period in (1, 2, 3):
        for phases in (1, 2, 3):
            b = Builder(SymbolInput(2), period)
            b.layer("adding", b.const([[k] for k in range(phases)], 0))
            if phases in (1, period):
                assert b.program(b.input, "every").period == period
            else:
                with pytest.raises(ValueError, match=f"const0 has constants for {phases} phases"):
                    b.program(b.input, "every")


def test_a_readout_at_timesteps_has_its_reads() -> None:
    """Constants for one read, or for all, whatever the period."""
    for timesteps in ((3,), (0, 1), (1, 5, 6)):
        for count in (1, 2, 3):
            b = Builder(SymbolInput(2), period=2)
            b.layer("passing", b.input)
            answer = b.const([[k] for k in range(count)], 0)
            if count in (1, len(timesteps)):
                assert b.program(answer, timesteps).readout.timesteps == timesteps
            else:
                with pytest.raises(ValueError, match=f"for {count} reads, the timesteps read are"):
                    b.program(answer, timesteps)


def test_states_of_layers_and_readout() -> None:
    b = Builder(SOURCE, period=2)
    b.write(b.state("kept", 2, F), b.input)
    b.layer("first", b.input)
    b.write(b.state("own", 2, F, [1, 2], [0.5, 1, 2]), b.input)
    built = b.program(b.input, [0, 4, 9], unit=[1, 2, 3])  # type: ignore[arg-type]
    assert [state.value.name for state in built.states] == ["kept", "own"]
    assert built.states[1].unit == (0.5, 1.0, 2.0)
    assert (built.readout.read, built.readout_period) == ((0, 4, 9), 3)


# ---- inputs


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SymbolInput(0), "an input needs at least 1 symbol, got 0"),
        (lambda: SymbolInput(-3), "an input needs at least 1 symbol, got -3"),
        (lambda: SymbolInput(2.0), "symbols must be an integer, got 2.0"),
        (lambda: SymbolInput(True), "symbols must be an integer, got True"),
        (lambda: SymbolInput("3"), "symbols must be an integer, got '3'"),
        (lambda: NumericInput(0, F, (), ()), "an input needs at least 1 element, got 0"),
        (lambda: NumericInput(-1, F, (), ()), "an input needs at least 1 element, got -1"),
        (lambda: NumericInput(1.0, F, (1,), (0,)), "the input's size must be an integer, got 1.0"),
        (lambda: NumericInput(2, F, (1,), (0, 0)), "input scale needs 2 finite numbers, got"),
        (lambda: NumericInput(1, F, (1,), ()), r"input offset needs 1 finite numbers, got \(\)"),
        (
            lambda: NumericInput(1, F, (np.nan,), (0,)),
            r"scale needs 1 finite numbers, got \(nan",
        ),
        (lambda: NumericInput(1, F, (1,), (np.inf,)), "offset needs 1 finite numbers, got"),
        (lambda: NumericInput(1, F, (True,), (0,)), "scale needs 1 finite numbers, got"),
        (lambda: NumericInput(1, F, (np.True_,), (0,)), "scale needs 1 finite numbers, got"),
        (lambda: NumericInput(1, F, ("1",), (0,)), "scale needs 1 finite numbers, got"),
        (lambda: NumericInput(1, F, (None,), (0,)), "scale needs 1 finite numbers, got"),
        (lambda: NumericInput(1, F, (10**400,), (0,)), "scale needs 1 finite numbers, got"),
        (lambda: NumericInput(1, F, (1j,), (0,)), "scale needs 1 finite numbers, got"),
        (lambda: NumericInput(2, F, (1, 0.0), (0, 0)), "input scale must not be zero, got"),
    ],
)
def test_refused_inputs(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_inputs_hold_plain_numbers() -> None:
    given = NumericInput(np.int64(2), F, np.array([1, 2]), [np.float32(0.5), -1])  # type: ignore
    assert given == NumericInput(2, F, (1.0, 2.0), (0.5, -1.0))
    assert [type(x) for x in (given.size, *given.scale, *given.offset)] == [int] + [float] * 4
    assert given.value == Value("input", 2, F)
    assert SymbolInput(5).value == Value("input", 1, Format(0, 4))


NEAR_HALVES = [
    NumericInput(3, Format.signed_bits(8, -5), (0.376, -0.407, 1.0), (0.016, 0.811, 0.0)),
    NumericInput(1, Format.signed_bits(16, -13), (1e-3,), (1e-3,)),
    NumericInput(1, Format.signed_bits(55), (0.1,), (0.0,)),
    NumericInput(1, Format(-1, 2, 40), (3e-9,), (7.0,)),
]


@pytest.mark.parametrize("source", NEAR_HALVES)
def test_every_number_is_sent_as_the_nearest(source: NumericInput) -> None:
    """The doubles around the halves, and the ends of doubles."""
    offset, step = np.array(source.offset), np.array(source.scale) * 2.0**source.format.exp
    rng = np.random.default_rng(2)
    low, high = max(source.format.lo, -(2**53)), min(source.format.hi, 2**53)
    halves = offset + step * (rng.integers(low - 1, high + 2, (300, source.size)) + 0.5)
    given = np.stack([halves, np.nextafter(halves, np.inf), np.nextafter(halves, -np.inf)])
    given[:, 0] = [[-1e290], [1e290], [0.0]]

    def right(channel: int, real: float) -> int:
        scale, offset = Fraction(source.scale[channel]), Fraction(source.offset[channel])
        nearest = round((Fraction(real) - offset) / scale / Fraction(2) ** source.format.exp)
        return min(max(nearest, source.format.lo), source.format.hi)

    found = source.raw(given)
    for at, real in np.ndenumerate(given):
        assert found[at] == right(at[-1], real), (at, real)


# ---- the builder


def builder() -> Builder:
    return Builder(SOURCE)


def build(steps: Callable[[Builder], Any]) -> None:
    steps(builder())


def two_states(b: Builder) -> None:
    b.state("kept", 2, F)
    b.state("kept", 2, F)


def unwritten(b: Builder) -> None:
    b.state("later", 2, F)
    b.state("kept", 2, F)
    b.layer("first", b.input)


def written_twice(b: Builder) -> None:
    kept = b.state("kept", 2, F)
    b.write(kept, b.input)
    b.write(kept, kept)


def written_too_late(b: Builder) -> None:
    kept = b.state("kept", 2, F)
    b.write(kept, b.input)
    b.layer("first", kept)
    b.write(kept, b.input)


def state_in_the_readout(b: Builder) -> None:
    b.layer("first", b.input)
    b.state("kept", 2, F)
    b.program(b.input, "every")


def written_in_the_readout(b: Builder) -> None:
    b.layer("first", b.input)
    b.write(b.state("kept", 2, F), b.input)
    b.program(b.input, "every")


def other_layers_value(b: Builder) -> None:
    hidden = b.neg(b.input)
    b.layer("first", b.input)
    b.layer("second", b.neg(hidden, name="again"))
    b.program(b.input, "every")


def other_layers_input(b: Builder) -> None:
    """Only `b.input` passes between layers: the first one's input is out of reach."""
    first = b.input
    b.layer("first", b.neg(first))
    b.layer("second", b.add(b.input, first))
    b.program(b.input, "every")


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        (two_states, "the layer already has a state 'kept'"),
        (unwritten, "layer first never writes its states kept, later"),
        (written_twice, "state 'kept' is written twice"),
        (written_too_late, "'kept' is no state of the layer being built"),
        (lambda b: b.write(b.input, b.input), "'input' is no state of the layer being built"),
        (state_in_the_readout, "the readout never writes its states kept"),
        (
            written_in_the_readout,
            "only a readout at a list of timesteps has states, got kept in one that reads 'every'",
        ),
        (other_layers_value, "'neg0' is not defined there; known: input"),
        (other_layers_input, "'input' is not defined there; known: neg0"),
        (lambda b: b.program(b.input, "every"), "a program needs at least one layer"),
        (lambda b: b.state("kept", 0, F), "state kept needs at least 1 element, got 0"),
        (lambda b: b.state("kept", 2.0, F), "size of kept must be an integer, got 2.0"),
        (lambda b: b.add(b.input, b.const([[1]], 0)), "add0: operands must have one size, but inp"),
        (
            lambda b: b.add(b.input, b.const([[1]], 0), name="total"),
            "total: operands must have",
        ),
        (lambda b: b.matvec(Dense([[1]]), b.input), "matvec0: the matrix has 1 columns, input has"),
        (lambda b: b.apply(Add(), b.input), "add0: add takes 2 operands, got 1"),
        (lambda b: b.apply(Const([[1]], 0), b.input), "const0: const takes 0 operands, got 1"),
        (lambda b: b.exponent(0.5, b.input), "shifts of exponent must be an integer, got 0.5"),
        (lambda b: b.exponent([], b.input), "exponent needs at least one shift"),
        (lambda b: b.exponent(1 << 40, b.input), r"exponent0: Format.exp must lie within \+-1024"),
        (lambda b: b.slice(1, 5, b.input), r"slice0: slice \[1, 5\) is not inside the 2 of input"),
    ],
)
def test_refused_by_the_builder(steps: Callable[[Builder], Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build(steps)


@pytest.mark.parametrize("period", [0, True, 1.5, "1"])
def test_refused_periods(period: Any) -> None:
    with pytest.raises(ValueError, match="period must be"):
        b = Builder(SOURCE, period)
        b.layer("first", b.input)
        b.program(b.input, "every")


def test_a_built_program_reads_like_its_equation() -> None:
    b = Builder(SOURCE, period=2)
    kept = b.state("kept", 2, F, unit=[2.0, 1.0])
    total = b.add(b.exponent([-1, 0], kept), b.input, name="total")
    b.write(kept, b.narrow(total, F))
    b.layer("first", total)
    built = b.program(b.neg(b.input), "last", unit=[0.5, 0.25], metadata={"made": "here"})
    (layer,) = built.layers
    assert [node.result.name for node in layer.body] == ["exponent0", "total", "narrow0"]
    assert [tuple(v.name for v in node.operands) for node in layer.body] == [
        ("kept",),
        ("exponent0", "input"),
        ("total",),
    ]
    assert layer.states[0].next == "narrow0"
    assert layer.states[0].initial.tolist() == [0, 0]
    assert layer.states[0].unit == (2.0, 1.0)
    assert layer.output == built.readout.input == total
    assert [node.result.name for node in built.nodes()] == ["exponent0", "total", "narrow0", "neg0"]
    assert (built.readout.read, built.readout.unit) == ("last", (0.5, 0.25))
    assert (built.period, built.metadata) == (2, {"made": "here"})
    assert built.output == Value("neg0", 2, -total.format)
