"""Which part of an image a key names: `initContainerImageTag` is the tag of the image `initContainer`."""

from __future__ import annotations

import re
from functools import lru_cache

from gitops_ci.model import Role

__all__ = ["image_role_of", "words_of"]

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+|[A-Z]+")

# Trailing words of a key, the longest first. A `repository` says more than an `image`: charts that have both mean
# the name by the first.
_ENDINGS: tuple[tuple[tuple[str, ...], Role], ...] = (
    (("image", "repository"), "repository"),
    (("image", "repo"), "repository"),
    (("image", "name"), "reference"),
    (("image", "ref"), "reference"),
    (("image", "reference"), "reference"),
    (("image", "uri"), "reference"),
    (("image", "url"), "reference"),
    (("image", "tag"), "tag"),
    (("image", "version"), "version"),
    (("image", "digest"), "digest"),
    (("image", "sha"), "digest"),
    (("image", "sha256"), "digest"),
    (("image", "registry"), "registry"),
    (("image", "hub"), "registry"),
    (("repository",), "repository"),
    (("repo",), "repository"),
    (("image",), "reference"),
    (("tag",), "tag"),
    (("version",), "version"),
    (("digest",), "digest"),
    (("sha",), "digest"),
    (("sha256",), "digest"),
    (("registry",), "registry"),
    (("hub",), "registry"),
)
_LAST = frozenset(ending[-1] for ending, _ in _ENDINGS)


@lru_cache(maxsize=4096)
def words_of(key: str) -> tuple[str, ...]:
    """The words of a key in lower case, however it joins them: `imageTag`, `image_tag`, `image-tag`."""
    return tuple(word.lower() for word in _WORDS.findall(key))


@lru_cache(maxsize=4096)
def image_role_of(key: str) -> tuple[str, Role] | None:
    """The prefix that groups keys, and the part this key names; None for a key that has nothing to do with images."""
    words = words_of(key)
    for ending, role in _ENDINGS if words and words[-1] in _LAST else ():
        if words[-len(ending) :] == ending:
            return " ".join(words[: -len(ending)]), role
    return ("", "name") if key == "name" else None
