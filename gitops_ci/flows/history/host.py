"""What code hosts tell beside the history: who merged, and when the source of an image was committed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from gitops_ci.configrepo import ConfigRepo
from gitops_ci.dataclass import dataclass
from gitops_ci.errors import GitopsCiError
from gitops_ci.flows.history.source import Source
from gitops_ci.flows.merges import MergeReader
from gitops_ci.forges.base import Forge
from gitops_ci.model import Deployment, Log

__all__ = ["Host", "source_times", "with_merges"]

_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Host:
    """Whom to ask. `connect` takes the repository that an environment has of its own, '' for the config repository.

    `source` gives the repository of an image's source, None for one on another code host: the token is not for that.
    """

    connect: Callable[[str], Forge]
    source: Callable[[str], Source | None]


def with_merges(
    deployments: Sequence[Deployment], home: Callable[[str], str], host: Host, log: Log
) -> list[Deployment]:
    """The deployments, each with who merged it. A host that does not answer is a warning."""
    readers: dict[str, MergeReader] = {}
    found = list(deployments)
    for number, one in enumerate(deployments):
        where = home(one.environment)
        reader = readers.setdefault(where, MergeReader(lambda where=where: host.connect(where)))  # type: ignore[misc]
        try:
            merged = reader.merged(one.commit)
        except GitopsCiError as error:
            log.warn(f"Who merged is not shown for all: {error.message}. {error.hint}".rstrip())
            return found
        if merged is not None:
            request = one.pull_request or f"#{merged.number}"
            found[number] = replace(one, merged_by=merged.by, merged=merged.time, pull_request=request)
    return found


def source_times(deployments: Iterable[Deployment], host: Host, log: Log) -> Mapping[tuple[str, str], int]:
    """By repository and commit when the sources of images were committed, as far as their repositories are reached."""
    wanted: dict[str, dict[str, None]] = {}
    for one in deployments:
        if one.source_repository and _COMMIT.fullmatch(one.source_commit):
            wanted.setdefault(one.source_repository, {})[one.source_commit] = None
    found: dict[tuple[str, str], int] = {}
    for address, commits in wanted.items():
        source = host.source(address)
        if source is None:
            log.detail(f"{address} is on another code host: its commits are not asked for")
            continue
        try:
            with ConfigRepo(source.url, source.credentials, log) as repo:
                times = repo.commit_times(list(commits))
        except GitopsCiError as error:
            log.warn(f"Lead times from {address} are not known: {error.message}")
            continue
        found |= {(address, commit): time for commit, time in times.items()}
    return found
