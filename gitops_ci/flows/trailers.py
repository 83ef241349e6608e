"""What a commit message says for machines: trailers (git-interpret-trailers(1)), the pull request, what it reverts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from gitops_ci.imageref import ImageRef

__all__ = ["digests_in", "first_trailers", "pull_request_in", "reverted_in", "trailer", "trailers"]

_TRAILER = re.compile(r"(?P<key>[A-Za-z][A-Za-z0-9-]*): (?P<value>.*)")
# How hosts name the pull request in the message of a merge: GitHub and Gitea, squash merges, Bitbucket, GitLab, Azure.
_PULL_REQUEST = re.compile(
    r"^Merge pull request (?P<a>#\d+)|\((?P<b>#\d+)\)[ ]*$|\(pull request (?P<c>#\d+)\)"
    r"|^See merge request \S*(?P<d>!\d+)|^Merged PR (?P<e>\d+):|^Pull request (?P<f>#\d+):",
    re.MULTILINE,
)
# git-revert(1), and what the buttons of code hosts write.
_REVERTS = re.compile(r"\bThis reverts (?:commit|merge commit) (?P<commit>[0-9a-f]{7,64})\b")


@lru_cache(maxsize=16)  # of one message several are asked for
def trailers(message: str) -> tuple[tuple[str, str], ...]:
    """The pairs of the last paragraph."""
    lines = message.rstrip().rpartition("\n\n")[2].splitlines()
    found = (_TRAILER.fullmatch(line.rstrip()) for line in lines)
    return tuple((one["key"], one["value"]) for one in found if one)


def trailer(message: str, key: str) -> str:
    """The value of the first trailer of a name, or an empty text."""
    return first_trailers(message).get(key, "")


@lru_cache(maxsize=16)
def first_trailers(message: str) -> Mapping[str, str]:
    """The value of the first trailer of each name."""
    return dict(reversed(trailers(message)))


def digests_in(message: str) -> dict[tuple[str, str | None], str]:
    """The digests that `Image-Digest` gives for the images above it, by name and tag."""
    found: dict[tuple[str, str | None], str] = {}
    image = None
    for key, value in trailers(message) if "Image-Digest:" in message else ():
        if key == "Image":
            image = ImageRef.try_parse(value)
        elif key == "Image-Digest" and image:
            found[image.name, image.tag] = value
    return found


def pull_request_in(message: str) -> str:
    """`#12` or `!12`, as the host's merge commit names it, or an empty text."""
    found = _PULL_REQUEST.search(message)
    if not found:
        return ""
    number = next(value for value in found.groups() if value)
    return number if number[0] in "#!" else f"#{number}"


def reverted_in(message: str) -> frozenset[str]:
    """The ids, perhaps shortened, of the commits that a message says it reverts."""
    return frozenset(found["commit"] for found in _REVERTS.finditer(message))
