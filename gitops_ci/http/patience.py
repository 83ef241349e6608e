"""A limit of time for work that waits for others: bytes that come one by one are never late for a socket's timeout."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

__all__ = ["in_time"]

Result = TypeVar("Result")


def in_time(seconds: float, work: Callable[[], Result]) -> Result:
    """What `work` returns or raises, if that is soon enough.

    Work that is late goes on in a thread that ends with the program; what comes of it is dropped.

    Raises:
        TimeoutError: it took longer.
    """
    results: list[Result] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:  # noqa: BLE001 - raised again below, in the thread that waits
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    try:
        thread.start()
    except RuntimeError:  # no thread to be had: late is better than not at all
        return work()
    thread.join(seconds)
    if errors:
        raise errors[0]
    if not results:
        raise TimeoutError
    return results[0]
