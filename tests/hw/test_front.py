"""Which schedules are looked at, which of them fit, and which of those nothing beats."""

from collections.abc import Callable
from dataclasses import replace
from math import inf
from typing import Any

import pytest
from candidates import candidate
from programs import small, trained
from sylvan.hw import fitted
from sylvan.hw import front as hw_front
from sylvan.hw.cost import estimate
from sylvan.hw.fitted import CoreDelays
from sylvan.hw.front import BUSY, SURE, Candidate, asks_more, explore, for_clock, front, schedules
from sylvan.hw.plan import Plan, widest
from sylvan.hw.schedule import Schedule, passing
from sylvan.hw.targets import Target, target
from sylvan.model.builder import Builder
from sylvan.model.errors import UserError
from sylvan.model.numbers import Format
from sylvan.model.program import NumericInput, Program

UP5K = target("ice40-up5k")


def told(points: list[Candidate]) -> list[tuple[int, ...]]:
    return [(*point.size, point.estimate["cycles_per_step"]) for point in points]


def test_what_is_beaten_is_left_out() -> None:
    """Slower and larger; as fast and larger; of one size the faster, or the one of fewer blocks."""
    points = [
        candidate(900, 1, cycles=40),
        candidate(100, 4, cycles=90),
        candidate(200, 1, cycles=95),
        candidate(300, 2, cycles=60),
        candidate(300, 2, cycles=50),
        candidate(300, 1, cycles=70),
        candidate(500, 1, cycles=50),
    ]
    assert told(front(points)) == [(100, 4, 90), (300, 1, 70), (300, 2, 50), (900, 1, 40)]


def test_faster_is_by_the_clock_where_all_clock_rates_are_known() -> None:
    few, many = candidate(200, cycles=40, mhz=50), candidate(100, cycles=50, mhz=100)
    assert front([few, many]) == [many]
    unknown = candidate(300, cycles=60)
    assert told(front([few, many, unknown])) == [(100, 0, 50), (200, 0, 40)]


@pytest.mark.parametrize("program", [small(), trained(16, False)], ids=["small", "trained"])
def test_a_point_of_the_front_is_beaten_by_none(program: Program) -> None:
    points = explore(program, UP5K, clock_hz=12e6)
    best = front(points)
    assert best and [point.size for point in points] == sorted(point.size for point in points)
    for point in points:
        beaten = [
            other
            for other in best
            if other.size <= point.size
            and other.estimate["steps_per_s"] >= point.estimate["steps_per_s"]
        ]
        assert beaten and (point not in best or beaten == [point])


