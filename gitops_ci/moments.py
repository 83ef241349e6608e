"""Moments and durations as people write them, in seconds; the clock itself is given by who asks."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

from gitops_ci.errors import UsageError
from gitops_ci.lazy import lazy_pattern

__all__ = ["age", "duration", "moment", "rfc3339", "since"]

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_PART = lazy_pattern(r"(\d{1,9})([smhdw])")
_DAY = 86_400


def duration(text: str) -> int:
    """`90s`, `30m`, `4h`, `1h30m`, `2d`, `1w`.

    Raises:
        UsageError: it is not a duration.
    """
    parts = _PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise UsageError(f"'{text}' is not a duration", hint="Write a number and a unit: 30m, 4h, 1h30m, 2d.")
    return sum(int(number) * _UNITS[unit] for number, unit in parts)


def moment(text: str, *, ends: bool = False) -> int:
    """A date or an RFC 3339 time; without a zone it is UTC. With `ends` a date means its last second.

    Raises:
        UsageError: it is neither.
    """
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            day = datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC)
            return int((day + timedelta(days=1) - timedelta(seconds=1) if ends else day).timestamp())
        at = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise UsageError(
            f"'{text}' is not a date", hint="Write 2026-12-24, or a time with its zone: 2026-12-24T18:00:00+01:00."
        ) from None
    return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp())


def since(text: str, now: float) -> int:
    """`30d` ago, or a date.

    Raises:
        UsageError: it is neither, or has not come.
    """
    if _PART.match(text) and "-" not in text:
        return int(now) - duration(text)
    try:
        found = moment(text)
    except UsageError as error:
        raise UsageError(error.message, hint=f"Write a time until now, such as 30d or 12h. {error.hint}") from None
    if found > now:
        raise UsageError(f"{text} is in the future", hint="Write a time until now, such as 30d or 12h.")
    return found


def rfc3339(seconds: int) -> str:
    """`2026-11-30T12:02:00Z`."""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        return "1970-01-01T00:00:00Z"


def age(seconds: float) -> str:
    """`40 s`, `12 min`, `5 h`, `6 d`: the largest unit of which there is at least one."""
    for size, unit in ((_DAY, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return f"{max(0, int(seconds))} s"
