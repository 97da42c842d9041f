"""Processes that do the work: Dask's, on this machine or on a cluster that is already there."""

import contextlib
import logging
import os
import re
import signal
from collections.abc import Callable, Iterator
from typing import Any

import dask
import psutil
from distributed import Client, Future, LocalCluster
from distributed.comm.core import CommClosedError

from sylvan.model.errors import UserError

from .store import Result

LOST = 5
"""Workers that may die on one piece of work before it is given up."""
ADDRESS = re.compile(r"[a-z]+://[^/\s]+:\d+")
SETTINGS = {
    "distributed.scheduler.allowed-failures": LOST,
    # A worker that compiles or trains answers late: it is busy, not dead.
    "distributed.comm.timeouts.connect": "60s",
    "distributed.comm.timeouts.tcp": "120s",
    "distributed.worker.daemon": True,
    "distributed.worker.preload": ["sylvan.explore.preload"],
    # Nothing here is worth the disk: what does not fit into memory is ended and tried again.
    "distributed.worker.memory.target": False,
    "distributed.worker.memory.spill": False,
}


@contextlib.contextmanager
def crew(scheduler: str | None, workers: int | None) -> Iterator[Client]:
    """A client of the scheduler, or of a cluster of processes of its own, which end with it.

    One process for each core by default, each with one thread and its share of the memory.

    Raises UserError if the scheduler does not answer.
    """
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    with dask.config.set(SETTINGS), contextlib.ExitStack() as stack:
        if scheduler is None:
            count = workers or len(os.sched_getaffinity(0))
            with _interrupted_alone():
                cluster = LocalCluster(
                    n_workers=count,
                    threads_per_worker=1,
                    processes=True,
                    dashboard_address="127.0.0.1:0",
                    silence_logs=logging.CRITICAL,
                )
            stack.enter_context(cluster)
            client = Client(cluster)
        else:
            if not ADDRESS.fullmatch(scheduler):
                raise UserError(
                    f"a scheduler's address is such as tcp://host:8786, got {scheduler!r}"
                )
            try:
                client = Client(scheduler, timeout="20s")
            except (OSError, ValueError, CommClosedError, TimeoutError) as error:
                said = str(error).splitlines()[0] if str(error) else type(error).__name__
                raise UserError(f"no scheduler answers at {scheduler}: {said}") from None
        stack.enter_context(client)
        with _tools_ended() if scheduler is None else contextlib.nullcontext():
            yield client


@contextlib.contextmanager
def _interrupted_alone() -> Iterator[None]:
    """Processes that are started inside leave Ctrl-C to this one, which hears of it afterwards."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def _tools_ended() -> Iterator[None]:
    """Where this ends in an exception, what workers have running ends with it."""
    try:
        yield
    except BaseException:
        for worker in psutil.Process().children():
            with contextlib.suppress(psutil.NoSuchProcess):
                for tool in worker.children(recursive=True):
                    tool.kill()
        raise


def outcome(future: Future) -> Any:
    """What a piece of work returned, or the sentence why it never will, as a failed Result.

    Raises UserError where the storage failed: then nothing can be kept.
    """
    error = future.exception()
    if error is None:
        return future.result()
    if isinstance(error, UserError):
        raise error
    if type(error).__name__ == "KilledWorker":
        said = f"{LOST + 1} workers ended while they did this: is there memory enough?"
    else:
        said = f"it failed: {type(error).__name__}: {error}"
    return Result("", "lost", None, None, said, 0.0)


def submit(client: Client, name: str, work: Callable[..., Any], *given: Any) -> Future:
    """Let a worker do a piece of work; two of one name are one."""
    return client.submit(work, *given, key=name, pure=False)
