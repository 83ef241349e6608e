"""Places that name an image, as they are written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from gitops_ci.dataclass import dataclass

if TYPE_CHECKING:
    from gitops_ci.imageref import ImageRef
    from gitops_ci.model.spans import Span

__all__ = ["Anchor", "Field", "ImageSite", "Role", "Spelling"]

Role = Literal["reference", "registry", "repository", "tag", "digest", "name", "version"]


@dataclass(frozen=True, slots=True)
class Spelling:
    """How a value is written at its place.

    `quote` is one of `'' ' "`, or `raw` where characters stand for themselves. `outer` are the styles of the strings
    around it, innermost first, for YAML inside a string; `newline` is how a line break is written there: the file's
    own, and in a block scalar its indentation.
    """

    quote: str = ""
    outer: tuple[str, ...] = ()
    newline: str = "\n"


@dataclass(frozen=True, slots=True)
class Anchor:
    """Where a value really stands that is reached by an alias or a merge key; `users` are the lines that share it."""

    name: str
    line: int
    users: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Field:
    """One scalar that holds part of an image: `role` says which part, `text` is the value a reader sees.

    A part that is not written yet has an empty span and, in `key`, what has to precede its value there. `pair` are
    the characters of key and value together, `removal` those that go when the pair goes; None where it has to stay.
    """

    role: Role
    span: Span
    text: str
    spelling: Spelling = Spelling()
    key: str = ""
    pair: Span | None = None
    removal: Span | None = None
    anchor: Anchor | None = None


@dataclass(frozen=True, slots=True)
class ImageSite:
    """One place that names an image, as written today. `resource` is `Kind/name` where the file tells.

    `default` says where the version comes from when this place writes none ("the chart's appVersion"); '' where an
    image without a version is simply incomplete. `problem` says why the place cannot be edited at all.

    Values are often layered: a file with the name, another with the tag. Where an image has no name here (its
    repository is ''), it is that of the site with the same `keys` in the same `layers`. `variable` are the keys of a
    variable that holds the version.
    """

    format: str
    path: str
    resource: str
    image: ImageRef
    fields: tuple[Field, ...]
    default: str = ""
    problem: str = ""
    layers: str = ""
    keys: tuple[str, ...] = ()
    variable: tuple[str, ...] = ()