def test_lanes_and_digits_that_make_sense() -> None:
    program = trained(16, False)
    found = list(schedules(program, Schedule(1)))
    assert len(set(found)) == len(found)
    assert {s.lanes for s in found} == {1, 2, 4, 8, 16, 32, 64, 128}
    digits = [s.digit for s in found if s.lanes == 8]
    assert digits[-1] == 0 and digits[:-1] == sorted(digits[:-1]) and digits[:3] == [1, 2, 3]
    bits = 2 * digits[-2]
    pieces = [-(-bits // digit) for digit in digits[:-1]]
    assert len(set(pieces)) == len(pieces), "two digits cut a word into as many pieces"
    narrow = {s.lanes for s in schedules(small(), Schedule(1))}
    assert narrow == {1, 2, 4} and widest(small()) == 4


def test_no_schedule_is_kept_that_cannot_be_planned(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three lanes do not divide a block of four, and one schedule too many does not matter."""
    bad = Schedule(3)
    monkeypatch.setattr(hw_front, "schedules", lambda *given: iter([bad, Schedule(2)]))
    found = {point.schedule for point in explore(small(), UP5K)}
    assert {s.lanes for s in found if not s.microcode} == {2}
    monkeypatch.setattr(hw_front, "schedules", lambda *given: iter([bad]))
    with pytest.raises(UserError, match="one must divide the other"):
        explore(small(), UP5K, contexts=2)


def with_clock(mhz: Callable[[Schedule], float | None]) -> Callable[[Plan, Target], dict[str, Any]]:
    return lambda plan, part: estimate(plan, part) | {"fmax_mhz": mhz(plan.schedule)}


def test_levels_are_a_choice_where_their_clock_rate_is_known(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def levels(lanes: int) -> set[int]:
        found = [point.schedule for point in explore(small(), UP5K)]
        return {s.levels for s in found if s.lanes == lanes and not s.digit}

    monkeypatch.setattr(hw_front, "estimate", with_clock(lambda schedule: None))
    assert levels(4) == {1}
    monkeypatch.setattr(hw_front, "estimate", with_clock(lambda schedule: 100 / schedule.levels))
    assert levels(4) == {1, 2, 3, 4} and levels(2) == {1}


def test_contexts_double_until_none_would_find_time() -> None:
    program = trained(16, False)
    found = [point.schedule for point in explore(program, target("ecp5-85f"))]
    assert len(set(found)) == len(found)
    words = {
        lanes: sorted(
            s.contexts for s in found if s.lanes == lanes and not (s.digit or s.microcode)
        )
        for lanes in (1, 32)
    }
    assert words[1] == [1], "its only lane is busy all the time"
    most = words[32][-1]
    last, pace = Plan(program, Schedule(32, contexts=most)), Plan(program, Schedule(32)).pace
    assert words[32] == [k for k in (1, 2, 4, 8, 16) if k < most] + [most] and most > 1
    assert last.pace.rest <= most * last.pace.interval / BUSY
    assert last.cycles_per_step < pace.cycles_per_step


def test_contexts_may_be_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then they are no choice, and levels are one as before."""
    monkeypatch.setattr(hw_front, "estimate", with_clock(lambda schedule: 100 / schedule.levels))
    for contexts in (1, 3):
        found = [point.schedule for point in explore(small(), UP5K, contexts=contexts)]
        assert {s.contexts for s in found} == {contexts}
        assert {s.levels for s in found if s.lanes == 4 and not s.digit} == {1, 2, 3, 4}


def test_a_clock_leaves_out_what_does_not_reach_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hw_front, "estimate", with_clock(lambda schedule: 80 / schedule.lanes))
    found = explore(small(), UP5K, clock_hz=30e6)
    assert {point.schedule.lanes for point in found} == {1, 2}
    for point in found:
        cycles = point.estimate["cycles_per_step"]
        assert point.estimate["steps_per_s"] == 30e6 / cycles
    with pytest.raises(
        UserError, match=r"a clock of 90 MHz on ice40-up5k: the fastest, a microprogram, .*"
    ):
        explore(small(), UP5K, clock_hz=90e6)


def test_what_does_not_fit_says_what_would_hold_it() -> None:
    program = trained(16, False)
    least = min(point.estimate["luts"] for point in explore(program, UP5K))
    tiny = replace(UP5K, name="tiny", luts=least - 1, ffs=least - 1)
    with pytest.raises(UserError, match=f"fit tiny: .* {least - 1:,}. ice40-up5k should hold it"):
        explore(program, tiny)
    without = replace(target("ecp5-85f"), name="without", ffs=1)
    with pytest.raises(UserError, match=r"flip-flops of its 1. No larger part should"):
        explore(program, without)


def test_what_only_asks_for_more_than_far_too_much_is_not_planned() -> None:
    program, seen = trained(16, False), []
    least = min(point.estimate["luts"] for point in explore(program, UP5K))
    with pytest.raises(UserError, match="no schedule should fit"):
        explore(program, replace(UP5K, luts=least // 2, ffs=least // 2), trying=seen.append)
    assert seen[0].microcode and [s.digit for s in seen[1:]] == [1] * 8
    assert asks_more(Schedule(4), Schedule(4, 3)) and asks_more(Schedule(4, 3), Schedule(4, 3))
    assert not asks_more(Schedule(4, 2), Schedule(4, 3))
    assert not asks_more(Schedule(4), Schedule(4, contexts=2))
    assert not asks_more(Schedule(4, 2), Schedule(4)) and not asks_more(Schedule(8), Schedule(4))


def test_a_target_without_a_part_has_no_front() -> None:
    with pytest.raises(UserError, match=r"target verilog has no part.* take one of ice40-up5k, "):
        explore(small(), target("verilog"))


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        (Schedule(1), "1 lane, whole words"),
        (Schedule(8, 3), "8 lanes, digits of 3 bits"),
        (Schedule(2, 1), "2 lanes, digits of 1 bit"),
        (Schedule(4, 0, 2), "4 lanes, whole words, 2 adders in a row"),
        (Schedule(4, contexts=3), "4 lanes, whole words, 3 contexts"),
        (Schedule(1, microcode=True), "a microprogram"),
    ],
)
def test_a_schedule_says_itself(schedule: Schedule, words: str) -> None:
    assert str(schedule) == words


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        (Schedule(2), "words"),
        (Schedule(2, 3), "3"),
        (Schedule(1, microcode=True), "microcode"),
    ],
)
def test_a_schedule_as_data_says_how_elements_pass(schedule: Schedule, words: str) -> None:
    assert passing(schedule.keys(8)) == words


def test_a_slow_clock_takes_more_adders_in_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    """An adder takes 3 ns for certain: as many in a row as there is time for, from 1 to 4."""
    monkeypatch.setitem(fitted.DELAYS, "ecp5", CoreDelays(3.0 * SURE, (1.0, 0.0, 0.0, 0.0), 1.0))
    program, part = trained(16, False), target("ecp5-25f")
    schedule = Schedule(widest(program), levels=2, turns=True)
    found = [for_clock(program, schedule, part, mhz * 1e6) for mhz in (10, 80, 100, 120, 1000)]
    assert found == [replace(schedule, levels=levels) for levels in (4, 4, 3, 2, 1)]
    latency = [Plan(program, each).latency_cycles for each in found]
    assert latency == sorted(latency) and latency[0] < latency[-1]
    assert for_clock(program, schedule, target("xilinx-7a35t"), 1e6).levels == 1, "no estimate"
    assert for_clock(program, Schedule(2), part, 1e6).levels == 1, "no adders in a row"


def multiplied(times: int) -> Program:
    """A state multiplied again and again, each time by the input."""
    bits = Format.signed_bits(6, -5)
    b = Builder(NumericInput(1, bits, (1.0,), (0.0,)))
    h = new = b.state("h", 1, bits)
    for _ in range(times):
        new = b.narrow(b.mul(new, b.input), bits)
    b.write(h, new)
    return b.program(b.layer("multiplied", new), "every")


def test_blocks_are_allowed_and_no_duty() -> None:
    """Ten products on a part of eight blocks: with all of them in blocks nothing fits."""
    part = target("ice40-up5k")
    few, many = multiplied(3), multiplied(10)
    assert {point.schedule.dsps for point in explore(few, part, dsps=True)} == {True, False}
    assert [p.schedule for p in explore(many, part, dsps=True)] == [
        p.schedule for p in explore(many, part)
    ]
    blocks = Schedule(1, dsps=True)
    ten = Candidate(blocks, {}, estimate(Plan(many, blocks), part))
    assert ten.need(part) == (10 / 8, "dsps") and ten.need(target("ice40-hx8k")) == (inf, "dsps")
