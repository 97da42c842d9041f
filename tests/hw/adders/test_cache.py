"""Graphs are found again, never believed: damaged and foreign files cost a search, no more."""

from pathlib import Path

import numpy as np
import pytest
from sylvan.hw.adders import optimize, subexpressions

MATRIX = np.random.default_rng(2).choice([-1, 0, 1], (8, 8))


def count_searches(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    rounds: list[int] = []
    real = subexpressions.improve

    def counted(*given: object) -> object:
        rounds.append(1)
        return real(*given)

    monkeypatch.setattr(subexpressions, "improve", counted)
    return rounds


def test_a_graph_is_searched_for_once(own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rounds = count_searches(monkeypatch)
    first = optimize(MATRIX)
    assert rounds
    assert len(list(own_cache.iterdir())) == 1
    rounds.clear()
    again = optimize(MATRIX)
    assert not rounds
    assert (again.adder_bits, again.depth) == (first.adder_bits, first.depth)
    for change in ({"seed": 1}, {"input_bits": 9}, {"max_depth": 5}, {"time_budget": 0.01}):
        rounds.clear()
        optimize(MATRIX, **change)  # type: ignore[arg-type]
        assert rounds, change
    assert len(list(own_cache.iterdir())) == 5


def test_a_damaged_file_is_searched_for_anew(
    own_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    optimize(MATRIX)
    (path,) = own_cache.iterdir()
    whole = path.read_bytes()
    optimize(-3 * MATRIX[::-1])
    (other,) = (file for file in own_cache.iterdir() if file != path)
    rounds = count_searches(monkeypatch)
    flipped = [whole[:at] + bytes([whole[at] ^ 64]) + whole[at + 1 :] for at in range(30, 900, 97)]
    wider = tmp_path / "wider"
    monkeypatch.setenv("SYLVAN_CACHE", str(wider))
    optimize(MATRIX, input_bits=12)
    (foreign,) = (wider / "adders").iterdir()
    monkeypatch.setenv("SYLVAN_CACHE", str(own_cache.parent))
    damaged = [whole[:200], b"", b"PK\x03\x04", other.read_bytes(), foreign.read_bytes()]
    for content in damaged + flipped:
        path.write_bytes(content)
        rounds.clear()
        graph = optimize(MATRIX)
        graph.check(MATRIX)
        assert graph.formats[0].hi == 127
        assert rounds or content in flipped  # a byte that nobody reads may be any other


def test_a_cache_that_cannot_be_written_costs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("SYLVAN_CACHE", str(tmp_path / "file"))
    optimize(MATRIX).check(MATRIX)
