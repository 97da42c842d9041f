"""Every operation keeps its contract: golden is its definition, its hardware is golden.

CI runs, for every operation, the programs of its first sizes (1 and 20 among
them) twice each on Icarus, in whole words and in digits, going round places (step, readout), lanes
(one, middle, all), reads and digits; golden against the definition, storage and refusals in full;
one planted fault each. `make test-all` runs every program in both places on three schedules of
lanes, in words and in digits, on both simulators, and every fault.
"""

from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from contracts.cases import Bin, bins, evaluate, real, result_of, table_of
from contracts.suite import REFERENCES, TABLES, cosimulate, schedules
from contracts.tables import Case, Fault
from sylvan.hw.plan import Plan
from sylvan.model.errors import CheckError
from sylvan.model.interpret import run
from sylvan.model.matrices import Matrix
from sylvan.model.operations import Operation, Value
from sylvan.model.program import Program, SymbolInput
from sylvan.model.storage import load, program_hash, save

READS = ("every", "last")
PLACES = ("step", "readout")
CI_SIZES = 3
DIGITS = {1: (1, 2, 5), 3: (7, 5, 4)}
"""Bits on one, middle and all lanes: packed words are wide, and few lanes of few bits take long."""
BINS: dict[str, list[Bin]] = {name: list(bins(table.CASES)) for name, table in TABLES.items()}


def test_every_operation_has_a_table() -> None:
    structured = {f"matvec_{kind}" for kind in Matrix.registry}
    assert set(TABLES) == set(Operation.registry) - {"matvec"} | structured


def read_of(number: int, place: str) -> str:
    return READS[(number + PLACES.index(place)) % 2]


def programs(name: str) -> list[tuple[Bin, Program]]:
    """Every program of an operation."""
    return [
        (bin, bin.program(place, read_of(number, place)))
        for number, bin in enumerate(BINS[name])
        for place in PLACES
    ]


def raw_inputs(program: Program, shape: tuple[int, ...]) -> np.ndarray:
    """Raw inputs (*shape, size), a quarter of them at the ends of the format."""
    rng = np.random.default_rng(7)
    value = program.input.value
    raw = rng.integers(value.format.lo, value.format.hi + 1, (*shape, value.size))
    ends = rng.choice([value.format.lo, value.format.hi], raw.shape)
    return np.where(rng.random(raw.shape) < 0.25, ends, raw)


# ---- golden


