"""Numbers, durations, and sizes as people write them: `12`; `90`, `1m30s`; `64MiB`, `2Gi`, `500MB`."""

from __future__ import annotations

import re

from gitops_ci.lazy import lazy_pattern

__all__ = ["bytes_of", "seconds_of", "whole_number"]

_SECONDS = {"h": 3600, "m": 60, "s": 1}
_DURATION = lazy_pattern(r"(?:([0-9]+(?:\.[0-9]+)?)h)?(?:([0-9]+(?:\.[0-9]+)?)m)?(?:([0-9]+(?:\.[0-9]+)?)s?)?")
_SIZE = lazy_pattern(r"([0-9]+(?:\.[0-9]+)?) ?([kmgt]?)(i?)b?", re.IGNORECASE)
_LONGEST = 24  # no number is meant that is longer


def whole_number(text: str) -> int | None:
    """The number that up to 24 ASCII digits say, None for any other text.

    `int` alone takes digits of every script and refuses more than 4,300 of them; `str.isdigit` is also true for `²`,
    which `int` refuses.
    """
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _LONGEST else None


def seconds_of(text: str) -> float | None:
    """The seconds of a duration, None for a text that is none or is 0."""
    matched = _DURATION.fullmatch(text) if text and len(text) <= _LONGEST else None
    if matched is None:
        return None
    parts = zip(matched.groups(), _SECONDS.values(), strict=True)
    return sum(float(number) * unit for number, unit in parts if number) or None


def bytes_of(text: str) -> int | None:
    """The bytes of a size, None for a text that is none or is 0. With an `i` a step is 1024, else 1000."""
    matched = _SIZE.fullmatch(text) if len(text) <= _LONGEST else None
    if matched is None:
        return None
    number, unit, binary = matched.groups()
    return int(float(number) * (1024 if binary else 1000) ** " kmgt".index(unit.lower() or " ")) or None
