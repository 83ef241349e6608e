"""What was left alone, told shortly: many of a kind are one line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from gitops_ci.lazy import lazy_pattern
from gitops_ci.model import Skip

__all__ = ["grouped_skips"]

_NAME = lazy_pattern(r"'[^']*'")


def grouped_skips(skipped: Iterable[Skip], most: int) -> list[tuple[Skip, int]]:
    """Each skip with 1; where more than `most` tell the same but for names, only the first, with their number."""
    groups: dict[Skip, list[Skip]] = {}
    for skip in skipped:
        kind = skip if skip.failed else replace(skip, path="", line=0, image="", reason=_NAME.sub("'…'", skip.reason))
        groups.setdefault(kind, []).append(skip)
    shown: list[tuple[Skip, int]] = []
    for kind, group in groups.items():
        is_one = len({skip.reason for skip in group}) == 1
        first = group[0] if is_one else replace(group[0], reason=kind.reason)
        shown += [(first, len(group))] if len(group) > most else [(skip, 1) for skip in group]
    return sorted(shown, key=lambda told: (told[0].path, told[0].line, told[0].reason))
