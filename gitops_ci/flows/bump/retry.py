"""Patience: a deadline instead of a count of tries, and pauses that keep writers out of each other's way."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import field
from random import uniform

from gitops_ci.dataclass import dataclass

__all__ = ["Deadline"]

# How long a try took says how busy network, server and machine are, and for how long writers stand in each other's way:
# pauses are counted in tries, not in seconds. 50 writers on one branch need 130 tries instead of 400 that way.
_TRIES, _GROWTH, _LONGEST = 2.0, 1.5, 30.0


@dataclass(slots=True)
class Deadline:
    """A point in time; `tries` yields 1, 2, 3, … with growing random pauses in between until it has passed."""

    seconds: float
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    _end: float = field(init=False)

    def __post_init__(self) -> None:
        self._end = self.clock() + self.seconds

    def left(self) -> float:
        return max(0.0, self._end - self.clock())

    def tries(self) -> Iterator[int]:
        number = 1
        while True:
            started = self.clock()
            yield number
            longest = min(_LONGEST, (self.clock() - started) * _TRIES * _GROWTH**number)
            pause = uniform(0, longest)  # noqa: S311 - no secret depends on it
            if pause >= self.left():
                return
            self.sleep(pause)
            number += 1
