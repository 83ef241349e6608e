"""Which Git tags are versions of this image, in a repository where several components have tags of their own."""

from __future__ import annotations

import re
from collections.abc import Collection

from gitops_ci.dataclass import dataclass
from gitops_ci.errors import UsageError
from gitops_ci.tags.order import kind_of

__all__ = ["GitTagRule"]

_BEGINS = re.compile(r"(?:^|[/_@-])[vV]?(?=\d+\.\d+)")
# What people write before a version without a component in mind.
_NEUTRAL = frozenset({"", "v", "ver", "version", "rel", "release", "releases", "tag", "tags", "deploy"})
_WORD = re.compile(r"[a-z]+[0-9]*")


@dataclass(frozen=True, slots=True)
class GitTagRule:
    """`prefix` is what the tags of this image begin with; `pattern` fits a whole tag, its first group is the version.

    Without both, any prefix counts, and tags of the same prefix are versions of the same image.
    """

    prefix: str = ""
    pattern: str = ""

    def check(self) -> None:
        """Raises UsageError for a pattern that is none, or a prefix beside it."""
        if self.prefix and self.pattern:
            raise UsageError("--tag-prefix and --tag-match are both given", hint="Give one of them.")
        try:
            re.compile(self.pattern)
        except re.error as error:
            raise UsageError(
                f"--tag-match is not a regular expression: {error}",
                hint="Write a pattern for the whole Git tag, with a group for the version: 'shop-v(.+)'.",
            ) from None

    def version_in(self, tag: str) -> str | None:
        """The version that a Git tag names for this image, without a leading `v`; None where it names none."""
        if self.prefix:
            return _bare(tag.removeprefix(self.prefix)) if tag.startswith(self.prefix) else None
        if self.pattern:
            found = re.fullmatch(self.pattern, tag)
            return _bare((found[1] if found.lastindex else found[0]) or "") if found else None
        return _split(tag)[1]

    def versions_in(self, tags: Collection[str], tag: str | None) -> tuple[str, ...]:
        """The versions of this image among the tags of a repository; `tag` is the one that is built."""
        if self.prefix or self.pattern:
            found = (self.version_in(name) for name in tags)
        else:
            prefix = _split(tag or "")[0]
            found = (version for head, version in map(_split, tags) if head == prefix)
        return tuple(version for version in found if version)

    def check_component(self, tag: str, image: str) -> None:
        """Refuse a Git tag of another component; `image` is the image's name in its registry.

        Raises:
            UsageError: the tag begins with a word that has nothing to do with the image, and no rule says that it may.
        """
        prefix, version = _split(tag)
        # The last folder names the component: services/shop/v1.4.2, @acme/shop@1.4.2.
        words = set(_WORD.findall(prefix.lower().rstrip("/@-_").rpartition("/")[2]))
        if self.prefix or self.pattern or version is None or words <= _NEUTRAL | set(_WORD.findall(image.lower())):
            return
        raise UsageError(
            f"The Git tag {tag} begins with {prefix!r}, which does not name the image {image}",
            hint=f"If it is a version of this image, use --tag-prefix {prefix}. If it belongs to another component, "
            "give this image's own prefix, or do not run this job for it.",
        )


def _split(tag: str) -> tuple[str, str | None]:
    """What stands before the version, and the version: the first whole one, else the first that looks like one."""
    starts = list(_BEGINS.finditer(tag))
    whole = [found for found in starts if kind_of(tag[found.end() :]) == "release"]
    for found in whole or starts:
        return tag[: found.end()].rstrip("vV"), tag[found.end() :]
    return tag, None


def _bare(version: str) -> str | None:
    return re.sub(r"^[vV](?=\d)", "", version) or None
