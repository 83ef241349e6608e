"""What was left alone, told shortly: many of a kind are one line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from gitops_ci.model import Skip

__all__ = ["grouped_skips"]


def grouped_skips(skipped: Iterable[Skip], most: int) -> list[tuple[Skip, int]]:
    """Each skip with 1; where more than `most` tell the same, only the first of them, with their number."""
    groups: dict[Skip, list[Skip]] = {}
    for skip in skipped:
        groups.setdefault(skip if skip.failed else replace(skip, path="", line=0, image=""), []).append(skip)
    shown: list[tuple[Skip, int]] = []
    for group in groups.values():
        shown += [(group[0], len(group))] if len(group) > most else [(skip, 1) for skip in group]
    return sorted(shown, key=lambda told: (told[0].path, told[0].line, told[0].reason))
