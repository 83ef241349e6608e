"""What is known about a build, and the tags that it gets."""

from __future__ import annotations

from dataclasses import field

from gitops_ci.dataclass import dataclass
from gitops_ci.tags.git_tags import GitTagRule
from gitops_ci.tags.order import Kind

__all__ = ["BuildFacts", "TagChoice"]


@dataclass(frozen=True, slots=True)
class BuildFacts:
    """What is known about a build. `tag` is the Git tag it was started by, `moment` its time in seconds since 1970.

    `trusted` is False where the code comes from someone who may not push: a pull request from a fork. `run` is the
    number of the pipeline run, `tag_rule` reads versions in Git tags.
    """

    version: str | None = None
    branch: str | None = None
    commit: str | None = None
    pull_request: int | None = None
    is_default_branch: bool = False
    tag: str | None = None
    trusted: bool = True
    moment: float | None = None
    run: str = ""
    tag_rule: GitTagRule = field(default_factory=GitTagRule)


@dataclass(frozen=True, slots=True)
class TagChoice:
    """One tag, whether this build gets it, and why or why not: `newer` is the tag of what it belongs to instead.

    `rivals` are the newest versions of other schemes, with which this one cannot be compared, `before` is the newest of
    its own scheme so far. `by_commit`: the tag belongs to the newest commit of a branch, `by_version`: to the newest
    version of a series.
    """

    tag: str
    included: bool
    why: str
    kind: Kind = "floating"
    newer: str = ""
    before: str = ""
    rivals: tuple[str, ...] = ()
    by_commit: bool = False
    by_version: bool = False
