"""What training takes of the process that it runs in: a device, threads, and Ctrl-C."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from typing import Any

import torch

from .errors import UserError


def torch_device(device: str) -> torch.device:
    """The device called so. Raises UserError if torch cannot compute there."""
    try:
        torch.zeros(1).to(device)
        return torch.device(device)
    except (RuntimeError, AssertionError) as error:
        said = str(error).splitlines()[0]
        raise UserError(f"torch cannot compute on the device {device!r}: {said}") from None


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
