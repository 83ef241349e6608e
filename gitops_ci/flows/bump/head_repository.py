"""Where the branches of pull requests are: in the config repository, in a fork of it, or the changes of Gerrit."""

from __future__ import annotations

from collections.abc import Callable

from gitops_ci.configrepo import ConfigRepo, GitCredentials
from gitops_ci.forges.base import Forge, KeepsChanges
from gitops_ci.model import Log
from gitops_ci.repourl import RepoUrl

__all__ = ["head_repository", "looking_at"]


def head_repository(
    repo: ConfigRepo,
    base: str,
    connect: Callable[[], Forge] | None,
    fork: RepoUrl | None,
    credentials: GitCredentials | None,
    log: Log,
    left: Callable[[], float],
    *,
    every_base: bool = False,
) -> ConfigRepo:
    """The repository with the heads of pull requests to `base`; the config repository's own where nothing else is said.

    Raises:
        UsageError: the kind of code host does not show.
    """
    if fork is not None:
        from gitops_ci.configrepo.fork import Fork

        return Fork(fork, credentials, log, left=left, whole=repo, base=base)
    if connect is not None and isinstance(connect(), KeepsChanges):
        from gitops_ci.configrepo.gerrit_changes import GerritChanges

        return GerritChanges(repo.url, credentials, log, left=left, whole=repo, base="" if every_base else base)
    return repo


def looking_at(forge: Forge, heads: ConfigRepo) -> Forge:
    """A code host that sees the requests which only the heads show."""
    if not isinstance(forge, KeepsChanges):
        return forge
    from gitops_ci.configrepo.gerrit_changes import GerritChanges

    return forge.over(heads) if isinstance(heads, GerritChanges) else forge
