"""Some things at a time, in threads that nobody has to wait for.

`concurrent.futures` joins its threads before the process may end: a connection that hangs would hold up a run that was
interrupted, for as long as its time limit is.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, wait
from typing import TypeVar

__all__ = ["each"]

_GRACE = 1.0  # seconds for threads to notice that they are not needed any more
_LOOK = 0.5  # seconds

Item = TypeVar("Item")
Result = TypeVar("Result")


def each(
    work: Callable[[Item], Result], items: Sequence[Item], *, at_once: int, stop: threading.Event | None = None
) -> list[Result]:
    """`work(item)` for every item, `at_once` at a time; the results in the order of the items.

    The first failure is raised as soon as it is there. `stop` is set then, and at the end in any case: work that takes
    long looks at it.
    """
    ended = stop or threading.Event()
    futures: list[Future[Result]] = [Future() for _ in items]
    waiting = deque(zip(items, futures, strict=True))

    def worker() -> None:
        while not ended.is_set():
            try:
                item, future = waiting.popleft()
            except IndexError:
                return
            try:
                future.set_result(work(item))
            except BaseException as error:  # noqa: BLE001 - raised again by whoever waits
                future.set_exception(error)
                return

    threads = [threading.Thread(target=worker, daemon=True) for _ in range(min(at_once, len(items)))]
    try:
        for thread in threads:
            thread.start()
        left: set[Future[Result]] = set(futures)
        while left:
            # A signal that comes right before Python waits is seen after the wait: none lasts for long.
            done, left = wait(futures, timeout=_LOOK, return_when=FIRST_EXCEPTION)
            for future in done:
                future.result()
    finally:
        ended.set()
        until = time.monotonic() + _GRACE
        for thread in threads:
            if thread.ident is not None:
                thread.join(max(0.0, until - time.monotonic()))
    return [future.result() for future in futures]
