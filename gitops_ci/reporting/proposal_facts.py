"""What a commit and a pull request are about: the facts that their texts state, and how a text tells them again."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field

from gitops_ci.dataclass import dataclass
from gitops_ci.imageref import ImageRef
from gitops_ci.model import Change, FileChange

__all__ = [
    "DIFF",
    "FOOTER",
    "HIDDEN",
    "IMAGE",
    "ProposalFacts",
    "files_in",
    "images_in",
    "is_usual",
    "is_written_by_us",
    "note",
]

FOOTER = (
    "Managed by gitops-ci. A newer image updates this pull request. "
    "If you push a commit, gitops-ci stops changing the branch."
)
# Open pull requests of earlier releases end in these words.
_FOOTERS = (
    FOOTER,
    "Made and kept current by gitops-ci: a newer image updates this request, commits of yours are left alone.",
)
IMAGE = "- Image: "
HIDDEN = "more than fit here"
# What follows in a body is what the change does to the rendered objects, not what it is about.
DIFF = "[//]: # (gitops-ci:diff)"
_LOCATION = re.compile(r"\| (`.+?)(?::\d+)?[ ]?`+ \|")
_NOTE = re.compile(r"^\[//\]: # \(gitops-ci:(?P<kind>images|files)(?P<digests>(?: [0-9a-f]{10})*)\)\s*$", re.MULTILINE)
_MOST_FILES = 100  # ten digits each: a description of Azure DevOps has 4,000 characters


@dataclass(frozen=True, slots=True)
class ProposalFacts:
    """What a bump did and who asked for it. Empty strings are "not known"; `more` are further images of one bump.

    `previous` are the references or tags that were there before, `source_*` the repository and commit that the image
    was built from, `pipeline_url` the run that built it, `source_commit_url` where a person can look at the commit and
    `compare_url` at what is new since the version before. `group` is the name of images that are released together.
    `signers` are those whose signatures were verified. `trailers` are further ones for the commit, and `notes` are
    sentences for the body.
    `build` are the fields of templates that tell of the build, as they are written there (`short_sha:12`).
    """

    image: ImageRef
    previous: tuple[str, ...] = ()
    environment: str = ""
    changes: tuple[Change, ...] = ()
    files: tuple[FileChange, ...] = ()
    source_repository: str = ""
    source_commit: str = ""
    source_commit_url: str = ""
    compare_url: str = ""
    pipeline_url: str = ""
    more: tuple[ImageRef, ...] = ()
    signers: tuple[str, ...] = ()
    trailers: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    group: str = ""
    build: Mapping[str, str] = field(default_factory=dict)


def is_written_by_us(body: str) -> bool:
    """Whether a text has the words that end each body of ours, or its note."""
    return _has_footer(body) or _NOTE.search(body) is not None


def is_usual(body: str) -> bool:
    """Whether a text of ours was made without a template of somebody's own."""
    return _NOTE.search(body) is None


def note(images: Iterable[str], files: Iterable[str]) -> str:
    """Lines that no renderer shows, for a text of somebody's own: which images and files it is about."""
    listed = sorted(set(files))
    lines = [_line("images", images)] + ([_line("files", listed)] if len(listed) <= _MOST_FILES else [])
    return "\n".join(lines)


def images_in(body: str) -> frozenset[str]:
    """The images that a body of ours is about, as digests; none for a text of somebody else's."""
    body = body.partition(DIFF)[0]
    if (noted := _noted(body, "images")) is not None:
        return noted
    return frozenset(_digests(line[len(IMAGE) :].strip() for line in body.splitlines() if line.startswith(IMAGE)))


def files_in(body: str) -> frozenset[str] | None:
    """The files that a body of ours lists, as digests; None where it does not list all, or is not ours."""
    body = body.partition(DIFF)[0]
    if (noted := _noted(body, "files")) is not None:
        return noted
    if not _has_footer(body) or HIDDEN in body:
        return None
    return frozenset(_digests(found[1] for line in body.splitlines() if (found := _LOCATION.match(line))))


def _has_footer(body: str) -> bool:
    return any(one in body for one in _FOOTERS)


def _noted(body: str, kind: str) -> frozenset[str] | None:
    found = next((found for found in _NOTE.finditer(body) if found["kind"] == kind), None)
    return frozenset(found["digests"].split()) if found else None


def _line(kind: str, texts: Iterable[str]) -> str:
    return f"[//]: # (gitops-ci:{' '.join([kind, *sorted(set(_digests(texts)))])})"


def _digests(texts: Iterable[str]) -> Iterator[str]:
    return (hashlib.sha256(text.encode()).hexdigest()[:10] for text in texts)
