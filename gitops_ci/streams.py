"""The standard streams of this process: what goes wrong with them must not change what a run does.

A stream that is closed when the program starts is opened on nothing, before a file of the run gets its number. A reader
of stdout that went away (`| head`) has read what it wanted. What cannot be written to stderr has no other place.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TextIO

__all__ = ["Forgiving", "open_streams"]


def open_streams() -> None:
    """Make all three streams usable; for the very beginning of the program."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free: this one
    if sys.stdin is None:
        sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: SIM115 - for the whole run
    stdout = sys.stdout or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    sys.stdout = Forgiving(stdout, (BrokenPipeError,))
    sys.stderr = Forgiving(stderr, (OSError, ValueError))


class Forgiving:
    """A stream on which only the first write fails, and not even that with one of `errors`: `is_lost` then."""

    def __init__(self, stream: TextIO, errors: tuple[type[Exception], ...]) -> None:
        self._stream = stream
        self._errors = errors
        self.is_lost = False

    def write(self, text: str) -> int:
        if not self.is_lost:
            try:
                return self._stream.write(text)
            except (OSError, ValueError) as error:
                self._give_up(error)
        return len(text)

    def flush(self) -> None:
        if not self.is_lost:
            try:
                self._stream.flush()
            except (OSError, ValueError) as error:
                self._give_up(error)

    def _give_up(self, error: Exception) -> None:
        """Let what is held back go nowhere: it would be written again at the end of the program, and fail again."""
        self.is_lost = True
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())
        if not isinstance(error, self._errors):
            raise error

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
