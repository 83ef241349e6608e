"""The values that travel between rooms: frozen, without I/O, without knowledge of who made them.

Paths are POSIX strings relative to the root they were read from (the config repository, or the folder the command
ran in). Lines and columns count from 1, offsets count characters of the decoded text from 0.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from gitops_ci.errors import GitopsCiError
from gitops_ci.imageref import ImageRef
from gitops_ci.secret import mask

__all__ = [
    "Anchor",
    "Change",
    "Commit",
    "Edit",
    "Field",
    "FileChange",
    "Finding",
    "Image",
    "ImageSite",
    "Job",
    "Log",
    "Outcome",
    "Plan",
    "Problem",
    "Proposal",
    "PullRequest",
    "Role",
    "Severity",
    "Skip",
    "Span",
    "Spelling",
    "Status",
]

Role = Literal["reference", "registry", "repository", "tag", "digest", "name", "version"]
Severity = Literal["error", "warning", "note"]
Status = Literal["changed", "unchanged", "failed"]


@dataclass(frozen=True, slots=True)
class Span:
    """Characters `[start, end)` of a text; `line` and `column` are where `start` lies."""

    start: int
    end: int
    line: int
    column: int


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
    repository is ''), it is that of the site with the same `keys` in the same `layers`.
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

    `image` is the image with its new version, `previous` the same place before.
    """

    path: str
    format: str
    resource: str
    image: ImageRef
    edit: Edit
    previous: ImageRef | None = None


@dataclass(frozen=True, slots=True)
class Skip:
    """Something found and left alone. `reason` says why, `hint` what to do about it; `line` 0 is the whole file.

    `failed` marks what should have been edited and could not be read: the run goes on, its exit code tells.
    """

    path: str
    line: int
    reason: str
    hint: str = ""
    failed: bool = False


@dataclass(frozen=True, slots=True)
class FileChange:
    """A whole file before and after, decoded; the bytes outside the edits are the same."""

    path: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What a bump would do: nothing to edit is "already there" when `unchanged` names sites.

    `refused` are sites that hold a newer image than the one asked for; they are among `skipped` as well.
    """

    changes: tuple[Change, ...] = ()
    unchanged: tuple[ImageSite, ...] = ()
    skipped: tuple[Skip, ...] = ()
    files: tuple[FileChange, ...] = ()
    refused: tuple[Skip, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """A broken rule. `rule` is `family/name`; `error` in `yaml/`, `schema/`, `api/` means an API server refuses it."""

    rule: str
    severity: Severity
    message: str
    path: str
    line: int = 0
    column: int = 0
    resource: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Image:
    """One reference of an image in the registry: pushed now, there already, or planned by a dry run.

    `why` says why it gets this tag, where that was the question.
    """

    reference: str
    tag: str | None
    digest: str | None
    state: Literal["pushed", "present", "planned"]
    why: str = ""


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit on a branch of the config repository."""

    sha: str
    branch: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """A pull request as it should be. `head` and `base` are branch names, `body` is Markdown."""

    head: str
    base: str
    title: str
    body: str
    labels: tuple[str, ...] = ()
    reviewers: tuple[str, ...] = ()
    assignees: tuple[str, ...] = ()
    draft: bool = False


@dataclass(frozen=True, slots=True)
class PullRequest:
    """A pull request as the code host has it. `number` is None where a host has none (plain Git).

    `node_id` is the host's own id where its API wants one besides the number. `state` is what this run did to it,
    `status` what the host says of it. `warnings` are what could not be done and stops nothing (a reviewer refused).
    """

    number: int | None
    url: str
    head: str
    base: str
    title: str
    body: str = ""
    labels: tuple[str, ...] = ()
    state: Literal["opened", "updated", "unchanged"] = "unchanged"
    node_id: str = ""
    status: Literal["open", "closed", "merged"] = "open"
    draft: bool = False
    reviewers: tuple[str, ...] = ()
    assignees: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Problem:
    """An error as the report shows it."""

    kind: str
    message: str
    hint: str
    exit_code: int

    @classmethod
    def of(cls, error: GitopsCiError) -> Problem:
        """Its secrets are masked: a program's or a host's own words may hold them."""
        return cls(error.kind, mask(error.message), mask(error.hint), error.exit_code)


@dataclass(frozen=True, slots=True)
class Job:
    """A job that a CI system is to run: `command` with `arguments`, and `options` by their long names."""

    name: str
    command: str
    options: Mapping[str, str]
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """All that a command did, and the only thing reporting sees.

    `summary` are counts by name (`files`, `documents`, `valid`, ...); `exit_code` is the process's.
    """

    command: str
    status: Status
    exit_code: int = 0
    images: tuple[Image, ...] = ()
    changes: tuple[Change, ...] = ()
    files: tuple[FileChange, ...] = ()
    skipped: tuple[Skip, ...] = ()
    findings: tuple[Finding, ...] = ()
    summary: Mapping[str, int] = field(default_factory=dict)
    commit: Commit | None = None
    pull_request: PullRequest | None = None
    error: Problem | None = None
    dry_run: bool = False
    jobs: tuple[Job, ...] = ()


class Log(Protocol):
    """Where a flow tells a person what it does, line by line; the rim decides where the lines go."""

    def step(self, message: str) -> None:
        """Something was done."""

    def detail(self, message: str) -> None:
        """Something only `--verbose` shows."""

    def warn(self, message: str) -> None:
        """Something the user should know, that stops nothing."""


Clock = Callable[[], float]
