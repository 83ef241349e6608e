"""What every command that reads history needs: the repository, its branch, and what environments are."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import field

from gitops_ci.configrepo import ConfigRepo, GitCredentials
from gitops_ci.dataclass import dataclass
from gitops_ci.errors import GitopsCiError, ProgramError
from gitops_ci.flows.bump.retry import Deadline
from gitops_ci.flows.bump.search import ReadRules
from gitops_ci.flows.environments import Environment
from gitops_ci.flows.history.reader import Past, read_past
from gitops_ci.flows.history.scopes import Layout, Scope, read_layout
from gitops_ci.model import Clock, ErrorDetail, Log, Outcome
from gitops_ci.plan import PointerRule
from gitops_ci.process import time_limit
from gitops_ci.repourl import RepoUrl

__all__ = ["DAY", "Source", "deep_enough", "layout_of", "limited", "opened", "reported", "repository"]

DAY = 86_400
# What is read first, and what more where that does not answer the question.
_SPANS = (90 * DAY, 730 * DAY)


def _nowhere(address: str) -> Source:
    raise AssertionError(f"a run that reads settings can reach the repositories that they name: {address}")


@dataclass(frozen=True, slots=True)
class Source:
    """A config repository to read. `environments` are those of this folder's configuration.

    `elsewhere` gives the source for the address of a repository that an environment has of its own.
    """

    url: RepoUrl
    credentials: GitCredentials | None = None
    base: str | None = None
    environments: Mapping[str, Environment] = field(default_factory=dict)
    read_environments: Callable[[str, str], Mapping[str, Environment]] = lambda text, source: {}  # noqa: ARG005
    seconds: float = 300.0
    clock: Clock = time.time
    elsewhere: Callable[[str], Source] = _nowhere
    rules: tuple[PointerRule, ...] = ()
    read_rules: ReadRules = lambda text, source: ()  # noqa: ARG005

    def home(self, environment: str) -> str:
        """The repository that an environment has of its own, '' for the config repository, which names no host."""
        own = self.environments.get(environment)
        return (own.config_repo if own else None) or ""


def repository(source: Source, log: Log) -> ConfigRepo:
    """The repository of a source, to be opened."""
    return ConfigRepo(source.url, source.credentials, log)


@contextmanager
def limited(source: Source, repo: ConfigRepo) -> Iterator[None]:
    """What is done meanwhile with the open repository, and the programs that it starts, have `source.seconds`."""
    deadline = Deadline(source.seconds)
    with time_limit(deadline.left), repo.within(deadline.left):
        yield


def layout_of(source: Source, repo: ConfigRepo) -> Layout:
    """What a repository says of environments.

    Raises:
        GitError: it cannot be read.
    """
    return read_layout(
        repo, source.base, source.environments, source.read_environments, source.rules, source.read_rules
    )


@contextmanager
def opened(source: Source, log: Log) -> Iterator[tuple[ConfigRepo, Layout]]:
    """The repository and what it says of environments.

    Raises:
        GitError: it cannot be read.
    """
    with repository(source, log) as repo, limited(source, repo):
        yield repo, layout_of(source, repo)


def deep_enough(
    repo: ConfigRepo, scopes: tuple[Scope, ...], now: float, is_enough: Callable[[Past], bool], log: Log
) -> Past:
    """The history, read further back until it answers the question or there is no more of it."""
    for span in _SPANS:
        past = read_past(repo, scopes, int(now) - span, log)
        if past.is_whole or is_enough(past):
            return past
    return read_past(repo, scopes, None, log)


def reported(command: str, work: Callable[[], Outcome]) -> Outcome:
    """The outcome of work; errors are part of it."""
    try:
        return work()
    except GitopsCiError as error:
        failed = error
    except (OSError, MemoryError) as error:
        failed = ProgramError.of_machine(error)
    return Outcome(command=command, status="failed", exit_code=failed.exit_code, error=ErrorDetail.of(failed))
