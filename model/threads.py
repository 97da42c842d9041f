"""Work shared out between threads so that no result depends on how many there are.

Compiled loops and numpy let go of Python's lock while they compute.
"""

import os
import threading
from collections.abc import Callable

from .interpret import cores


def spread(count: int, one: Callable[[int], None]) -> None:
    """`one(i)` for i < count, on the cores that this process may use; OMP_NUM_THREADS says fewer.

    Threads take the next i as they come. They live for one call (0.1 ms), so that no pool is left
    behind in a process that forks.
    """
    numbers, faults = iter(range(count)), list[BaseException]()

    def work() -> None:
        try:
            for i in numbers:
                one(i)
        except BaseException as fault:
            faults.append(fault)

    allowed = os.environ.get("OMP_NUM_THREADS", "")
    limit = min(cores(), int(allowed)) if allowed.isdecimal() and int(allowed) else cores()
    others = [threading.Thread(target=work) for _ in range(min(limit, count) - 1)]
    for thread in others:
        thread.start()
    work()
    for thread in others:
        thread.join()
    if faults:
        raise faults[0]
