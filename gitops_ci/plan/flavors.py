"""The flavor of a tag: what it says beside its version, and stays the same from version to version.

`3.12-slim` and `3.12-alpine` are flavors of one image, `api-1.0.0` and `web-1.0.0` its components. A pre-release, a
build number, a commit and a branch are none: they say which build it is, not of what.
"""

from __future__ import annotations

import re
from typing import NamedTuple

__all__ = ["Flavor", "flavor_of"]

_TAG = re.compile(
    r"(?:(?P<prefix>[A-Za-z][A-Za-z0-9_.-]*?)[-_])?[vV]?(?P<numbers>\d{1,4}(?:\.\d{1,14})*)(?P<suffix>(?:[-_+.].*)?)",
    re.ASCII,
)
_SEPARATOR = re.compile(r"[-_+]")
_COMMIT = re.compile(r"(?:g|sha)?[0-9a-f]{7,40}")
# `12`, `cart.3`, `r3`; the `alpine3.19` of a flavor is a version of something else.
_COUNTER = re.compile(r"(?:.*[a-z]\.|b|build|r|rev)?\d+")
# Words that tell builds of one thing apart: pre-releases, counters, stages and states of a release, usual branches.
_BUILD_WORDS = frozenset({
    "a", "alpha", "b", "beta", "build", "c", "canary", "ci", "cr", "dev", "develop", "development", "ea", "edge",
    "final", "ga", "head", "hotfix", "latest", "m", "main", "master", "milestone", "new", "next", "nightly", "old",
    "p", "patch", "post", "pre", "preview", "r", "rc", "rel", "release", "rev", "run", "sha", "snapshot", "sp",
    "stable", "test", "tmp", "trunk", "unstable", "v", "version", "wip",
})  # fmt: skip
# What a branch's name begins with: the rest of it is not a flavor.
_BRANCHES = frozenset({
    "branch", "bugfix", "chore", "dependabot", "feat", "feature", "fix", "hotfix", "merge", "mr", "pr", "pull",
    "renovate", "task",
})  # fmt: skip


class Flavor(NamedTuple):
    """The words before and after a version, in lower case and without the numbers in them."""

    prefix: tuple[str, ...] = ()
    suffix: tuple[str, ...] = ()


def flavor_of(tag: str | None) -> Flavor | None:
    """The flavor of a tag, empty for a bare version; None where a tag names no version, or a build of a branch."""
    if not tag or _COMMIT.fullmatch(tag):
        return None
    matched = _TAG.fullmatch(tag)
    # A number alone behind a word may count anything: `main-100`, `pr-12`.
    if matched is None or (matched["prefix"] and "." not in matched["numbers"]):
        return None
    parts = [_words(matched["prefix"] or ""), _words(matched["suffix"])]
    if any(words is None for words in parts):
        return None
    return Flavor(*(words or () for words in parts))


def _words(text: str) -> tuple[str, ...] | None:
    """The words that make a flavor; None for a branch, and for what ends in a counter or a commit."""
    split = _SEPARATOR.split(text.lower().replace("x86_64", "amd64"))
    words = [word.strip(".") for word in split if word.strip(".")]
    if not words:
        return ()
    if words[0] in _BRANCHES or _COUNTER.fullmatch(words[-1]) or _is_commit(words[-1]):
        return None
    bare = (word.rstrip("0123456789.") for word in words)
    return tuple(word for word in bare if word and word not in _BUILD_WORDS)


def _is_commit(word: str) -> bool:
    return bool(_COMMIT.fullmatch(word)) and any(letter.isdigit() for letter in word)
