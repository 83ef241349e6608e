"""What a person reads while a command runs: lines on stderr, masked, one event a line.

At a terminal digests are shortened, except with `--verbose`; a log has them whole.
"""

from __future__ import annotations

import sys
from typing import Literal

from gitops_ci.cli.spinner import Spinner
from gitops_ci.cli.terminal import is_watched, painted
from gitops_ci.display import log_line, short_digests, visible
from gitops_ci.secret import mask

__all__ = ["Console", "printable"]


def printable(text: str) -> str:
    """Foreign text made safe for a log line: secrets masked, what cannot be seen spelled out, no CI command in it."""
    return log_line(visible(mask(text)))


class Console:
    """The `Log` of a command-line run."""

    def __init__(self, level: Literal["quiet", "normal", "verbose"] = "normal") -> None:
        self.level = level
        self.spinner: Spinner | None = None

    def step(self, message: str) -> None:
        if self.level != "quiet":
            self._line(message)

    def detail(self, message: str) -> None:
        if self.spinner:
            self.spinner.doing(printable(message))
        if self.level == "verbose":
            self._line(f"  {message}")

    def warn(self, message: str) -> None:
        if self.level == "quiet":
            return
        self._line(message, painted("warning:", "yellow", sys.stderr) + " ")

    def _line(self, message: str, before: str = "") -> None:
        if self.spinner:
            self.spinner.clear()
        text = printable(message)
        if self.level != "verbose" and is_watched(sys.stderr):
            text = short_digests(text)
        sys.stderr.write(f"{before}{text}\n")
        sys.stderr.flush()
