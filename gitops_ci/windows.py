"""When an environment takes changes: times that allow them, and times that forbid them. Pure.

Any time that forbids wins. Without a time that allows, every other time does. A schedule is a cron expression of five
fields in a time zone (POSIX `crontab`, and `*/5`, names and Sunday as 0 or 7 as in cronie's crontab(5)) with how long
it lasts. A local time that a clock skips counts as the one after it, one that comes twice counts once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from gitops_ci.dataclass import dataclass
from gitops_ci.errors import UsageError
from gitops_ci.moments import duration
from gitops_ci.quantities import whole_number

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

__all__ = ["Schedule", "Span", "Window", "WindowState", "Windows", "window"]

_HORIZON = 366 * 5  # days: one leap year is among them
_STEPS = 1_000
_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTHS = {name: number for number, name in enumerate(_NAMES, 1)}
_DAYS = {name: number for number, name in enumerate(("sun", "mon", "tue", "wed", "thu", "fri", "sat"))}
_FIELDS: tuple[tuple[str, int, int, dict[str, int]], ...] = (
    ("minute", 0, 59, {}),
    ("hour", 0, 23, {}),
    ("day of the month", 1, 31, {}),
    ("month", 1, 12, _MONTHS),
    ("day of the week", 0, 7, _DAYS),
)
_PART = re.compile(r"(?:\*|(?P<first>[0-9a-z]{1,3})(?:-(?P<last>[0-9a-z]{1,3}))?)(?:/(?P<step>[0-9]{1,2}))?")


@dataclass(frozen=True)
class Schedule:
    """Every time that a cron expression names, for so many seconds."""

    cron: str
    seconds: int
    zone: str = "UTC"
    reason: str = ""

    @cached_property
    def _fields(self) -> tuple[frozenset[int], ...]:
        return _parsed(self.cron)

    def end(self, now: int) -> int | None:
        """When the time that `now` lies in is over; None where it lies in none."""
        first = datetime.fromtimestamp(now - self.seconds, _zone(self.zone)).date() - timedelta(days=1)
        last = datetime.fromtimestamp(now, _zone(self.zone)).date()
        starts = [start for start in self._starts(first, (last - first).days + 1) if start <= now]
        return starts[-1] + self.seconds if starts and now < starts[-1] + self.seconds else None

    def next(self, now: int) -> int | None:
        """The first start after `now`; None where there is none in five years."""
        first = datetime.fromtimestamp(now, _zone(self.zone)).date()
        return next((start for start in self._starts(first, _HORIZON) if start > now), None)

    def _starts(self, first: date, days: int) -> Iterator[int]:
        minutes, hours, in_month, months, in_week = self._fields
        both = not self.cron.split()[2].startswith("*") and not self.cron.split()[4].startswith("*")
        for number in range(days):
            day = first + timedelta(days=number)
            if day.month not in months:
                continue
            by_month, by_week = day.day in in_month, (day.isoweekday() % 7) in in_week
            if not ((by_month or by_week) if both else (by_month and by_week)):
                continue
            midnight, zone = datetime.combine(day, datetime.min.time()), _zone(self.zone)
            times = (midnight.replace(hour=hour, minute=minute, tzinfo=zone) for hour in hours for minute in minutes)
            yield from sorted({int(time.timestamp()) for time in times})


@dataclass(frozen=True, slots=True)
class Span:
    """One time from `start` to just before `until`, in seconds since 1970."""

    start: int
    until: int
    reason: str = ""

    def end(self, now: int) -> int | None:
        """When the time that `now` lies in is over; None where it lies in none."""
        return self.until if self.start <= now < self.until else None

    def next(self, now: int) -> int | None:
        """When it starts; None where it has started."""
        return self.start if self.start > now else None


Window = Schedule | Span


@dataclass(frozen=True, slots=True)
class WindowState:
    """Whether changes are allowed, why not, and the second since 1970 at which they will be; None for never."""

    is_open: bool
    reason: str = ""
    opens: int | None = None


@dataclass(frozen=True, slots=True)
class Windows:
    """The times of one environment."""

    allow: tuple[Window, ...] = ()
    deny: tuple[Window, ...] = ()

    def at(self, now: float) -> WindowState:
        """Whether changes are allowed at a time."""
        second = int(now)
        if forbids := next((one for one in self.deny if one.end(second) is not None), None):
            reason = forbids.reason or "changes are forbidden now"
        elif self.allow and all(one.end(second) is None for one in self.allow):
            reason = "outside of the times that allow changes"
        else:
            return WindowState(is_open=True)
        return WindowState(is_open=False, reason=reason, opens=self._opens(second))

    def _opens(self, now: int) -> int | None:
        for _ in range(_STEPS):
            ends = [end for one in self.deny if (end := one.end(now)) is not None]
            if ends:
                now = max(ends)
            elif not self.allow or any(one.end(now) is not None for one in self.allow):
                return now
            else:
                starts = [start for one in self.allow if (start := one.next(now)) is not None]
                if not starts:
                    return None
                now = min(starts)
        return None


def window(
    *, cron: str = "", lasts: str = "", start: str = "", end: str = "", zone: str = "", reason: str = ""
) -> Window:
    """A window as it is written: `cron` with `lasts`, or `start` and `end`. A date as `end` is in it.

    Raises:
        UsageError: it is neither, or a value cannot be read.
    """
    _zone(zone or "UTC")
    if cron and lasts and not (start or end):
        seconds = duration(lasts)
        if not 0 < seconds <= 366 * 86_400:
            raise UsageError(f"'{lasts}' is not a length of a window", hint="It is more than 0 and at most a year: 8h.")
        _parsed(cron)
        found = Schedule(" ".join(cron.split()), seconds, zone or "UTC", reason)
        if found.next(0) is None:
            raise UsageError(f"'{cron}' never comes: no month has such a day", hint="Correct the day or the month.")
        return found
    if start and end and not (cron or lasts):
        span = Span(_instant(start, zone, ends=False), _instant(end, zone, ends=True), reason)
        if span.start >= span.until:
            raise UsageError(f"the window from {start} to {end} never opens", hint="Let it end after it starts.")
        return span
    raise UsageError("a window has cron and for, or from and to", hint="{cron: '0 9 * * 1-5', for: 8h}")


def _instant(text: str, zone: str, *, ends: bool) -> int:
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            day = datetime.combine(date.fromisoformat(text), datetime.min.time())
            return int((day + timedelta(days=1 if ends else 0)).replace(tzinfo=_zone(zone or "UTC")).timestamp())
        at = datetime.fromisoformat(text)
        return int((at if at.tzinfo else at.replace(tzinfo=_zone(zone or "UTC"))).timestamp())
    except (ValueError, OverflowError):
        raise UsageError(f"'{text}' is not a date", hint="Write 2026-12-24, or 2026-12-24T18:00:00+01:00.") from None


def _zone(name: str) -> ZoneInfo:
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise UsageError(
            f"'{name}' is not a time zone of this machine",
            hint="Write a name like Europe/Berlin. A slim image needs the package tzdata.",
        ) from None


def _parsed(cron: str) -> tuple[frozenset[int], ...]:
    """The values of each field; Sunday is 0. Raises UsageError."""
    parts = cron.lower().split()
    if len(parts) != len(_FIELDS):
        raise UsageError(
            f"'{cron}' is not a cron expression", hint="It has five fields: minute hour day month weekday."
        )
    found = [_field(text, *field) for text, field in zip(parts, _FIELDS, strict=True)]
    found[4] = frozenset(day % 7 for day in found[4])
    return tuple(found)


def _field(text: str, what: str, low: int, high: int, names: dict[str, int]) -> frozenset[int]:
    values: set[int] = set()
    for part in text.split(","):
        values.update(_range(part, low, high, names))
    if not values:
        raise UsageError(
            f"'{text}' is not a valid {what}", hint=f"It is a number from {low} to {high}, a range, a list or *."
        )
    return frozenset(values)


def _range(part: str, low: int, high: int, names: dict[str, int]) -> Sequence[int]:
    """The values of one item of a list, none where it cannot be read."""
    matched = _PART.fullmatch(part)
    if matched is None:
        return ()
    first, last, step = matched["first"], matched["last"], int(matched["step"] or 1)
    if step == 0:
        return ()
    if first is None:
        return range(low, high + 1, step)
    numbers = [names[word] if word in names else whole_number(word) for word in (first, last or first)]
    start, end = numbers
    if start is None or end is None:
        return ()
    if matched["step"] and last is None:
        end = high
    return range(start, end + 1, step) if low <= start <= end <= high else ()
