"""What a pipeline run is to gitops-ci, and what the readers of the providers share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

from gitops_ci.dataclass import dataclass
from gitops_ci.quantities import whole_number

__all__ = ["CiContext", "Environ", "Provider", "Reader", "is_same_repository", "known", "number", "remote"]

Environ = Mapping[str, str]
Provider = Literal[
    "argo-workflows",
    "azure",
    "bitbucket",
    "buildkite",
    "circleci",
    "cloud-build",
    "codebuild",
    "drone",
    "gitea",
    "github",
    "gitlab",
    "jenkins",
    "none",
    "semaphore",
    "teamcity",
    "travis",
    "woodpecker",
]


@dataclass(frozen=True, slots=True)
class CiContext:
    """One pipeline run. Empty strings and None are "not told".

    `bases` are revisions that the change under review, or in a merge queue, is to be compared with, the nearest first.

    `trusted` is False where the code that runs comes from someone who may not push: a pull request from a fork.

    `run` is the number of the pipeline run, `started` when it began (RFC 3339), `scheduled` that a schedule started it.

    `trusted_commits` are the only ones whose checkout is trusted, for an event that anybody can start; () is any.

    `reads_checkout`: the provider does not tell branch and tag, the Git checkout around us does.
    """

    provider: Provider = "none"
    repository_url: str = ""
    commit: str = ""
    branch: str = ""
    git_tag: str = ""
    default_branch: str = ""
    pull_request: int | None = None
    run_url: str = ""
    actor: str = ""
    actor_email: str = ""
    trusted: bool = True
    event: str = ""
    bases: tuple[str, ...] = ()
    run: str = ""
    started: str = ""
    scheduled: bool = False
    trusted_commits: tuple[str, ...] = ()
    reads_checkout: bool = False
    project_title: str = ""
    project_description: str = ""
    project_license: str = ""

    @property
    def target_branches(self) -> frozenset[str]:
        """The branches that this run's change is for, as far as the provider names them."""
        targets = (name.removeprefix("origin/") for name in self.bases if name.startswith("origin/"))
        return frozenset(filter(None, (self.default_branch, *targets)))


Reader = Callable[[Environ], CiContext | None]
"""Reads a run from the variables; None where another provider set them."""


def known(*revisions: object) -> tuple[str, ...]:
    """The known revisions."""
    return tuple(revision for revision in revisions if isinstance(revision, str) and revision)


def remote(branch: str) -> tuple[str, ...]:
    """A branch as the checkout of a pipeline has it."""
    return (f"origin/{branch}",) if branch else ()


def number(text: object) -> int | None:
    """A number of a pull request, None for anything else."""
    return whole_number(str(text or ""))


def is_same_repository(one: str, other: str) -> bool:
    """Whether two addresses end in the same owner and name: https and ssh of one host are one repository."""
    return bool(one) and _owner_and_name(one) == _owner_and_name(other) != ()


def _owner_and_name(url: str) -> tuple[str, ...]:
    parts = url.removesuffix("/").removesuffix(".git").replace(":", "/").lower().split("/")
    return tuple(parts[-2:]) if len(parts) > 2 else ()
