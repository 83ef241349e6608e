"""`wait`: until the operator, or a test after the deployment, reports on a commit of the config repository."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from gitops_ci.configrepo import ConfigRepo
from gitops_ci.dataclass import dataclass
from gitops_ci.errors import FindingsError, NothingMatched, UsageError
from gitops_ci.flows.history.scopes import Layout, scopes
from gitops_ci.flows.history.source import DAY, Source, opened, reported
from gitops_ci.flows.statuses import StatusReader, judged
from gitops_ci.forges.base import Forge
from gitops_ci.model import Clock, ErrorDetail, Gate, Log, Outcome
from gitops_ci.moments import age

__all__ = ["WaitRequest", "wait"]

_SPAN = 90 * DAY
_PAUSE = 10.0  # seconds between two looks
_FULL = (40, 64)  # hexadecimal digits of a whole id: SHA-1, SHA-256


@dataclass(frozen=True, slots=True)
class WaitRequest:
    """A `commit`, or the newest one of an `environment`; `statuses` are globs of contexts, `by` accounts that count."""

    source: Source
    connect: Callable[[], Forge]
    statuses: tuple[str, ...]
    commit: str = ""
    environment: str = ""
    by: tuple[str, ...] = ()
    timeout: float = 900.0
    clock: Clock = time.time
    sleep: Callable[[float], None] = time.sleep


def wait(request: WaitRequest, log: Log) -> Outcome:
    """Wait and report what came; errors are part of the outcome."""
    return reported("wait", lambda: _wait(request, log))


def _wait(request: WaitRequest, log: Log) -> Outcome:
    end = request.clock() + request.timeout
    told = ""
    while True:
        # Commits that are pushed in the meantime count, too, and the API gets a deadline of its own each time.
        with opened(request.source, log) as (repo, layout):
            commits = _commits(request, repo, layout, log)
        found = judged(StatusReader(request.connect).newest(commits), request.statuses, request.by)
        if found.state != "waiting":
            return _outcome(request, commits[0], found.state, found.reason)
        left = end - request.clock()
        if left <= 0:
            reason = f"{found.reason} within {age(request.timeout)}"
            return _outcome(request, commits[0], "closed", reason, gate="timeout")
        if found.reason != told:
            log.step(f"{commits[0][:12]}: {found.reason}")
            told = found.reason
        request.sleep(min(left, _PAUSE))


def _outcome(request: WaitRequest, commit: str, state: str, reason: str, *, gate: str = "status") -> Outcome:
    is_open = state == "open"
    made = Gate(request.environment, (), gate, "open" if is_open else "closed", reason)
    error = None if is_open else FindingsError(f"{commit[:12]}: {reason}", hint="Read the operator's log.")
    return Outcome(
        command="wait",
        status="unchanged" if is_open else "failed",
        exit_code=error.exit_code if error else 0,
        gates=(made,),
        error=ErrorDetail.of(error) if error else None,
    )


def _commits(request: WaitRequest, repo: ConfigRepo, layout: Layout, log: Log) -> Sequence[str]:
    """The commit that is meant and those after it on its branch, oldest first.

    Raises:
        UsageError: there is no such commit.
        NothingMatched: no commit changed the environment.
    """
    since = int(request.clock()) - _SPAN
    if request.environment:
        scope = scopes(layout, (request.environment,))[0]
        entries = list(repo.log(scope.branch, since=since).entries(scope.matches))
        at = next((n for n in range(len(entries) - 1, -1, -1) if entries[n].changes), None)
        if at is None:
            raise NothingMatched(f"No commit changed {scope.name}", hint="Name a commit with --commit.")
        log.detail(f"{entries[at].commit[:12]} is the newest commit of {scope.name}")
        return [entry.commit for entry in entries[at:]]
    commits = [entry.commit for entry in repo.log(layout.default, since=since).entries(lambda _: False)]
    at = next((n for n, commit in enumerate(commits) if commit.startswith(request.commit)), None)
    if at is not None:
        return commits[at:]
    if len(request.commit) in _FULL:
        return [request.commit]  # on another branch, or older
    raise UsageError(f"{layout.default} has no commit {request.commit}", hint="Give the whole id of the commit.")
