"""Whole searches on the cores of this machine: what they find, keep, and survive."""

import os
import signal
import subprocess
import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import explored
import psutil
import pytest
from distributed import LocalCluster
from sylvan.hw.plan import Plan
from sylvan.hw.schedule import Schedule
from sylvan.model.errors import UserError
from sylvan.model.evaluate import evaluate
from sylvan.model.files import parse_json
from sylvan.model.storage import load
from sylvan.model.tasks import load_task

from sylvan.explore.exploration import explore, told
from sylvan.explore.points import mark_fronts
from sylvan.explore.search import Search
from sylvan.explore.store import local_url
from sylvan.explore.work import MOST_SCORED


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("search")


@pytest.fixture(scope="module")
def search(folder: Path) -> Search:
    return explore(explored.spec(folder, ("builds = 0", "builds = 1")), folder / "out", workers=2)


def test_every_network_is_trained_once_and_planned(search: Search, folder: Path) -> None:
    kept = explored.kept(local_url(folder / "out"))
    assert kept.pop("test") == len({p.build_arguments[0].key for p in search.fronts["ice40-up5k"]})
    assert kept.pop("build") >= 1
    assert kept == explored.WHOLE
    assert (search.trained, search.reused, len(search.founds)) == (2, 0, explored.NETWORKS)


def test_figures_are_those_of_program_plan_and_build(search: Search, folder: Path) -> None:
    task = load_task("digits")
    assert len(task.validation.inputs) < MOST_SCORED
    built = [point for point in search.points if point.build]
    assert built and built[0].measured
    for point in [*search.points[::40], *built]:
        program, _, keys, _ = point.build_arguments
        loaded = load(folder / "out" / program.outcome["folder"])
        figures, plan = point.figures, Plan(loaded, Schedule.from_keys(keys))
        assert figures["accuracy"] == evaluate(loaded, task, task.validation).score / 100
        assert figures["cycles_per_step"] == plan.cycles_per_step
        assert figures["state_bits"] == point.found.network.state_bits
        assert figures["steps_per_s"] == figures["fmax_mhz"] * 1e6 / plan.cycles_per_step
        if point.build:
            report = folder / "out" / point.build.outcome["folder"] / "report.json"
            measured = parse_json(report.read_text())["measured"]
            assert figures["luts"] == measured["luts"] != point.estimate["luts"]
            assert figures["fmax_mhz"] == measured["fmax_mhz"]
        else:
            assert figures["luts"] == point.estimate["luts"]


def test_what_is_told_is_data(search: Search) -> None:
    data = told(search)
    assert data["axes"] == ["hidden", "state_bits"] and data["title"] == "small"
    assert len(data["points"]) == len(search.points) == data["spent"]["planned"]
    fronts = [point for point in data["points"] if point["front"]]
    assert fronts and all(point["meets"] for point in fronts)
    costs = sorted((point["figures"]["luts"], -point["figures"]["accuracy"]) for point in fronts)
    assert all(one[1] > other[1] for one, other in pairwise(costs))
    assert all(point["figures"]["test_score"] is not None for point in fronts)
    assert all(set(point["network"]) >= {"hidden", "state_bits", "cell"} for point in fronts)


