"""What training asks of devices, with the words of devices that this machine need not have."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from sylvan.model import train as training
from sylvan.model.config import Config
from sylvan.model.errors import UserError
from sylvan.model.process import (
    full_precision,
    own_random_numbers,
    sums_in_order,
    torch_device,
)

QUICK = Config("copy", hidden=16, task_options={"length": 24, "train": 64})
CPU, GPU = torch.device("cpu"), torch.device("cuda")


@pytest.mark.parametrize("name", ["quantum", "", "meta", "hpu"])
def test_a_device_that_computes_nothing_is_refused(name: str) -> None:
    with pytest.raises(UserError, match=f"^torch cannot compute on the device '{name}': ."):
        torch_device(name)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (
            torch.OutOfMemoryError(
                "CUDA out of memory. Tried to allocate 1000.00 GiB. GPU 0 has a total capacity of "
                "79.18 GiB of which 78.32 GiB is free."
            ),
            ", 1000.00 GiB at once:",
        ),
        (
            RuntimeError(
                "[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate "
                "memory: you tried to allocate 13421772800000 bytes. Error code 12"
            ),
            ", 13421772800000 bytes at once:",
        ),
        (torch.OutOfMemoryError("out of memory"), ": use a smaller"),
    ],
)
def test_too_little_memory_is_a_sentence(
    fault: Exception, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: Any) -> Any:
        raise fault

    monkeypatch.setattr(training, "loss_of", fail)
    with pytest.raises(UserError, match=rf"^training needs .* 'cpu' has{said}"):
        training.train(QUICK, tmp_path / "run")


def test_other_faults_of_torch_are_no_lack_of_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: Any) -> Any:
        raise RuntimeError("shapes do not fit")

    monkeypatch.setattr(training, "loss_of", fail)
    with pytest.raises(RuntimeError, match="shapes do not fit"):
        training.train(QUICK, tmp_path / "run")


def test_a_run_on_the_cpu_wakes_no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    def woken(*arguments: Any) -> Any:
        raise AssertionError("a GPU was touched")

    for name in ("get_rng_state", "set_rng_state"):
        monkeypatch.setattr(torch.cuda, name, woken)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    before = torch.get_rng_state()
    with own_random_numbers(CPU):
        torch.manual_seed(3)
    assert torch.equal(torch.get_rng_state(), before)


def test_sums_are_ordered_on_a_gpu_and_the_setting_is_given_back() -> None:
    """The setting is torch's, not the GPU's: none is needed to see it."""
    for before in ("default", "error"):
        torch.set_deterministic_debug_mode(before)
        try:
            with sums_in_order(CPU):
                assert torch.are_deterministic_algorithms_enabled() is (before == "error")
            with sums_in_order(GPU):
                assert torch.are_deterministic_algorithms_enabled()
            assert torch.are_deterministic_algorithms_enabled() is (before == "error")
            assert not torch.is_deterministic_algorithms_warn_only_enabled()
        finally:
            torch.set_deterministic_debug_mode("default")


def test_fused_cells_multiply_in_full_and_the_setting_is_given_back() -> None:
    recurrences: Any = torch.backends.cudnn.rnn
    before = recurrences.fp32_precision
    with full_precision():
        assert recurrences.fp32_precision == "ieee"
    assert recurrences.fp32_precision == before


def test_training_asks_for_all_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    right = training.loss_of

    def look(*arguments: Any) -> Any:
        recurrences: Any = torch.backends.cudnn.rnn
        asked.append(recurrences.fp32_precision)
        return right(*arguments)

    def ordered(place: torch.device) -> Any:
        asked.append(place)
        return sums_in_order(GPU)

    monkeypatch.setattr(training, "loss_of", look)
    monkeypatch.setattr(training, "sums_in_order", ordered)
    training.train(replace(QUICK, epochs=1), tmp_path / "run")
    assert asked == ["ieee", CPU], "one step"
