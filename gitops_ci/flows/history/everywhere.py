"""The environments of a run in all repositories that they lie in, as one past."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gitops_ci.configrepo import ConfigRepo
from gitops_ci.dataclass import dataclass
from gitops_ci.flows.bump.holds import holds_of
from gitops_ci.flows.history.reader import EnvironmentPast, Past, read_past
from gitops_ci.flows.history.scopes import Layout, Scope, scopes, whole
from gitops_ci.flows.history.source import Source, opened
from gitops_ci.model import Hold, Log

__all__ = ["Everywhere", "read_everywhere"]


@dataclass(frozen=True, slots=True)
class Everywhere:
    """What was read. Commits and paths are those of the repository in which an environment lies.

    `past.entries` are those of the first repository.
    """

    past: Past
    holds: tuple[Hold, ...]


def read_everywhere(source: Source, wanted: Sequence[str], since: int | None, log: Log) -> Everywhere:
    """Read the wanted environments, all without any.

    Raises:
        UsageError: an environment does not exist.
        GitError: a repository cannot be read.
    """
    with opened(source, log) as (repo, layout):
        chosen: Sequence[Scope] = scopes(layout, wanted)
        here = [scope for scope in chosen if not source.home(scope.name)]
        past = read_past(repo, here, since, log)
        if not (wanted or layout.environments):
            past, here = _guessed(repo, layout, past, since, log)
            chosen = here
        holds = list(_holds(repo, layout, here))
    found, skipped, reaches = dict(past.environments), past.skipped, past.reaches
    for address in dict.fromkeys(filter(None, (source.home(scope.name) for scope in chosen))):
        there, names = (
            source.elsewhere(address),
            [scope.name for scope in chosen if source.home(scope.name) == address],
        )
        with opened(there, log) as (repo, layout):
            its_scopes = scopes(layout, names)
            its_past = read_past(repo, its_scopes, since, log)
            holds += _holds(repo, layout, its_scopes)
        found |= its_past.environments
        skipped, reaches = (*skipped, *its_past.skipped), max(reaches, its_past.reaches)
    ordered: dict[str, EnvironmentPast] = {scope.name: found[scope.name] for scope in chosen}
    return Everywhere(Past(ordered, skipped, reaches, past.entries), tuple(holds))


def _guessed(repo: ConfigRepo, layout: Layout, past: Past, since: int | None, log: Log) -> tuple[Past, list[Scope]]:
    """What was read where names of folders stand for environments; the whole repository where they have no image."""
    scopes_read = [one.scope for one in past.environments.values()]
    named = ", ".join(scope.name for scope in scopes_read if scope.environment.name)
    if not named:
        return past, scopes_read
    if any(one.timeline.ever for one in past.environments.values()):
        log.step(f"Environments by the names of folders: {named}. Other files are not read: define environments:")
        return past, scopes_read
    log.step(f"The folders of {named} name no image: the whole repository counts as one environment")
    everything = [whole(layout)]
    return read_past(repo, everything, since, log), everything


def _holds(repo: ConfigRepo, layout: Layout, chosen: Sequence[Scope]) -> Iterator[Hold]:
    for branch in dict.fromkeys(scope.branch for scope in chosen):
        tip = layout.tip if branch == layout.default else repo.fetch(branch, sparse=True)
        yield from holds_of(tip, [scope.environment.name for scope in chosen if scope.branch == branch])