def test_a_search_is_not_done_twice_and_may_widen(search: Search, folder: Path) -> None:
    before = explored.kept(local_url(folder / "out"))
    same = explore(explored.spec(folder, ("builds = 0", "builds = 1")), folder / "out", workers=1)
    assert explored.kept(local_url(folder / "out")) == before
    assert (same.trained, same.reused, same.builds.count) == (0, 2, 0)
    assert told(same)["points"] == told(search)["points"]
    wider = explored.spec(folder, ("[8, 10]", "[8, 10, 12]"), ("[4, 8]", "[4, 8, 2]"))
    found = explore(wider, folder / "out", workers=1)
    assert (found.trained, found.reused, len(found.founds)) == (1, 2, 9)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            ('">= 1k"', '">= 1e12"'),
            r"line 13: nothing can meet this; of the smallest network \(hidden 4, state_bits 8, "
            r"epochs 1\): steps_per_s >= 1e\+12: [\d,.e+]+ on ice40-up5k comes closest",
        ),
        (("steps_per_s = ", 'luts = "<= 10"\nsteps_per_s = '), "line 13: .*luts <= 10: [0-9]+ on"),
        (('"ice40-up5k"', '"xilinx-7a35t"'), r"steps_per_s >= 1000: not known on xilinx-7a35t"),
        (("[4, 8]", "[4, 5]"), "line 5: hidden 5 gives no network: .* power of two that divides 5"),
        (('accuracy = "max"', 'accuracy = "min"'), "accuracy of digits is better the other way"),
        (
            ("epochs = 1", "epochs = 1\nweight_bits = 99"),
            "line 4: the axes .* give no network: .* 99",
        ),
        (("epochs = 1", "weight_bits = [2, 99]"), "line 7: weight_bits 99 gives no network: .* 99"),
        (("steps_per_s", "hidden"), r"line 13: nothing can meet hidden >= 1000: .* has 4, 8"),
        (('steps_per_s = ">= 1k"', 'storage_bits = "<= 2"'), "line 13: .* smallest network has "),
        (('"digits"', '"mnist"'), "mnist"),
        (('"digits"', '"warpeace"'), "warpeace"),
        (
            ('"ice40-up5k"]', '"ice40-up5k"]\n[schedule]\nlanes = 3'),
            r"line 11: .*none of the schedules for ice40-up5k is one that \[schedule\] names",
        ),
    ],
)
def test_what_cannot_be_is_refused_before_anything_runs(
    change: tuple[str, str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SYLVAN_DATA", raising=False)
    with pytest.raises(UserError, match=said):
        explore(explored.spec(tmp_path, change), tmp_path / "out")
    assert explored.kept(local_url(tmp_path / "out")) == {}


@pytest.mark.full
def test_a_failed_network_says_why_and_stops_nothing(tmp_path: Path) -> None:
    """Two units of eight are no network, and a rate that is far too large diverges."""
    path = explored.spec(
        tmp_path,
        ("[8, 10]", "[8]"),
        ("epochs = 1", "epochs = 1\nrate = [0.01, 1e5]\nblock = [4, 8]"),
    )
    found = explore(path, tmp_path / "out", workers=2)
    failures = list(found.failures)
    assert len(found.founds) == 8
    no_network = [failure for failure in failures if failure["stage"] == "outlook"]
    assert len(no_network) == 2 and all("block" in failure["reason"] for failure in no_network)
    assert all(
        failure["network"] | {"hidden": 4, "block": 8} == failure["network"]
        for failure in no_network
    )
    diverged = [failure for failure in failures if failure["stage"] == "run"]
    assert all("diverged" in failure["reason"] for failure in diverged)
    assert {point.found.network.config.rate for point in found.points} >= {0.01}
    again = explore(path, tmp_path / "out", workers=2)
    assert list(again.failures) == failures and again.trained == 0


@pytest.mark.full
def test_workers_of_a_scheduler_that_is_there(tmp_path: Path) -> None:
    with LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=":0") as cluster:
        address = cluster.scheduler_address
        found = explore(explored.spec(tmp_path), tmp_path / "out", scheduler=address)
    assert found.trained == 2 and found.points and not list(found.failures)


def test_what_misses_the_clock_of_the_board_is_no_point(search: Search) -> None:
    """Though the estimate said that it would reach it."""
    built = next(point for point in search.points if point.measured)
    mhz = built.figures["fmax_mhz"]
    assert replace(built, clock_hz=0.99e6 * mhz).refusal is None
    late = replace(built, clock_hz=1.01e6 * mhz)
    assert late.refusal == f"placed at {mhz:.1f} MHz, below {1.01 * mhz:g} MHz"
    assert not late.told(search.spec.question)["meets"]
    assert mark_fronts([late], search.spec.question) == {"ice40-up5k": []}
    assert replace(built, build=None, clock_hz=1.01e6 * mhz).possible


@pytest.mark.full
def test_a_storage_that_breaks_ends_the_search(tmp_path: Path) -> None:
    """It is no failure of a network, which would be told as what came of it."""
    path, out = explored.spec(tmp_path), tmp_path / "out"
    explore(path, out, workers=1)
    good = bytearray((out / "results.sqlite").read_bytes())
    good[8192:] = b"x" * (len(good) - 8192)
    (out / "results.sqlite").write_bytes(good)
    with pytest.raises(UserError, match=r"the storage .*results.sqlite cannot be used"):
        explore(path, out, workers=1)


def test_killed_workers_lose_nothing(tmp_path: Path) -> None:
    """Two at random moments; every result is there once, as it would be without."""
    (tmp_path / "out").mkdir()
    with explored.killing_two(local_url(tmp_path / "out")) as killed:
        found = explore(explored.spec(tmp_path), tmp_path / "out", workers=2)
    assert len(killed) == 2
    kept = explored.kept(local_url(tmp_path / "out"))
    assert kept.pop("test") >= 1 and kept == explored.WHOLE
    assert list(found.failures) == []


def test_a_killed_search_goes_on(tmp_path: Path) -> None:
    """Whenever `kill -9` comes; then its workers end, and the rest is done."""
    path, out = explored.spec(tmp_path), tmp_path / "out"
    process = subprocess.Popen(
        explored.command(path, out), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    url = local_url(out)
    deadline = time.monotonic() + 120
    while not (out / "results.sqlite").exists() or not explored.kept(url)["run"]:
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.1)
    workers = explored.workers_of(process.pid)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    _, alive = psutil.wait_procs(workers, timeout=60)
    assert alive == []
    before = explored.kept(url)
    found = explore(path, out, workers=2)
    kept = explored.kept(url)
    assert kept.pop("test") >= 1 and kept == explored.WHOLE
    assert found.trained == 2 - before["run"]
