"""Cron schedules and time zones as CronJob reads them.

Sources: github.com/robfig/cron v3 parser.go (ParseStandard), spec.go (bounds); k8s.io/kubernetes
pkg/apis/batch/validation/validation.go, validateScheduleFormat and validateTimeZone.
"""

from __future__ import annotations

import re
from functools import cache

from gitops_ci.validation import gates
from gitops_ci.validation.apimachinery.field import Field

__all__ = ["schedule", "time_zone", "why_no_schedule"]

_MONTHS = {
    name: number
    for number, name in enumerate(
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], 1
    )
}
_DAYS = {name: number for number, name in enumerate(["sun", "mon", "tue", "wed", "thu", "fri", "sat"])}
# name, least, most, words
_FIELDS: tuple[tuple[str, int, int, dict[str, int]], ...] = (
    ("minute", 0, 59, {}),
    ("hour", 0, 23, {}),
    ("day of the month", 1, 31, {}),
    ("month", 1, 12, _MONTHS),
    ("day of the week", 0, 6, _DAYS),
)
_DESCRIPTORS = frozenset({"@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"})
_ZONE = re.compile(r"^(?:CRON_)?TZ=\S* +")
_DURATION = re.compile(r"[-+]?(?:0|(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)")


def schedule(spec: Field) -> None:
    text = spec.text("schedule")
    if not spec.on(gates.NO_ZONE_IN_SCHEDULE) and not spec.has("timeZone"):
        text = _ZONE.sub("", text)
    if text and (why := why_no_schedule(text)):
        spec.at("schedule").bad("cron", f"'{text}' {why}")


def time_zone(spec: Field) -> None:
    if not spec.has("timeZone"):
        return
    name = spec.text("timeZone")
    if why := _why_no_zone(name):
        spec.at("timeZone").bad("cron", f"'{name}' {why}")


def why_no_schedule(text: str) -> str | None:
    if "TZ" in text:
        return "must not name a time zone; use the field timeZone"
    if text.startswith("@"):
        if text.startswith("@every "):
            return None if _DURATION.fullmatch(text.removeprefix("@every ")) else "has no duration such as 1h30m"
        return None if text in _DESCRIPTORS else f"is none of {', '.join(sorted(_DESCRIPTORS))} and @every"
    fields = text.split()
    if len(fields) != 5:
        return f"must have 5 fields (minute hour day month weekday), has {len(fields)}"
    for field, (name, least, most, words) in zip(fields, _FIELDS, strict=True):
        for part in (one for one in field.split(",") if one):
            if why := _part(part, least, most, words):
                return f"has a bad {name}: {why}"
    return None


def _part(part: str, least: int, most: int, words: dict[str, int]) -> str | None:
    pieces = part.split("/")
    ends = pieces[0].split("-")
    if len(pieces) > 2:
        return f"too many slashes in '{part}'"
    every = ends[0] in {"*", "?"}
    if len(ends) > 2 and not every:
        return f"too many hyphens in '{part}'"
    start, end = (least, most) if every else (_number(ends[0], words), _number(ends[-1], words))
    if len(pieces) == 2 and len(ends) == 1 and not every:
        end = most
    step = _number(pieces[1], {}) if len(pieces) == 2 else 1
    if start is None or end is None or step is None:
        return f"'{part}' is not a number, range or step"
    if start < least:
        return f"{start} is below {least}"
    if end > most:
        return f"{end} is above {most}"
    if start > end:
        return f"the range '{part}' runs backwards"
    return "a step must not be 0" if step == 0 else None


def _number(text: str, words: dict[str, int]) -> int | None:
    if text.lower() in words:
        return words[text.lower()]
    return int(text) if re.fullmatch(r"\+?[0-9]{1,18}", text) else None


def _why_no_zone(name: str) -> str | None:
    if not name:
        return "must not be empty; leave the field out for the cluster's time zone"
    if name.lower() == "local":
        return "must be an explicit time zone"
    if name.startswith(("/", "\\")) or ".." in name or not re.fullmatch(r"[A-Za-z0-9_+\-/.]+", name):
        return "is not a name of a time zone, such as Europe/Paris"
    return None if _exists(name) else "is an unknown time zone; names are such as Europe/Paris or Etc/UTC"


def _exists(name: str) -> bool:
    # Without a time zone database here nothing can be said.
    return name == "UTC" or _can_be_loaded(name) or not _can_be_loaded("Etc/UTC")


@cache
def _can_be_loaded(name: str) -> bool:
    """Whether the database has a file of that name: what the server asks, and quicker than a list of all names."""
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
