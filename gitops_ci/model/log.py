"""Where a flow tells what it does, and what time it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

__all__ = ["Clock", "Log"]


class Log(Protocol):
    """Where a flow tells a person what it does, line by line; the rim decides where the lines go."""

    def step(self, message: str) -> None:
        """Something was done."""

    def detail(self, message: str) -> None:
        """Something only `--verbose` shows."""

    def warn(self, message: str) -> None:
        """Something the user should know, that stops nothing."""


Clock = Callable[[], float]
