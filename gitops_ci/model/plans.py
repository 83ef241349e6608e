"""What would be edited, and what stays."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from gitops_ci.dataclass import dataclass

if TYPE_CHECKING:
    from gitops_ci.imageref import ImageRef
    from gitops_ci.model.findings import Skip
    from gitops_ci.model.sites import ImageSite
    from gitops_ci.model.spans import Span

__all__ = ["Change", "Edit", "FileChange", "Plan"]


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace the characters of `span` by `text`; `old` and `new` are the values a YAML reader sees there.

    An insertion has an empty span and an empty `old`. `reads` are all the scalars a reader finds in `text` when that
    is not just `new` (a key and its value, or nothing); `inner` is what the value of the string around gets when the
    edit lies inside a string.
    """

    span: Span
    text: str
    old: str
    new: str
    reads: tuple[str, ...] | None = None
    inner: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One edit of one site: what the plan does and what the report lists.

    `image` is the image with its new version, `previous` the same place before. `environments` are those that the
    config repository defines for the path.
    """

    path: str
    format: str
    resource: str
    image: ImageRef
    edit: Edit
    previous: ImageRef | None = None
    environments: tuple[str, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class FileChange:
    """A whole file before and after, decoded; the bytes outside the edits are the same.

    An empty text stands for a file that is not there.
    """

    path: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What a bump would do: nothing to edit is "already there" when `unchanged` names sites.

    `refused` are sites that hold a newer image than the one asked for; they are among `skipped` as well. `meant` are
    all sites of the wanted images, whatever is done about them.
    """

    changes: tuple[Change, ...] = ()
    unchanged: tuple[ImageSite, ...] = ()
    skipped: tuple[Skip, ...] = ()
    files: tuple[FileChange, ...] = ()
    refused: tuple[Skip, ...] = ()
    meant: tuple[ImageSite, ...] = ()
