"""What a person reads while a command runs: lines on stderr, masked, one event a line."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Literal

from gitops_ci.secret import mask

__all__ = ["Console", "printable"]


def printable(text: str) -> str:
    """Foreign text made safe for a log line: secrets masked, control characters spelled out.

    Without line breaks no text begins a line of its own: nothing a repository contains becomes a workflow command.
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in mask(text))


@dataclass(frozen=True, slots=True)
class Console:
    """The `Log` of a command-line run."""

    level: Literal["quiet", "normal", "verbose"] = "normal"

    def step(self, message: str) -> None:
        if self.level != "quiet":
            self._line(message)

    def detail(self, message: str) -> None:
        if self.level == "verbose":
            self._line(f"  {message}")

    def warn(self, message: str) -> None:
        self._line(f"warning: {message}")

    def _line(self, message: str) -> None:
        text = printable(message)
        # A leading space keeps a line that happens to start with `::` from being a workflow command.
        sys.stderr.write(f" {text}\n" if text.startswith("::") else f"{text}\n")
        sys.stderr.flush()
