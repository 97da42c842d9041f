"""Stimulus covers what it promises, and words carry elements as the ports say."""

import dataclasses
from random import Random

import numpy as np
import pytest
from sylvan.model.errors import UserError
from sylvan.sim.ports import Port, Ports
from sylvan.sim.stimulus import PATTERNS, Timesteps, mixed_waits, random_inputs, waits

SIGNED = Port("x", 3, 2, 2, 4, True, -8, 7)
UNSIGNED = dataclasses.replace(SIGNED, signed=False, lo=0, hi=15)
PORTS = Ports("core", "", SIGNED, SIGNED, "last", False, 1, 1)


def test_words_by_hand() -> None:
    assert SIGNED.pack([1, -2, 7], first=True, last=False) == [0x1_E1, 0x1_07]
    assert SIGNED.pack([0, 0, -8], first=False, last=True) == [0x2_00, 0x2_08]
    assert SIGNED.pack([0, 0, -8], first=False, last=True, context=5) == [0x16_00, 0x16_08]
    assert SIGNED.unpack(0x1_E1) == ([1, -2], True, False, 0)
    assert UNSIGNED.unpack(0x16_E1) == ([1, 14], False, True, 5)


@pytest.mark.parametrize("port", [SIGNED, UNSIGNED])
def test_words_there_and_back(port: Port) -> None:
    for value in range(port.lo, port.hi + 1):
        words = port.pack([value, port.lo, port.hi], first=True, last=True)
        assert [port.unpack(word) for word in words] == [
            ([value, port.lo], True, True, 0),
            ([port.hi, 0], True, True, 0),
        ]


def test_spare_bits_are_noise() -> None:
    noise = Random(1)
    spare = set()
    for _ in range(60):
        words = SIGNED.pack([1, -2, 7], first=True, last=False, noise=noise)
        assert words[0] == 0x1_E1 and words[1] & 0x30F == 0x107
        spare.add(words[1] >> 4 & 0xF)
    assert spare == set(range(16))


def test_sequences_are_counted_at_first_and_after_last() -> None:
    first, last = np.array([[1, 0, 0, 1, 0, 0], [0, 0, 1, 0, 0, 1]], bool)
    assert Timesteps(np.zeros((6, 1), int), first, last).sequence.tolist() == [0, 0, 0, 1, 1, 1]
    last[2] = False
    assert Timesteps(np.zeros((6, 1), int), first, last).sequence.tolist() == [0, 0, 0, 1, 1, 1]
    first[3], last[2] = False, True
    assert Timesteps(np.zeros((6, 1), int), first, last).sequence.tolist() == [0, 0, 0, 1, 1, 1]


def test_whole_sequences() -> None:
    steps = Timesteps.of_sequences(np.arange(6).reshape(2, 3))
    assert steps.values.tolist() == [[0], [1], [2], [3], [4], [5]]
    assert steps.first.tolist() == [True, False, False] * 2
    assert steps.last.tolist() == [False, False, True] * 2
    for wrong in (np.zeros((2, 3)), np.zeros(3, int), np.zeros((2, 0), int)):
        with pytest.raises(UserError, match=r"sequences must be integers .* got (int|float)64 \("):
            Timesteps.of_sequences(wrong)


def test_random_inputs_hold_the_awkward_cases() -> None:
    steps = random_inputs(PORTS, 200, np.random.default_rng(0))
    assert (steps.values.min(), steps.values.max()) == (-8, 7)
    assert set(np.unique(steps.values)) == set(range(-8, 8))
    begins, ends = steps.first, steps.last
    assert (begins & ends).any(), "a sequence of one step"
    assert (begins[1:] & ~ends[:-1]).any(), "first without a last before it"
    assert (~begins[1:] & ends[:-1]).any(), "a stream that goes on after last"
    assert ends[-1]
    gaps = np.diff(np.flatnonzero(begins))
    assert gaps.max() > 20, "long without first"


def test_waits() -> None:
    rng = np.random.default_rng(0)
    found = {pattern: waits(pattern, 400, 10, rng) for pattern in PATTERNS}
    assert not found["never"].any()
    assert np.median(found["bursts"]) == 0 < found["bursts"].max()
    assert 0.5 < found["scattered"].mean() < 2
    assert 8 < found["rarely"].mean() < 13
    assert all(wait.min() >= 0 and len(wait) == 400 for wait in found.values())


@pytest.mark.parametrize("counts", [(0, 0), (1, 3), (400, 37)])
def test_mixed_waits_cover_every_transfer(counts: tuple[int, int]) -> None:
    gaps, stalls = mixed_waits(counts, (5, 1), 20, np.random.default_rng(0))
    assert (len(gaps), len(stalls)) == counts
