"""Results are kept once, whoever comes first, and a failure is a result."""

import sqlite3
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sylvan.model.errors import UserError

from sylvan.explore.store import Store, key_of, local_url

FILL = """
import sys
from sylvan.explore.store import Store
store = Store(sys.argv[1])
made = [store.settle("run", {"k": k}, lambda key: [sys.argv[2]]) for k in range(50)]
print(sum(result.fresh for result in made))
"""
"""Settles the same fifty things as others do, and says how many this one made."""


def test_a_result_is_made_once_and_kept(tmp_path: Path) -> None:
    url = local_url(tmp_path)
    made = Store(url).settle("run", {"b": 1, "a": [2]}, lambda key: {"key": key})
    assert made.fresh and made.outcome == {"key": made.key} and made.failure is None
    assert made.key == key_of("run", {"a": [2], "b": 1}) != key_of("program", {"a": [2], "b": 1})
    again = Store(url).settle("run", {"a": [2], "b": 1}, pytest.fail)
    assert not again.fresh and again.outcome == made.outcome and again.seconds == made.seconds


def test_a_failure_is_a_result_and_a_bug_is_none(tmp_path: Path) -> None:
    store = Store(local_url(tmp_path))

    def fails(key: str) -> None:
        raise UserError("training diverged")

    def breaks(key: str) -> None:
        raise ZeroDivisionError

    assert store.settle("run", 1, fails).failure == "training diverged"
    known = store.settle("run", 1, pytest.fail)
    assert known.failure == "training diverged" and known.outcome is None and not known.fresh
    with pytest.raises(ZeroDivisionError):
        store.settle("run", 2, breaks)
    assert store.get(key_of("run", 2)) is None


def test_what_is_kept_but_gone_is_made_again(tmp_path: Path) -> None:
    store = Store(local_url(tmp_path))
    store.settle("run", 1, lambda key: "first")
    again = store.settle("run", 1, lambda key: "second", lambda outcome: False)
    assert again.fresh and again.outcome == "first"
    assert len(store.among([again.key])) == 1


def test_of_two_in_one_place_only_one_works(tmp_path: Path) -> None:
    """The other finds the result when its turn comes."""
    store, turn = Store(local_url(tmp_path)), threading.Lock()
    made = []

    def make(key: str) -> str:
        made.append(key)
        time.sleep(0.3)
        return "made"

    def settle(k: int) -> bool:
        return store.settle("run", 1, make, alone=lambda key: turn).fresh

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(settle, range(2))) == [False, True]
    assert len(made) == 1


def test_of_several_writers_one_is_first(tmp_path: Path) -> None:
    url = local_url(tmp_path)
    writers = [
        subprocess.Popen([sys.executable, "-c", FILL, url, name], stdout=subprocess.PIPE, text=True)
        for name in ("one", "other")
    ]
    made = [int(writer.communicate(timeout=60)[0]) for writer in writers]
    assert sum(made) >= 50
    rows = Store(url).among(key_of("run", {"k": k}) for k in range(50))
    assert len(rows) == 50 and {row.outcome[0] for row in rows.values()} <= {"one", "other"}
    (count,) = sqlite3.connect(tmp_path / "results.sqlite").execute(
        "select count(*) from sylvan_results"
    ).fetchone()  # fmt: skip
    assert count == 50


def test_who_comes_second_is_told_what_is_kept(tmp_path: Path) -> None:
    store = Store(local_url(tmp_path))
    with ThreadPoolExecutor(2) as pool:

        def late(key: str) -> str:
            pool.submit(store.settle, "run", 1, lambda key: "quick").result()
            return "late"

        assert store.settle("run", 1, late).outcome == "quick"


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("sqlite://", "the storage sqlite:// names no file, so nothing would be kept"),
        ("nonsense", "the storage is named by an URL such as sqlite:///results.sqlite"),
        ("mystery://host/name", "is named by an URL such as .* got 'mystery://host/name'"),
        ("sqlite:////proc/none/results.sqlite", "cannot be used: unable to open database file"),
        (
            "postgresql+psycopg://user:secret@127.0.0.1:1/name",
            r"the storage postgresql\+psycopg://user:\*\*\*@127.0.0.1:1/name cannot be used",
        ),
    ],
)
def test_a_storage_that_cannot_be_used(url: str, said: str) -> None:
    with pytest.raises(UserError, match=said) as told:
        Store(url)
    assert "secret" not in str(told.value)


def test_a_table_that_is_not_ours_is_left_alone(tmp_path: Path) -> None:
    sqlite3.connect(tmp_path / "results.sqlite").execute("create table sylvan_results (a int)")
    store = Store(local_url(tmp_path))
    with pytest.raises(UserError, match=r"the storage .* cannot be used: no such column"):
        store.get("key")
