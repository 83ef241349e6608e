"""Versions by the scheme that they count in: each scheme has an order and series of its own.

`2026.11.30` is a SemVer by its form and a date by its meaning. Compared with 1.5.0 it would be newer for ever, so no
version is compared with one of another scheme. Sources: semver.org 2.0.0; calver.org.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Literal

from semver import Version

from gitops_ci.dataclass import dataclass
from gitops_ci.tags.order import unreleased

__all__ = ["Release", "parse_release", "releases_of", "version_of_tag"]

Scheme = Literal["semver", "calendar", "four-part"]

_FORM = re.compile(
    r"(?P<numbers>\d{1,14}(?:\.\d{1,14}){2,3})(?:-(?P<before>[0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?", re.ASCII
)
_YEARS = range(1990, 2100)


@dataclass(frozen=True, slots=True)
class Release:
    """A whole version. `parts` are its numbers as they are written, since `2024.01` is not `2024.1`."""

    text: str
    scheme: Scheme
    parts: tuple[str, ...]
    prerelease: str = ""

    def series(self) -> tuple[tuple[str, ...], ...]:
        """What it may be the newest of, the narrowest first; of four parts only as far as no whole version goes."""
        return self.parts[:2], self.parts[:1], ()

    def belongs_to(self, series: tuple[str, ...]) -> bool:
        return self.parts[: len(series)] == series

    @property
    def order(self) -> tuple[tuple[int, ...], Version]:
        """What compares versions of one scheme."""
        return tuple(map(int, self.parts)), unreleased(self.prerelease)


def parse_release(tag: str) -> Release | None:
    """The version that a tag is, without a leading `v`; build metadata follows `+`, or `_` as in a tag."""
    text = re.sub(r"^[vV](?=\d)", "", tag).replace("_", "+", 1)
    form = _FORM.fullmatch(text)
    if form is None:
        return None
    parts = tuple(form["numbers"].split("."))
    if len(parts[0]) == 4 and int(parts[0]) in _YEARS:
        scheme: Scheme = "calendar"
    elif len(parts) == 4:
        scheme = "four-part"
    elif Version.is_valid(text):
        scheme = "semver"
    else:
        return None
    try:
        unreleased(form["before"] or "")
    except ValueError:
        return None
    return Release(text, scheme, parts, form["before"] or "")


def releases_of(tags: Collection[str]) -> tuple[tuple[Release, str], ...]:
    """The versions among tags, each with its tag."""
    return tuple((release, tag) for tag in sorted(tags) if (release := parse_release(tag)))


def version_of_tag(tag: str) -> str:
    """The whole version that a tag is, as `semver` would write it back with or without a leading `v`; else ''."""
    release = None if tag.startswith("V") else parse_release(tag)
    return release.text if release else ""
