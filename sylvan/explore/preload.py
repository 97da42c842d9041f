"""What a worker of this machine's own cluster does first: it leaves Ctrl-C to the search."""

import signal
from typing import Any


def dask_setup(worker: Any) -> None:
    """Called by Dask in each worker: whoever started it ends it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
