"""Which of two tags is the older version, as far as tags tell, and what a tag promises by its look."""

from __future__ import annotations

import re
from typing import Literal

from semver import Version

from gitops_ci.tags.skeleton import is_day_first, older_by_skeleton

__all__ = ["VERSION_LIKE", "Kind", "kind_of", "older", "unreleased"]

Kind = Literal["release", "build", "floating"]

VERSION_LIKE = re.compile(
    r"(?P<prefix>(?:[A-Za-z][A-Za-z0-9_.-]*?[-_])?)[vV]?(?P<numbers>\d{1,14}(?:\.\d{1,14})*)(?P<rest>(?:[-_+.A-Za-z].*)?)",
    re.ASCII,
)
_DESCRIBED = re.compile(r"-(\d{1,9})-g[0-9a-f]{4,40}")  # git describe: so many commits after the version
_BEFORE_RELEASE = re.compile(
    r"[-_.]?(?:a|alpha|b|beta|c|canary|cr|dev|ea|m|milestone|next|nightly|pre|preview|rc|snapshot|unstable)(?![A-Za-z]).*",
    re.IGNORECASE,
)


def older(candidate: str, current: str) -> bool | None:
    """Whether `candidate` is an older version than `current`; None when the two cannot be compared.

    Numbers compare as far as both go: `1.3.9` is older than `1.4`, `1.4.2` is neither older nor newer. What follows
    them compares when it is the same but for its numbers (`-rc.9`, `-rc.10`; `-debian-12-r3`), or by semver.org §11
    when it says that the version is not out yet (`-beta.1`, `-rc.1`, nothing). Tags that are not versions compare by
    their skeleton (`main-abc1234-1700000000`, `build-99`).
    """
    if is_day_first(candidate) or is_day_first(current):
        return None
    by_version = _older_version(candidate, current)
    return older_by_skeleton(candidate, current) if by_version is None else by_version


def _older_version(candidate: str, current: str) -> bool | None:
    a, b = VERSION_LIKE.fullmatch(candidate), VERSION_LIKE.fullmatch(current)
    if a is None or b is None or a["prefix"] != b["prefix"]:
        return None
    if not _same_scheme(a, b):
        return None
    numbers, others = _numbers(a["numbers"]), _numbers(b["numbers"])
    shared = min(len(numbers), len(others))
    if numbers[:shared] != others[:shared]:
        return numbers[:shared] < others[:shared]
    if len(numbers) != len(others):
        return None
    return _older_rest(a["rest"], b["rest"])


def _same_scheme(a: re.Match[str], b: re.Match[str]) -> bool:
    """A lone long number is a date or a build number, or a commit hash that happens to have digits only."""
    for one, other in ((a, b), (b, a)):
        if "." not in one["numbers"]:
            length = len(one["numbers"])
            if one["prefix"] or length == 7:
                return False
            if length > 3 and length != len(other["numbers"]):
                return False
    return True


def _older_rest(a: str, b: str) -> bool | None:
    if a == b:
        return False
    commits, other_commits = _commits_after(a), _commits_after(b)
    if commits is not None and other_commits is not None and commits != other_commits:
        return commits < other_commits
    if re.split(r"\d+", a) == re.split(r"\d+", b):
        return _numbers(a) < _numbers(b)
    if all(not rest or _BEFORE_RELEASE.fullmatch(rest) for rest in (a, b)):
        try:
            return unreleased(a) < unreleased(b)
        except ValueError:
            return None
    return None


def _commits_after(rest: str) -> int | None:
    if not rest:
        return 0
    described = _DESCRIBED.fullmatch(rest)
    return int(described[1]) if described else None


def unreleased(rest: str) -> Version:
    # `rc10` counts as `rc.10`: as one identifier it would be older than `rc9`.
    words = re.sub(r"(?<=[A-Za-z])0*(?=\d)", ".", rest.lstrip("-_."))
    return Version(0, prerelease=words or None)


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(digits) for digits in re.findall(r"\d+", text))


def kind_of(tag: str) -> Kind:
    """What a tag that somebody wrote promises, by its look: three numbers and more are a release."""
    matched = VERSION_LIKE.fullmatch(tag)
    if matched and matched["numbers"].count(".") >= 2:
        return "release"
    return "build" if re.search(r"(?:^|-)[0-9a-f]{7,40}$", tag) else "floating"