def operands(case: Case, count: int = 200) -> list[np.ndarray]:
    """Raw operands (count, size): random ones, ends against ends, and every value of a format."""
    rng = np.random.default_rng(3)
    given = []
    for size, format in case.operands:
        raw = rng.integers(format.lo, format.hi + 1, (count, size))
        ends = rng.choice([format.lo, format.hi], raw.shape)
        raw[: count // 4] = ends[: count // 4]
        values = np.arange(format.lo, format.hi + 1)[: count // 2]
        raw[-len(values) :, -1] = values
        given.append(raw)
    return given


def disagreement(case: Case) -> str | None:
    """Where golden is not the definition; None if it is, on all operands and in every phase."""
    operation, given = case.operation, operands(case)
    values = [Value(f"operand{k}", *operand) for k, operand in enumerate(case.operands)]
    size, format = result_of(case)
    reference = REFERENCES[table_of(operation)]
    for phase in range(2 * operation.period):
        raw = operation.evaluate([g.T for g in given], values, format, phase)
        golden = real(np.broadcast_to(raw, (size, raw.shape[1])).T.copy(), format)
        formats = [v.format for v in values]
        reals = [real(g, f) for g, f in zip(given, formats, strict=True)]
        defined = reference(operation, phase, formats, *reals)
        if not torch.equal(golden, defined.expand_as(golden)):
            return f"{case.text}, phase {phase}: golden {golden}, defined {defined}"
        if raw.min() < format.lo or raw.max() > format.hi:
            return f"{case.text}: {raw.min()} to {raw.max()} in {format}"
    return None


@pytest.mark.parametrize("name", TABLES)
def test_golden_is_the_definition(name: str) -> None:
    for case in TABLES[name].CASES:
        assert disagreement(case) is None, disagreement(case)


@pytest.mark.parametrize("name", TABLES)
def test_golden_is_the_definition_in_whole_programs(name: str) -> None:
    for bin, program in programs(name):
        raw = raw_inputs(program, (8, 7))
        symbols = isinstance(program.input, SymbolInput)
        answers = run(program, raw[..., 0] if symbols else raw)
        expected = evaluate(program, raw, REFERENCES)
        if program.readout.read == "last":
            expected = expected[:, -1]
        assert torch.equal(real(answers, program.output.format), expected), bin


@pytest.mark.parametrize("name", TABLES)
def test_a_fault_in_golden_is_seen(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison is not empty: it sees one element of the last lane that is off by one."""
    operation = type(TABLES[name].CASES[0].operation)
    right = operation.evaluate

    def wrong(self: Any, *given: Any) -> np.ndarray:
        raw = right(self, *given).copy()
        raw[-1, -1] += 1
        return raw

    monkeypatch.setattr(operation, "evaluate", wrong)
    assert all(disagreement(case) for case in TABLES[name].CASES)


@pytest.mark.parametrize("name", TABLES)
def test_saved_and_loaded_it_is_the_same(name: str, tmp_path: Path) -> None:
    """One program of each operation in CI's time; the hash covers the constants of all."""
    bin, program = max(programs(name), key=lambda pair: len(pair[0].cases))
    loaded = load(save(program, tmp_path / "program"))
    assert loaded == program
    assert program_hash(loaded) == program_hash(program)
    raw = raw_inputs(program, (4, 5))
    raw = raw[..., 0] if isinstance(program.input, SymbolInput) else raw
    assert np.array_equal(run(loaded, raw), run(program, raw)), bin


REFUSALS = [(name, *refusal) for name, table in TABLES.items() for refusal in table.REFUSED]


@pytest.mark.parametrize("name, build, message", REFUSALS)
def test_refused(name: str, build: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build()


# ---- hardware


def variants(name: str) -> list[Any]:
    """Program, place, schedule and simulator; what CI leaves out is marked `full`."""
    sizes: dict[tuple[int, int], list[int]] = {}
    for number, bin in enumerate(BINS[name]):
        sizes.setdefault((bin.operand_size, bin.size), []).append(number)
    found = []
    for turn, (size, numbers) in enumerate(sizes.items(), start=list(TABLES).index(name)):
        schedules_of = 1 if max(size) == 1 else 3
        place = PLACES[turn % 2]
        number, serial = numbers[turn % len(numbers)], (turn + 1) % schedules_of
        digit = DIGITS[schedules_of][serial if schedules_of == 3 else turn % 3]
        chosen = {
            (number, place, turn % schedules_of, 0, "icarus"),
            (number, "step", serial, digit, "icarus"),
        }
        in_ci = list(sizes).index(size) < CI_SIZES
        axes = (numbers, PLACES, range(schedules_of), (0, digit), ("icarus", "verilator"))
        for number, *rest in product(*axes):
            title = f"{name}-{size[0]}to{size[1]}-{'-'.join(map(str, [number, *rest]))}"
            marks = () if in_ci and (number, *rest) in chosen else pytest.mark.full
            found.append(pytest.param(name, number, *rest, id=title, marks=marks))
    return found


VARIANTS = [variant for name in TABLES for variant in variants(name)]


@pytest.mark.parametrize("name, number, place, schedule, digit, simulator", VARIANTS)
def test_hardware_is_golden(
    name: str, number: int, place: str, schedule: int, digit: int, simulator: str, tmp_path: Path
) -> None:
    program = BINS[name][number].program(place, read_of(number, place))
    plans = schedules(program, digit)
    if schedule >= len(plans):
        pytest.skip("as few schedules as lanes")
    few = {"sequences": 2, "resets": 1} if digit else {}
    cosimulate(plans[schedule], tmp_path / "build", simulator, **few)


def simulated_plans(name: str) -> Iterator[Plan]:
    """Plans that are simulated for an operation: CI's, those of more than one element first.

    Of these, words before digits, which take ten times as long and show hardly another fault.
    """
    own = [v for v in VARIANTS if v.values[0] == name and v.values[-1] == "icarus"]
    chosen, others = ([v.values for v in own if bool(v.marks) == full] for full in (False, True))
    chosen = sorted([*chosen[1:], chosen[0]], key=lambda values: bool(values[4]))
    for _, number, place, schedule, digit, _ in [*chosen, *others]:
        program = BINS[name][number].program(place, read_of(number, place))
        plans = schedules(program, digit)
        yield plans[min(schedule, len(plans) - 1)]


FAULTS = [
    pytest.param(name, fault, id=f"{name}: {fault.title}", marks=pytest.mark.full if k else ())
    for name in TABLES
    for k, fault in enumerate(TABLES[name].FAULTS)
]


@pytest.mark.parametrize("name, fault", FAULTS)
def test_a_fault_in_hardware_is_seen(
    name: str, fault: Fault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of the simulations above is enough to see it."""
    monkeypatch.setattr(fault.owner, fault.name, fault.wrong(getattr(fault.owner, fault.name)))
    seen = False
    for k, plan in enumerate(simulated_plans(name)):
        try:
            cosimulate(plan, tmp_path / str(k))
        except CheckError:
            seen = True
            break
    assert seen, fault.title
