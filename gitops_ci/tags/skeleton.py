"""Which of two tags of one scheme is older: `main-abc1234-1700000000`, `build-99`, `RELEASE.2024-01-05T22-17-24Z`.

Two tags have one skeleton if the same words and separators stand in the same places. At most one hash may differ; it
says nothing. The first number, date or timestamp that differs decides. Pure.
"""

from __future__ import annotations

import re

__all__ = ["is_day_first", "older_by_skeleton"]

_WORD = re.compile(r"[0-9A-Za-z]+")
_RUN = re.compile(r"[0-9]+|[A-Za-z]+")
_HEX = re.compile(r"(?:g|sha)?[0-9a-f]{7,64}")
# `01-02-2024` does not sort; nor does an American date.
_DAY_FIRST = re.compile(r"(?<!\d)\d{1,2}([-._])\d{1,2}\1(?:19|20)\d\d(?!\d)")
# A number behind these names something, and counts nothing.
_NAMES_ONE = frozenset(
    {"issue", "merge", "mr", "pr", "pull", "ticket", "feature", "feat", "bugfix", "fix", "hotfix", "task"}
)
_COMMIT_DIGITS = 7  # so many digits alone may be an abbreviated commit


def is_day_first(tag: str) -> bool:
    """Whether a tag holds a date that does not sort: `31-12-2024`."""
    return bool(_DAY_FIRST.search(tag))


def older_by_skeleton(candidate: str, current: str) -> bool | None:
    """Whether `candidate` is older than `current`; None if they differ in more than one hash and numbers."""
    if _WORD.sub("", candidate) != _WORD.sub("", current):
        return None
    ones, others = _WORD.findall(candidate), _WORD.findall(current)
    hashes, found, before = 0, list[tuple[int, int]](), ""
    for one, other in zip(ones, others, strict=True):
        if one != other and _are_hashes(one, other):
            hashes += 1
        elif one != other:
            pairs = _numbers(one, other)
            if pairs is None or before.lower() in _NAMES_ONE:
                return None
            found += pairs
        before = one
    return found[0][0] < found[0][1] if found and hashes <= 1 else None


def _are_hashes(one: str, other: str) -> bool:
    if len(one) != len(other) or not (_HEX.fullmatch(one) and _HEX.fullmatch(other)):
        return False
    return len(one) == _COMMIT_DIGITS or not (one.isdigit() and other.isdigit())


def _numbers(one: str, other: str) -> list[tuple[int, int]] | None:
    """The numbers that differ between two words of the same letters; None for other words, or for other units."""
    runs, others = _RUN.findall(one), _RUN.findall(other)
    if len(runs) != len(others):
        return None
    found = []
    for a, b in zip(runs, others, strict=True):
        if a == b:
            continue
        # Seconds and milliseconds, or a date and a counter, have nothing in common.
        if not (a.isdigit() and b.isdigit()) or (len(a) != len(b) and max(len(a), len(b)) >= _COMMIT_DIGITS):
            return None
        if int(a) != int(b):
            found.append((int(a), int(b)))
    return found
