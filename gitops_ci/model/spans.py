"""The position of a value in a text."""

from __future__ import annotations

from gitops_ci.dataclass import dataclass

__all__ = ["Span"]


@dataclass(frozen=True, slots=True)
class Span:
    """Characters `[start, end)` of a text; `line` and `column` are where `start` lies."""

    start: int
    end: int
    line: int
    column: int
