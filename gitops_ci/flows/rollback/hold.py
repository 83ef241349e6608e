"""`hold` and `unhold`: the file that stops proposals for an image, and its end."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from gitops_ci.configrepo import ConfigRepo, Snapshot
from gitops_ci.dataclass import dataclass
from gitops_ci.errors import GitError, GitopsCiError, ProgramError
from gitops_ci.flows.bump import BumpRequest
from gitops_ci.flows.bump.branches import kind_branch
from gitops_ci.flows.bump.commit import push_base
from gitops_ci.flows.bump.flow import heads_of
from gitops_ci.flows.bump.holds import change_of, hold_of, in_force, path_of
from gitops_ci.flows.bump.publication import PublishContext
from gitops_ci.flows.bump.pull_request import propose
from gitops_ci.flows.bump.retry import Deadline
from gitops_ci.flows.bump.search import locate, own_file
from gitops_ci.flows.environments import require_one
from gitops_ci.flows.globs import Paths
from gitops_ci.flows.image.age import AgeComparison
from gitops_ci.flows.image.twins import TagTwins
from gitops_ci.flows.journal import Journal
from gitops_ci.imageref import ImageRef
from gitops_ci.model import FileChange, Hold, Log, Outcome, Plan
from gitops_ci.process import time_limit

__all__ = ["HoldRequest", "hold", "unhold"]


@dataclass(frozen=True, slots=True)
class HoldRequest:
    """The one image of `bump.search`, until when (seconds since 1970) it is held, why, and who asks."""

    bump: BumpRequest
    until: int | None = None
    reason: str = ""
    by: str = ""

    @property
    def image(self) -> ImageRef:
        return self.bump.search.images[0]


def hold(request: HoldRequest, log: Log) -> Outcome:
    """Write the hold and report what came of it; errors are part of the outcome."""
    return _reported("hold", request, log, _held)


def unhold(request: HoldRequest, log: Log) -> Outcome:
    """Take the hold and its blocks away and report what came of it; errors are part of the outcome."""
    return _reported("unhold", request, log, lambda before, wanted: None)  # noqa: ARG005


# (the hold that is there, the one that is asked for) -> the one to write, None for no file.
_Decide = Callable[[Hold | None, Hold], Hold | None]


def _held(before: Hold | None, wanted: Hold) -> Hold:
    if before is None or before.problem:
        return wanted
    if before.hold and (before.until, before.reason) == (wanted.until, wanted.reason or before.reason):
        return before
    return replace(wanted, blocked=before.blocked, reason=wanted.reason or before.reason)


def _reported(command: str, request: HoldRequest, log: Log, decide: _Decide) -> Outcome:
    journal = Journal(command)
    try:
        changed = _run(journal, request, log, decide)
    except GitopsCiError as error:
        return journal.failed(error)
    except (OSError, MemoryError) as error:
        return journal.failed(ProgramError.of_machine(error))
    return journal.outcome(changed=changed)


def _run(journal: Journal, request: HoldRequest, log: Log, decide: _Decide) -> bool:
    bump, deadline = request.bump, Deadline(request.bump.seconds)
    with time_limit(deadline.left), ConfigRepo(bump.url, bump.credentials, log, left=deadline.left) as repo:
        base, usual, environment = locate(repo, bump.search)
        mode = bump.mode or environment.mode or "pull-request"
        journal.dry_run = mode == "dry-run"
        image, name = request.image, bump.search.environment or ""
        said = replace(bump.publication, title=bump.publication.title or _title(journal.command, image, name))
        head = kind_branch("hold", bump.search.environment, bump.search.images)
        to = PublishContext(
            repo, base, usual, said, bump.search, environment, AgeComparison(bump.access, log),
            TagTwins(bump.access, log), bump.forge, journal,
            log, head,
        )  # fmt: skip
        if mode == "pull-request":
            to = replace(to, heads_in=heads_of(bump, repo, base, log, deadline.left))
        for _ in deadline.tries():
            snapshot = repo.fetch(base, sparse=True)
            if journal.command == "hold":
                own = bump.search.read_environments(*own_file(snapshot, repo))
                require_one(bump.search.environment, {**own, **bump.search.environments})
            found, now = hold_of(snapshot, name, image), int(time.time())
            before = in_force(found, now) if found else None
            wanted = Hold(
                environment=name, image=image.familiar, hold=True, until=request.until, reason=request.reason,
                by=request.by, since=now, path=path_of(name, image),
            )  # fmt: skip
            after = decide(before, wanted)
            journal.written = (after,) if after else ()
            file = _file(snapshot, wanted.path, after, to)
            if file is None:
                log.step(f"{image.familiar} is {'already' if after else 'not'} held in {name or base}")
                return False
            if after and not snapshot.search((image.basename,), Paths(environment.paths)):
                log.warn(f"no file of {name or base} names {image.familiar}: the hold stops nothing yet")
            journal.plan = plan = Plan(files=(file,))
            if mode == "dry-run":
                return True
            landed = (push_base if mode == "push" else propose)(to, snapshot, plan)
            if landed is not None:
                return landed
    raise GitError(f"The push to {bump.url} did not succeed within {bump.seconds:.0f} s", hint="Run the command again.")


def _file(snapshot: Snapshot, path: str, after: Hold | None, to: PublishContext) -> FileChange | None:
    if after is not None:
        proposed = to.head_repo.fetch(to.head) if to.head in to.head_repo.refs(to.head).tips else None
        return change_of(after, to.search.images[0], snapshot, proposed)
    before = (snapshot.read(path) or b"").decode("utf-8", "replace")
    return FileChange(path, before, "") if before else None


def _title(command: str, image: ImageRef, environment: str) -> str:
    deed = "hold" if command == "hold" else "end the hold of"
    return f"{'{environment}: ' if environment else ''}{deed} {image.basename}"
