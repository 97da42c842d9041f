"""What training takes of the process that it runs in: a device, threads, and Ctrl-C."""

import contextlib
import os
import re
import signal
import threading
from collections.abc import Iterator
from typing import Any

import torch

from .errors import UserError


def torch_device(device: str) -> torch.device:
    """The device called so. Raises UserError if torch cannot compute there, or not in doubles."""
    try:
        # Back to a number: a device may be a mere name, or know shapes only.
        torch.zeros((), dtype=torch.float64).to(device).item()
        return torch.device(device)
    except (RuntimeError, AssertionError, TypeError, ImportError) as error:
        said = (str(error).splitlines() or [repr(error)])[0]
        raise UserError(f"torch cannot compute on the device {device!r}: {said}") from None


@contextlib.contextmanager
def memory_of(device: str) -> Iterator[None]:
    """Raises UserError where the device has no more memory to give."""
    try:
        yield
    except RuntimeError as error:
        # torch has a class of its own for GPUs only.
        if not isinstance(error, torch.OutOfMemoryError) and "can't allocate" not in str(error):
            raise
        asked = re.search(r"tried to allocate ([\d.]+ \w+)", str(error), re.IGNORECASE)
        piece = f", {asked[1]} at once" if asked else ""
        raise UserError(
            f"training needs more memory than the device {device!r} has{piece}: use a smaller "
            "batch or a smaller network"
        ) from None


def own_random_numbers(place: torch.device) -> contextlib.AbstractContextManager[None]:
    """Whatever is drawn inside, the process draws on as if nothing had been.

    Left to itself torch would wake all GPUs of a machine, also for a run on none of them.
    """
    return torch.random.fork_rng([place] if place.type == "cuda" else [])


@contextlib.contextmanager
def sums_in_order(place: torch.device) -> Iterator[None]:
    """Gradients of a GPU that come out the same in each run, to the bit, as the CPU's do.

    Left to itself torch adds up those of looked-up rows in the order in which threads come.
    """
    if place.type != "cuda":
        yield
        return
    # What cuBLAS needs for it; without, torch warns at each product.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    before = torch.get_deterministic_debug_mode()
    torch.set_deterministic_debug_mode("warn")
    try:
        yield
    finally:
        torch.set_deterministic_debug_mode(before)


@contextlib.contextmanager
def full_precision() -> Iterator[None]:
    """Left to themselves the fused cells of a GPU round to 11 bits what they multiply."""
    recurrences: Any = torch.backends.cudnn.rnn
    before = recurrences.fp32_precision
    recurrences.fp32_precision = "ieee"
    try:
        yield
    finally:
        recurrences.fp32_precision = before


@contextlib.contextmanager
def torch_threads(count: int) -> Iterator[None]:
    """The matrices are small: threads cost more than they give, and would change the last bits."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextlib.contextmanager
def stop_requests() -> Iterator[threading.Event]:
    """Set by the first Ctrl-C, so that a step is finished and saved; the second stops at once."""
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked
        return
    before = signal.getsignal(signal.SIGINT)

    def ask(number: int, frame: Any) -> None:
        asked.set()
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, ask)
    try:
        yield asked
    finally:
        signal.signal(signal.SIGINT, before)
