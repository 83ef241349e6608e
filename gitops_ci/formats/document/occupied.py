"""Characters that are taken: whether others overlap them, asked many times."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable

from gitops_ci.model import ImageSite

__all__ = ["OccupiedSpans"]


class OccupiedSpans:
    """The fields of sites, which lie apart from each other."""

    def __init__(self, sites: Iterable[ImageSite]) -> None:
        self._spans = sorted((field.span.start, field.span.end) for site in sites for field in site.fields)

    def overlaps(self, start: int, end: int) -> bool:
        """Whether one of the characters `[start, end)` is taken."""
        at = bisect_left(self._spans, (end, 0))
        return at > 0 and self._spans[at - 1][1] > start
